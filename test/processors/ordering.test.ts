import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forwarding } from '../../src/processors/forwarding.ts';
import { Turn } from '../../src/processors/turn.ts';
import type { Delivery, StoreConsumer } from '../../src/stores/message-store.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import {
  advance,
  advanceUntil,
  Bench,
  FakeStore,
  fakeTime,
  refused,
  settled,
  storedMessage,
  until,
} from './harness.ts';

let bench: Bench;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
});

afterEach(async () => {
  await bench.close();
});

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function put(id: string, customer: string | undefined, store = bench.store): Promise<void> {
  await store.put(storedMessage(id, { OUT_ONLY: 'true', ...(customer !== undefined && { customer }) }));
}

const start = (parameters: Record<string, string> = {}) =>
  bench.start(forwarding, {
    interval: '0',
    'client.retry.interval': '100',
    'x.concurrency': '4',
    'x.ordering.key': "get-property('customer')",
    ...parameters,
  });

describe('x.concurrency and x.ordering.key (OP-29)', () => {
  it('one message at a time is the default, in strict order', async () => {
    bench.endpoint.react = async ({ id }) => {
      await delay(id === 'm0' ? 50 : 1);
      return 202;
    };
    for (const id of ['m0', 'm1', 'm2']) await put(id, undefined);
    await bench.start(forwarding, { interval: '0' });
    await advanceUntil(() => bench.store.done.length === 3);
    expect([bench.endpoint.mostInFlight, bench.store.done]).toEqual([1, ['m0', 'm1', 'm2']]);
  });

  it('without a key, as many as told at a time, each member by itself', async () => {
    bench.endpoint.react = async () => {
      await delay(50);
      return 202;
    };
    for (let index = 0; index < 20; index += 1) await put(`m${index}`, undefined);
    await bench.start(forwarding, { interval: '0', 'x.concurrency': '3', 'member.count': '2' });
    await advance(20);
    expect(bench.endpoint.inFlight).toBe(6);
    await advanceUntil(() => bench.store.done.length === 20);
    expect(bench.endpoint.mostInFlight).toBe(6);
  });

  it('a message that fails holds up its own key only', async () => {
    bench.endpoint.react = ({ id, attempt }) => (id === 'a1' && attempt < 3 ? refused() : 202);
    for (const id of ['a1', 'b1', 'a2', 'b2', 'c1']) await put(id, id[0]);
    await start();
    await advanceUntil(() => bench.store.done.length === 5);
    expect(bench.store.done.slice(0, 3).sort()).toEqual(['b1', 'b2', 'c1']);
    expect(bench.store.done.slice(3)).toEqual(['a1', 'a2']);
  });

  it('messages without a key, or whose key cannot be found out, wait for nobody', async () => {
    const stuck: Array<() => void> = [];
    bench.endpoint.react = ({ id }) =>
      id === 'x' ? new Promise<number>((resolve) => stuck.push(() => resolve(202))) : 202;
    await put('x', undefined);
    await put('y', undefined);
    await bench.store.put(storedMessage('z', { OUT_ONLY: 'true' }, 'not xml'));
    await start({ 'x.ordering.key': "concat(get-property('customer'), //customer)" });
    await until(() => bench.store.done.includes('y'));
    stuck[0]?.();
    await until(() => bench.store.done.includes('x'));
  });

  it('a waiting message goes back when the processor is deactivated', async () => {
    let answer: () => void = () => undefined;
    bench.endpoint.react = () =>
      new Promise<number>((resolve) => {
        answer = () => resolve(202);
      });
    for (const id of ['a1', 'a2', 'a3']) await put(id, 'a');
    const processor = await start();
    await settled();
    expect(processor.status().workers.filter(({ activity }) => activity === 'waiting-order')).toHaveLength(2);
    await processor.deactivate('operator');
    await until(() => bench.store.unsettled === 1);
    answer();
    await until(() => bench.store.unsettled === 0);
    expect(bench.endpoint.ids).toEqual(['a1']);
    expect([...bench.store.ids].sort()).toEqual(['a2', 'a3']);
  });

  it('goes on after the fail store refused a message and after it took one', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    bench.endpoint.react = ({ id }) => (id.startsWith('bad') ? 500 : 202);
    failed.fault = () => new StoreError('F', 'full');
    for (const id of ['bad1', 'a1', 'bad2', 'a2']) await put(id, 'a');
    const processor = await start({
      'max.delivery.attempts': '1',
      'message.processor.failMessagesStore': 'F',
      interval: '20',
    });
    await advanceUntil(() => processor.status().state === 'DEACTIVATED' && bench.store.unsettled === 0);
    failed.fault = () => undefined;
    await processor.activate('operator');
    await advanceUntil(() => bench.store.done.length === 4);
    expect([[...failed.ids].sort(), processor.status().state]).toEqual([['bad1', 'bad2'], 'ACTIVE']);
  });
});

/**
 * A store that hands out as a broker does: it pushes the oldest message to some consumer that wants one, which is every open one
 * that has none, whether or not it is asking at the moment, and the way there takes a while.
 */
class PushingStore extends FakeStore {
  readonly #wanting: PushedConsumer[] = [];
  readonly #random: () => number;

  constructor(name: string, random: () => number) {
    super(name);
    this.#random = random;
  }

