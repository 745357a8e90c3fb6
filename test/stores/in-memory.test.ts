import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isBusy } from '../../src/stores/busy.ts';
import { inMemoryStore } from '../../src/stores/in-memory.ts';
import { findStoreKind, storeClasses } from '../../src/stores/index.ts';
import { MessageQueue } from '../../src/stores/message-queue.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { storeContract } from './contract.ts';
import { type InMemoryStoreOptions, openInMemoryStore } from './in-memory-stores.ts';
import { element, storedMessage, textBody } from './messages.ts';

const opened: MessageStore[] = [];

function open(wanted: InMemoryStoreOptions = {}): MessageStore {
  const store = openInMemoryStore(wanted);
  opened.push(store);
  return store;
}

const never = () => new AbortController().signal;

async function receive(store: MessageStore | ReturnType<MessageStore['consumer']>) {
  const consumer = 'receive' in store ? store : store.consumer();
  const delivery = await consumer.receive({ signal: never(), waitMs: 5_000 });
  if (!delivery?.message) throw new Error('no message');
  return { id: delivery.message.id, delivery };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

storeContract('in memory', { open: async () => open(), durable: false });

describe('the store in memory', () => {
  test('goes through its queue once, however many messages are taken out of it', async () => {
    const store = open();
    const messages = Array.from({ length: 1200 }, () => storedMessage());
    for (const message of messages) await store.put(message);
    const looks = vi.spyOn(MessageQueue.prototype, 'after');
    onTestFinished(() => looks.mockRestore());
    const taker = store.browser?.().take(
      messages.map(({ id }) => id),
      { signal: never() },
    );
    const taken: string[] = [];
    for (let delivery = await taker?.next(); delivery; delivery = await taker?.next()) {
      taken.push(delivery.message?.id ?? '');
      await delivery.done();
    }
    await taker?.close();
    expect(taken).toEqual(messages.map(({ id }) => id));
    expect(looks.mock.calls.length).toBeLessThanOrEqual(4);
  });

  test('is meant when no class is given, and by both of its names', () => {
    expect(findStoreKind(undefined)).toBe(inMemoryStore);
    expect(findStoreKind('org.apache.synapse.message.store.impl.memory.InMemoryStore')).toBe(inMemoryStore);
    expect(findStoreKind('org.apache.synapse.message.store.InMemoryMessageStore')).toBe(inMemoryStore);
    expect(findStoreKind('org.example.Nothing')).toBeUndefined();
    expect(storeClasses()).toContain('org.apache.synapse.message.store.InMemoryMessageStore');
  });

  test('numbers its consumers as logs show them', () => {
    const store = open({ name: 'S' });
    expect([store.consumer().id, store.consumer().id]).toEqual(['[S-C-1]', '[S-C-2]']);
  });

  test('fails at its bound of messages, and takes more when one is done (REQ-33)', async () => {
    const store = open({ maxMessages: 2 });
    await store.put(storedMessage());
    await store.put(storedMessage());
    await expect(store.put(storedMessage())).rejects.toThrow(/is full: it holds 2 messages and x\.max\.messages is 2/);
    const { delivery } = await receive(store);
    await expect(store.put(storedMessage()), 'a held message still takes its place').rejects.toBeInstanceOf(StoreError);
    await delivery.done();
    await store.put(storedMessage());
    expect(await store.depth()).toEqual({ count: 2, estimated: false });
  });

  test('at its bound is busy: the client may come again (OP-100); a message that it has no room for when empty is wrong', async () => {
    const failureOf = (put: Promise<void>) =>
      put.then(
        () => undefined,
        (error: unknown) => error,
      );
    const many = open({ maxMessages: 1 });
    await many.put(storedMessage());
    expect(isBusy(await failureOf(many.put(storedMessage())))).toBe(true);
    const large = open({ maxBytes: 40_000 });
    const text = (length: number) => storedMessage({ body: textBody('x'.repeat(length)) });
    await large.put(text(25_000));
    expect(isBusy(await failureOf(large.put(text(25_000))))).toBe(true);
    const tooLarge = await failureOf(large.put(text(50_000)));
    expect(tooLarge).toBeInstanceOf(StoreError);
    expect(isBusy(tooLarge)).toBe(false);
  });

  test('fails at its bound of bytes, which counts bodies, headers and properties', async () => {
    const big = 'x'.repeat(50_000);
    for (const change of [
      { body: textBody(big) },
      { headers: [['X', big]] as const },
      { properties: new Map([['p', big]]) },
      { variables: new Map([['v', element(`<a><b>${big}</b><c/></a>`)]]) },
      { axis2: new Map([['l', [element('<a/>'), element(`<a>${big}</a>`)]]]) },
    ]) {
      const store = open({ maxBytes: 40_000 });
      await expect(store.put(storedMessage(change))).rejects.toThrow(/x\.max\.bytes is 40000/);
      await store.put(storedMessage());
    }
  });

  test('a failed put changes nothing', async () => {
    const store = open({ maxMessages: 1 });
    const first = storedMessage();
    await store.put(first);
    await expect(store.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
    expect(store.status().enqueued).toBe(1);
    expect((await receive(store)).id).toBe(first.id);
  });

  test('serves waiting consumers in turn', async () => {
    const store = open();
    const consumers = [store.consumer(), store.consumer(), store.consumer()];
    const served: number[] = [];
    const stop = new AbortController();
    const work = consumers.map(async (consumer, index) => {
      for (;;) {
        const delivery = await consumer.receive({ signal: stop.signal });
        if (!delivery) return;
        served.push(index);
        await delivery.done();
        if (served.length === 9) stop.abort();
      }
    });
    for (let count = 0; count < 9; count += 1) {
      await store.put(storedMessage());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(work);
    expect(served).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  test('released messages keep their places among each other', async () => {
    const store = open();
    const messages = Array.from({ length: 5 }, () => storedMessage());
    for (const message of messages) await store.put(message);
    const [one, two, three] = [await receive(store), await receive(store), await receive(store)];
    await three.delivery.release();
    await one.delivery.release();
    await two.delivery.release();
    const order: string[] = [];
    for (const _ of messages) {
      const { id, delivery } = await receive(store);
      order.push(id);
      await delivery.done();
    }
    expect(order).toEqual(messages.map(({ id }) => id));
  });

  test('done removes the message that was received, not the head (REQ-30)', async () => {
    const store = open();
    const [first, second] = [storedMessage(), storedMessage()];
    await store.put(first);
    await store.put(second);
    const held = await receive(store);
    const other = await receive(store);
    await other.delivery.done();
    await held.delivery.release();
    expect((await receive(store)).id).toBe(first.id);
  });

  test('a consumer takes one message at a time', async () => {
    const store = open();
    await store.put(storedMessage());
    await store.put(storedMessage());
    const consumer = store.consumer();
    await receive(consumer);
    await expect(consumer.receive({ signal: never() })).rejects.toThrow(/unsettled/);
    const idle = store.consumer();
    await receive(idle).then(({ delivery }) => delivery.done());
    const waiting = idle.receive({ signal: never() });
    await expect(idle.receive({ signal: never() })).rejects.toThrow(/receiving already/);
    await idle.close();
    await waiting;
  });

  test('a consumer that closes as a message comes gives it back', async () => {
    const store = open();
    const consumer = store.consumer();
    const waiting = consumer.receive({ signal: never() });
    const message = storedMessage();
    const put = store.put(message);
    await consumer.close();
    await put;
    expect(await waiting).toBeUndefined();
    expect((await receive(store)).id).toBe(message.id);
  });

  test('closing waits for a move that has begun', async () => {
    const store = open();
    const target = open();
    let accept = () => {};
    const slow: MessageStore = Object.assign(Object.create(target) as MessageStore, {
      put: (message: Parameters<MessageStore['put']>[0]) =>
        new Promise<void>((resolve) => {
          accept = () => resolve(target.put(message));
        }),
    });
    const message = storedMessage();
    await store.put(message);
    const consumer = store.consumer();
    const { delivery } = await receive(consumer);
    const moving = delivery.moveTo(slow, message);
    const closing = consumer.close();
    accept();
    await Promise.all([moving, closing]);
    expect((await store.depth()).count).toBe(0);
    expect((await receive(target)).id).toBe(message.id);
  });

  test('a replacement takes over everything, and the replaced store still takes messages for it (REQ-28, OP-34)', async () => {
    const old = open({ name: 'S', maxMessages: 10 });
    const [held, waiting, late, last] = [storedMessage(), storedMessage(), storedMessage(), storedMessage()];
    await old.put(held);
    await old.put(waiting);
    const holder = await receive(old);
    const replacement = open({ name: 'S', maxMessages: 4, previous: old });
    await old.put(late);
    await old.close();
    await old.put(last);
    await expect(old.put(storedMessage()), 'the new bound counts').rejects.toBeInstanceOf(StoreError);
    await expect(holder.delivery.done(), 'given back by the close').rejects.toBeInstanceOf(StoreError);
    const order: string[] = [];
    const consumer = replacement.consumer();
    for (let count = 0; count < 4; count += 1) {
      const { id, delivery } = await receive(consumer);
      order.push(id);
      await delivery.done();
    }
    expect(order).toEqual([held, waiting, late, last].map(({ id }) => id));
    expect(replacement.status()).toMatchObject({ state: 'READY', enqueued: 4, dequeued: 4 });
    expect(old.status().state).toBe('CLOSED');
  });

  test('a delivery that is held while the store is replaced can still be settled', async () => {
    const old = open({ name: 'S' });
    await old.put(storedMessage());
    const { delivery } = await receive(old);
    const replacement = open({ name: 'S', previous: old });
    await delivery.done();
    await old.close();
    expect(await replacement.depth()).toEqual({ count: 0, estimated: false });
  });

  test('a replacement that is withdrawn leaves the messages with the store', async () => {
    const old = open({ name: 'S' });
    const message = storedMessage();
    await old.put(message);
    const replacement = open({ name: 'S', previous: old });
    await replacement.close();
    expect((await receive(old)).id).toBe(message.id);
  });

  test('keeps pace with many messages', async () => {
    const store = open();
    const count = 50_000;
    for (let index = 0; index < count; index += 1) await store.put(storedMessage());
    const consumer = store.consumer();
    for (let index = 0; index < count; index += 1) {
      const delivery = await consumer.receive({ signal: never(), waitMs: 0 });
      await delivery?.done();
    }
    expect(await store.depth()).toEqual({ count: 0, estimated: false });
  });
});
