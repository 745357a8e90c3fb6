import { afterEach, describe, expect, test } from 'vitest';
import type { MessageStore, StoreConsumer } from '../../src/stores/message-store.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { only, read, SYN } from '../synapse/read.ts';
import type { StoreUnderTest } from './contract.ts';
import { type DatabaseAccess, drain, JdbcStores } from './jdbc-stores.ts';
import { storedMessage } from './messages.ts';

const CLASS = 'org.apache.synapse.message.store.impl.resequencer.ResequenceMessageStore';
const never = new AbortController().signal;
/** Long enough for a message that should not come. */
const NOTHING_COMES_MS = 400;

export interface ResequenceWishes {
  readonly name?: string;
  readonly table: string;
  /** `store.resequence.timeout`, seconds; default: for ever. */
  readonly timeout?: string;
  readonly late?: string;
  readonly path?: string;
  readonly dataDirectory?: string;
}

/** A resequence store as its artifact says it, with `<parameter expression="…">`. */
export async function openResequence(
  stores: JdbcStores,
  access: DatabaseAccess,
  wishes: ResequenceWishes,
): Promise<MessageStore> {
  const parameters = {
    'store.jdbc.driver': access.driver,
    'store.jdbc.connection.url': access.url.replaceAll('&', '&amp;'),
    'store.jdbc.username': access.user ?? '',
    'store.jdbc.password': access.password ?? '',
    'store.jdbc.table': wishes.table,
    'store.resequence.timeout': wishes.timeout ?? '-1',
    'x.resequence.late': wishes.late ?? 'deliver',
    'x.create.table': 'true',
  };
  const written = Object.entries(parameters).map(([name, value]) => `<parameter name="${name}">${value}</parameter>`);
  const path = `<parameter name="store.resequence.id.path" expression="${wishes.path ?? '//n'}"/>`;
  const name = wishes.name ?? `Reseq_${wishes.table}`;
  const reading = read(
    `<messageStore ${SYN} name="${name}" class="${CLASS}">${written.join('')}${path}</messageStore>`,
  );
  const { content } = only(reading, 'messageStore');
  const dataDirectory = wishes.dataDirectory ?? (await stores.folder());
  return stores.keep(
    content.kind.open({
      ...content,
      previous: undefined,
      services: { dataDirectory, putDeadlineMs: 10_000, stompUrls: new Map(), dataSources: new Map() },
    }),
  );
}

/** A message with a sequence number. */
export function numbered(number: number | bigint | string): StoredMessage {
  const bytes = Buffer.from(`<order><n>${number}</n></order>`);
  return storedMessage({ body: { kind: 'xml', bytes, contentType: 'application/xml' } });
}

function numberOf(message: StoredMessage | undefined): string {
  return /<n>(.*)<\/n>/.exec(Buffer.from(message?.body.bytes ?? []).toString())?.[1] ?? '(none)';
}

async function next(from: MessageStore | StoreConsumer) {
  const consumer = 'receive' in from ? from : from.consumer();
  const delivery = await consumer.receive({ signal: never, waitMs: 10_000 });
  if (!delivery) throw new Error('no message');
  return { delivery, number: numberOf(delivery.message), close: () => consumer.close() };
}

async function nothing(from: MessageStore): Promise<void> {
  const consumer = from.consumer();
  expect(await consumer.receive({ signal: never, waitMs: NOTHING_COMES_MS })).toBeUndefined();
  await consumer.close();
}

/** For the contract of all stores. Messages with one number come in the order of the puts: the first one, and those that are late. */
export function allWithOneNumber(stores: JdbcStores, access: () => DatabaseAccess): StoreUnderTest {
  const wishes = { path: "'1'", late: 'deliver' };
  return {
    open: () => openResequence(stores, access(), { table: stores.table(), ...wishes }),
    reopen: (closed) => {
      const table = closed.parameters.get('store.jdbc.table') ?? '';
      return openResequence(stores, access(), { table, name: closed.name, ...wishes });
    },
    durable: true,
  };
}

