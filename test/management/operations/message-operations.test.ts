import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManagementError } from '../../../src/management/management-error.ts';
import type { Job } from '../../../src/management/operations/jobs.ts';
import { MessageOperations } from '../../../src/management/operations/message-operations.ts';
import type { Selection } from '../../../src/management/operations/selection.ts';
import type { Treatment } from '../../../src/management/operations/treatment.ts';
import { DeliveryLedger } from '../../../src/processors/delivery-ledger.ts';
import { type MessageStore, StoreError } from '../../../src/stores/message-store.ts';
import type { DeliveryFailure, StoredMessage } from '../../../src/stores/stored-message.ts';
import { FakeEndpoint, refused, sequenceOf, TestConfiguration } from '../../processors/harness.ts';
import { openInMemoryStore } from '../../stores/in-memory-stores.ts';
import { storedMessage } from '../../stores/messages.ts';

const look = () => ({ signal: AbortSignal.timeout(20_000) });
const FAILED_IN: DeliveryFailure = {
  processor: 'Forwarder',
  sourceStore: 'Orders',
  endpoint: 'Backend',
  cause: 'HTTP status 500',
  status: 500,
  attempts: 4,
  firstAttemptAt: 1,
  lastAttemptAt: 2,
};

let configuration: TestConfiguration;
let ledger: DeliveryLedger;
let operations: MessageOperations;
let orders: MessageStore;
let failed: MessageStore;

beforeEach(() => {
  configuration = new TestConfiguration();
  ledger = new DeliveryLedger();
  operations = new MessageOperations({ configuration: () => configuration, ledger });
  orders = openInMemoryStore({ name: 'Orders' });
  failed = openInMemoryStore({ name: 'Failed' });
  configuration.set('messageStore', 'Orders', orders);
  configuration.set('messageStore', 'Failed', failed);
});

afterEach(async () => {
  await operations.close();
  await Promise.all([orders.close(), failed.close()]);
});

async function messagesOf(store: MessageStore): Promise<StoredMessage[]> {
  const page = await store.browser?.().page({ ...look(), limit: 500 });
  return (page?.messages ?? []).flatMap(({ message }) => (message ? [message] : []));
}

const idsOf = async (store: MessageStore) => (await messagesOf(store)).map(({ id }) => id);

async function putFailed(count: number, changes: Partial<StoredMessage> = {}): Promise<string[]> {
  const messages = Array.from({ length: count }, () => storedMessage({ history: [FAILED_IN], ...changes }));
  for (const message of messages) await failed.put(message);
  return messages.map(({ id }) => id);
}

const one = (id: string, treatment: Treatment, source = failed) => operations.one(source, id, treatment, look());

async function many(
  selection: Selection,
  treatment: Treatment,
  more: { confirm?: number; ratePerSecond?: number; purge?: boolean } = {},
): Promise<Job> {
  const job = await operations.many(failed, { selection, treatment, by: 'alice', ...look(), ...more });
  await job.ended;
  return job;
}

const unexpected = (): never => expect.unreachable('it was not refused');
const refusal = (status: number, text: string | RegExp) => (error: unknown) => {
  expect(error).toBeInstanceOf(ManagementError);
  expect(error).toMatchObject({ status, message: expect.stringMatching(text) });
};

