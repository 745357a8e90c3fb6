import { afterEach, describe, expect, it } from 'vitest';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { sayFigures } from '../support/figures.ts';
import { freePort } from '../support/free-ports.ts';
import { misbehavingServer } from '../support/misbehaving-server.ts';
import { oneWayForwarder } from '../support/one-way-forwarder.ts';
import { type TcpForwarder, tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';
import { storedMessage, textBody } from './messages.ts';
import { becomes, drain, FOR_EVER, next, OpenStores, stateOf, timed } from './store-calls.ts';
import { Traffic } from './traffic.ts';

/** What the suite may say about a store. */
export interface BrokerStoreWish {
  readonly port: number;
  readonly queue: string;
  readonly heartBeatMs?: number;
  readonly putDeadlineMs?: number;
  readonly previous?: MessageStore;
  /** More parameters, as written. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface BrokerUnderTest {
  /** Of the running broker. */
  port(): number;
  pause(): void;
  resume(): void;
  open(wish: BrokerStoreWish): MessageStore;
  /** Whether the broker counts a message as delivered that it has pushed and taken back unseen. */
  readonly pushes: boolean;
  /** Messages on a queue, as another application sees them. */
  count(queue: string): Promise<number>;
}

/** A connection that both sides have ended needs a moment to be gone from the forwarder. */
export async function closeForwarder(forwarder: TcpForwarder): Promise<void> {
  await waitFor(() => forwarder.open === 0, { what: 'the connections to be gone', deadlineMs: 3_000 });
  await forwarder.close();
}

/** What every store on a broker must do beyond the contract, whatever protocol it speaks; against the real broker. */
export function brokerSuite(name: string, broker: BrokerUnderTest): void {
  describe(`${name}: a store on a broker`, () => {
    const stores = new OpenStores();
    let queues = 0;
    const newQueue = () => `suite-${++queues}`;
    const open = (wish: Partial<BrokerStoreWish> = {}) =>
      stores.add(broker.open({ port: broker.port(), queue: newQueue(), ...wish }));

    afterEach(async () => {
      // One that a failed test has left hanging would hang for all that come after it.
      broker.resume();
      await stores.closeAll();
    });

    it('shares evenly among its consumers', async () => {
      const queue = newQueue();
      const store = open({ queue });
      await Promise.all(Array.from({ length: 150 }, () => store.put(storedMessage())));
      const counts = [0, 0, 0];
      const ids = new Set<string>();
      const stop = new AbortController();
      await Promise.all(
        counts.map(async (_, index) => {
          const consumer = store.consumer();
          for (;;) {
            const delivery = await consumer.receive({ signal: stop.signal, waitMs: 10_000 });
            if (!delivery?.message) return;
            counts[index] = (counts[index] ?? 0) + 1;
            ids.add(delivery.message.id);
            await delivery.done();
            if (counts.reduce((sum, count) => sum + count) === 150) stop.abort();
          }
        }),
      );
      expect(ids.size).toBe(150);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(25);
      expect(await broker.count(queue)).toBe(0);
    });

    it('does not leave a message with a consumer that pauses', async () => {
      const store = open();
      const pausing = store.consumer();
      await store.put(storedMessage());
      await (await next(pausing)).done();
      expect(await pausing.receive({ signal: FOR_EVER, waitMs: 300 })).toBeUndefined();
      const message = storedMessage();
      await store.put(message);
      const delivery = await next(store.consumer(), 3_000);
      expect(delivery.message.id).toBe(message.id);
      if (!broker.pushes) expect(delivery.redelivered).toBe(false);
      await delivery.done();
    });

    it('puts of a store that was replaced arrive', async () => {
      const queue = newQueue();
      const old = open({ queue });
      await old.put(storedMessage());
      const successor = open({ queue, previous: old });
      await old.close();
      await old.put(storedMessage());
      expect(await drain(successor)).toHaveLength(2);
      expect(successor.status()).toMatchObject({ enqueued: 2, dequeued: 2 });
    });

    it('opens without a broker, fails puts in time, and recovers by itself', async () => {
      const forwarder = await tcpForwarder({ to: { port: broker.port() }, port: await freePort() });
      await forwarder.refuse();
      const store = open({ port: forwarder.port, putDeadlineMs: 1_500 });
      const waiting = next(store.consumer());
      const failed = await timed(store.put(storedMessage()));
      expect(failed.error).toBeInstanceOf(StoreError);
      expect(String(failed.error)).toMatch(/no connection to the broker .*ECONNREFUSED/);
      expect(failed.ms).toBeLessThan(2_500);
      expect(stateOf(store)).toBe('DOWN');
      expect(await store.depth()).toEqual({ count: 'unknown', estimated: true });
      await forwarder.resume();
      const { ms } = await timed(store.put(storedMessage()).then(() => waiting));
      expect(ms).toBeLessThan(3_000);
      await (await waiting).done();
      await becomes(store, 'READY');
      await stores.closeAll();
      await closeForwarder(forwarder);
    });

    it('notices a broker that hangs by its heart-beat, and goes on when it does', async () => {
      const store = open({ heartBeatMs: 1_000, putDeadlineMs: 1_500 });
      await store.put(storedMessage());
      const delivery = await next(store.consumer());
      broker.pause();
      const paused = performance.now();
      const failed = await timed(store.put(storedMessage()));
      expect(failed.error).toBeInstanceOf(StoreError);
      expect(failed.ms).toBeLessThan(2_500);
      await becomes(store, 'DOWN', 4_000);
      const downMs = performance.now() - paused;
      await expect(delivery.done()).rejects.toBeInstanceOf(StoreError);
      broker.resume();
      const resumed = performance.now();
      await becomes(store, 'READY');
      await store.put(storedMessage());
      sayFigures(`${name}: a broker that hangs, heart-beat 1 s`, {
        'put fails after ms': failed.ms,
        'DOWN after ms': downMs,
        'stores again after ms': performance.now() - resumed,
      });
      // The one whose put failed may be there as well: the broker had it before it hung.
      expect((await drain(store)).length).toBeGreaterThanOrEqual(2);
    });

    it('does not take a stall of its own for a dead broker', async () => {
      const store = open({ heartBeatMs: 2_000 });
      await store.put(storedMessage());
      const { since } = store.status();
      for (const stallMs of [1_500, 1_500]) {
        const end = performance.now() + stallMs;
        while (performance.now() < end);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await store.put(storedMessage());
      expect(store.status()).toMatchObject({ state: 'READY', since, lastError: undefined });
    });

    it('sends again what was cut off in the middle, and loses nothing', async () => {
      const forwarder = await tcpForwarder({ to: { port: broker.port() } });
      const store = open({ port: forwarder.port });
      await store.put(storedMessage());
      const messages = Array.from({ length: 60 }, () => storedMessage({ body: textBody('x'.repeat(100_000)) }));
      const puts = messages.map((message) => store.put(message));
      await Promise.race(puts);
      forwarder.cut();
      await Promise.all(puts);
      const ids = (await drain(store)).map(({ id }) => id);
      expect(new Set(ids).size).toBe(61);
      expect([...new Set(ids)].slice(1)).toEqual(messages.map(({ id }) => id));
      expect(ids.length - 61).toBeLessThanOrEqual(60);
      await stores.closeAll();
      await closeForwarder(forwarder);
    });

    /** A queue with the copies of messages whose confirmations were lost: each is there twice. */
    async function sentTwice(count: number, parameters: Readonly<Record<string, string>> = {}) {
      const forwarder = await oneWayForwarder(broker.port());
      const queue = newQueue();
      const store = open({ port: forwarder.port, queue, parameters });
      await store.put(storedMessage());
      expect(await drain(store)).toHaveLength(1);
      forwarder.mute();
      const messages = Array.from({ length: count }, () => storedMessage());
      const puts = messages.map((message) => store.put(message));
      await waitFor(async () => (await broker.count(queue)) === count, { what: 'the first copies' });
      forwarder.cut();
      await Promise.all(puts);
      expect(await broker.count(queue)).toBe(2 * count);
      return { store, queue, ids: messages.map(({ id }) => id), close: () => forwarder.close() };
    }

    it('delivers once what was sent twice, as its confirmation was lost', async () => {
      const { store, queue, ids, close } = await sentTwice(5);
      expect((await drain(store)).map(({ id }) => id)).toEqual(ids);
      await waitFor(async () => (await broker.count(queue)) === 0, { what: 'an empty queue' });
      await stores.closeAll();
      await close();
    });

    it('delivers it once to several consumers, too: who has the second copy waits for the first', async () => {
      const { store, queue, ids, close } = await sentTwice(1);
      const [first, second] = [store.consumer(), store.consumer()];
      const delivery = await next(first);
      expect(delivery.message.id).toBe(ids[0]);
      const waiting = second.receive({ signal: FOR_EVER, waitMs: 2_000 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await delivery.done();
      expect(await waiting).toBeUndefined();
      await waitFor(async () => (await broker.count(queue)) === 0, { what: 'an empty queue' });
      await stores.closeAll();
      await close();
    });

    it('never takes for a copy what was not delivered: it comes when the first one was released', async () => {
      const { store, ids, close } = await sentTwice(1);
      const [first, second] = [store.consumer(), store.consumer()];
      const delivery = await next(first);
      const waiting = next(second);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await first.close();
      const copy = await waiting;
      expect(copy.message.id).toBe(ids[0]);
      expect(delivery.message.id).toBe(ids[0]);
      await copy.release();
      expect((await drain(store)).map(({ id }) => id)).toEqual(ids);
      await stores.closeAll();
      await close();
    });

    it('delivers every copy with x.recognise.duplicates=false, and what is stored anew in any case', async () => {
      const { store, ids, close } = await sentTwice(2, { 'x.recognise.duplicates': 'false' });
      expect((await drain(store)).map(({ id }) => id)).toEqual([...ids, ...ids]);
      const anew = open();
      const message = storedMessage();
      for (const _ of [1, 2]) {
        await anew.put(message);
        expect((await drain(anew)).map(({ id }) => id)).toEqual([message.id]);
      }
      await stores.closeAll();
      await close();
    });

    it.each([
      // Long enough for the pauses between the attempts to have grown to their full length.
      ['accept-and-drop', 26, 29_000],
      ['accept-and-silent', 3, 2_500],
      ['garbage', 9, 2_500],
    ] as const)('%s: puts fail in time, and few connections are made', async (behaviour, most, watchedMs) => {
      const peer = await misbehavingServer(behaviour);
      const store = open({ port: peer.port, putDeadlineMs: 1_000 });
      void store.consumer().receive({ signal: FOR_EVER });
      const { ms, error } = await timed(store.put(storedMessage()));
      expect(error).toBeInstanceOf(StoreError);
      expect(ms).toBeLessThan(2_000);
      await new Promise((resolve) => setTimeout(resolve, watchedMs));
      expect(peer.connections.length).toBeLessThanOrEqual(most);
      expect(['CONNECTING', 'DOWN']).toContain(stateOf(store));
      await stores.closeAll();
      await peer.close();
    });
  });
}

/** A broker that can be killed. */
export interface Killable {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** SIGKILL of the broker under traffic: nothing confirmed is lost, and the store goes on within 3 s of its return. */
export async function survivesKills(
  name: string,
  store: MessageStore,
  broker: Killable,
  {
    kills,
    producers,
    consumers,
    settleMs = 0,
  }: { kills: number; producers: number; consumers: number; settleMs?: number },
): Promise<void> {
  const traffic = new Traffic(store, producers, consumers);
  await waitFor(() => traffic.received.length > 30, { what: 'deliveries' });
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const resumed: Array<{ confirmedMs: number; deliveredMs: number }> = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    await broker.kill();
    await broker.restart();
    resumed.push(await traffic.resumed(performance.now()));
    const before = traffic.confirmed.size;
    await waitFor(() => traffic.confirmed.size > before + 30, { what: 'confirmed puts' });
  }
  await traffic.end(15_000);
  sayFigures(`kill -9 of ${name}`, {
    kills,
    confirmed: traffic.confirmed.size,
    'failed puts': traffic.failedPuts,
    lost: traffic.lost.length,
    duplicates: traffic.duplicates,
    'first confirmed after ms': Math.max(...resumed.map((one) => one.confirmedMs)),
    'first delivery after ms': Math.max(...resumed.map((one) => one.deliveredMs)),
  });
  for (const { confirmedMs, deliveredMs } of resumed) {
    expect(confirmedMs).toBeLessThan(3_000);
    expect(deliveredMs).toBeLessThan(3_000);
  }
  // Each kill may repeat what was unconfirmed and unacknowledged.
  expect(traffic.duplicates).toBeLessThanOrEqual(kills * (producers + consumers));
}
