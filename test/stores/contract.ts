import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Delivery, type MessageStore, type StoreConsumer, StoreError } from '../../src/stores/message-store.ts';
import type { StoredBody, StoredMessage } from '../../src/stores/stored-message.ts';
import { anyMessage } from './arbitrary-message.ts';
import { browseCases } from './browse-cases.ts';
import { comparableMessage, everyPropertyType, storedMessage, textBody } from './messages.ts';

/** How the suite gets a store of the kind under test. */
export interface StoreUnderTest {
  /** A new, empty store; the suite closes it. */
  open(): Promise<MessageStore>;
  /** A second, different empty store of the same kind (another queue, another table), for moves; default: {@link open}. */
  openOther?(): Promise<MessageStore>;
  /** For durable kinds: the same medium after `closed` was closed, as after a restart of the process. */
  reopen?(closed: MessageStore): Promise<MessageStore>;
  readonly durable: boolean;
  /** Whether messages can be looked at, also those in somebody's hands; default `with held ones`. */
  readonly browsing?: 'with held ones' | 'without held ones' | 'not at all';
  /** How long a message may take from put to receive, ms; default 10 s. */
  readonly deadlineMs?: number;
}

const DEFAULT_DEADLINE_MS = 10_000;
/** Long enough for a message that should not come to come all the same. */
const NOTHING_COMES_MS = 500;
const MEBIBYTE = 1024 * 1024;
/** Of the property about any messages, with up to so many at once. */
const RUNS = 12;
const AT_ONCE = 6;

const BODIES: ReadonlyArray<readonly [name: string, body: StoredBody]> = [
  ['SOAP 1.1', body('soap11', '<e:Envelope xmlns:e="x">\r\n <e:Body/></e:Envelope>\n', 'text/xml; charset=UTF-8')],
  ['SOAP 1.2', body('soap12', "<?xml version='1.0'?><E/>", 'application/soap+xml; action="urn:a"; charset=utf-8')],
  ['XML', body('xml', '<ü>☃</ü>', 'application/xml')],
  ['JSON', body('json', '{"a": [1.50, 1E3, "\\u0000 ü"]}  ', 'application/json')],
  ['text', body('text', 'line\r\nline\n\tü☃𝄞', 'text/plain; charset=UTF-8')],
  ['empty', { kind: 'none', bytes: new Uint8Array(0), contentType: undefined }],
  ['empty with a type', { kind: 'none', bytes: new Uint8Array(0), contentType: 'application/json' }],
  ['binary with NUL', { kind: 'binary', bytes: everyByte(1024), contentType: 'application/octet-stream' }],
  [
    'text that is not UTF-8',
    { kind: 'text', bytes: Buffer.from('gr\xfc\xdf', 'latin1'), contentType: 'text/plain; charset=ISO-8859-1' },
  ],
  ['1 MiB of text', body('text', 'ü'.repeat(MEBIBYTE / 2), 'text/plain; charset=UTF-8')],
  ['1 MiB of bytes', { kind: 'binary', bytes: everyByte(MEBIBYTE), contentType: 'application/pdf' }],
];

/**
 * The delivery contract (src/stores/message-store.ts) as cases that every kind of store must pass, on its real server. Times are
 * deadlines, not delays: kinds whose messages take a while pass as well.
 */
