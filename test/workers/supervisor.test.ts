import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  MAX_ENDS,
  type Outcome,
  type Role,
  Supervisor,
  type WorkerEvents,
  type WorkerReady,
} from '../../src/workers/supervisor.ts';

const READY: WorkerReady = {
  host: '127.0.0.1',
  httpPort: 8280,
  httpsPort: 8243,
  managementHost: '127.0.0.1',
  managementPort: 9164,
  artifactCount: 3,
  faultyCount: 0,
};
const CRASHED = { code: null, signal: 'SIGKILL' };
const SHUTDOWN_MS = 30_000;

interface Fake {
  readonly role: Role;
  readonly events: WorkerEvents;
  /** What the supervisor has told it. */
  readonly told: string[];
}

let forked: Fake[];
let outcome: Outcome | undefined;
let ready: WorkerReady | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  forked = [];
  outcome = undefined;
  ready = undefined;
});

afterEach(() => {
  vi.useRealTimers();
});

function supervise(workers = 2): Supervisor {
  const supervisor = new Supervisor({
    workers,
    shutdownMs: SHUTDOWN_MS,
    fork(role, events) {
      const told: string[] = [];
      forked.push({ role, events, told });
      return {
        pid: forked.length,
        begin: () => void told.push('begin'),
        stop: (cause) => void told.push(`stop ${cause}`),
        kill: () => void told.push('kill'),
      };
    },
  });
  void supervisor.ended.then((end) => {
    outcome = end;
  });
  void supervisor.ready.then((told) => {
    ready = told;
  });
  supervisor.start();
  return supervisor;
}

function worker(index: number): Fake {
  const found = forked[index];
  if (!found) throw new Error(`${forked.length} workers were forked`);
  return found;
}

async function served(workers = 2): Promise<Supervisor> {
  const supervisor = supervise(workers);
  for (let index = 0; index < workers; index += 1) worker(index).events.ready(READY);
  await vi.advanceTimersByTimeAsync(0);
  expect(ready).toEqual(READY);
  return supervisor;
}

describe('the start', () => {
  it('forks all at once, and lets takers begin when the owner is ready', async () => {
    supervise(3);
    expect(forked.map(({ role, told }) => [role, ...told])).toEqual([['owner', 'begin'], ['taker'], ['taker']]);
    worker(0).events.ready(READY);
    expect(forked.map(({ told }) => told)).toEqual([['begin'], ['begin'], ['begin']]);
    worker(1).events.ready(READY);
    await vi.advanceTimersByTimeAsync(0);
    expect(ready).toBeUndefined();
    worker(2).events.ready(READY);
    await vi.advanceTimersByTimeAsync(0);
    expect(ready).toEqual(READY);
  });

  it.each([0, 1])('ends as worker %d ended', async (index) => {
    supervise();
    worker(0).events.ready(READY);
    worker(index).events.ended({ code: 3, signal: null });
    const other = worker(1 - index);
    expect(other.told.at(-1)).toBe('stop not started');
    other.events.ended({ code: 0, signal: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ kind: 'not started', end: { code: 3, signal: null } });
    expect(forked).toHaveLength(2);
  });

  it('kills a worker that does not get ready', async () => {
    supervise();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(worker(0).told).toEqual(['begin', 'kill']);
  });

  it('gives takers their whole time, however long the owner took', async () => {
    supervise();
    await vi.advanceTimersByTimeAsync(119_999);
    worker(0).events.ready(READY);
    await vi.advanceTimersByTimeAsync(119_999);
    expect(worker(1).told).toEqual(['begin']);
    await vi.advanceTimersByTimeAsync(1);
    expect(worker(1).told).toEqual(['begin', 'kill']);
  });

  it('can be stopped', async () => {
    supervise().stop('SIGTERM');
    for (const { told, events } of forked) {
      expect(told.at(-1)).toBe('stop SIGTERM');
      events.ended({ code: 0, signal: null });
    }
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ kind: 'stopped', cause: 'SIGTERM' });
  });
});

describe('a worker that ends', () => {
  it.each([
    [0, 'owner'],
    [1, 'taker'],
  ])('is started again in its role: worker %d, %s', async (index, role) => {
    await served();
    worker(index).events.ended(CRASHED);
    await vi.advanceTimersByTimeAsync(99);
    expect(forked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(worker(2)).toMatchObject({ role, told: ['begin'] });
    expect(outcome).toBeUndefined();
  });

  it('waits longer each time, and all end when it is too often', async () => {
    await served();
    const pauses = [100, 200, 400, 800, 1_600];
    expect(pauses).toHaveLength(MAX_ENDS - 1);
    for (const [index, pause] of pauses.entries()) {
      worker(index === 0 ? 1 : index + 1).events.ended(CRASHED);
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(forked).toHaveLength(index + 2);
      await vi.advanceTimersByTimeAsync(1);
      expect(forked).toHaveLength(index + 3);
    }
    worker(forked.length - 1).events.ended(CRASHED);
    expect(worker(0).told.at(-1)).toBe('stop given up');
    worker(0).events.ended({ code: 0, signal: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ kind: 'given up' });
  });

  it('begins anew after it has worked for a minute', async () => {
    await served();
    for (let time = 0; time < 2 * MAX_ENDS; time += 1) {
      const last = worker(time === 0 ? 1 : forked.length - 1);
      if (time > 0) last.events.ready(READY);
      await vi.advanceTimersByTimeAsync(60_000);
      last.events.ended(CRASHED);
      await vi.advanceTimersByTimeAsync(100);
      expect(forked).toHaveLength(time + 3);
    }
    expect(outcome).toBeUndefined();
  });

  it('and comes back on another port ends all: clients would not find it', async () => {
    await served();
    worker(1).events.ended(CRASHED);
    await vi.advanceTimersByTimeAsync(100);
    worker(2).events.ready({ ...READY, httpPort: 8281 });
    expect(worker(0).told.at(-1)).toBe('stop given up');
  });
});

describe('the end', () => {
  it.each(['shutdown', 'restart'] as const)('comes when the management API is asked for it: %s', async (how) => {
    await served();
    worker(0).events.asked(how);
    for (const { told, events } of forked) {
      expect(told.at(-1)).toBe(`stop ${how}`);
      events.ended({ code: 0, signal: null });
    }
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ kind: 'stopped', cause: how });
  });

  it('kills whoever takes longer than the deadline', async () => {
    const supervisor = await served();
    supervisor.stop('SIGTERM');
    supervisor.stop('SIGINT');
    worker(1).events.ended({ code: 0, signal: null });
    await vi.advanceTimersByTimeAsync(SHUTDOWN_MS);
    expect(worker(0).told).toEqual(['begin', 'stop SIGTERM', 'kill']);
    expect(worker(1).told).toEqual(['begin', 'stop SIGTERM']);
    worker(0).events.ended(CRASHED);
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ kind: 'stopped', cause: 'SIGTERM' });
  });

  it('does not wait for a worker that is to be started again', async () => {
    const supervisor = await served();
    worker(1).events.ended(CRASHED);
    supervisor.stop('SIGTERM');
    worker(0).events.ended({ code: 0, signal: null });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(outcome).toEqual({ kind: 'stopped', cause: 'SIGTERM' });
    expect(forked).toHaveLength(2);
  });
});
