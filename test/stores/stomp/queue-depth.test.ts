import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StompConnection, StompHeaders, StompMessage } from '../../../src/stores/stomp/connection.ts';
import { QueueDepth } from '../../../src/stores/stomp/queue-depth.ts';

/** Frames that come with one read of a socket, about. */
const AT_ONCE = 20;

/** A queue of ActiveMQ with so many messages, which shows them to whoever browses until the connection ends. */
function queueOf(messages: number) {
  const queue = { messages, enqueued: 0, shown: 0 };
  const depth = new QueueDepth({
    store: 'S',
    queue: 'Q',
    statistics: false,
    counters: () => ({ enqueued: queue.enqueued, dequeued: 0 }),
    open: async () => {
      let ended = false;
      const end = () => {
        ended = true;
      };
      const show = async (onMessage: (message: StompMessage) => void) => {
        for (queue.shown = 0; queue.shown < queue.messages; queue.shown += 1) {
          if (queue.shown % AT_ONCE === 0) await turn();
          if (ended) return;
          onMessage({ headers: {} } as StompMessage);
        }
        onMessage({ headers: { browser: 'end' } as StompHeaders } as StompMessage);
      };
      const subscribe = (_headers: StompHeaders, onMessage: (message: StompMessage) => void) => {
        void show(onMessage);
        return { confirmed: Promise.resolve() };
      };
      const connection = { server: 'ActiveMQ/5.17.2', subscribe, close: async () => end(), destroy: end };
      return { ...connection, ended: new Promise(() => undefined) } as unknown as StompConnection;
    },
  });
  return { queue, look: () => depth.depth({ fresh: true }) };
}

describe('a look at a queue that is longer than a page of its broker', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('shows 10,000 messages once, and a page from then on', async () => {
    const { queue, look } = queueOf(30_000);
    expect(await look()).toEqual({ count: 10_000, estimated: true });
    expect(queue.shown).toBeLessThanOrEqual(10_000 + AT_ONCE);
    queue.enqueued += 7;
    expect(await look()).toEqual({ count: 10_007, estimated: true });
    expect(queue.shown).toBeLessThanOrEqual(400 + AT_ONCE);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(await look()).toEqual({ count: 10_007, estimated: true });
    expect(queue.shown).toBeLessThanOrEqual(400 + AT_ONCE);
  });

  it('goes beyond the page again, the more rarely the less that tells', async () => {
    const { queue, look } = queueOf(3_000);
    /** How long until a look goes beyond the page, s. */
    const untilFar = async () => {
      for (let seconds = 1; seconds < 1_000; seconds += 1) {
        await vi.advanceTimersByTimeAsync(1_000);
        await look();
        if (queue.shown === queue.messages) return seconds;
      }
      return Number.POSITIVE_INFINITY;
    };
    expect(await look()).toEqual({ count: 3_000, estimated: true });
    // Every look takes no time on this clock, so that only what it told counts.
    await untilFar();
    queue.messages = 4_000;
    await untilFar();
    expect(await look()).toEqual({ count: 4_000, estimated: true });
    const rests: number[] = [];
    for (let far = 0; far < 12; far += 1) rests.push(await untilFar());
    expect(rests).toEqual([...rests].sort((one, other) => one - other));
    expect(rests.at(-1)).toBe(300);
  });

  it('corrects what is estimated as soon as less than a page is left', async () => {
    const { queue, look } = queueOf(3_000);
    await look();
    queue.messages = 12;
    expect(await look()).toEqual({ count: 12, estimated: false });
  });
});