export function storeContract(name: string, kind: StoreUnderTest): void {
  const deadlineMs = kind.deadlineMs ?? DEFAULT_DEADLINE_MS;

  describe(`${name}: the store contract`, { timeout: 12 * deadlineMs }, () => {
    const opened: MessageStore[] = [];
    let store: MessageStore;

    const keep = (added: MessageStore) => {
      opened.push(added);
      return added;
    };

    beforeEach(async () => {
      store = keep(await kind.open());
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()));
    });

    /** The next message within the deadline. */
    async function next(consumer: StoreConsumer): Promise<Delivery & { message: StoredMessage }> {
      const delivery = await consumer.receive({ signal: AbortSignal.timeout(deadlineMs), waitMs: deadlineMs });
      if (!delivery?.message) throw new Error(`${consumer.id} got ${delivery ? 'a poison message' : 'no message'}`);
      return delivery as Delivery & { message: StoredMessage };
    }

    async function nothing(consumer: StoreConsumer): Promise<void> {
      expect(
        await consumer.receive({ signal: new AbortController().signal, waitMs: NOTHING_COMES_MS }),
      ).toBeUndefined();
    }

    async function putAll(count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) {
        const message = storedMessage();
        await store.put(message);
        ids.push(message.id);
      }
      return ids;
    }

    async function depthBecomes(count: number): Promise<void> {
      await expect
        .poll(async () => (await store.depth()).count, { timeout: deadlineMs, interval: 50 })
        .toSatisfy((found) => found === count || found === 'unknown');
    }

    test('delivers in the order of the puts, and done removes', async () => {
      const ids = await putAll(20);
      const consumer = store.consumer();
      const received: string[] = [];
      for (const _ of ids) {
        const delivery = await next(consumer);
        received.push(delivery.message.id);
        expect(delivery.redelivered).toBe(false);
        expect(delivery.poison).toBeUndefined();
        await delivery.done();
      }
      expect(received).toEqual(ids);
      await nothing(consumer);
      await depthBecomes(0);
    });

    test('hands over a message that is put while a consumer waits', async () => {
      const consumer = store.consumer();
      const waiting = next(consumer);
      const message = storedMessage();
      await store.put(message);
      const delivery = await waiting;
      expect(delivery.message.id).toBe(message.id);
      await delivery.done();
    });

    test('redelivers a released message first, marked as redelivered', async () => {
      const [first, second] = await putAll(2);
      const consumer = store.consumer();
      const delivery = await next(consumer);
      expect(delivery.message.id).toBe(first);
      await delivery.release();
      const again = await next(consumer);
      expect(again.message.id).toBe(first);
      expect(again.redelivered).toBe(true);
      await again.done();
      const last = await next(consumer);
      expect(last.message.id).toBe(second);
      await last.done();
    });

    test('never shares a message between consumers', async () => {
      const ids = await putAll(60);
      const consumers = [store.consumer(), store.consumer(), store.consumer()];
      const received: string[] = [];
      const stop = new AbortController();
      const work = consumers.map(async (consumer) => {
        for (;;) {
          const delivery = await consumer.receive({ signal: stop.signal, waitMs: deadlineMs });
          if (!delivery?.message) return;
          received.push(delivery.message.id);
          await delivery.done();
          if (received.length >= ids.length) stop.abort();
        }
      });
      await Promise.all(work);
      expect(received.length).toBe(ids.length);
      expect(new Set(received)).toEqual(new Set(ids));
    });

    test('keeps a message with its consumer until it is settled', async () => {
      const [first] = await putAll(1);
      const holder = store.consumer();
      const other = store.consumer();
      const delivery = await next(holder);
      await nothing(other);
      await delivery.release();
      const taken = await next(other);
      expect(taken.message.id).toBe(first);
      await taken.done();
    });

    test('receive honours waitMs', async () => {
      const consumer = store.consumer();
      await nothing(consumer);
      expect(await consumer.receive({ signal: new AbortController().signal, waitMs: 0 })).toBeUndefined();
    });

    test('receive honours its signal, before and during the wait', async () => {
      const consumer = store.consumer();
      expect(await consumer.receive({ signal: AbortSignal.abort() })).toBeUndefined();
      const stop = new AbortController();
      const waiting = consumer.receive({ signal: stop.signal });
      stop.abort();
      expect(await waiting).toBeUndefined();
      const [id] = await putAll(1);
      const delivery = await next(consumer);
      expect(delivery.message.id).toBe(id);
      await delivery.done();
    });

    test('closing a consumer ends its wait, and it receives no more', async () => {
      const consumer = store.consumer();
      const waiting = consumer.receive({ signal: AbortSignal.timeout(deadlineMs) }).catch((error: unknown) => error);
      await consumer.close();
      expect(await waiting).toSatisfy((outcome) => outcome === undefined || outcome instanceof StoreError);
      await expect(consumer.receive({ signal: AbortSignal.timeout(deadlineMs) })).rejects.toBeInstanceOf(StoreError);
      await consumer.close();
    });

    test('an unsettled delivery returns when its consumer is closed', async () => {
      const [first] = await putAll(2);
      const holder = store.consumer();
      const delivery = await next(holder);
      expect(delivery.message.id).toBe(first);
      await holder.close();
      await expect(delivery.done()).rejects.toBeInstanceOf(StoreError);
      await delivery.release();
      const consumer = store.consumer();
      const again = await next(consumer);
      expect(again.message.id).toBe(first);
      await again.done();
    });

    test('a delivery is settled once', async () => {
      await putAll(2);
      const consumer = store.consumer();
      const done = await next(consumer);
      await done.done();
      await expect(done.done()).rejects.toThrow();
      const released = await next(consumer);
      await released.release();
      await expect(released.done()).rejects.toThrow();
      await (await next(consumer)).done();
      await depthBecomes(0);
    });

    test('moves a message to another store', async () => {
      const [id] = await putAll(1);
      const target = keep(await (kind.openOther ?? kind.open)());
      const consumer = store.consumer();
      const delivery = await next(consumer);
      const failure = {
        processor: 'Forwarder1',
        sourceStore: store.name,
        endpoint: 'Backend',
        cause: 'HTTP 503, "unavailable" ü',
        status: 503,
        attempts: 4,
        firstAttemptAt: 1_700_000_000_000,
        lastAttemptAt: 1_700_000_003_000,
      };
      await delivery.moveTo(target, { ...delivery.message, history: [failure] });
      await expect(delivery.done()).rejects.toThrow();
      await nothing(consumer);
      const moved = await next(target.consumer());
      expect(moved.message.id).toBe(id);
      expect(moved.message.history).toEqual([failure]);
      await moved.done();
    });

    test('a message that could not be moved stays', async () => {
      const [id] = await putAll(1);
      const target = await (kind.openOther ?? kind.open)();
      await target.close();
      const consumer = store.consumer();
      const delivery = await next(consumer);
      await expect(delivery.moveTo(target, delivery.message)).rejects.toBeInstanceOf(StoreError);
      await delivery.release();
      const again = await next(consumer);
      expect(again.message.id).toBe(id);
      await again.done();
    });

    test.each(BODIES)('keeps the bytes: %s', async (_, content) => {
      const message = storedMessage({ body: content });
      await store.put(message);
      const delivery = await next(store.consumer());
      const received = delivery.message.body;
      expect(received.bytes.length).toBe(content.bytes.length);
      expect(Buffer.compare(received.bytes, content.bytes)).toBe(0);
      expect({ ...received, bytes: undefined }).toEqual({ ...content, bytes: undefined });
      await delivery.done();
    });

    test('keeps everything else', async () => {
      const message = storedMessage({
        correlationId: 'c-1',
        addressing: {
          to: 'http://h/ü?a=b&c',
          from: 'f',
          replyTo: 'r',
          faultTo: 'x',
          relatesTo: 'y',
          action: 'urn:a b',
        },
        direction: 'response',
        doingRest: true,
        headers: [
          ['X-Repeated', 'one, two;three=four:five/six-seven'],
          ['x-repeated', 'eight'],
          ['X-Blank', ''],
          ['X-Odd', ' "quoted\\" ü ☃ '],
        ],
        axis2: everyPropertyType(),
        properties: everyPropertyType(),
        variables: everyPropertyType(),
        priority: 7,
        body: { ...textBody('{"a":1}'), kind: 'json', soapHeader: '<h:Header xmlns:h="u"><a>1</a></h:Header>' },
      });
      await store.put(message);
      const delivery = await next(store.consumer());
      expect(comparableMessage(delivery.message)).toEqual(comparableMessage(message));
      await delivery.done();
    });

    test('keeps any message as it is, to the byte (OP-90)', async () => {
      const consumer = store.consumer();
      const handedOver = async (messages: readonly StoredMessage[]) => {
        await Promise.all(messages.map((message) => store.put(message)));
        const received = new Map<string, unknown>();
        for (const _ of messages) {
          const delivery = await next(consumer);
          received.set(delivery.message.id, comparableMessage(delivery.message));
          await delivery.done();
        }
        for (const message of messages) expect(received.get(message.id)).toEqual(comparableMessage(message));
      };
      const some = fc.array(anyMessage, { minLength: 1, maxLength: AT_ONCE });
      // Of what is found wrong the smallest case is wanted, but not for minutes.
      const bounds = { numRuns: RUNS, interruptAfterTimeLimit: 6 * deadlineMs, endOnFailure: false } as const;
      await fc.assert(fc.asyncProperty(some, handedOver), bounds);
    });

    test('takes 200 puts at once', async () => {
      const messages = Array.from({ length: 200 }, () => storedMessage());
      await Promise.all(messages.map((message) => store.put(message)));
      const consumer = store.consumer();
      const received = new Set<string>();
      for (const _ of messages) {
        const delivery = await next(consumer);
        received.add(delivery.message.id);
        await delivery.done();
      }
      expect(received).toEqual(new Set(messages.map(({ id }) => id)));
      await nothing(consumer);
    });

    test('tells its depth and counts (OP-17)', async () => {
      expect(store.status().state).not.toBe('CLOSED');
      await putAll(3);
      await depthBecomes(3);
      await (await next(store.consumer())).done();
      await depthBecomes(2);
      expect(store.status()).toMatchObject({ enqueued: 3, dequeued: 1, lastError: undefined });
      expect(store.durable).toBe(kind.durable);
    });

    test('refuses to put after close, and closes twice without complaint', async () => {
      const consumer = store.consumer();
      await store.close();
      await store.close();
      expect(store.status().state).toBe('CLOSED');
      await expect(store.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
      await expect(consumer.receive({ signal: AbortSignal.timeout(deadlineMs) })).rejects.toBeInstanceOf(StoreError);
    });

    if (kind.browsing !== 'not at all') {
      browseCases({
        store: () => store,
        other: async () => keep(await (kind.openOther ?? kind.open)()),
        next,
        nothing,
        putAll,
        showsHeld: kind.browsing !== 'without held ones',
      });
    }

    test.runIf(kind.durable)('keeps its messages, held ones included, over a restart', async () => {
      const ids = await putAll(5);
      const held = await next(store.consumer());
      expect(held.message.id).toBe(ids[0]);
      await store.close();
      if (!kind.reopen) throw new Error('a durable kind must be able to reopen');
      const again = keep(await kind.reopen(store));
      const consumer = again.consumer();
      const received: string[] = [];
      for (const _ of ids) {
        const delivery = await next(consumer);
        received.push(delivery.message.id);
        await delivery.done();
      }
      expect(received).toEqual(ids);
    });
  });
}

function body(kind: StoredBody['kind'], text: string, contentType: string): StoredBody {
  return { kind, bytes: Buffer.from(text, 'utf8'), contentType };
}

function everyByte(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index & 0xff);
}
