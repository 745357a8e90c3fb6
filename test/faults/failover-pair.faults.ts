import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type FaultPoint, POINTS } from '../../src/fault-points.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { waitFor } from '../support/wait-for.ts';
import { FaultyFlow } from './faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from './figures.ts';
import { killAtPoint, LAST_BYTES_MS } from './kills.ts';
import { FAILOVER_STORE, failoverPair } from './moving-flow.ts';
import { Random } from './random.ts';
import { durableStores, type FaultyServer } from './stores.ts';
import { timeoutFor, timesOr } from './times.ts';

/*
 * A store on a server and its failover store in SQLite, with the failover processor between them (`samples/failover`, durable). The
 * server is killed, stopped and restarted, and the runtime is killed in every phase and at the points in them, while clients never stop: they get their 202
 * all the time that the runtime lives, and all comes back through the store, in order (`x.failover.order`), with no human.
 */

/** What happens in one round. */
const ROUNDS = [
  'server killed',
  'server stopped and started',
  'runtime killed while the server is away',
  'server killed, runtime killed at its return',
  'runtime killed when the failover store has confirmed',
  'runtime killed when messages are moved back',
] as const;
type Round = (typeof ROUNDS)[number];

/** To the processor they are all the same; AMQP, STOMP and SQL are not. */
const FAILING_OVER = ['ActiveMQ', 'RabbitMQ classic', 'PostgreSQL'];
/** Each of them once. */
const TIMES = timesOr(ROUNDS.length);
/** How long the server is away: long enough for the failover store to take over, ms. */
const AWAY_MS = [1_500, 4_000] as const;
/** Until what the failover store has taken is where it belongs, under load, ms. */
const HEALED_MS = 120_000;
/** What is to be killed at its points needs so many messages in the failover store. */
const ENOUGH = 10;
/** Of these occurrences of a point one is chosen. */
const LATEST = 3;
/** The failover processor has one message in hand. */
const IN_HAND = 1;

const afterwards = afterTheTest();

for (const store of (await durableStores()).filter(({ name }) => FAILING_OVER.includes(name))) {
  store.describe(`a store on ${store.name} with a failover store in SQLite`, () => {
    it(`heals ${TIMES} times`, { timeout: timeoutFor(TIMES, HEALED_MS) }, async () => {
      const medium = await store.start();
      const { server } = medium;
      if (!server) throw new Error(`${store.name} has no server`);
      const flow = new FaultyFlow({ store, medium, forwarders: 1, lanes: 3, ...failoverPair() });
      afterwards('flow', () => flow.close());
      await flow.begin();
      await flow.someMore();

      const random = new Random(`failover pair ${store.name}`);
      const healings: Healing[] = [];
      const rounds = Array.from({ length: TIMES }, (_, time) => ROUNDS[time % ROUNDS.length] ?? ROUNDS[0]);
      for (const round of random.shuffled(rounds)) healings.push(await suffer(flow, server, round, random));

      const [resumedMs, healedMs] = [healings.map((each) => each.resumedMs), healings.map((each) => each.healedMs)];
      sayFigures(`failover pair, ${store.name}: healed after ms`, Object.fromEntries(healedMs.entries()));
      const verdict = await flow.verdict();
      const shown = { fault: 'server away, failover store', store: store.name, times: TIMES, resumedMs, healedMs };
      const figures = judge({ ...shown, ordered: true }, verdict, flow.history);
      expect(figures.resumedMs).toBeLessThanOrEqual(RESUMED_WITHIN_MS);
      // Who had an answer had a 202.
      expect(verdict.refused).toBe(0);
    });
  });
}

interface Healing {
  /** From when server and runtime were there again to the next delivery, ms. */
  readonly resumedMs: number;
  /** To when the failover store was empty, ms. */
  readonly healedMs: number;
}

async function suffer(flow: FaultyFlow, server: FaultyServer, round: Round, random: Random): Promise<Healing> {
  const { matureMs = 0, forgetsMs = 0 } = flow.store;
  await delay(Math.max(0, matureMs - flow.ageMs));
  const from = performance.now();
  const awayMs = random.between(...AWAY_MS);
  if (round === 'server stopped and started') await server.stop();
  else await server.kill();
  await confirmedSince(flow, performance.now());
  await delay(awayMs / 2);
  if (round === 'runtime killed while the server is away') await killRuntime(flow);
  if (round === 'runtime killed when the failover store has confirmed') {
    await killAtPoints(flow, [POINTS.failoverPut], random);
  }
  if (round === 'runtime killed when messages are moved back') await manyWait(flow);
  await delay(awayMs / 2);
  await server.restart();
  if (round === 'server killed, runtime killed at its return') {
    await delay(random.between(0, 500));
    await killRuntime(flow);
  }
  if (round === 'runtime killed when messages are moved back') {
    await killAtPoints(flow, [POINTS.moveCopied, POINTS.failoverMoved], random);
  }
  const since = performance.now();
  const delivered = () => {
    flow.noteCounts();
    return flow.history.firstSince('accepted', since);
  };
  const { at } = await waitFor(delivered, {
    what: () => `an order to be delivered after: ${round}; ${flow.tail()}`,
    deadlineMs: HEALED_MS,
    everyMs: 5,
  });
  const isEmpty = async () => {
    flow.noteCounts();
    return (await flow.sizeOf(FAILOVER_STORE)) === 0;
  };
  await waitFor(isEmpty, {
    what: () => `the failover store to be empty after: ${round}; ${flow.tail()}`,
    deadlineMs: HEALED_MS,
    everyMs: 20,
  });
  const healedAt = performance.now();
  flow.history.addFault({
    what: round,
    from,
    to: healedAt,
    window: round.includes('runtime') ? 1 : 0,
    // What was being stored may be in both stores, and so may what was being moved: from there, and by a runtime that was killed.
    storedTwice: flow.lanes,
    movedTwice: 2 * IN_HAND,
    forgetsMs: round === 'server stopped and started' ? 0 : forgetsMs,
  });
  await flow.someMore();
  return { resumedMs: at - since, healedMs: healedAt - since };
}

/** The failover store has taken over. */
async function confirmedSince(flow: FaultyFlow, since: number): Promise<void> {
  await waitFor(() => flow.history.firstSince('confirmed', since), {
    what: () => `an order to be confirmed while the server is away; ${flow.tail()}`,
    deadlineMs: 30_000,
    everyMs: 5,
  });
}

/** The failover store has some to move. */
async function manyWait(flow: FaultyFlow): Promise<void> {
  const isEnough = async () => (await flow.sizeOf(FAILOVER_STORE)) >= ENOUGH;
  await waitFor(isEnough, { what: () => `messages to wait in the failover store; ${flow.tail()}`, deadlineMs: 30_000 });
}

/** Kills the runtime at each of these points, and starts it again. */
async function killAtPoints(flow: FaultyFlow, points: readonly FaultPoint[], random: Random): Promise<void> {
  await flow.runtime.kill();
  await delay(LAST_BYTES_MS);
  for (const point of points) {
    expect(await killAtPoint(flow, point, { movedTwice: IN_HAND, latest: LATEST }, random), point.name).toBe(true);
    await delay(LAST_BYTES_MS);
  }
  flow.end.set({});
  await flow.runtime.restart();
}

async function killRuntime({ runtime }: FaultyFlow): Promise<void> {
  await runtime.kill();
  await delay(LAST_BYTES_MS);
  await runtime.restart();
}
