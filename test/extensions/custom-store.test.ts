import { afterEach, describe, expect, it } from 'vitest';
import type { Store, StoreConsumer, StoreContext, StoreDelivery } from '../../src/extensions/api.ts';
import { customStoreKind } from '../../src/extensions/custom-store.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { storedMessage } from '../stores/messages.ts';
import { moduleOf } from './modules.ts';

const opened: MessageStore[] = [];

afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));

interface Opening {
  readonly className?: string;
  readonly previous?: MessageStore;
  readonly deadlineMs?: number;
}

function open(openStore: unknown, { className, previous, deadlineMs = 100 }: Opening = {}): MessageStore {
  const kind = customStoreKind(moduleOf({ openStore }, deadlineMs, className));
  const store = kind.open({
    name: 'S',
    position: { file: 'a.xml', line: 1, column: 1 },
    parameters: {},
    written: new Map([['p', 'v']]),
    services: { dataDirectory: '/data', putDeadlineMs: deadlineMs, stompUrls: new Map(), dataSources: new Map() },
    previous,
  });
  opened.push(store);
  return store;
}

/** A good store, with something else in it. */
function store(parts: Partial<Store> = {}): Store {
  return {
    durable: false,
    put: async () => undefined,
    consumer: () => consumer({}),
    depth: async () => ({ count: 0, estimated: false }),
    close: async () => undefined,
    ...parts,
  };
}

function consumer(parts: Partial<StoreConsumer>): StoreConsumer {
  return { receive: async () => undefined, close: async () => undefined, ...parts };
}

const giving = (receive: StoreConsumer['receive']) => () => store({ consumer: () => consumer({ receive }) });

function delivery(parts: Partial<StoreDelivery> = {}): StoreDelivery {
  const settle = async () => undefined;
  return { message: storedMessage({ id: 'm' }), redelivered: false, done: settle, release: settle, ...parts };
}

const never = () => new Promise<never>(() => undefined);
const soon = (waitMs = 1000) => ({ signal: new AbortController().signal, waitMs });
const failing = () => {
  throw new Error('broken');
};

describe('opening', () => {
  it.each([
    ['an exception', failing, 'openStore() of module /extensions/own.ts failed: broken'],
    ['a promise', async () => store(), 'returned a promise, expected the object itself'],
    ['a rejected promise', async () => failing(), 'returned a promise'],
    ['nothing', () => undefined, 'returned undefined, expected an object'],
    ['a text', () => 'store', 'returned "store", expected an object'],
    ['a part', () => ({ ...store(), depth: 7 }), "returned an object whose 'depth' is 7, expected a function"],
    [
      'no promise of durability',
      () => ({ ...store(), durable: undefined }),
      "whose 'durable' is undefined, expected a boolean",
    ],
  ])('%s refuses the artifact', (_, openStore, message) => {
    expect(() => open(openStore)).toThrow(message);
  });

  it('a module without openStore is no store', () => {
    expect(() => customStoreKind(moduleOf({ openProcessor: () => 1 }))).toThrow(
      "does not export a function 'openStore'",
    );
  });

  it('tells the module its name, parameters and predecessor of the same class', () => {
    const contexts: StoreContext[] = [];
    const given = store();
    const remember = (context: StoreContext) => {
      contexts.push(context);
      return given;
    };
    const first = open(remember);
    open(remember, { previous: first });
    open(remember, { previous: first, className: 'com.acme.Other' });
    expect(contexts.map(({ previous }) => previous)).toEqual([undefined, given, undefined]);
    expect(contexts[0]).toMatchObject({ name: 'S', className: 'com.acme.Own', dataDirectory: '/data' });
    expect(contexts[0]?.parameters.get('p')).toBe('v');
    expect(first.type).toBe('custom-message-store');
  });
});

describe('a put', () => {
  it.each([
    ['throws', failing, /did not take message \[m\]: put\(\) failed: broken/],
    ['rejects', async () => failing(), /put\(\) failed: broken/],
    ['rejects with nothing', () => Promise.reject(undefined), /put\(\) failed: undefined/],
    ['hangs', never, /put\(\) did not end within 100 ms/],
  ])('that %s is a message that is not stored', async (_, put, message) => {
    const bad = open(() => store({ put }));
    const outcome = await bad.put(storedMessage({ id: 'm' })).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(StoreError);
    expect((outcome as Error).message).toMatch(message);
    expect(bad.status()).toMatchObject({ state: 'DEGRADED', enqueued: 0, lastError: expect.stringContaining('put()') });
  });

  it('a message that still knows the store that was replaced arrives in its successor', async () => {
    const taken: string[] = [];
    const keeping = (where: string) => () =>
      store({
        put: async ({ id }) => {
          taken.push(`${where} ${id}`);
        },
      });
    const first = open(keeping('first'));
    const second = open(keeping('second'), { previous: first });
    await first.put(storedMessage({ id: 'a' }));
    await first.close();
    await first.put(storedMessage({ id: 'b' }));
    expect(taken).toEqual(['first a', 'second b']);
    await second.close();
    await expect(first.put(storedMessage())).rejects.toThrow('is closed');
  });

  it('that works again ends the degradation', async () => {
    let broken = true;
    const store1 = open(() => store({ put: async () => (broken ? failing() : undefined) }));
    await expect(store1.put(storedMessage())).rejects.toThrow();
    broken = false;
    await store1.put(storedMessage());
    expect(store1.status()).toMatchObject({ state: 'READY', lastError: undefined, enqueued: 1 });
  });
});