  override consumer(): StoreConsumer {
    const inner = super.consumer();
    const consumer = new PushedConsumer(inner, this.#random, (mine) => {
      this.#wanting.push(mine);
      this.#push();
    });
    return {
      id: inner.id,
      receive: (options) => consumer.receive(options),
      close: async () => {
        const index = this.#wanting.indexOf(consumer);
        if (index >= 0) this.#wanting.splice(index, 1);
        await consumer.close();
        this.#push();
      },
    };
  }

  override add(entry: Parameters<FakeStore['add']>[0]): void {
    super.add(entry);
    this.#push();
  }

  #push(): void {
    while (this.#wanting.length > 0 && this.entries.length > 0) {
      const [consumer] = this.#wanting.splice(Math.floor(this.#random() * this.#wanting.length), 1);
      consumer?.push();
    }
  }
}

class PushedConsumer {
  readonly #inner: StoreConsumer;
  readonly #random: () => number;
  readonly #want: (consumer: PushedConsumer) => void;
  #wanting = false;
  #arriving: Promise<Delivery | undefined> | undefined;
  #wake: (() => void) | undefined;

  constructor(inner: StoreConsumer, random: () => number, want: (consumer: PushedConsumer) => void) {
    this.#inner = inner;
    this.#random = random;
    this.#want = want;
  }

  push(): void {
    this.#wanting = false;
    // It is taken out of the queue now, and arrives later.
    const taken = this.#inner.receive({ signal: new AbortController().signal, waitMs: 0 });
    this.#arriving = delay(Math.floor(this.#random() * 4)).then(() => taken);
    this.#wake?.();
  }

  async receive({ signal }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    this.#demand();
    for (;;) {
      if (signal.aborted) return undefined;
      if (this.#arriving) {
        const delivery = await this.#arriving;
        this.#arriving = undefined;
        return delivery && this.#watched(delivery);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve());
      });
    }
  }

  #demand(): void {
    if (this.#wanting || this.#arriving) return;
    this.#wanting = true;
    this.#want(this);
  }

  /** The next message is pushed as soon as this one is settled. */
  #watched(delivery: Delivery): Delivery {
    return {
      message: delivery.message,
      poison: delivery.poison,
      redelivered: delivery.redelivered,
      done: async () => {
        await delivery.done();
        this.#demand();
      },
      release: () => delivery.release(),
      moveTo: async (store, message) => {
        await delivery.moveTo(store, message);
        this.#demand();
      },
    };
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }
}

describe('with a store that pushes messages to whoever has none', () => {
  const scenario = fc.record({
    seed: fc.integer(),
    workers: fc.integer({ min: 2, max: 6 }),
    interval: fc.constantFrom(0, 0, 5),
    messages: fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterMs: fc.constantFrom(0, 0, 0, 1, 3, 20) }),
      { minLength: 1, maxLength: 40 },
    ),
    delays: fc.array(fc.constantFrom(0, 1, 2, 8, 25), { maxLength: 40 }),
    failures: fc.array(fc.boolean(), { maxLength: 20 }),
  });

  it('messages of the same key stay in order, and all are delivered', async () => {
    await bench.close();
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, workers, interval, messages, delays, failures }) => {
        fakeTime();
        bench = new Bench();
        try {
          const store = new PushingStore('S', mulberry(seed));
          bench.configuration.set('messageStore', 'S', store);
          const accepted: string[] = [];
          const left = [...delays];
          const fails = [...failures];
          bench.endpoint.react = async ({ id }) => {
            await delay(left.shift() ?? 1);
            if (fails.shift()) return 500;
            accepted.push(id);
            return 202;
          };
          await start({
            'x.concurrency': String(workers),
            interval: String(interval),
            'client.retry.interval': '3',
            'max.delivery.attempts': '-1',
          });
          for (const [index, { key, afterMs }] of messages.entries()) {
            if (afterMs > 0) await advance(afterMs, 1);
            await put(`${key}${String(index).padStart(3, '0')}`, key, store);
          }
          await advanceUntil(() => accepted.length >= messages.length, 'the deliveries');
          for (const key of ['a', 'b', 'c']) {
            const mine = accepted.filter((id) => id.startsWith(key));
            expect(mine).toEqual([...new Set(mine)].sort());
          }
          expect(bench.endpoint.mostInFlight).toBeLessThanOrEqual(Math.min(workers, 3));
        } finally {
          await bench.close();
        }
      }),
      { numRuns: 60 },
    );
    fakeTime();
    bench = new Bench();
  }, 120_000);
});

function mulberry(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the turn', () => {
  it('goes to those who are urgent first, then in order; who gives up is forgotten', async () => {
    const turn = new Turn();
    const order: string[] = [];
    const stop = new AbortController();
    expect(await turn.take()).toBe(true);
    let wanted = 0;
    turn.whenUrgent(() => {
      wanted += 1;
    });
    const take = (who: string, options: Parameters<Turn['take']>[0]) =>
      turn.take(options).then((mine) => order.push(`${who} ${mine}`));
    void take('1', {});
    void take('2', { signal: stop.signal });
    expect(wanted).toBe(0);
    void take('u1', { urgent: true });
    void take('u2', { urgent: true });
    expect(wanted).toBe(2);
    stop.abort();
    for (let step = 0; step < 3; step += 1) {
      turn.release();
      await settled(1);
    }
    expect(order).toEqual(['2 false', 'u1 true', 'u2 true', '1 true']);
    expect(await turn.take({ signal: stop.signal })).toBe(false);
    turn.release();
    expect(await turn.take()).toBe(true);
  });
});
