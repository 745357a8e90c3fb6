import { afterEach, describe, expect, test } from 'vitest';
import type { MessageStore } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { waitFor } from '../support/wait-for.ts';
import { Folders } from './in-memory-stores.ts';
import { storedMessage } from './messages.ts';
import { drain, FOR_EVER, OpenStores } from './store-calls.ts';

/** How the suite opens stores that recognise repetitions; all of them are closed by whoever opens them. */
export interface RecognisingStore {
  /** A store with these parameters besides its own: empty, or, with `after`, the next one of the same name and medium. */
  open(parameters: Readonly<Record<string, string>>, after?: MessageStore): Promise<MessageStore>;
  closeAll(): Promise<unknown>;
  /** Whether ids outlive the store. */
  readonly durable: boolean;
  /** For stores that several nodes share with their ids: the same store on another node. */
  beside?(store: MessageStore, parameters: Readonly<Record<string, string>>): Promise<MessageStore>;
}

interface BrokerWish {
  readonly name?: string;
  readonly queue: string;
  readonly dataDirectory: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly previous?: MessageStore;
}

/** How the suite opens stores on a broker: the ids are in a data folder beside it. */
export function brokerDedup(open: (wish: BrokerWish) => MessageStore, newQueue: () => string): RecognisingStore {
  const stores = new OpenStores();
  const folders = new Folders();
  const places = new Map<MessageStore, { readonly queue: string; readonly dataDirectory: string }>();
  return {
    durable: true,
    async open(parameters, after) {
      const place = (after && places.get(after)) ?? { queue: newQueue(), dataDirectory: await folders.make() };
      const replaced = after && after.status().state !== 'CLOSED' ? { previous: after } : {};
      const store = stores.add(open({ ...place, parameters, ...(after && { name: after.name }), ...replaced }));
      places.set(store, place);
      return store;
    },
    async closeAll() {
      await stores.closeAll();
      await folders.removeAll();
    },
  };
}

/** Of a message, as the store mediator finds it. */
export const DEDUP_ID = { 'x.dedup.id': '$trp:Idempotency-Key' } as const;
const DEADLINE_MS = 20_000;

let keys = 0;
/** As the hash of an id. */
const newKey = () => `${++keys}`.padStart(64, '0');

export function putOnce(store: MessageStore, key: string, message: StoredMessage = storedMessage()) {
  if (!store.once) throw new Error(`${store.name} recognises no repetitions`);
  return store.once.put(message, key);
}

/** OP-07 as cases that every store must pass that has `x.dedup.id`, on its real server. */
export function dedupSuite(name: string, kind: RecognisingStore): void {
  describe(`${name}: repetitions`, { timeout: 6 * DEADLINE_MS }, () => {
    afterEach(() => kind.closeAll());

    async function depthIs(store: MessageStore, count: number): Promise<void> {
      const depth = async () => (await store.depth({ fresh: true })).count;
      await expect.poll(depth, { timeout: DEADLINE_MS, interval: 50 }).toBe(count);
    }

    test('of two messages with one id the first is stored, and the second is told of it (OP-07)', async () => {
      const store = await kind.open(DEDUP_ID);
      const [key, first] = [newKey(), storedMessage()];
      expect(await putOnce(store, key, first)).toBeUndefined();
      expect(await putOnce(store, key)).toBe(first.id);
      const other = storedMessage();
      expect(await putOnce(store, newKey(), other)).toBeUndefined();
      expect((await drain(store)).map(({ id }) => id)).toEqual([first.id, other.id]);
      expect(store.once?.duplicates).toBe(1);
      expect(store.status().enqueued).toBe(2);
    });

    test('of many at the same time one is stored', async () => {
      const store = await kind.open(DEDUP_ID);
      const [key, another] = [newKey(), newKey()];
      const puts = Array.from({ length: 24 }, (_, index) => putOnce(store, index % 3 === 0 ? another : key));
      const outcomes = await Promise.all(puts);
      expect(outcomes.filter((first) => first === undefined)).toHaveLength(2);
      expect(new Set(outcomes).size).toBe(3);
      expect(await drain(store)).toHaveLength(2);
    });

    test('a message that was delivered is not stored again, and messages without an id are all stored', async () => {
      const store = await kind.open(DEDUP_ID);
      const [key, first] = [newKey(), storedMessage()];
      await putOnce(store, key, first);
      expect(await drain(store)).toHaveLength(1);
      expect(await putOnce(store, key)).toBe(first.id);
      await store.put(storedMessage());
      await store.put(storedMessage());
      expect(await drain(store)).toHaveLength(2);
    });

    test('is over with its window', async () => {
      const store = await kind.open({ ...DEDUP_ID, 'x.dedup.window': '50' });
      const key = newKey();
      await putOnce(store, key);
      await waitFor(async () => (await putOnce(store, key)) === undefined, {
        what: 'the id to be forgotten',
        deadlineMs: DEADLINE_MS,
      });
      await depthIs(store, 2);
    });

    test('is known to the store that replaces it', async () => {
      const store = await kind.open(DEDUP_ID);
      const [key, first] = [newKey(), storedMessage()];
      await putOnce(store, key, first);
      const next = await kind.open(DEDUP_ID, store);
      await store.close();
      expect(await putOnce(next, key)).toBe(first.id);
      // A message in flight may still know the old one.
      expect(await putOnce(store, key)).toBe(first.id);
      expect((await drain(next)).map(({ id }) => id)).toEqual([first.id]);
    });

    test('what moves into the store is never taken for one', async () => {
      const store = await kind.open(DEDUP_ID);
      const [key, first] = [newKey(), storedMessage()];
      await putOnce(store, key, first);
      const other = await kind.open({});
      const consumer = store.consumer();
      const delivery = await consumer.receive({ signal: FOR_EVER, waitMs: DEADLINE_MS });
      if (!delivery?.message) throw new Error('no message');
      await delivery.moveTo(other, delivery.message);
      await consumer.close();
      const back = await other.consumer().receive({ signal: FOR_EVER, waitMs: DEADLINE_MS });
      if (!back?.message) throw new Error('no message in the other store');
      await back.moveTo(store, back.message);
      expect((await drain(store)).map(({ id }) => id)).toEqual([first.id]);
    });

    test.runIf(kind.durable)('is known after a restart', async () => {
      const store = await kind.open(DEDUP_ID);
      const [key, first] = [newKey(), storedMessage()];
      await putOnce(store, key, first);
      const [delivered, second] = [newKey(), storedMessage()];
      await putOnce(store, delivered, second);
      expect(await drain(store)).toHaveLength(2);
      await store.close();
      const again = await kind.open(DEDUP_ID, store);
      expect(await putOnce(again, key)).toBe(first.id);
      expect(await putOnce(again, delivered)).toBe(second.id);
      expect(await drain(again)).toEqual([]);
    });

    test.runIf(kind.beside !== undefined)('is known to other nodes, also at the same time', async () => {
      const store = await kind.open(DEDUP_ID);
      const beside = await kind.beside?.(store, DEDUP_ID);
      if (!beside) throw new Error('no other node');
      const wanted = Array.from({ length: 12 }, newKey);
      const puts = wanted.flatMap((key) => [store, beside].map((node) => putOnce(node, key)));
      const outcomes = await Promise.all(puts);
      expect(outcomes.filter((first) => first === undefined)).toHaveLength(wanted.length);
      expect(await drain(store)).toHaveLength(wanted.length);
    });
  });
}
