import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SqlConnection, SqlSession } from '../../../src/stores/sql/driver.ts';
import { type LatePolicy, SequencedTable } from '../../../src/stores/sql/sequenced-table.ts';
import { sqliteDialect, sqliteDriver } from '../../../src/stores/sql/sqlite.ts';

async function openTable(late: LatePolicy) {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-sequenced-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const connection = await sqliteDriver({ kind: 'sqlite', file: join(folder, 's.db') }, folder).connect('messages');
  onTestFinished(() => connection.close());
  const options = { name: 't', dialect: sqliteDialect, owner: 'me', storeName: 'S', gapTimeoutMs: undefined, late };
  const table = new SequencedTable(options);
  await table.prepare(connection, true);
  const put = (...numbers: bigint[]) =>
    table.insert(
      connection,
      numbers.map((sequence, n) => ({ msgId: `${sequence}/${n}`, bytes: new Uint8Array([1]), sequence })),
    );
  return { table, connection, put };
}

/** The same connection, on which something else happens right before the next number is looked for. */
function interrupted(connection: SqlConnection, happens: () => Promise<unknown>): SqlSession {
  let happened = false;
  return {
    execute: (sql, values) => connection.execute(sql, values),
    async query(sql, values) {
      if (!happened && sql.includes('seq_id > ?')) {
        happened = true;
        await happens();
      }
      return connection.query(sql, values);
    },
  };
}

/* A client had no answer and has sent its number again: both are stored, one is settled while somebody looks for the next one. */
test('a number that is settled while the next one is looked for makes its repetition late', async () => {
  const { table, connection, put } = await openTable('drop');
  await put(1n, 1n);
  const [first] = await table.claim(connection, 1);
  if (!first) throw new Error('nothing claimed');
  const settle = () => connection.transaction((session) => table.settle(session, [first.lease]));
  const [second] = await table.claim(interrupted(connection, settle), 1);
  expect([first.msgId, second?.msgId]).toEqual(['1/0', '1/1']);
  expect(second?.unwanted).toEqual({
    action: 'drop',
    reason: 'its sequence number 1 is late: 1 has been delivered already',
  });
});

test('and the number after it comes at once', async () => {
  const { table, connection, put } = await openTable('drop');
  await put(1n, 2n);
  const [first] = await table.claim(connection, 1);
  if (!first) throw new Error('nothing claimed');
  const settle = () => connection.transaction((session) => table.settle(session, [first.lease]));
  const [second] = await table.claim(interrupted(connection, settle), 1);
  expect(second).toMatchObject({ msgId: '2/1', sequence: 2n });
  expect(second?.unwanted).toBeUndefined();
});
