import { describe, expect, it } from 'vitest';
import { storeWithFailover } from '../../src/mediators/store.ts';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { PutFailure } from '../../src/stores/broker/put-window.ts';
import { captureMessage } from '../../src/stores/capture.ts';
import { type MessageStore, StoreError, type StoreState } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { FakeConfiguration, FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

class FakeStore {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly messages: StoredMessage[] = [];
  works = true;
  /** Why it has not taken a message. */
  cause: Error | undefined;
  /** Resolves what is being stored, when set. */
  held: Promise<void> | undefined;

  constructor(name: string, parameters: Record<string, string> = {}) {
    this.name = name;
    this.parameters = new Map(Object.entries(parameters));
  }

  state: StoreState = 'READY';

  status() {
    return { state: this.state };
  }

  async put(stored: StoredMessage): Promise<void> {
    await this.held;
    if (!this.works) throw new StoreError(this.name, 'the medium is gone', { cause: this.cause });
    this.messages.push(stored);
  }
}

function configured(...stores: FakeStore[]) {
  const messageStore = Object.fromEntries(stores.map((store) => [store.name, store as unknown as MessageStore]));
  return new FakeConfiguration({
    messageStore,
    sequence: {
      before: sequence('<property name="before" value="1"/><drop/>'),
      broken: sequence('<sequence key="gone"/>'),
    },
  });
}

const GUARANTEED = {
  'store.producer.guaranteed.delivery.enable': 'TRUE',
  'store.failover.message.store.name': 'second',
};

async function failure(run: () => unknown): Promise<MediationError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof MediationError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

it('goes by the id that another worker has found, where the copy does not tell it any more', async () => {
  const keys: string[] = [];
  const store = Object.assign(new FakeStore('s'), {
    once: {
      duplicates: 0,
      keyOf: () => undefined,
      put: async (_: StoredMessage, key: string) => {
        keys.push(key);
        return 'urn:first';
      },
    },
  });
  const request = message({ body: '<a/>', configuration: configured(store) });
  await storeWithFailover(request, store as unknown as MessageStore, captureMessage(request), 'order-7');
  expect([keys, store.messages, request.text('STORE_DUPLICATE_OF')]).toEqual([['order-7'], [], 'urn:first']);
});

describe('storing', () => {
  it('keeps a copy with an id of its own, takes over the answer, and goes on', async () => {
    const store = new FakeStore('s');
    const exchange = new FakeExchange();
    const request = message({ body: '<a/>', configuration: configured(store), exchange });
    request.properties.set('OUT_ONLY', 'true');
    expect(await sequence('<store messageStore="s"/><property name="after" value="1"/>').mediate(request)).toBe(true);
    expect(exchange).toMatchObject({ taken: true, answered: false });
    expect(store.messages).toHaveLength(1);
    const [stored] = store.messages;
    expect(stored?.id).not.toBe(request.messageId);
    expect(stored?.originalId).toBe(request.messageId);
    expect(stored?.properties.get('OUT_ONLY')).toBe('true');
    expect(stored?.properties.has('after')).toBe(false);
    expect(request.properties.get('after')).toBe('1');
    expect(Buffer.from(stored?.body.bytes ?? []).toString()).toBe('<a/>');
    expect(request.payload.kind).toBe('unread');
  });

  it('goes on only when the store has confirmed', async () => {
    const store = new FakeStore('s');
    let confirm = () => {};
    store.held = new Promise((resolve) => {
      confirm = resolve;
    });
    const request = message({ configuration: configured(store) });
    const running = sequence('<store messageStore="s"/><property name="after" value="1"/>').mediate(request);
    await new Promise((resolve) => setImmediate(resolve));
    expect(request.properties.has('after')).toBe(false);
    confirm();
    expect(await running).toBe(true);
    expect(request.properties.has('after')).toBe(true);
  });

  it('finds the store by an expression', async () => {
    const [one, two] = [new FakeStore('one'), new FakeStore('two')];
    const request = message({ configuration: configured(one, two) });
    request.properties.set('which', 'two');
    await sequence('<store messageStore="{$ctx:which}"/>').mediate(request);
    expect([one.messages.length, two.messages.length]).toEqual([0, 1]);
  });

  it('runs its sequence on the message first, whatever that returns; a missing one is ignored', async () => {
    const store = new FakeStore('s');
    const request = message({ configuration: configured(store) });
    expect(await sequence('<store messageStore="s" sequence="before"/>').mediate(request)).toBe(true);
    expect(store.messages[0]?.properties.get('before')).toBe('1');
    expect(await sequence('<store messageStore="s" sequence="gone"/>').mediate(request)).toBe(true);
    expect(store.messages).toHaveLength(2);
  });

  it('stores nothing when its sequence fails', async () => {
    const store = new FakeStore('s');
    const steps = sequence('<store messageStore="s" sequence="broken"/>');
    const request = message({ configuration: configured(store) });
    expect((await failure(() => steps.mediate(request))).message).toBe("Sequence named 'gone' cannot be found");
    expect(store.messages).toEqual([]);
  });
});

describe('a store that is not there or does not take it', () => {
  it('is a fault when there is none of that name', async () => {
    const steps = sequence('<store messageStore="gone"/>');
    const error = await failure(() => steps.mediate(message({ configuration: configured() })));
    expect(error.message).toBe('Message Store does not exist.');
    expect(error.detail).toContain("'gone'");
  });

  function failing(parameters: Record<string, string>, second = new FakeStore('second')) {
    const first = new FakeStore('first', parameters);
    first.works = false;
    const exchange = new FakeExchange();
    const request = message({ configuration: configured(first, second), exchange });
    return { first, second, exchange, request };
  }

  const expectStatus = (request: MessageContext) => {
    expect(String(request.properties.get('HTTP_SC'))).toBe('500');
    expect(String(request.axis2.get('HTTP_SC'))).toBe('500');
  };

  it('is a fault with status 500, in both scopes, and nobody claims the answer (MREQ-39)', async () => {
    const { request, exchange, second } = failing({ 'store.failover.message.store.name': 'second' });
    const error = await failure(() => sequence('<store messageStore="first"/>').mediate(request));
    expect(error.message).toBe('Failed to store message [urn:uuid:1] in store [first].');
    expect(error).toMatchObject({ status: 500, detail: 'Failed to store message.' });
    expectStatus(request);
    expect(exchange.taken).toBe(false);
    expect(second.messages).toEqual([]);
  });

  it('is a fault with status 503 while too many messages are on their way to it (OP-100)', async () => {
    const { request, first } = failing({});
    first.cause = new PutFailure('late', { busy: true });
    const error = await failure(() => sequence('<store messageStore="first"/>').mediate(request));
    expect(error).toMatchObject({ status: 503, detail: 'Failed to store message.' });
    expect(String(request.axis2.get('HTTP_SC'))).toBe('503');
  });

  it('is replaced by its failover store when delivery is guaranteed', async () => {
    const { request, exchange, second } = failing(GUARANTEED);
    expect(await sequence('<store messageStore="first"/>').mediate(request)).toBe(true);
    expect(second.messages).toHaveLength(1);
    expect(second.messages[0]?.originalId).toBe('urn:uuid:1');
    expect(exchange.taken).toBe(true);
    expect(request.properties.has('HTTP_SC')).toBe(false);
  });

  it('is not even tried while it is known to be down, so that the client need not wait', async () => {
    const first = new FakeStore('first', GUARANTEED);
    first.state = 'DOWN';
    const second = new FakeStore('second');
    const request = message({ configuration: configured(first, second) });
    expect(await sequence('<store messageStore="first"/>').mediate(request)).toBe(true);
    expect([first.messages.length, second.messages.length]).toEqual([0, 1]);
  });

  it('is a fault when the failover store fails too', async () => {
    const second = new FakeStore('second', { ...GUARANTEED, 'store.failover.message.store.name': 'first' });
    second.works = false;
    const { request } = failing(GUARANTEED, second);
    const error = await failure(() => sequence('<store messageStore="first"/>').mediate(request));
    expect(error.message).toBe('Failed to store message [urn:uuid:1] in failover store [second].');
    expect(error).toMatchObject({ status: 500, detail: 'Failed to store message.' });
    expectStatus(request);
  });

  it('is a fault when the failover store does not exist', async () => {
    const { request } = failing({ ...GUARANTEED, 'store.failover.message.store.name': 'nowhere' });
    const error = await failure(() => sequence('<store messageStore="first"/>').mediate(request));
    expect(error.message).toBe('Failed to store message [urn:uuid:1] in failover store [nowhere].');
    expectStatus(request);
  });
});

it('must name its store', () => {
  expect(problemLines('<store/>')).toEqual(['error: Message Store mediator must have a Message store defined']);
  expect(problemLines('<store messageStore="{//a[}"/>')[0]).toContain(
    "Invalid XPath expression for attribute 'messageStore' : {//a[}",
  );
});
