import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StompConnection, StompHeaders, StompMessage } from '../../../src/stores/stomp/connection.ts';
import { QueueDepth } from '../../../src/stores/stomp/queue-depth.ts';

/** Frames that come with one read of a socket, about. */
const AT_ONCE = 20;

interface Broker {
  /** What it takes to show a message, ms. */
  readonly msEach?: number;
}

/** A queue of ActiveMQ with so many messages, which shows them to whoever browses until the connection ends. */
function queueOf(messages: number, { msEach = 0 }: Broker = {}) {
  const queue = {
    messages,
    enqueued: 0,
    dequeued: 0,
    shown: 0,
    /** Called for each message that is shown. */
    onShown: (_shown: number) => {},
  };
  const depth = new QueueDepth({
    store: 'S',
    queue: 'Q',
    statistics: false,
    counters: () => ({ enqueued: queue.enqueued, dequeued: queue.dequeued }),
    open: async () => {
      let ended = false;
      const end = () => {
        ended = true;
      };
      const show = async (onMessage: (message: StompMessage) => void) => {
        const there = queue.messages;
        for (queue.shown = 0; queue.shown < there; queue.shown += 1) {
          if (queue.shown % AT_ONCE === 0) await turn();
          if (ended) return;
          vi.advanceTimersByTime(msEach);
          queue.onShown(queue.shown);
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

  /** How long until a look goes beyond the page, s. */
  const untilFar = async ({ queue, look }: ReturnType<typeof queueOf>) => {
    for (let seconds = 1; seconds < 1_000; seconds += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      await look();
      if (queue.shown === queue.messages) return seconds;
    }
    return Number.POSITIVE_INFINITY;
  };

  it('goes beyond the page again, the more rarely the less that tells, but once a minute', async () => {
    const broker = queueOf(3_000);
    expect(await broker.look()).toEqual({ count: 3_000, estimated: true });
    // Every look takes no time on this clock, so that only what it told counts.
    await untilFar(broker);
    broker.queue.messages = 4_000;
    await untilFar(broker);
    expect(await broker.look()).toEqual({ count: 4_000, estimated: true });
    const rests: number[] = [];
    for (let far = 0; far < 12; far += 1) rests.push(await untilFar(broker));
    expect(rests).toEqual([...rests].sort((one, other) => one - other));
    expect(rests.at(-1)).toBe(60);
  });

  it('goes beyond the page for a twentieth of the time at most, whatever that tells', async () => {
    const broker = queueOf(1_000, { msEach: 1 });
    await broker.look();
    for (let far = 0; far < 4; far += 1) {
      const tookMs = broker.queue.messages;
      const ended = performance.now();
      broker.queue.messages += 100;
      await untilFar(broker);
      expect(performance.now() - ended - broker.queue.messages).toBeGreaterThanOrEqual(20 * tookMs);
      expect(await broker.look()).toEqual({ count: broker.queue.messages, estimated: true });
    }
  });

  it('reckons with what is taken while messages are shown', async () => {
    const broker = queueOf(3_000);
    await broker.look();
    broker.queue.onShown = (shown) => {
      if (shown % 10 !== 0) return;
      broker.queue.messages -= 1;
      broker.queue.dequeued += 1;
    };
    expect(await broker.look()).toEqual({ count: broker.queue.messages, estimated: true });
    for (let round = 0; round < 5; round += 1) {
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await broker.look()).toEqual({ count: broker.queue.messages, estimated: true });
    }
    expect(broker.queue.messages).toBeLessThan(2_000);
  });

  it('corrects what is estimated as soon as less than a page is left', async () => {
    const { queue, look } = queueOf(3_000);
    await look();
    queue.messages = 12;
    expect(await look()).toEqual({ count: 12, estimated: false });
  });
});