/** A database as the suite needs it. */
export interface ResequenceDatabase {
  access(): DatabaseAccess;
  /** Runs one statement as an operator would. */
  sql(statement: string): Promise<void>;
}

/** What a resequence store does on every database (spec stores 2.6, REQ-10, REQ-50). */
export function resequenceSuite(name: string, { access, sql }: ResequenceDatabase): void {
  describe(`the resequence store on ${name}`, () => {
    const stores = new JdbcStores();
    afterEach(() => stores.closeAll());

    const open = (wishes: Omit<ResequenceWishes, 'table'> & { table?: string } = {}) =>
      openResequence(stores, access(), { table: stores.table(), ...wishes });

    async function put(store: MessageStore, ...numbers: Array<number | bigint>): Promise<void> {
      for (const number of numbers) await store.put(numbered(number));
    }

    test('delivers by number, and waits for the one that is missing', async () => {
      const store = await open();
      await put(store, 3, 1, 5, 2);
      const consumer = store.consumer();
      for (const expected of ['1', '2', '3']) {
        const { delivery, number } = await next(consumer);
        expect(number).toBe(expected);
        await delivery.done();
      }
      await nothing(store);
      await put(store, 4);
      for (const expected of ['4', '5']) {
        const { delivery, number } = await next(consumer);
        expect(number).toBe(expected);
        await delivery.done();
      }
      expect((await store.depth()).count).toBe(0);
    });

    test('moves on only when a message is settled, over releases, moves and restarts (REQ-10)', async () => {
      const table = stores.table();
      const store = await open({ table });
      await put(store, 1, 2, 3);
      const first = await next(store);
      await nothing(store);
      await first.delivery.release();
      const again = await next(store);
      expect([again.number, again.delivery.redelivered]).toEqual(['1', true]);
      await again.close();
      await store.close();
      const reopened = await open({ table });
      const third = await next(reopened);
      expect(third.number).toBe('1');
      await third.delivery.done();
      const target = await open();
      const second = await next(reopened);
      expect(second.number).toBe('2');
      if (second.delivery.message) await second.delivery.moveTo(target, second.delivery.message);
      await reopened.close();
      const last = await open({ table });
      expect((await next(last)).number).toBe('3');
    });

    test('gives up a gap after the timeout, at once with 0 (spec stores 2.6)', async () => {
      const patient = await open({ timeout: '1' });
      await put(patient, 7, 5);
      await nothing(patient);
      const seen: string[] = [];
      for (let count = 0; count < 2; count += 1) {
        const { delivery, number, close } = await next(patient);
        seen.push(number);
        await delivery.done();
        await close();
      }
      expect(seen).toEqual(['5', '7']);
      const hasty = await open({ timeout: '0' });
      await put(hasty, 9);
      expect((await next(hasty)).number).toBe('9');
    });

    test('delivers late messages, drops them, or hands them over as failed (REQ-50)', async () => {
      for (const late of ['deliver', 'drop', 'fail']) {
        const store = await open({ late });
        await put(store, 1, 2);
        for (const _ of [1, 2]) {
          const { delivery, close } = await next(store);
          await delivery.done();
          await close();
        }
        await put(store, 1, 3);
        const { delivery, number, close } = await next(store);
        if (late === 'drop') {
          expect(number).toBe('3');
          await delivery.done();
          continue;
        }
        if (late === 'deliver') expect(number).toBe('1');
        else expect(delivery.poison?.reason).toBe('its sequence number 1 is late: 2 has been delivered already');
        await delivery.done();
        await close();
        const following = await next(store);
        expect(following.number, 'a late message moves nothing').toBe('3');
        await following.delivery.done();
        expect((await store.depth()).count).toBe(0);
      }
    });

    describe('of several messages with one number that are put at the same time', () => {
      test.each(['deliver', 'drop', 'fail'] as const)('one has it, the others are late: %s', async (late) => {
        const table = stores.table();
        const store = await open({ table, late });
        await put(store, 1);
        const first = await next(store);
        const second = numbered(1);
        await store.put(second);
        await put(store, 2);
        // As it is seen when the transaction that came first, and has the smaller index, commits last.
        await sql(`UPDATE ${table} SET indexId = indexId - 1000 WHERE msg_id = '${second.id}'`);
        // Nothing comes beside it, as long as it is in hand.
        await nothing(store);
        await first.delivery.done();
        const { delivery, number, close } = await next(store);
        if (late === 'deliver') expect(delivery.message?.id).toBe(second.id);
        if (late === 'fail') expect(delivery.poison?.reason).toMatch(/its sequence number 1 is late/);
        if (late === 'drop') expect(number).toBe('2');
        await delivery.done();
        await close();
        await first.close();
      });
    });

    test('keeps the order over two nodes with four workers', async () => {
      const table = stores.table();
      const nodes = [await open({ table, name: 'Shared' }), await open({ table, name: 'Shared' })];
      const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
      const shuffled = numbers.map((number) => ((number * 37) % 61) as number);
      await Promise.all(shuffled.map((number, index) => (nodes[index % 2] as MessageStore).put(numbered(number))));
      const settled: string[] = [];
      const stop = new AbortController();
      await Promise.all(
        [0, 1, 0, 1].map(async (node) => {
          const consumer = (nodes[node] as MessageStore).consumer();
          for (;;) {
            const delivery = await consumer.receive({ signal: stop.signal, waitMs: 20_000 });
            if (!delivery) return;
            settled.push(numberOf(delivery.message));
            await delivery.done();
            if (settled.length >= numbers.length) stop.abort();
          }
        }),
      );
      expect(settled).toEqual(numbers.map(String));
    });

    test('takes any 64 bit number, and no message without one', async () => {
      const store = await open({ timeout: '0' });
      const large = 9_007_199_254_740_993n;
      await put(store, large, large + 1n, 2n ** 63n - 1n);
      for (const bad of ['', 'x', '1.5', '9223372036854775808']) {
        await expect(store.put(numbered(bad))).rejects.toThrow(/which is no 64 bit integer/);
        await expect(store.put(numbered(bad))).rejects.toBeInstanceOf(StoreError);
      }
      const text = storedMessage();
      await expect(store.put(text)).rejects.toBeInstanceOf(StoreError);
      const seen: string[] = [];
      for (let count = 0; count < 3; count += 1) {
        const { delivery, number, close } = await next(store);
        seen.push(number);
        await delivery.done();
        await close();
      }
      expect(seen).toEqual([large, large + 1n, 2n ** 63n - 1n].map(String));
      expect(await drain(store)).toEqual([]);
    });

    describe('looked into', () => {
      const look = () => ({ signal: AbortSignal.timeout(10_000) });

      /** Takes the message with this number, and removes it. */
      async function remove(store: MessageStore, number: string): Promise<void> {
        const browser = store.browser?.();
        const page = await browser?.page({ ...look(), limit: 100 });
        const found = page?.messages.find(({ message }) => numberOf(message) === number);
        const taker = browser?.take([found?.id ?? ''], look());
        await (await taker?.next())?.done();
        await taker?.close();
      }

      test('shows messages by their numbers, page after page', async () => {
        const store = await open();
        await put(store, 30, -1, 20, 20, 9_007_199_254_740_993n);
        const seen: string[] = [];
        for (let after: string | undefined; ; ) {
          const page = await store.browser?.().page({ ...look(), limit: 2, after });
          seen.push(...(page?.messages ?? []).map(({ message }) => numberOf(message)));
          after = page?.next;
          if (after === undefined) break;
        }
        expect(seen).toEqual(['-1', '20', '20', '30', '9007199254740993']);
      });

      test('what an operator removes out of its turn makes nothing late', async () => {
        const store = await open();
        await put(store, 1, 2, 5);
        await remove(store, '5');
        for (const expected of ['1', '2']) {
          const { delivery, number, close } = await next(store);
          expect(number).toBe(expected);
          await delivery.done();
          await close();
        }
        await put(store, 3);
        expect((await next(store)).number).toBe('3');
      });

      test('what an operator removes in its turn is not waited for', async () => {
        const store = await open();
        await put(store, 1, 2);
        await remove(store, '1');
        expect((await next(store)).number).toBe('2');
      });
    });
  });
}