describe('one message', () => {
  it('is sent again to the store in which it failed, with its id and one more replay', async () => {
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'resend' });
    expect(await idsOf(failed)).toEqual([]);
    expect(await messagesOf(orders)).toMatchObject([{ id, replays: 1, history: [FAILED_IN] }]);
    expect(operations.counts.get('Failed')).toMatchObject({ resent: 1, deleted: 0 });
  });

  it('goes to the end of its own store when it never failed', async () => {
    const [first = '', second] = await putFailed(2, { history: [] });
    await one(first, { action: 'resend' });
    expect(await idsOf(failed)).toEqual([second, first]);
    expect((await messagesOf(failed))[1]).toMatchObject({ replays: 1 });
  });

  it('goes to the store that is named', async () => {
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'resend', store: 'Failed' });
    expect(await messagesOf(failed)).toMatchObject([{ id, replays: 1 }]);
  });

  it('is refused after five replays unless forced (OP-62)', async () => {
    const [id = ''] = await putFailed(1, { replays: 5 });
    await one(id, { action: 'resend' }).then(unexpected, refusal(409, 'sent again 5 times'));
    expect(await idsOf(failed)).toEqual([id]);
    await one(id, { action: 'resend', force: true });
    expect(await messagesOf(orders)).toMatchObject([{ id, replays: 6 }]);
  });

  it('is really sent: what is remembered about its id is forgotten', async () => {
    const [id = ''] = await putFailed(1);
    const claim = await ledger.claim('Orders', id, look().signal);
    claim?.unsettled();
    claim?.end();
    await one(id, { action: 'resend' });
    expect((await ledger.claim('Orders', id, look().signal))?.delivered).toBe(false);
  });

  it('runs through a sequence and is gone', async () => {
    const seen: string[] = [];
    configuration.set(
      'sequence',
      'repair',
      sequenceOf('repair', (message) => void seen.push(message.messageId)),
    );
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'resend', sequence: 'repair' });
    expect(seen).toHaveLength(1);
    expect(await idsOf(failed)).toEqual([]);
  });

  it('stays when the sequence fails', async () => {
    configuration.set(
      'sequence',
      'repair',
      sequenceOf('repair', () => {
        throw refused();
      }),
    );
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'resend', sequence: 'repair' }).then(unexpected, refusal(502, "'repair' failed"));
    expect(await idsOf(failed)).toEqual([id]);
  });

  it('goes to an endpoint, and stays when that does not take it', async () => {
    const backend = new FakeEndpoint('Backend');
    configuration.set('endpoint', 'Backend', backend);
    const [id = '', other = ''] = await putFailed(2);
    await one(id, { action: 'resend', endpoint: 'Backend' });
    expect(backend.ids).toEqual([id]);
    backend.react = () => 500;
    await one(other, { action: 'resend', endpoint: 'Backend' }).then(unexpected, refusal(502, 'HTTP status 500'));
    expect(await idsOf(failed)).toEqual([other]);
  });

  it('is moved as it is', async () => {
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'move', to: 'Orders' });
    const [moved] = await messagesOf(orders);
    expect(moved).toMatchObject({ id, history: [FAILED_IN] });
    expect(moved?.replays).toBeUndefined();
  });

  it('is deleted', async () => {
    const [id = '', other] = await putFailed(2);
    await one(id, { action: 'delete' });
    expect(await idsOf(failed)).toEqual([other]);
    expect(operations.counts.get('Failed')).toMatchObject({ deleted: 1 });
  });

  it('is not taken out of the hands of a consumer', async () => {
    const [id = ''] = await putFailed(1);
    const held = await failed.consumer().receive(look());
    await one(id, { action: 'delete' }).then(unexpected, refusal(409, 'in delivery'));
    await held?.release();
    await one(id, { action: 'delete' });
  });

  it.each<[string, Treatment, number, RegExp]>([
    ['an unknown store', { action: 'move', to: 'Nowhere' }, 404, /no message store named 'Nowhere'/],
    ['the store where it is', { action: 'move', to: 'Failed' }, 409, /in store 'Failed' already/],
    ['an unknown sequence', { action: 'resend', sequence: 's' }, 404, /no sequence named 's'/],
    ['an unknown endpoint', { action: 'resend', endpoint: 'e' }, 404, /no endpoint named 'e'/],
    ['two targets', { action: 'resend', endpoint: 'e', sequence: 's' }, 400, /Only one/],
  ])('stays where it is when it is to go to %s', async (_, treatment, status, text) => {
    const [id = ''] = await putFailed(1);
    await one(id, treatment).then(unexpected, refusal(status, text));
    expect(await idsOf(failed)).toEqual([id]);
  });

  it('is found, or it is said that it is not there', async () => {
    await one('urn:uuid:none', { action: 'delete' }).then(unexpected, refusal(404, 'no message'));
    configuration.set('messageStore', 'Orders', undefined);
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'resend' }).then(unexpected, refusal(409, "'Orders', in which it failed"));
    expect(await idsOf(failed)).toEqual([id]);
  });

  it('stays when the target does not take it', async () => {
    const full = openInMemoryStore({ name: 'Full', maxMessages: 1 });
    await full.put(storedMessage());
    configuration.set('messageStore', 'Full', full);
    const [id = ''] = await putFailed(1);
    await one(id, { action: 'move', to: 'Full' }).then(unexpected, refusal(503, 'is full'));
    expect(await idsOf(failed)).toEqual([id]);
    await full.close();
  });

  it('a store of a kind without a browser is not looked into', async () => {
    const blind = { name: 'Blind', type: 'custom-message-store' } as unknown as MessageStore;
    await one('a', { action: 'delete' }, blind).then(unexpected, refusal(409, 'cannot be looked at'));
  });
});

