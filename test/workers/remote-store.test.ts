import { expect, it } from 'vitest';
import type { Configuration } from '../../src/message/configuration.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import { decodeStoredMessage } from '../../src/stores/stored-message-codec.ts';
import { type HandedOver, HandOverError } from '../../src/workers/owner-link.ts';
import { RemoteStore } from '../../src/workers/remote-store.ts';
import { storedOrder } from '../bench/messages.ts';

const CONFIGURATION = { version: 1, services: {}, find: () => undefined, names: () => [] } as unknown as Configuration;
const FAILOVER = new Map([
  ['store.producer.guaranteed.delivery.enable', 'true'],
  ['store.failover.message.store.name', 'Other'],
  ['x.max.messages', '5'],
]);

function remote(
  put: (message: HandedOver, deadlineMs: number) => Promise<string | undefined>,
  options: Partial<ConstructorParameters<typeof RemoteStore>[0]> = {},
): RemoteStore {
  return new RemoteStore({
    name: 'Orders',
    type: 'in-memory-message-store',
    parameters: new Map(),
    dedup: undefined,
    putDeadlineMs: 10_000,
    link: { put, isOpen: true },
    ...options,
  });
}

it('hands the whole message over', async () => {
  const handed: HandedOver[] = [];
  const store = remote(async (message) => void handed.push(message) as undefined);
  const message = storedOrder(7);
  await store.put(message);
  const [{ store: name, head = '', body = new Uint8Array() } = {}] = handed;
  expect([name, decodeStoredMessage(head, body)]).toEqual(['Orders', message]);
  expect(store.status()).toMatchObject({ state: 'READY', enqueued: 1 });
});

it('fails with the reason that the owner gave, as a store does', async () => {
  const store = remote(() => Promise.reject(new HandOverError('the disk is full')));
  await expect(store.put(storedOrder(1))).rejects.toEqual(new StoreError('Orders', 'the disk is full'));
});

it('leaves the failover to the owner, and gives it time for both stores', async () => {
  const deadlines: number[] = [];
  const put = async (_: HandedOver, deadlineMs: number) => void deadlines.push(deadlineMs) as undefined;
  const store = remote(put, { parameters: FAILOVER });
  await store.put(storedOrder(1));
  await remote(put).put(storedOrder(2));
  expect([[...store.parameters.keys()], deadlines]).toEqual([['x.max.messages'], [20_500, 10_500]]);
});

it('finds the id of a message, and asks the owner whether it was there before', async () => {
  const keys: Array<string | undefined> = [];
  const id = { stringValue: (message: MessageContext) => message.headers.get('Idempotency-Key') };
  const dedup = { id, windowMs: 1, maxIds: 1 } as unknown as NonNullable<RemoteStoreOptionsDedup>;
  const store = remote(
    async ({ key }) => {
      keys.push(key);
      return 'urn:first';
    },
    { dedup },
  );
  const message = new MessageContext(CONFIGURATION, Payload.ofJson('{}'));
  expect(store.once?.keyOf(message)).toBeUndefined();
  message.headers.set('Idempotency-Key', 'k-1');
  const key = store.once?.keyOf(message) ?? '';
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(await store.once?.put(storedOrder(1), key)).toBe('urn:first');
  expect(keys).toEqual([key]);
});

type RemoteStoreOptionsDedup = ConstructorParameters<typeof RemoteStore>[0]['dedup'];

it('is down while the owner is away, and closed when it is closed', async () => {
  const store = remote(async () => undefined, { link: { put: async () => undefined, isOpen: false } });
  expect(store.status()).toMatchObject({ state: 'DOWN', lastError: 'the worker that has the stores is away' });
  expect(await store.depth()).toEqual({ count: 'unknown', estimated: true });
  expect(() => store.consumer()).toThrow(StoreError);
  await store.close();
  await expect(store.put(storedOrder(1))).rejects.toThrow('the store is closed');
});
