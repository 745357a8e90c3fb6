import type { MessageStore } from '../../src/stores/message-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { storedOrder } from './messages.ts';
import { percentile } from './percentiles.ts';

/** How a store did under so many puts at once. */
export interface PutFigures {
  readonly concurrency: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface StoreFigures {
  readonly puts: readonly PutFigures[];
  /** With {@link CONSUMERS} consumers, each message settled before the next is taken. */
  readonly drainPerSecond: number;
}

export const CONCURRENCIES: readonly number[] = [1, 16, 64];
export const CONSUMERS = 16;
const PUT_MS = 2_000;
/** A store in memory takes more than anybody wants to drain. */
const MOST_PUTS = 20_000;
const WARM_UP = 200;
const READY_DEADLINE_MS = 30_000;
const DRAIN_MS = 5_000;

/** Puts for a while at each concurrency, then takes everything out again, for a while at most. */
export async function measureStore(store: MessageStore): Promise<StoreFigures> {
  await waitFor(() => store.status().state === 'READY', { what: 'the store', deadlineMs: READY_DEADLINE_MS });
  await putFor(store, 8, WARM_UP);
  const puts: PutFigures[] = [];
  for (const concurrency of CONCURRENCIES) puts.push(await putFor(store, concurrency, MOST_PUTS));
  return { puts, drainPerSecond: await drainFor(store) };
}

async function putFor(store: MessageStore, concurrency: number, most: number): Promise<PutFigures> {
  const times: number[] = [];
  const begun = performance.now();
  let started = 0;
  const lane = async () => {
    while (started < most && performance.now() - begun < PUT_MS) {
      started += 1;
      const message = storedOrder(started);
      const putAt = performance.now();
      await store.put(message);
      times.push(performance.now() - putAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const perSecond = times.length / ((performance.now() - begun) / 1000);
  return { concurrency, perSecond, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}

async function drainFor(store: MessageStore): Promise<number> {
  const begun = performance.now();
  const stop = AbortSignal.timeout(DRAIN_MS);
  let drained = 0;
  let last = begun;
  const lane = async () => {
    const consumer = store.consumer();
    for (;;) {
      const delivery = await consumer.receive({ signal: stop, waitMs: 1_000 });
      if (!delivery) break;
      await delivery.done();
      drained += 1;
      last = performance.now();
    }
    await consumer.close();
  };
  await Promise.all(Array.from({ length: CONSUMERS }, lane));
  return drained / ((last - begun) / 1000);
}
