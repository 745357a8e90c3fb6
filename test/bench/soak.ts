import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';
import { type CountingBackEnd, countingBackEnd } from './back-end.ts';
import { backlogArtifacts } from './backlog-artifacts.ts';
import { slopePerHour, troughs } from './drift.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { residentMiB } from './memory.ts';
import { order } from './messages.ts';
import { writeResult } from './result.ts';

/*
 * Whether the runtime grows: an hour of steady load through a proxy that stores on SQLite, a forwarder and a back end, and through one that
 * answers by itself, with one artifact changed every minute and its numbers asked for as a console does. Writes docs/bench/soak.json.
 *
 *   node test/bench/soak.ts [--minutes 60] [--per-second 50]
 *
 * Exit code 1 when what is resident grows by 1 MB an hour or more after the first quarter, or a message was lost.
 */

const GOAL_MIB_PER_HOUR = 1;
/** The part of the run in which caches, rings and compiled code fill; it does not count. */
const WARM_UP = 0.25;
const SAMPLE_MS = 500;
const CHANGE_MS = 60_000;
const ASK_MS = 2_000;
const ASKED = ['/management/overview', '/metrics', '/management/message-stores', '/health/artifacts'];

/** What came of a run. */
interface Counts extends Load {
  readonly minutes: number;
  readonly delivered: number;
}

interface Load {
  readonly accepted: number;
  readonly refused: number;
}

function answering(version: number): string {
  return `<proxy xmlns="http://ws.apache.org/ns/synapse" name="Quote" transports="http"><target><inSequence>
  <property name="symbol" expression="//m0:symbol/text()" xmlns:m0="http://services.samples"/>
  <log level="custom"><property name="symbol" expression="$ctx:symbol"/></log>
  <payloadFactory media-type="json"><format>{"symbol": "$1", "version": ${version}}</format><args><arg expression="$ctx:symbol"/></args></payloadFactory>
  <respond/></inSequence></target></proxy>\n`;
}

/** Sends at a steady pace, one order to be stored and one to be answered in turns, whatever the answers take. */
async function steadyLoad(runtime: MiniSynapse, perSecond: number, until: number): Promise<Load> {
  const pool = new Pool(`http://127.0.0.1:${runtime.ports.http}`, { connections: 16, pipelining: 1 });
  const headers = { 'content-type': 'text/xml; charset=UTF-8', soapaction: '"urn:placeOrder"' };
  const load = { accepted: 0, refused: 0 };
  const pending = new Set<Promise<void>>();
  const begun = performance.now();
  for (let number = 0; performance.now() < until; number += 1) {
    const stored = number % 2 === 0;
    const path = stored ? '/services/Orders' : '/services/Quote';
    const sent = pool.request({ method: 'POST', path, headers, body: order(number) }).then(
      async ({ statusCode, body }) => {
        await body.dump();
        if (stored && statusCode === 202) load.accepted += 1;
        if (statusCode !== (stored ? 202 : 200)) load.refused += 1;
      },
      () => {
        load.refused += 1;
      },
    );
    const done = sent.finally(() => pending.delete(done));
    pending.add(done);
    await delay(Math.max(0, begun + ((number + 1) * 1_000) / perSecond - performance.now()));
  }
  await Promise.all(pending);
  await pool.close();
  return load;
}

async function ask(runtime: MiniSynapse, path: string): Promise<void> {
  const response = await fetch(runtime.management(path));
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
}

/** Changes an artifact and asks for numbers, until aborted. */
async function operators(runtime: MiniSynapse, changed: string, signal: AbortSignal): Promise<void> {
  let version = 1;
  let changedAt = performance.now();
  while (!signal.aborted) {
    for (const path of ASKED) await ask(runtime, path);
    if (performance.now() - changedAt >= CHANGE_MS) {
      version += 1;
      changedAt = performance.now();
      writeFileSync(changed, answering(version));
    }
    await delay(ASK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What is resident, every half second, MiB. */
async function watchMemory(runtime: MiniSynapse, samples: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const now = residentMiB(runtime.pid);
    if (now !== undefined) samples.push(now);
    if (samples.length % 120 === 0)
      process.stderr.write(`  ${(samples.length * SAMPLE_MS) / 60_000} min: ${now?.toFixed(1) ?? '?'} MiB\n`);
    await delay(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function soak(runtime: MiniSynapse, backEnd: CountingBackEnd, changed: string): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '60' }, 'per-second': { type: 'string', default: '50' } },
  });
  const minutes = Number(values.minutes);
  const samples: number[] = [];
  const end = new AbortController();
  const beside = Promise.all([watchMemory(runtime, samples, end.signal), operators(runtime, changed, end.signal)]);
  try {
    const load = steadyLoad(runtime, Number(values['per-second']), performance.now() + minutes * 60_000);
    // They end before the load only by failing.
    const { accepted, refused } = await Promise.race([load, beside.then(() => load)]);
    await waitFor(() => backEnd.distinct >= accepted, { what: 'the last deliveries', deadlineMs: 120_000 });
    return await tell(samples, { minutes, accepted, refused, delivered: backEnd.distinct });
  } finally {
    end.abort();
    await beside;
  }
}

async function tell(samples: readonly number[], counts: Counts): Promise<number> {
  const perMinute = troughs(samples, 60_000 / SAMPLE_MS);
  const settled = perMinute.slice(Math.ceil(perMinute.length * WARM_UP));
  const slope = slopePerHour(settled, 60_000);
  const met = slope < GOAL_MIB_PER_HOUR && counts.refused === 0;
  const value = { median: slope, min: slope, max: slope };
  const path = `growth of what is resident, ${counts.minutes} min of steady load with redeployments`;
  process.stdout.write(
    `  ${path}: ${slope.toFixed(2)} MiB/h; goal < ${GOAL_MIB_PER_HOUR}: ${met ? 'met' : 'NOT MET'}\n`,
  );
  process.stdout.write(
    `  ${JSON.stringify(counts)}; least per minute, MiB: ${perMinute.map((mib) => mib.toFixed(1)).join(' ')}\n`,
  );
  const limits = [{ id: 'soak', path, value, unit: 'MiB/h', goal: GOAL_MIB_PER_HOUR, met }];
  await writeResult('soak', { ...counts, limits, leastPerMinuteMiB: perMinute });
  return met ? 0 : 1;
}

async function main(): Promise<number> {
  const folder = benchFolder();
  const artifacts = join(folder, 'artifacts');
  const dataDirectory = join(folder, 'data');
  mkdirSync(artifacts);
  mkdirSync(dataDirectory);
  const backEnd = await countingBackEnd();
  const url = `jdbc:sqlite:${join(dataDirectory, 'orders.db')}`;
  const parameters = {
    'store.jdbc.driver': 'org.sqlite.JDBC',
    'store.jdbc.connection.url': url,
    'store.jdbc.table': 'orders',
    'x.create.table': 'true',
  };
  const store = { class: 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore', parameters };
  const forwarder = { interval: '0', 'x.concurrency': '4' };
  writeFileSync(join(artifacts, 'orders.xml'), backlogArtifacts(store, backEnd.port, forwarder));
  const changed = join(artifacts, 'quote.xml');
  writeFileSync(changed, answering(1));
  const runtime = await runMiniSynapse({ artifacts, dataDirectory });
  try {
    return await soak(runtime, backEnd, changed);
  } finally {
    await runtime.stop();
    await backEnd.close();
    removeFolder(folder);
  }
}

process.exitCode = await main();
