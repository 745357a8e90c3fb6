import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type FaultPoint, POINTS } from '../../src/fault-points.ts';
import { waitFor } from '../support/wait-for.ts';
import type { FaultyFlow } from './faulty-flow.ts';
import type { Random } from './random.ts';

/** Those that every message of the plain flow passes. */
export const PLAIN_POINTS: readonly FaultPoint[] = [
  POINTS.putBegun,
  POINTS.putSent,
  POINTS.putConfirmed,
  POINTS.clientAnswered,
  POINTS.received,
  POINTS.crashJournal,
  POINTS.attemptBegun,
  POINTS.attemptEnded,
  POINTS.settleBegun,
  POINTS.settleConfirmed,
];

/** A process that does not come to its point by then is killed all the same, ms. */
const POINT_DEADLINE_MS = 30_000;
/** The last bytes of a killed process may still be on their way into a back end, ms. */
export const LAST_BYTES_MS = 500;

export interface Kills {
  /** At random moments. */
  readonly moments: number;
  /** At each of these points once, at a random occurrence. */
  readonly points: readonly FaultPoint[];
  /** What brings a process to its points, besides the load. */
  readonly provoke?: () => Promise<void>;
  /** How many messages may be on their way from one store to another; default 0. */
  readonly movedTwice?: number;
  /** At which occurrence of a point at the latest; default 8, and 2 where the points are provoked. */
  readonly latest?: number;
}

export interface KillResult {
  readonly times: number;
  /** From each ready line to the next delivery, ms. */
  readonly resumedMs: readonly number[];
}

type Kill = FaultPoint | 'moment';

/**
 * Kills the runtime (SIGKILL) and starts it again, over and over, in a random order of ways; every kill is a fault in the history.
 * @throws when the process did not come to one of the points
 */
export async function killRuntime(flow: FaultyFlow, kills: Kills, random: Random): Promise<KillResult> {
  const moments: Kill[] = Array.from({ length: kills.moments }, () => 'moment');
  const resumedMs: number[] = [];
  const missed: string[] = [];
  const begun = performance.now();
  await flow.runtime.kill();
  noteKill(flow, 'at first', begun, kills.movedTwice);
  for (const kill of random.shuffled<Kill>([...moments, ...kills.points])) {
    if (kill === 'moment') await killAtMoment(flow, kills, random);
    else if (!(await killAtPoint(flow, kill, kills, random))) missed.push(kill.name);
  }
  flow.end.set({});
  await flow.runtime.restart();
  resumedMs.push(await resumed(flow));
  expect(missed, 'points that were not passed').toEqual([]);
  return { times: 1 + kills.moments + kills.points.length, resumedMs };
}

/** Until the next order is accepted, ms. */
export async function resumed(flow: FaultyFlow, deadlineMs = 60_000): Promise<number> {
  const since = performance.now();
  const event = await waitFor(() => flow.history.firstSince('accepted', since), {
    what: 'an order to be delivered',
    deadlineMs,
    everyMs: 5,
  });
  return event.at - since;
}

/** Mostly when it serves, sometimes while it still starts. */
async function killAtMoment(flow: FaultyFlow, { movedTwice }: Kills, random: Random): Promise<void> {
  const { runtime } = flow;
  flow.end.set({});
  const starting = random.next() < 0.2;
  const pause = starting ? random.between(50, 600) : random.between(0, 500);
  const started = runtime.restart();
  if (!starting) await started;
  await delay(pause);
  const from = performance.now();
  await Promise.all([runtime.kill(), started.catch(() => undefined)]);
  noteKill(flow, `at a moment${starting ? ' of its start' : ''}`, from, movedTwice);
}

/** Starts the runtime, which is dead, and leaves it dead. False: it did not come there, and was killed all the same. */
export async function killAtPoint(
  flow: FaultyFlow,
  { name }: FaultPoint,
  { provoke, movedTwice, latest = provoke ? 2 : 8 }: Omit<Kills, 'moments' | 'points'>,
  random: Random,
): Promise<boolean> {
  const { runtime } = flow;
  flow.end.set({ point: name, nth: random.between(1, latest) });
  let alive = performance.now();
  // It may come there before it is ready.
  const started = runtime.restart().then(
    () => provoke?.(),
    () => undefined,
  );
  let spawned = false;
  const ended = waitFor(
    () => {
      if (runtime.pid === undefined) return spawned;
      spawned = true;
      alive = performance.now();
      return false;
    },
    { what: name, deadlineMs: POINT_DEADLINE_MS, everyMs: 5 },
  );
  await ended.catch(() => runtime.kill());
  await started.catch(() => undefined);
  noteKill(flow, `at ${name}`, alive, movedTwice);
  return flow.end.reached;
}

function noteKill(flow: FaultyFlow, what: string, from: number, movedTwice = 0): void {
  const to = performance.now() + LAST_BYTES_MS;
  const forgetsMs = flow.store.ignoresMs ?? 0;
  flow.history.addFault({ what: `killed ${what}`, from, to, window: 1, movedTwice, forgetsMs });
}
