import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Configuration } from '../../src/message/configuration.ts';
import { StoreWatch } from '../../src/observation/store-watch.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';

/** A store whose numbers are what they are set to, and which is asked for them in so many ms. */
function watched({ leavesMarks = false, depthMs = 0 } = {}) {
  const now = {
    depth: 0 as number | 'unknown',
    enqueued: 0,
    dequeued: 0,
    estimated: false,
    oldestAt: 1_000 as number | undefined,
    state: 'READY',
    since: 0,
  };
  const asked = { depth: 0, oldest: 0 };
  const store = {
    name: 'S',
    put: async () => undefined,
    status: () => ({ lastError: undefined, ...now }),
    async depth() {
      asked.depth += 1;
      const { depth: count, estimated } = now;
      if (depthMs > 0) await new Promise((resolve) => setTimeout(resolve, depthMs));
      return { count, estimated };
    },
    browser: () => ({
      leavesMarks,
      async oldestAt() {
        asked.oldest += 1;
        return now.depth === 0 ? undefined : now.oldestAt;
      },
    }),
  } as unknown as MessageStore;
  const configuration = { names: () => ['S'], find: () => store } as unknown as Configuration;
  const watch = new StoreWatch();
  watch.follow(configuration);
  const measure = async (afterMs = 2_000) => {
    await vi.advanceTimersByTimeAsync(afterMs);
    watch.sample(configuration, performance.now());
    const measuring = watch.measure(configuration, performance.now());
    await vi.advanceTimersByTimeAsync(depthMs);
    await measuring;
    return watch.figures('S');
  };
  return { now, asked, measure };
}

describe('the figures of a store', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 100_000 }));
  afterEach(() => void vi.useRealTimers());

  it('are asked for every five seconds where the medium cannot tell them exactly, and follow its counters meanwhile', async () => {
    const { now, asked, measure } = watched();
    Object.assign(now, { depth: 500, estimated: true, enqueued: 500 });
    await measure();
    expect(asked.depth).toBe(1);
    Object.assign(now, { depth: 500, enqueued: 520 });
    expect(await measure(4_000)).toMatchObject({ depth: 520, estimated: true });
    expect(asked.depth).toBe(1);
    await measure(1_500);
    expect(asked.depth).toBe(2);
  });

  it('follow what is stored and taken while its medium is too slow to be asked again', async () => {
    const { now, asked, measure } = watched({ depthMs: 400 });
    Object.assign(now, { depth: 10, enqueued: 10 });
    expect(await measure()).toMatchObject({ depth: 10, estimated: false });
    Object.assign(now, { depth: 13, enqueued: 14, dequeued: 1 });
    expect(await measure(500)).toMatchObject({ depth: 13, estimated: false });
    Object.assign(now, { depth: 15, enqueued: 16 });
    expect(await measure(1_000)).toMatchObject({ depth: 15, estimated: true });
    expect(asked.depth).toBe(1);
    // Somebody else has stored some, too.
    now.depth = 40;
    expect(await measure(8_000)).toMatchObject({ depth: 40, estimated: false });
    expect(asked.depth).toBe(2);
  });

  it('are asked for at once when a store is there that could not tell before', async () => {
    const { now, asked, measure } = watched({ depthMs: 400 });
    Object.assign(now, { depth: 'unknown', state: 'CONNECTING' });
    expect(await measure()).toMatchObject({ depth: null });
    expect(await measure(100)).toMatchObject({ depth: null });
    expect(asked.depth).toBe(1);
    Object.assign(now, { depth: 7, state: 'READY', since: Date.now() });
    expect(await measure(0)).toMatchObject({ depth: 7, estimated: false });
  });

  it('are asked for again within seconds, however long it took, when the medium could not tell', async () => {
    const { now, asked, measure } = watched({ depthMs: 1_500 });
    now.depth = 'unknown';
    expect(await measure()).toMatchObject({ depth: null });
    now.depth = 0;
    expect(await measure(1_000)).toMatchObject({ depth: null });
    expect(await measure(5_000)).toMatchObject({ depth: 0 });
    expect(asked.depth).toBe(2);
  });

  it('are waited for by all who ask before there is any', async () => {
    const { now, asked, measure } = watched({ depthMs: 400 });
    now.depth = 5;
    const both = await Promise.all([measure(0), measure(0)]);
    expect(both).toMatchObject([{ depth: 5 }, { depth: 5 }]);
    expect(asked.depth).toBe(1);
  });

  it('know no oldest message of an empty store, and the next one as soon as it is there', async () => {
    const { now, measure } = watched();
    Object.assign(now, { depth: 1, enqueued: 1, oldestAt: Date.now() - 9_000 });
    expect((await measure())?.oldestAgeMs).toBeGreaterThanOrEqual(9_000);
    Object.assign(now, { depth: 0, dequeued: 1 });
    expect((await measure())?.oldestAgeMs).toBeNull();
    Object.assign(now, { depth: 1, enqueued: 2, oldestAt: Date.now() });
    expect((await measure())?.oldestAgeMs).toBeLessThan(3_000);
  });

  it('know the oldest message of a store that was emptied and filled again before it is asked for its depth', async () => {
    const { now, asked, measure } = watched();
    Object.assign(now, { depth: 500, estimated: true, enqueued: 500, oldestAt: Date.now() - 9_000 });
    await measure();
    Object.assign(now, { depth: 0, dequeued: 500 });
    expect((await measure(1_000))?.oldestAgeMs).toBeNull();
    Object.assign(now, { depth: 3, enqueued: 503 });
    expect((await measure(1_000))?.oldestAgeMs).toBe(0);
    expect((await measure(1_000))?.oldestAgeMs).toBe(1_000);
    expect(asked.depth).toBe(1);
  });

  it('cost one look at a queue where looking leaves a mark, until its oldest message may be another one', async () => {
    const { now, asked, measure } = watched({ leavesMarks: true });
    await measure();
    expect(asked.oldest).toBe(0);
    Object.assign(now, { depth: 2, enqueued: 2 });
    for (let round = 0; round < 5; round += 1) {
      await measure();
      now.depth = Number(now.depth) + 1;
      now.enqueued += 1;
    }
    expect(asked.oldest).toBe(1);
    now.dequeued += 1;
    await measure();
    expect(asked.oldest).toBe(2);
    // Another process takes one.
    now.depth = Number(now.depth) - 1;
    await measure();
    await measure();
    expect(asked.oldest).toBe(3);
  });
});
