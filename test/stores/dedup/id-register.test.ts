import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IdRegister } from '../../../src/stores/dedup/id-register.ts';
import type { SqlSession } from '../../../src/stores/sql/driver.ts';
import { sqliteDriver } from '../../../src/stores/sql/sqlite.ts';
import { JdbcStores } from '../jdbc-stores.ts';

async function register(maxIds: number, work: (ids: IdRegister, session: SqlSession) => Promise<void>): Promise<void> {
  const folders = new JdbcStores();
  const file = join(await folders.folder(), 'ids.db');
  const driver = sqliteDriver({ kind: 'sqlite', file }, '.');
  const connection = await driver.connect('messages');
  try {
    const ids = new IdRegister({ table: 't', dialect: driver.dialect, maxIds });
    await ids.prepare(connection, true);
    await work(ids, connection);
  } finally {
    await connection.close();
    await folders.closeAll();
  }
}

const row = (key: string, msgId: string, windowMs = 60_000) => ({
  msgId,
  once: { key, windowMs, first: undefined as string | undefined },
});
const keysOf = async (session: SqlSession) =>
  (await session.query('SELECT dedup_key AS k FROM t_dedup ORDER BY dedup_key')).map(({ k }) => k);

describe('the register of ids', () => {
  it('admits the first of each key, also within one transaction, and tells the others', async () => {
    await register(100, async (ids, session) => {
      const rows = [row('b', 'm1'), { msgId: 'm2' }, row('a', 'm3'), row('b', 'm4')];
      expect((await ids.admit(session, rows)).map(({ msgId }) => msgId)).toEqual(['m1', 'm2', 'm3']);
      expect(rows[3]).toMatchObject({ once: { first: 'm1' } });
      const later = [row('a', 'm5'), row('c', 'm6')];
      expect((await ids.admit(session, later)).map(({ msgId }) => msgId)).toEqual(['m6']);
      expect(later[0]).toMatchObject({ once: { first: 'm3' } });
    });
  });

  it('takes over an id whose time is over', async () => {
    await register(100, async (ids, session) => {
      await ids.admit(session, [row('a', 'm1', 0)]);
      expect(await ids.admit(session, [row('a', 'm2')])).toHaveLength(1);
      expect(await ids.admit(session, [row('a', 'm3')])).toHaveLength(0);
    });
  });

  it('forgets in batches what is over, and the oldest of too many', async () => {
    await register(10, async (ids, session) => {
      const over = Array.from({ length: 1_200 }, (_, index) => row(`over${index}`, `o${index}`, 0));
      for (let at = 0; at < over.length; at += 100) await ids.admit(session, over.slice(at, at + 100));
      const kept = Array.from({ length: 12 }, (_, index) =>
        row(`${String.fromCharCode(97 + index)}`, 'm', 60_000 + index),
      );
      await ids.admit(session, kept);
      expect(await ids.sweep(session)).toEqual({ early: 2, more: false });
      expect(await keysOf(session)).toEqual([...'cdefghijkl']);
      expect(await ids.sweep(session)).toEqual({ early: 0, more: false });
    });
  });

  it('says when a sweep has come to its bound, and counts what is over as nothing else', async () => {
    await register(10, async (ids, session) => {
      const fill = (name: string, count: number, end: string) =>
        session.query(
          `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) ` +
            `INSERT INTO t_dedup SELECT '${name}' || i, 'm', ${end} FROM n`,
        );
      await fill('over', 20_100, '1');
      await fill('kept', 20_015, '9000000000000 + i');
      expect(await ids.sweep(session)).toEqual({ early: 0, more: true });
      expect(await ids.sweep(session)).toEqual({ early: 20_000, more: true });
      expect(await ids.sweep(session)).toEqual({ early: 5, more: false });
      const ten = Array.from({ length: 10 }, (_, index) => `kept${20_006 + index}`);
      expect(await keysOf(session)).toEqual(ten);
    });
  });
});