describe('a receive', () => {
  it.each([
    ['throws', failing],
    ['rejects', async () => failing()],
    ['gives a text', async () => 'message' as unknown as StoreDelivery],
    ['gives no delivery', async () => ({ message: storedMessage() }) as unknown as StoreDelivery],
    ['gives an empty delivery', async () => delivery({ message: undefined })],
  ])('that %s is tried again', async (_, bad) => {
    let calls = 0;
    const store1 = open(
      giving(async () => {
        calls += 1;
        return calls === 1 ? bad() : delivery();
      }),
    );
    const received = await store1.consumer().receive(soon(5000));
    expect([received?.message?.id, calls]).toEqual(['m', 2]);
    expect(store1.status().lastError).toMatch(/receive\(\) (failed: broken|gave )/);
    await received?.done();
    expect(store1.status()).toMatchObject({ state: 'READY', dequeued: 1 });
  });

  it('that gives nothing at once does not keep us busy', async () => {
    let calls = 0;
    const store1 = open(
      giving(async () => {
        calls += 1;
        return undefined;
      }),
    );
    expect(await store1.consumer().receive(soon(450))).toBeUndefined();
    expect(calls).toBeLessThan(8);
  });

  it('that never ends ends for us, and what it comes to later is not lost', async () => {
    const gate = Promise.withResolvers<StoreDelivery>();
    const store1 = open(giving(() => gate.promise));
    const taker = store1.consumer();
    expect(await taker.receive(soon(10))).toBeUndefined();
    const stop = new AbortController();
    const waiting = taker.receive({ signal: stop.signal });
    stop.abort();
    expect(await waiting).toBeUndefined();
    gate.resolve(delivery());
    expect((await taker.receive(soon()))?.message?.id).toBe('m');
  });

  it('what comes after the consumer was closed is given back', async () => {
    const gate = Promise.withResolvers<StoreDelivery>();
    const released = Promise.withResolvers<void>();
    const store1 = open(giving(() => gate.promise));
    const taker = store1.consumer();
    const waiting = taker.receive(soon(60_000));
    await taker.close();
    gate.resolve(delivery({ release: async () => released.resolve() }));
    await released.promise;
    expect(await waiting).toBeUndefined();
  });

  it('of a message that is none is poison: it goes out of the way', async () => {
    const half = { ...storedMessage({ id: 'half' }), properties: {} } as unknown as StoredMessage;
    const received = await open(giving(async () => delivery({ message: half })))
      .consumer()
      .receive(soon());
    expect(received?.message).toBeUndefined();
    expect(received?.poison).toMatchObject({
      id: 'half',
      reason: "'properties' of the message is an object, expected a Map",
      bytes: half.body.bytes,
    });
  });

  it('a consumer() that fails is a store error: who asks comes again', () => {
    expect(() => open(() => store({ consumer: failing })).consumer()).toThrow(StoreError);
    expect(() => open(() => store({ consumer: () => ({}) as StoreConsumer })).consumer()).toThrow(/receive.*close/);
  });
});

describe('settling', () => {
  it.each([
    ['throws', failing],
    ['hangs', never],
  ])('a done() that %s is not known to be done, and can be tried again', async (_, done) => {
    let calls = 0;
    const given = delivery({
      done: async () => {
        calls += 1;
        if (calls === 1) await done();
      },
    });
    const received = await open(giving(async () => given))
      .consumer()
      .receive(soon());
    await expect(received?.done()).rejects.toBeInstanceOf(StoreError);
    await received?.done();
    await expect(received?.done()).rejects.toThrow('settled already');
  });

  it('a release() never throws', async () => {
    const received = await open(giving(async () => delivery({ release: failing })))
      .consumer()
      .receive(soon());
    await received?.release();
  });

  it('a move that is stored there, but cannot be removed here, is done', async () => {
    const moved: string[] = [];
    const target = open(() =>
      store({
        put: async ({ id }) => {
          moved.push(id);
        },
      }),
    );
    let released = 0;
    const given = delivery({
      done: failing,
      release: async () => {
        released += 1;
      },
    });
    const received = await open(giving(async () => given))
      .consumer()
      .receive(soon());
    await received?.moveTo(target, storedMessage({ id: 'm' }));
    expect([moved, released]).toEqual([['m'], 1]);
  });
});

describe('what operators see', () => {
  it.each([
    ['what the module says', () => ({ state: 'DOWN', lastError: 'no disk' }) as const, 'DOWN', 'no disk'],
    ['a state that there is not', () => ({ state: 'GOOD' }) as never, 'DEGRADED', 'status() gave the state "GOOD"'],
    ['a failure', failing, 'DEGRADED', 'broken'],
  ])('%s', (_, status, state, lastError) => {
    expect(open(() => store({ status })).status()).toMatchObject({
      state,
      lastError: expect.stringContaining(lastError),
    });
  });

  it.each([
    ['throws', failing],
    ['hangs', never],
    ['gives a text', async () => ({ count: 'many' }) as never],
    ['gives nothing', async () => undefined as never],
  ])('a depth() that %s is unknown', async (_, depth) => {
    expect(await open(() => store({ depth })).depth()).toEqual({ count: 'unknown', estimated: true });
  });
});

it.each([
  ['throws', failing],
  ['hangs', never],
])('a close() that %s does not keep anybody', async (_, close) => {
  const store1 = open(() => store({ close, consumer: () => consumer({ close, receive: never }) }));
  store1.consumer();
  await store1.close();
  expect(store1.status().state).toBe('CLOSED');
});
