import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MessageOperations } from '../../../src/management/operations/message-operations.ts';
import {
  type ResendWishes,
  type ScheduledResend,
  ScheduledResends,
} from '../../../src/management/operations/scheduled-resends.ts';
import { DeliveryLedger } from '../../../src/processors/delivery-ledger.ts';
import { type MessageStore, StoreError } from '../../../src/stores/message-store.ts';
import { TemporaryFolder } from '../../deployment/temporary-folder.ts';
import { TestConfiguration } from '../../processors/harness.ts';
import { openInMemoryStore } from '../../stores/in-memory-stores.ts';
import { storedMessage } from '../../stores/messages.ts';
import { waitFor } from '../../support/wait-for.ts';

const SOON_MS = 30;
const HOUR_MS = 3_600_000;

let folder: TemporaryFolder;
let configuration: TestConfiguration;
let operations: MessageOperations;
let orders: MessageStore;
let failed: MessageStore;
let ended: ScheduledResend[];
const opened: ScheduledResends[] = [];

beforeEach(() => {
  folder = new TemporaryFolder();
  configuration = new TestConfiguration();
  operations = newOperations();
  orders = openInMemoryStore({ name: 'Orders' });
  failed = openInMemoryStore({ name: 'Failed' });
  configuration.set('messageStore', 'Orders', orders);
  configuration.set('messageStore', 'Failed', failed);
  ended = [];
});

afterEach(async () => {
  await operations.close();
  await Promise.all(opened.splice(0).map((resends) => resends.close()));
  await Promise.all([orders.close(), failed.close()]);
  folder[Symbol.dispose]();
});

function newOperations() {
  return new MessageOperations({ configuration: () => configuration, ledger: new DeliveryLedger() });
}

const file = () => join(folder.path, 'management', 'scheduled-resends.json');

async function open(): Promise<ScheduledResends> {
  const host = {
    configuration: () => configuration,
    operations,
    retryMs: 20,
    ended: (resend: ScheduledResend) => void ended.push(resend),
  };
  const resends = await ScheduledResends.open(file(), host);
  opened.push(resends);
  return resends;
}

const wishes = (changes: Partial<ResendWishes> = {}): ResendWishes => ({
  store: 'Failed',
  at: Date.now() + SOON_MS,
  selection: { kind: 'all' },
  treatment: { action: 'resend', store: 'Orders' },
  by: 'anna',
  ...changes,
});

const depth = async (store: MessageStore) => (await store.depth()).count;
const endedOnes = (count = 1) => waitFor(() => ended.length >= count, { what: 'the resend to have ended' });

async function put(count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await failed.put(storedMessage());
}

it('resends what is there when the time has come, and remembers that (OP-63)', async () => {
  const resends = await open();
  await put(2);
  const { id } = await resends.add(wishes({ at: Date.now() + 300 }));
  await put(1);
  expect(await depth(failed)).toBe(3);
  expect(resends.list()).toMatchObject([{ id, state: 'waiting' }]);
  await endedOnes();
  expect(await depth(failed)).toBe(0);
  expect(await depth(orders)).toBe(3);
  expect(resends.find(id)).toMatchObject({ state: 'done', done: 3, failed: 0 });
  expect(operations.jobs.list()).toMatchObject([{ options: { action: 'resend', by: 'anna', total: 3 } }]);
});

it('is not done when it was cancelled, and cannot be cancelled twice', async () => {
  const resends = await open();
  await put(1);
  const { id } = await resends.add(wishes({ at: Date.now() + HOUR_MS }));
  expect(await resends.cancel(id)).toMatchObject({ state: 'cancelled' });
  await expect(resends.cancel(id)).rejects.toMatchObject({ status: 409 });
  await expect(resends.cancel('none')).rejects.toMatchObject({ status: 404 });
  expect(await depth(failed)).toBe(1);
});

it('ends the job when it is cancelled while it runs', async () => {
  const resends = await open();
  await put(50);
  const { id } = await resends.add(wishes({ ratePerSecond: 2 }));
  await waitFor(() => resends.find(id)?.job !== undefined, { what: 'the job to begin' });
  await resends.cancel(id);
  await endedOnes();
  expect(resends.find(id)).toMatchObject({ state: 'cancelled' });
  expect(await depth(failed)).toBeGreaterThan(0);
});

it('survives a restart: what was due meanwhile, or was running, is done then (OP-63)', async () => {
  const before = await open();
  await put(40);
  const running = await before.add(wishes({ ratePerSecond: 2 }));
  const later = await before.add(wishes({ at: Date.now() + HOUR_MS }));
  await waitFor(() => before.find(running.id)?.job !== undefined, { what: 'the job to begin' });
  // As a server ends: its jobs first.
  await operations.close();
  await before.close();
  expect(ended).toEqual([]);
  const kept = JSON.parse(readFileSync(file(), 'utf8')) as { resends: ScheduledResend[] };
  const faster = kept.resends.map((resend) => ({ ...resend, ratePerSecond: 10_000 }));
  writeFileSync(file(), JSON.stringify({ resends: faster }));
  operations = newOperations();
  const after = await open();
  expect(after.list()).toMatchObject([{ id: running.id, state: 'waiting' }, { id: later.id }]);
  await endedOnes();
  expect(await depth(failed)).toBe(0);
  expect(after.find(running.id)).toMatchObject({ state: 'done' });
  expect(after.find(later.id)).toMatchObject({ state: 'waiting' });
});

it('tries again when the store is out of reach, and gives up on what is wrong for good', async () => {
  const resends = await open();
  await put(1);
  const page = failed.depth;
  let tries = 0;
  failed.depth = async () => {
    tries += 1;
    if (tries < 3) throw new StoreError('Failed', 'the broker is gone');
    return page.call(failed);
  };
  const { id } = await resends.add(wishes());
  await endedOnes();
  expect(resends.find(id)).toMatchObject({ state: 'done', done: 1 });
  expect(tries).toBeGreaterThanOrEqual(3);
  const wrong = await resends.add(wishes());
  configuration.set('messageStore', 'Orders', undefined);
  await endedOnes(2);
  expect(resends.find(wrong.id)).toMatchObject({ state: 'failed', problem: expect.stringContaining('Orders') });
});

it('refuses what cannot be, and more than a hundred', async () => {
  const resends = await open();
  await expect(resends.add(wishes({ at: Date.now() - 1 }))).rejects.toMatchObject({ status: 400 });
  await expect(resends.add(wishes({ at: Date.now() + 400 * 24 * HOUR_MS }))).rejects.toMatchObject({ status: 400 });
  await expect(resends.add(wishes({ store: 'None' }))).rejects.toMatchObject({ status: 404 });
  const treatment = { action: 'resend', endpoint: 'None' } as const;
  await expect(resends.add(wishes({ treatment }))).rejects.toMatchObject({ status: 404 });
  for (let number = 0; number < 100; number += 1) await resends.add(wishes({ at: Date.now() + HOUR_MS }));
  await expect(resends.add(wishes({ at: Date.now() + HOUR_MS }))).rejects.toMatchObject({ status: 429 });
});

it('begins empty when its file cannot be understood', async () => {
  folder.write('management/scheduled-resends.json', '{"resends":');
  expect((await open()).list()).toEqual([]);
});
