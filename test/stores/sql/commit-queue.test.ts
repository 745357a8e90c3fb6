import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CHANNEL_PREFIX, POINTS } from '../../../src/fault-points.ts';
import { isBusy } from '../../../src/stores/busy.ts';
import { CommitFailure, OvertakenError } from '../../../src/stores/sql/commit-job.ts';
import { CommitQueue } from '../../../src/stores/sql/commit-queue.ts';
import { SqlLostError, SqlRefusedError } from '../../../src/stores/sql/driver.ts';
import { SqlLink } from '../../../src/stores/sql/link.ts';
import { MessageTable } from '../../../src/stores/sql/message-table.ts';
import { sqliteDialect } from '../../../src/stores/sql/sqlite.ts';
import { type Reply, ScriptedDatabase } from './scripted-database.ts';

const PATIENT = { patient: true };
const PUT_SENT = `${CHANNEL_PREFIX}${POINTS.putSent.name}`;

const busyOf = (put: Promise<unknown>) => put.then(() => undefined, isBusy);

describe('group commit', () => {
  let database: ScriptedDatabase;
  let link: SqlLink;
  let queue: CommitQueue;
  const table = new MessageTable({ name: 't', dialect: sqliteDialect, owner: 'me' });
  let missing = 0;

  const begin = (deadlineMs: number) => {
    queue = new CommitQueue({
      link,
      table,
      deadlineMs,
      lastError: () => 'refused',
      onMissingTable: () => (missing += 1),
    });
  };

  beforeEach(() => {
    database = new ScriptedDatabase();
    link = new SqlLink({
      open: () => database.connect(),
      onUp: () => undefined,
      onDown: (error, phase) => (phase === 'connecting' ? queue.away(error) : undefined),
      random: () => 0,
    });
    missing = 0;
    begin(5_000);
    link.start();
  });

  afterEach(async () => {
    await queue.close(0);
    await link.close();
  });

  const insert = (msgId: string, size = 3) =>
    queue.commit({ kind: 'insert', row: { msgId, bytes: new Uint8Array(size) } }, PATIENT);
  const settle = (indexId: number) => queue.commit({ kind: 'settle', lease: { indexId, deliveries: 1 } }, PATIENT);
  const inserts = () =>
    database.asked.filter((sql) => sql.startsWith('INSERT')).map((sql) => sql.split('(?, ?)').length - 1);

  test('takes what is asked for at once in one transaction, at most 64', async () => {
    await Promise.all(Array.from({ length: 150 }, (_, index) => insert(`${index}`)));
    expect(inserts()).toEqual([64, 64, 22]);
    expect(database.asked, 'what a connection that has just answered is told needs no transaction').toEqual([
      'BEGIN',
      expect.stringMatching(/^INSERT/),
      'COMMIT',
      expect.stringMatching(/^INSERT/),
      expect.stringMatching(/^INSERT/),
    ]);
  });

  test('has what came meanwhile on its way before anybody who was told does something else', async () => {
    const all = Array.from({ length: 150 }, (_, index) => insert(`${index}`));
    await all[0];
    // Less than a turn of the event loop.
    for (let step = 0; step < 20; step += 1) await undefined;
    expect(inserts().slice(0, 2)).toEqual([64, 64]);
    await Promise.all(all);
    expect(inserts()).toEqual([64, 64, 22]);
  });

  test('takes at most 4 MiB into a transaction, but any message alone', async () => {
    const mebibyte = 1024 * 1024;
    await Promise.all([insert('a', 3 * mebibyte), insert('b', 2 * mebibyte), insert('c', 9 * mebibyte), insert('d')]);
    expect(inserts()).toEqual([1, 1, 1, 1]);
  });

  test('tries once more when the connection was lost before the commit', async () => {
    let losses = 0;
    database.reply = (sql) => (sql.startsWith('INSERT') && losses++ === 0 ? new SqlLostError('gone') : []);
    await insert('a');
    expect(inserts()).toEqual([1, 1]);
  });

  test('gives up when it is lost a second time', async () => {
    database.reply = (sql) => (sql.startsWith('INSERT') ? new SqlLostError('gone') : []);
    await expect(insert('b')).rejects.toThrow(CommitFailure);
    expect(inserts()).toEqual([1, 1]);
  });

  test('does not repeat an insert in one statement whose answer did not come: it may be stored', async () => {
    await insert('a');
    const sent = vi.fn();
    subscribe(PUT_SENT, sent);
    database.reply = (sql) => (sql.startsWith('INSERT') ? new SqlLostError('gone') : []);
    const lost = insert('b');
    await expect(lost).rejects.toThrow(/it may be stored all the same/);
    unsubscribe(PUT_SENT, sent);
    expect(sent, 'the point is reached before the answer').toHaveBeenCalledOnce();
    expect(database.asked.slice(-2)).toEqual(['COMMIT', expect.stringMatching(/^INSERT/)]);
  });

  test('does not repeat an insert whose commit was not answered, but repeats what may be repeated', async () => {
    let commits = 0;
    database.reply = (sql) => (sql === 'COMMIT' && commits++ === 0 ? new SqlLostError('gone') : []);
    const [inserted, settled] = await Promise.allSettled([insert('a'), settle(1)]);
    expect(inserted).toMatchObject({ status: 'rejected', reason: expect.objectContaining({ name: 'CommitFailure' }) });
    expect(String(inserted.status === 'rejected' && inserted.reason)).toMatch(/it may be stored all the same/);
    expect(settled.status).toBe('fulfilled');
    expect(inserts()).toEqual([1]);
  });

  test('a move whose commit was not answered has taken place when its message is gone', async () => {
    const target = new MessageTable({ name: 'other', dialect: sqliteDialect, owner: 'me' });
    let commits = 0;
    let there = true;
    database.reply = (sql) => {
      if (sql === 'COMMIT' && commits++ === 0) {
        there = false;
        return new SqlLostError('gone');
      }
      return sql.startsWith('SELECT indexId') && there ? [{ id: 1 }] : [];
    };
    const row = { msgId: 'a', bytes: new Uint8Array(1) };
    const move = () => queue.commit({ kind: 'move', lease: { indexId: 1, deliveries: 1 }, row, target }, PATIENT);
    await move();
    expect(inserts()).toEqual([1]);
    await expect(move(), 'what is not there cannot be moved').rejects.toThrow(OvertakenError);
    expect(inserts()).toEqual([1]);
    expect(database.asked.at(-1)).toBe('ROLLBACK');
  });

  test('tells who was overtaken by another node, and settles the others', async () => {
    database.reply = (sql) => (sql.startsWith('SELECT index_id') ? [{ id: 2, owner: 'other', deliveries: 2 }] : []);
    const outcomes = await Promise.allSettled([settle(1), settle(2), settle(3)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: expect.objectContaining({ name: 'OvertakenError' }) });
    expect(database.asked.filter((sql) => sql.startsWith('DELETE'))).toEqual([
      'DELETE FROM t WHERE indexId IN (?, ?)',
      'DELETE FROM t_claims WHERE index_id IN (?, ?)',
    ]);
  });

  test('tries deadlocks again, a few times', async () => {
    let conflicts = 0;
    database.reply = (sql) => (sql === 'COMMIT' && conflicts++ < 2 ? new SqlRefusedError('conflict', 'deadlock') : []);
    await insert('a');
    database.reply = (sql) => (sql.startsWith('INSERT') ? new SqlRefusedError('conflict', 'deadlock') : []);
    await expect(insert('b')).rejects.toThrow(/deadlock/);
  });

  test('says when there is no table', async () => {
    database.reply = (sql) => (sql.startsWith('INSERT') ? new SqlRefusedError('no such table', 'no table t') : []);
    await expect(insert('a')).rejects.toThrow(/no table t/);
    expect(missing).toBe(1);
  });

  test('takes no more than it has room for, and says that it is busy (OP-100)', async () => {
    const silence = Promise.withResolvers<Reply>();
    database.reply = () => silence.promise;
    const taken = [insert('a')];
    await vi.waitFor(() => expect(database.asked).toEqual(['BEGIN']), { interval: 1 });
    taken.push(...Array.from({ length: 10_000 }, (_, index) => insert(`${index}`)));
    const refused = insert('one too many');
    await expect(refused).rejects.toThrow(/10000 messages with 30000 bytes wait already/);
    expect(await busyOf(refused)).toBe(true);
    database.reply = () => [];
    silence.resolve([]);
    await Promise.all(taken);
  });

  test('fails at the deadline, with the reason while it waits, and as not known while it commits', async () => {
    begin(50);
    const silence = Promise.withResolvers<Reply>();
    database.reply = () => silence.promise;
    const first = insert('a');
    await vi.waitFor(() => expect(database.asked).toEqual(['BEGIN']), { interval: 1 });
    const second = insert('b');
    await expect(first).rejects.toThrow(/did not confirm it within 50 ms; it may be done all the same/);
    await expect(second).rejects.toThrow(/could not take it within 50 ms: refused/);
    expect([await busyOf(first), await busyOf(second)], 'only what is not stored is to come again').toEqual([
      false,
      true,
    ]);
    database.reply = () => [];
    silence.resolve([]);
    await insert('c');
    expect(inserts().length, 'the second one was never sent').toBe(2);
  });

  test('lets those who do not want to wait go as soon as the database is known to be away', async () => {
    database.accepts = false;
    database.drop();
    const row = { msgId: 'a', bytes: new Uint8Array(1) };
    await expect(queue.commit({ kind: 'insert', row }, { patient: false })).rejects.toThrow(
      /is not reachable: not now/,
    );
    const patient = insert('b');
    database.accepts = true;
    await patient;
  });

  test('fails what is not done when it is closed, and takes no more', async () => {
    database.accepts = false;
    database.drop();
    const waiting = insert('a');
    const closing = queue.close(50);
    await expect(waiting).rejects.toThrow(/was closed/);
    await closing;
    await expect(insert('b')).rejects.toThrow(/is closed/);
  });
});
