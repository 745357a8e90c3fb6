import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { seeStore } from '../support/management.ts';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { activemq } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';
import { backlogArtifacts } from './backlog-artifacts.ts';
import { endChild, nextMessage, startModule } from './contest/child.ts';
import { spread } from './contest/contest.ts';
import { type BrokerAddress, freshName, jmsStore } from './contest/store-rows.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { order } from './messages.ts';
import { percentile } from './percentiles.ts';
import { writeResult } from './result.ts';
import { closeServers, startServer } from './servers.ts';

/*
 * How long a message takes from its client through a queue of ActiveMQ to the back end when nothing else is to be done: a proxy that
 * stores and a forwarder with an interval of 1,000 ms, against a bare relay, in turns. Client and back end are this process.
 *
 *   node test/bench/latency.ts [--rounds 15]
 *
 * Exit code 1 when more than 20 ms are added.
 */

const GOAL_MS = 20;
const INTERVAL_MS = 1_000;
/** Messages that are not counted. */
const WARM_UP = 5;
const ARRIVAL_DEADLINE_MS = 30_000;

/** One way to the back end. */
interface Way {
  readonly name: string;
  readonly times: number[];
  /** Posts a message; ms until the back end had it. */
  pass(): Promise<number>;
  close(): Promise<unknown>;
}

/** The back end: whoever waits for the next message hears when it came. */
class BackEnd {
  readonly #server: Server;
  #arrival = Promise.withResolvers<number>();

  constructor() {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#arrival.resolve(performance.now());
      request.resume();
      request.on('end', () => response.writeHead(202).end());
    });
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** When the next message comes, as of performance.now(). */
  next(): Promise<number> {
    this.#arrival = Promise.withResolvers<number>();
    const late = delay(ARRIVAL_DEADLINE_MS, undefined, { ref: false }).then(() => {
      throw new Error('the message did not come');
    });
    return Promise.race([this.#arrival.promise, late]);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function wayThrough(name: string, url: string, path: string, backEnd: BackEnd, end: () => Promise<unknown>): Way {
  const pool = new Pool(url, { connections: 1, pipelining: 1 });
  let number = 0;
  return {
    name,
    times: [],
    async pass() {
      number += 1;
      const arrival = backEnd.next();
      const begun = performance.now();
      const headers = { 'content-type': 'text/xml; charset=UTF-8', soapaction: '"urn:placeOrder"' };
      const answer = await pool.request({ method: 'POST', path, headers, body: order(number) });
      await answer.body.dump();
      if (answer.statusCode !== 202) throw new Error(`${name} answered ${answer.statusCode}`);
      return (await arrival) - begun;
    },
    async close() {
      await pool.close();
      await end();
    },
  };
}

async function bareRelay(broker: BrokerAddress, backEnd: BackEnd, backEndPort: number): Promise<Way> {
  const args = ['--port', `${broker.stompPort}`, '--queue', freshName(), '--target', `http://127.0.0.1:${backEndPort}`];
  const child = startModule(new URL('baselines/stomp-relay.ts', import.meta.url), args);
  const { port } = await nextMessage<{ port: number }>(child);
  return wayThrough('bare stompit relay', `http://127.0.0.1:${port}`, '/', backEnd, () => endChild(child));
}

async function miniSynapse(broker: BrokerAddress, backEnd: BackEnd, backEndPort: number): Promise<Way> {
  const folder = benchFolder();
  const artifacts = join(folder, 'artifacts');
  mkdirSync(artifacts);
  const schedule = { interval: `${INTERVAL_MS}` };
  writeFileSync(join(artifacts, 'relay.xml'), backlogArtifacts(jmsStore(broker, freshName()), backEndPort, schedule));
  const runtime = await runMiniSynapse({ artifacts, dataDirectory: join(folder, 'data') });
  await waitFor(async () => (await seeStore(runtime, 'OrderStore')).state === 'READY', { what: 'the store' });
  const url = `http://127.0.0.1:${runtime.ports.http}`;
  return wayThrough('mini-synapse', url, '/services/Orders', backEnd, async () => {
    await runtime.kill();
    removeFolder(folder);
  });
}

async function measure(ways: readonly Way[], rounds: number): Promise<void> {
  for (let round = -WARM_UP; round < rounds; round += 1) {
    // Both rest for an interval in any case, so that neither waits for it.
    for (const way of round % 2 === 0 ? ways : [...ways].reverse()) {
      const ms = await way.pass();
      if (round >= 0) way.times.push(ms);
    }
    await delay(INTERVAL_MS * 1.1);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
  const backEnd = new BackEnd();
  const ways: Way[] = [];
  try {
    const broker = await startServer(activemq);
    if (!broker) {
      process.stdout.write('nothing is measured: ActiveMQ is missing\n');
      return 1;
    }
    const port = await backEnd.open();
    ways.push(await bareRelay(broker, backEnd, port), await miniSynapse(broker, backEnd, port));
    await measure(ways, Number(values.rounds));
    return await tell(ways as [Way, Way]);
  } finally {
    for (const way of ways) await way.close();
    backEnd.close();
    await closeServers();
  }
}

async function tell([bare, ours]: readonly [Way, Way]): Promise<number> {
  const added = spread(ours.times.map((ms, round) => ms - (bare.times[round] ?? Number.NaN)));
  const met = added.median <= GOAL_MS;
  const figures = [bare, ours].map(({ name, times }) => ({
    name,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  }));
  for (const { name, p50Ms, p99Ms } of figures) {
    process.stdout.write(`  ${name.padEnd(38)} p50 ${p50Ms.toFixed(1)} p99 ${p99Ms.toFixed(1)} ms\n`);
  }
  const range = `${added.min.toFixed(1)} to ${added.max.toFixed(1)}`;
  process.stdout.write(
    `  added, idle, interval ${INTERVAL_MS}: ${added.median.toFixed(1)} ms (${range}); goal <= ${GOAL_MS} ms: ${met ? 'met' : 'NOT MET'}\n`,
  );
  const path = 'store to back end when idle, interval 1,000 ms, beyond a bare relay';
  const limits = [{ id: 'latency', path, value: added, unit: 'ms', goal: GOAL_MS, met }];
  await writeResult('latency', { rounds: ours.times.length, limits, ways: figures });
  return met ? 0 : 1;
}

process.exitCode = await main();
