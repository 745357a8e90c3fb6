import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Lease } from '../../../src/stores/sql/message-table.ts';
import { type LatePolicy, SequencedTable } from '../../../src/stores/sql/sequenced-table.ts';
import { sqliteDialect, sqliteDriver } from '../../../src/stores/sql/sqlite.ts';
import { interrupted } from './interrupted.ts';

async function openTable(late: LatePolicy) {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-sequenced-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const driver = sqliteDriver({ kind: 'sqlite', file: join(folder, 's.db') }, folder);
  const [connection, other] = [await driver.connect('claims'), await driver.connect('messages')];
  onTestFinished(async () => void (await Promise.all([connection.close(), other.close()])));
  const options = { name: 't', dialect: sqliteDialect, owner: 'me', storeName: 'S', gapTimeoutMs: undefined, late };
  const table = new SequencedTable(options);
  await table.prepare(connection, true);
  const put = (...numbers: bigint[]) =>
    table.insert(
      connection,
      numbers.map((sequence, n) => ({ msgId: `${sequence}/${n}`, bytes: new Uint8Array([1]), sequence })),
    );
  const claim = async (at = connection) => (await table.claim(at, 1))[0];
  const settle = (lease: Lease) => other.transaction((session) => table.settle(session, [lease]));
  return { table, connection, put, claim, settle };
}

/* A client had no answer and has sent its number again: both are stored, one is settled while somebody looks for the next one. */
test.each([
  ['makes its repetition late', [1n, 1n], '1/1'],
  ['is followed by the next one', [1n, 2n], '2/1'],
] as const)('a number that is settled while somebody looks for the next one %s', async (_, numbers, expected) => {
  const { connection, put, claim, settle } = await openTable('drop');
  await put(...numbers);
  const first = await claim();
  if (!first) throw new Error('nothing claimed');
  const settling: Promise<unknown>[] = [];
  const looking = interrupted(connection, 'seq_id > ?', async () => void settling.push(settle(first.lease)));
  expect(await claim(looking), 'the settlement waits').toBeUndefined();
  await Promise.all(settling);
  const next = await claim();
  expect([first.msgId, next?.msgId]).toEqual(['1/0', expected]);
  const late = { action: 'drop', reason: 'its sequence number 1 is late: 1 has been delivered already' };
  expect(next?.unwanted).toEqual(expected === '1/1' ? late : undefined);
});

test("what an operator takes away makes its twin in somebody's hands not late", async () => {
  const { table, connection, put, claim, settle } = await openTable('drop');
  await put(1n, 1n);
  const held = await claim();
  if (!held) throw new Error('nothing claimed');
  const [twin] = await table.takeRows(connection, [held.lease.indexId + 1]);
  if (!twin) throw new Error('nothing taken');
  await settle(twin.lease);
  await table.release(connection, [held.lease], false);
  const again = await claim();
  expect(again).toMatchObject({ msgId: '1/0' });
  expect(again?.unwanted).toBeUndefined();
  // The last one with that number moves the place, whoever takes it.
  await table.release(connection, again ? [again.lease] : [], false);
  const [last] = await table.takeRows(connection, [held.lease.indexId]);
  if (last) await settle(last.lease);
  await put(2n);
  expect((await claim())?.msgId).toBe('2/0');
});

describe('an operator who takes every message with the next number', () => {
  const both = async (late: LatePolicy = 'drop') => {
    const opened = await openTable(late);
    await opened.put(1n, 1n, 2n);
    const { table, connection } = opened;
    const taken = await table.takeRows(connection, [1, 2]);
    const [one, other] = taken.map(({ lease }) => lease);
    if (!one || !other) throw new Error('nothing taken');
    return { ...opened, one, other };
  };

  test.each([
    ['the first one first', false],
    ['the last one first', true],
  ])('does not stop the sequence when both are settled: %s', async (_, turned) => {
    const { claim, settle, one, other } = await both();
    for (const lease of turned ? [other, one] : [one, other]) {
      expect(await claim()).toBeUndefined();
      await settle(lease);
    }
    expect((await claim())?.msgId).toBe('2/2');
  });

  test('does not stop it when both are settled in one transaction, nor with the number after them', async () => {
    const { table, connection, put, claim, one, other } = await both();
    const [third] = await table.takeRows(connection, [3]);
    await put(3n);
    const leases = [...(third ? [third.lease] : []), other, one];
    expect(leases).toHaveLength(3);
    await connection.transaction((session) => table.settle(session, leases));
    expect((await claim())?.msgId).toBe('3/0');
  });

  test.each([
    ['the first one', false],
    ['the last one', true],
  ])('loses nothing when one of them fails after the other one was settled: %s', async (_, turned) => {
    const { table, connection, claim, settle, one, other } = await both('drop');
    const [settled, failed] = turned ? [one, other] : [other, one];
    await settle(settled);
    await table.release(connection, [failed], false);
    const again = await claim();
    expect(again?.lease.indexId).toBe(failed.indexId);
    // It is next, not late: nothing drops it.
    expect(again?.unwanted).toBeUndefined();
    if (again) await settle(again.lease);
    expect((await claim())?.msgId).toBe('2/2');
  });

  test('makes what has come on meanwhile late only when a delivery has moved the place', async () => {
    const { put, claim, settle, one, other } = await both('fail');
    await settle(one);
    await put(1n);
    await settle(other);
    const next = await claim();
    expect(next).toMatchObject({ msgId: '1/0' });
    expect(next?.unwanted).toBeUndefined();
  });

  test('moves the place when it got there before the last one is settled', async () => {
    const { table, connection, put, claim, settle } = await openTable('drop');
    await put(1n, 2n, 3n);
    const [second] = await table.takeRows(connection, [2]);
    const first = await claim();
    if (!first || !second) throw new Error('nothing taken');
    await settle(first.lease);
    await settle(second.lease);
    expect((await claim())?.msgId).toBe('3/2');
  });
});

test('nobody is kept from looking or settling while the bodies of messages are read', async () => {
  const { connection, put, claim, settle } = await openTable('deliver');
  await put(1n, 1n);
  const first = await claim();
  if (first) await settle(first.lease);
  let settled = false;
  const reading = interrupted(connection, 'm.message AS message', async () => {
    await settle({ indexId: 99, deliveries: 1, sequence: 1n });
    settled = true;
  });
  expect((await claim(reading))?.msgId).toBe('1/1');
  expect(settled).toBe(true);
});
