import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { switchProcessor } from '../../support/management.ts';
import { runMiniSynapse } from '../../support/mini-synapse.ts';
import { waitFor } from '../../support/wait-for.ts';
import { backlogArtifacts } from '../backlog-artifacts.ts';
import { benchFolder, removeFolder } from '../folder.ts';
import { Backlog } from './backlog.ts';
import { endChild, nextMessage, startModule } from './child.ts';
import type { Contestant, RoundFigures, Row, Running } from './contestant.ts';
import { type BrokerAddress, jmsStore } from './store-rows.ts';

const GOAL = 0.8;
/** Without a message for so long, nothing is under way, ms. */
const QUIET_MS = 100;
const STOP_DEADLINE_MS = 30_000;

interface Counted {
  readonly arrived: number;
  /** Of the times between two messages. */
  readonly figures: RoundFigures;
}

/** A back end that counts, in a process of its own. */
export interface Counting {
  readonly port: number;
  begin(): void;
  /** What came since. */
  end(): Promise<Counted>;
  close(): Promise<void>;
}

export async function startCounting(): Promise<Counting> {
  const child = startModule(new URL('../baselines/counting.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(child);
  return {
    port,
    begin: () => void child.send('begin'),
    end() {
      child.send('end');
      return nextMessage<Counted>(child);
    },
    close: () => endChild(child),
  };
}

interface DrainOptions {
  readonly broker: BrokerAddress;
  readonly counting: Counting;
  readonly backlog: Backlog;
  readonly concurrency: number;
}

/** A backlog through one forwarder without throttle, against the bare minimum. A round drains a part of it, then it is filled up. */
export function drainRows(broker: BrokerAddress, counting: Counting, size: number): Row[] {
  const backlog = new Backlog(broker.stompPort, size);
  return [1, 16].map((concurrency) => {
    const options = { broker, counting, backlog, concurrency };
    return {
      id: `drain-${concurrency}`,
      path: `drain a backlog of ${size} on ActiveMQ, one forwarder, ${concurrency} at a time`,
      goal: GOAL,
      baseline: bareForwarder(options),
      ours: forwarder(options),
    };
  });
}

/** What can be switched on and off. */
interface Drainer {
  readonly pid: number;
  become(state: 'active' | 'inactive'): Promise<unknown>;
  close(): Promise<void>;
}

function bareForwarder(options: DrainOptions): Contestant {
  const { broker, counting, concurrency } = options;
  const draining = async (queue: string): Promise<Drainer> => {
    const target = `http://127.0.0.1:${counting.port}`;
    const to = ['--port', `${broker.stompPort}`, '--queue', queue, '--target', target];
    const module = new URL('../baselines/stomp-forwarder.ts', import.meta.url);
    const child = startModule(module, [...to, '--concurrency', `${concurrency}`]);
    const close = () => endChild(child);
    await nextMessage(child).catch(async (error: unknown) => {
      await close();
      throw error;
    });
    const become = (state: string) => {
      child.send(state);
      return nextMessage(child);
    };
    return { pid: child.pid ?? 0, become, close };
  };
  return { name: 'bare stompit consumer + undici', start: () => start(options, draining) };
}

function forwarder(options: DrainOptions): Contestant {
  const draining = async (queue: string): Promise<Drainer> => {
    const folder = benchFolder();
    const artifacts = join(folder, 'artifacts');
    mkdirSync(artifacts);
    const { broker, counting, concurrency } = options;
    const unthrottled = { interval: '0', 'is.active': 'false', 'x.concurrency': `${concurrency}` };
    writeFileSync(join(artifacts, 'drain.xml'), backlogArtifacts(jmsStore(broker, queue), counting.port, unthrottled));
    const runtime = await runMiniSynapse({ artifacts, dataDirectory: join(folder, 'data') });
    return {
      pid: runtime.pid ?? 0,
      become: (state) => switchProcessor(runtime, 'Forwarder', state),
      async close() {
        await runtime.kill();
        removeFolder(folder);
      },
    };
  };
  return { name: 'mini-synapse', start: () => start(options, draining) };
}

async function start(options: DrainOptions, draining: (queue: string) => Promise<Drainer>): Promise<Running> {
  const { counting, backlog } = options;
  await backlog.refill();
  const drainer = await draining(backlog.queue);
  return {
    pid: drainer.pid,
    async round(ms) {
      counting.begin();
      await drainer.become('active');
      await delay(ms);
      await drainer.become('inactive');
      const { arrived, figures } = await counting.end();
      const drained = arrived + (await late(counting));
      if (drained >= backlog.size) throw new Error(`${drained} messages were drained before the end of the round`);
      backlog.taken(drained);
      return figures;
    },
    tidy: () => backlog.refill(),
    async close(failed) {
      if (failed) backlog.forget();
      await drainer.close();
    },
  };
}

/** Waits for what was under way at the end of a round. @returns how many messages that were */
async function late(counting: Counting): Promise<number> {
  let all = 0;
  await waitFor(
    async () => {
      await delay(QUIET_MS);
      const { arrived } = await counting.end();
      all += arrived;
      return arrived === 0;
    },
    { what: 'the drain to stop', deadlineMs: STOP_DEADLINE_MS },
  );
  return all;
}
