import { beforeEach, describe, expect, test } from 'vitest';
import type { Delivery, MessageStore, StoreConsumer } from '../../src/stores/message-store.ts';
import { CursorError, MAX_PAGE_BODY_BYTES, type StoreBrowser } from '../../src/stores/store-browser.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { comparableMessage, everyPropertyType, storedMessage, textBody } from './messages.ts';

/** What the cases need of the suite. */
export interface BrowseBench {
  /** The store of the present case, empty at its beginning. */
  store(): MessageStore;
  /** Another store of the kind; the suite closes it. */
  other(): Promise<MessageStore>;
  next(consumer: StoreConsumer): Promise<Delivery & { message: StoredMessage }>;
  nothing(consumer: StoreConsumer): Promise<void>;
  putAll(count: number): Promise<string[]>;
  /** Whether the medium shows messages that somebody has in hand. */
  readonly showsHeld: boolean;
}

const look = () => ({ signal: AbortSignal.timeout(20_000) });

/** Looking into a store and taking certain messages (src/stores/store-browser.ts), for every kind that has a browser. */
export function browseCases(bench: BrowseBench): void {
  describe('browsing', () => {
    let store: MessageStore;
    let browser: StoreBrowser;

    beforeEach(async () => {
      store = bench.store();
      await expect.poll(() => store.status().state, { timeout: 20_000, interval: 20 }).toBe('READY');
      const found = store.browser?.();
      if (!found) throw new Error(`${store.type} has no browser`);
      browser = found;
    });

    const idsOf = (messages: ReadonlyArray<{ readonly id: string }>) => messages.map(({ id }) => id);

    async function allPages(limit: number): Promise<string[][]> {
      const pages: string[][] = [];
      for (let after: string | undefined; ; ) {
        const page = await browser.page({ ...look(), limit, after });
        pages.push(idsOf(page.messages));
        if (page.next === undefined) return pages;
        after = page.next;
      }
    }

    /** Takes one message, and lets go of what else was taken for that. */
    async function taking(id: string, work: (delivery: Delivery & { message: StoredMessage }) => Promise<void>) {
      const taker = browser.take([id], look());
      try {
        const delivery = await taker.next();
        if (!delivery?.message) throw new Error(`${id} could not be taken`);
        await work(delivery as Delivery & { message: StoredMessage });
      } finally {
        await taker.close();
      }
    }

    async function drained(): Promise<string[]> {
      const consumer = store.consumer();
      const ids: string[] = [];
      for (;;) {
        const delivery = await consumer.receive({ signal: look().signal, waitMs: 500 });
        if (!delivery) return ids;
        ids.push(delivery.message?.id ?? '');
        await delivery.done();
      }
    }

    test('shows an empty store', async () => {
      expect(await browser.page({ ...look(), limit: 10 })).toEqual({ messages: [], next: undefined, complete: true });
      expect(await browser.oldestAt()).toBeUndefined();
      expect(await browser.read('urn:uuid:none', look())).toBeUndefined();
      const taker = browser.take(['urn:uuid:none'], look());
      expect(await taker.next()).toBeUndefined();
      await taker.close();
    });

    test('shows pages, oldest first, and changes nothing', async () => {
      const ids = await bench.putAll(25);
      const pages = await allPages(10);
      expect(pages.filter(({ length }) => length > 0)).toEqual([ids.slice(0, 10), ids.slice(10, 20), ids.slice(20)]);
      expect((await allPages(500)).flat()).toEqual(ids);
      await expect
        .poll(async () => (await store.depth()).count, { timeout: 20_000 })
        .toSatisfy((count) => count === 25 || count === 'unknown');
      expect(await drained()).toEqual(ids);
    });

    test('goes on behind a message that is gone', async () => {
      const ids = await bench.putAll(6);
      const { messages } = await browser.page({ ...look(), limit: 3 });
      await taking(messages[2]?.id ?? '', (delivery) => delivery.done());
      const rest = await browser.page({ ...look(), limit: 10, after: messages[2]?.cursor });
      // Some may be shown once more where a medium knows no places.
      expect(idsOf(rest.messages).slice(-3)).toEqual(ids.slice(3));
    });

    test('refuses a cursor of its own making', async () => {
      await bench.putAll(1);
      await expect(browser.page({ ...look(), limit: 1, after: 'bm9uc2Vuc2U' })).rejects.toBeInstanceOf(CursorError);
    });

    test('shows previews on pages and everything of one message', async () => {
      const message = storedMessage({
        body: textBody('ü☃'.repeat(100_000)),
        headers: [['X-Repeated', 'one']],
        properties: everyPropertyType(),
        replays: 3,
        history: [
          {
            processor: 'Forwarder1',
            sourceStore: 'Orders',
            endpoint: 'Backend',
            cause: 'HTTP 503',
            status: 503,
            attempts: 4,
            firstAttemptAt: 1_700_000_000_000,
            lastAttemptAt: 1_700_000_003_000,
          },
        ],
      });
      await bench.putAll(1);
      await store.put(message);
      const { messages } = await browser.page({ ...look(), limit: 10, bodyBytes: 1000 });
      const seen = messages[1];
      expect(seen).toMatchObject({ id: message.id, bytes: 500_000, truncated: true });
      const preview = Buffer.from(seen?.message?.body.bytes ?? []);
      expect(preview).toEqual(Buffer.from(message.body.bytes).subarray(0, 1000));
      expect(seen?.message).toMatchObject({ storedAt: message.storedAt, replays: 3, history: message.history });
      const whole = await browser.read(message.id, look());
      expect(whole).toMatchObject({ bytes: 500_000, truncated: false });
      expect(comparableMessage(whole?.message as StoredMessage)).toEqual(comparableMessage(message));
    });

    test('a page has a bound for the bytes of its bodies', async () => {
      const body = { kind: 'binary', bytes: Buffer.alloc(2_900_000, 7), contentType: 'a/b' } as const;
      const messages = Array.from({ length: 5 }, () => storedMessage({ body }));
      for (const message of messages) await store.put(message);
      const seen: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await browser.page({ ...look(), limit: 10, bodyBytes: Number.MAX_SAFE_INTEGER, after });
        seen.push(...idsOf(page.messages));
        const bytes = page.messages.reduce((sum, { message }) => sum + (message?.body.bytes.length ?? 0), 0);
        expect(bytes).toBeLessThanOrEqual(MAX_PAGE_BODY_BYTES);
        if (page.next === undefined) break;
        after = page.next;
      }
      expect(seen).toEqual(idsOf(messages));
    });

    test('tells since when the oldest message waits', async () => {
      const message = storedMessage({ storedAt: Date.now() - 60_000 });
      await store.put(message);
      await bench.putAll(2);
      expect(await browser.oldestAt()).toBe(message.storedAt);
    });

    test('takes a message out of the middle, and the others stay in order', async () => {
      const ids = await bench.putAll(5);
      await taking(ids[2] ?? '', async (delivery) => {
        expect(delivery.message.id).toBe(ids[2]);
        await delivery.done();
        await expect(delivery.done()).rejects.toThrow();
      });
      expect(await drained()).toEqual(ids.filter((id) => id !== ids[2]));
    });

    test('takes several, and leaves out what is not there', async () => {
      const ids = await bench.putAll(40);
      const wanted = ids.filter((_, index) => index % 2 === 0);
      const taker = browser.take([...wanted.toReversed(), 'urn:uuid:none'], look());
      const taken: string[] = [];
      for (let delivery = await taker.next(); delivery; delivery = await taker.next()) {
        taken.push(delivery.message?.id ?? '');
        await delivery.done();
      }
      await taker.close();
      expect(new Set(taken)).toEqual(new Set(wanted));
      expect(taken.length).toBe(wanted.length);
      expect(await drained()).toEqual(ids.filter((id) => !wanted.includes(id)));
    });

    test('nobody else gets a message that is taken, and it can be given back', async () => {
      const [id = ''] = await bench.putAll(1);
      const taker = browser.take([id], look());
      const delivery = await taker.next();
      const consumer = store.consumer();
      await bench.nothing(consumer);
      await delivery?.release();
      await taker.close();
      const received = await bench.next(consumer);
      expect(received.message.id).toBe(id);
      await received.done();
    });

    test('what is unsettled goes back when the taker is closed', async () => {
      const ids = await bench.putAll(3);
      const taker = browser.take(ids, look());
      const [first, second] = [await taker.next(), await taker.next()];
      await first?.done();
      await taker.close();
      await taker.close();
      await expect(second?.done()).rejects.toThrow();
      expect((await drained()).toSorted()).toEqual(ids.slice(1).toSorted());
    });

    test('leaves a message with the consumer that has it in hand', async () => {
      const [id = '', other = ''] = await bench.putAll(2);
      const held = await bench.next(store.consumer());
      expect(held.message.id).toBe(id);
      const taker = browser.take([id, other], look());
      const taken = await taker.next();
      expect(taken?.message?.id).toBe(other);
      expect(await taker.next()).toBeUndefined();
      if (bench.showsHeld) expect((await browser.read(id, look()))?.id).toBe(id);
      await taken?.done();
      await taker.close();
      await held.done();
      expect(await drained()).toEqual([]);
    });

    test('moves what it has taken to another store', async () => {
      const [id = ''] = await bench.putAll(2);
      const target = await bench.other();
      await taking(id, (delivery) => delivery.moveTo(target, { ...delivery.message, replays: 1 }));
      const moved = await bench.next(target.consumer());
      expect(moved.message).toMatchObject({ id, replays: 1 });
      await moved.done();
      expect(await drained()).not.toContain(id);
    });

    test('sends a message again to the end of its own store', async () => {
      const ids = await bench.putAll(3);
      const [first = '', ...others] = ids;
      await taking(first, (delivery) => delivery.moveTo(store, { ...delivery.message, replays: 1 }));
      expect(await drained()).toEqual([...others, first]);
    });

    test('each message is taken once, whoever takes them', async () => {
      const ids = await bench.putAll(40);
      const received: string[] = [];
      const settle = async (delivery: Delivery) => {
        received.push(delivery.message?.id ?? '');
        await delivery.done();
      };
      const takes = [0, 1].map(async () => {
        const taker = browser.take(ids, look());
        for (let delivery = await taker.next(); delivery; delivery = await taker.next()) await settle(delivery);
        await taker.close();
      });
      const consumer = store.consumer();
      const consumes = async () => {
        for (let rounds = 0; rounds < 10; rounds += 1) {
          const delivery = await consumer.receive({ signal: look().signal, waitMs: 100 });
          if (delivery) await settle(delivery);
        }
      };
      await Promise.all([...takes, consumes()]);
      await consumer.close();
      received.push(...(await drained()));
      expect(received.toSorted()).toEqual(ids.toSorted());
    });

    test('gives everything back and refuses to look when the store is closed', async () => {
      const ids = await bench.putAll(1);
      const taker = browser.take(ids, look());
      const delivery = await taker.next();
      await store.close();
      await expect(delivery?.done()).rejects.toThrow();
      expect(() => store.browser?.()).toThrow();
    });
  });
}