describe('many messages', () => {
  it('by their ids, in their order', async () => {
    const ids = await putFailed(10);
    const some = ids.filter((_, index) => index % 3 === 0);
    const job = await many({ kind: 'ids', ids: [...some].reverse() }, { action: 'resend' });
    expect(job).toMatchObject({ state: 'done', done: 4, failed: 0 });
    expect(await idsOf(orders)).toEqual(some);
    expect(await idsOf(failed)).toEqual(ids.filter((id) => !some.includes(id)));
  });

  it('by a filter, when the count is what was expected', async () => {
    const ids = await putFailed(3);
    const others = await putFailed(2, { history: [{ ...FAILED_IN, cause: 'timed out' }] });
    const selection = { kind: 'filter', filter: { cause: 'TIMED' } } as const;
    const wishes = { selection, treatment: { action: 'delete' }, by: 'alice', ...look() } as const;
    await operations.many(failed, wishes).then(unexpected, refusal(400, 'say confirm=2'));
    await operations
      .many(failed, { ...wishes, confirm: 3 })
      .then(unexpected, refusal(409, 'concerns 2 messages, not 3'));
    expect(await idsOf(failed)).toEqual([...ids, ...others]);
    const job = await many(selection, wishes.treatment, { confirm: 2 });
    expect(job).toMatchObject({ state: 'done', done: 2 });
    expect(await idsOf(failed)).toEqual(ids);
  });

  it('all of them, counted afresh: a store may remember an older number for a while', async () => {
    await putFailed(3);
    const { depth } = failed;
    failed.depth = (options) => (options?.fresh ? depth.call(failed) : Promise.resolve({ count: 7, estimated: false }));
    await many({ kind: 'all' }, { action: 'delete' }, { confirm: 3 });
    expect(await idsOf(failed)).toEqual([]);
  });

  it('all of them, also more than one page, and no more than were confirmed', async () => {
    const ids = await putFailed(450);
    const job = await many({ kind: 'all' }, { action: 'move', to: 'Orders' }, { confirm: 450, ratePerSecond: 100_000 });
    expect(job).toMatchObject({ state: 'done', done: 450, failed: 0 });
    expect(await idsOf(orders)).toEqual(ids);
  });

  it('a purge is counted as such', async () => {
    await putFailed(20);
    await many({ kind: 'all' }, { action: 'delete' }, { confirm: 20, purge: true });
    expect(operations.counts.get('Failed')).toMatchObject({ purged: 20, deleted: 0 });
    expect(await idsOf(failed)).toEqual([]);
  });

  it('leaves what is in delivery, and says so', async () => {
    const ids = await putFailed(3);
    const held = await failed.consumer().receive(look());
    const job = await many({ kind: 'all' }, { action: 'delete' }, { confirm: 3 });
    expect(job).toMatchObject({ state: 'done', done: 2, failed: 1 });
    expect(job.errors).toEqual([{ id: ids[0], Error: 'it is not there any more, or in delivery' }]);
    await held?.release();
    expect(await idsOf(failed)).toEqual([ids[0]]);
  });

  it('goes on when single messages are refused', async () => {
    const good = await putFailed(2);
    const replayed = await putFailed(30, { replays: 5 });
    const later = await putFailed(1);
    const job = await many({ kind: 'all' }, { action: 'resend' }, { confirm: 33 });
    expect(job).toMatchObject({ state: 'done', done: 3, failed: 30 });
    expect(await idsOf(orders)).toEqual([...good, ...later]);
    expect(await idsOf(failed)).toEqual(replayed);
  });

  it('gives up when the target takes nothing', async () => {
    const ids = await putFailed(50);
    const target = { name: 'Down', put: () => Promise.reject(new StoreError('Down', 'is down')) };
    configuration.set('messageStore', 'Down', target as unknown as MessageStore);
    const job = await many({ kind: 'all' }, { action: 'move', to: 'Down' }, { confirm: 50 });
    expect(job).toMatchObject({ state: 'failed', done: 0, failed: 20, problem: 'stopped after 20 failures in a row' });
    expect(await idsOf(failed)).toEqual(ids);
  });

  it.each(['endpoint', 'sequence'])('gives up when the %s takes nothing', async (kind) => {
    const ids = await putFailed(50);
    const backend = new FakeEndpoint('Down');
    backend.react = () => 500;
    configuration.set('endpoint', 'Down', backend);
    const fails = () => {
      throw refused();
    };
    configuration.set('sequence', 'Down', sequenceOf('Down', fails));
    const job = await many({ kind: 'all' }, { action: 'resend', [kind]: 'Down' }, { confirm: 50 });
    expect(job).toMatchObject({ state: 'failed', done: 0, failed: 20, problem: 'stopped after 20 failures in a row' });
    expect(await idsOf(failed)).toEqual(ids);
  });

  it('has one message in hand at a time when it is sent: the others are free', async () => {
    const ids = await putFailed(5);
    const { browser } = failed;
    const taken: number[] = [];
    failed.browser = () => {
      const real = browser?.call(failed);
      if (!real) return expect.unreachable('it has a browser');
      const take = real.take.bind(real);
      real.take = (wanted, options) => {
        taken.push(wanted.length);
        return take(wanted, options);
      };
      return real;
    };
    const backend = new FakeEndpoint('Backend');
    configuration.set('endpoint', 'Backend', backend);
    const some = [ids[4] ?? '', 'urn:uuid:none', ids[1] ?? ''];
    const job = await many({ kind: 'ids', ids: some }, { action: 'resend', endpoint: 'Backend' });
    expect(job).toMatchObject({ state: 'done', done: 2, failed: 1 });
    expect(backend.ids).toEqual([ids[1], ids[4]]);
    expect((await many({ kind: 'all' }, { action: 'resend', endpoint: 'Backend' }, { confirm: 3 })).done).toBe(3);
    expect(backend.ids).toEqual([ids[1], ids[4], ids[0], ids[2], ids[3]]);
    expect(Math.max(...taken)).toBe(1);
  });

  it('keeps to a rate, tells how far it is, and can be cancelled and begun again (OP-61)', async () => {
    const ids = await putFailed(60);
    const wishes = { selection: { kind: 'all' }, treatment: { action: 'move', to: 'Orders' }, by: 'alice' } as const;
    const heard: number[] = [];
    operations.jobs.onChange(({ done }) => heard.push(done));
    const job = await operations.many(failed, { ...wishes, confirm: 60, ratePerSecond: 50, ...look() });
    await expect.poll(() => job.done, { timeout: 10_000 }).toBeGreaterThanOrEqual(5);
    expect(job.state).toBe('running');
    expect(operations.jobs.find(job.id)).toBe(job);
    job.cancel();
    await job.ended;
    expect(job.state).toBe('cancelled');
    expect(job.done).toBeLessThan(60);
    expect((Date.now() - job.startedAt) / 1000).toBeGreaterThanOrEqual((job.done - 1) / 50 - 0.1);
    const left = 60 - job.done;
    expect((await failed.depth()).count).toBe(left);
    expect(await many(wishes.selection, wishes.treatment, { confirm: left, ratePerSecond: 100_000 })).toMatchObject({
      state: 'done',
      done: left,
    });
    expect(await idsOf(orders)).toEqual(ids);
    expect(heard).toContain(1);
  });

  it('no more than eight at a time', async () => {
    await putFailed(100);
    const wishes = { selection: { kind: 'all' }, treatment: { action: 'move', to: 'Orders' }, by: 'alice' } as const;
    const begin = () => operations.many(failed, { ...wishes, confirm: 100, ratePerSecond: 0.001, ...look() });
    const counted = await Promise.all(Array.from({ length: 8 }, begin));
    await expect(begin()).rejects.toThrow('8 jobs are running already');
    await operations.close();
    expect(counted.every(({ state }) => state === 'cancelled')).toBe(true);
  });
});
