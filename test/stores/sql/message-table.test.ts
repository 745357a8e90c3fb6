import { expect, test } from 'vitest';
import { MessageTable } from '../../../src/stores/sql/message-table.ts';
import { sqliteDialect } from '../../../src/stores/sql/sqlite.ts';
import { ScriptedDatabase } from './scripted-database.ts';

/** A table of 16 messages, of which another node is faster to claim the first ones, so often. */
async function contended(times: number) {
  const database = new ScriptedDatabase();
  let looked = 0;
  database.reply = (sql) => {
    if (sql.startsWith('SELECT m.indexId AS id FROM t m')) {
      looked += 1;
      return [{ id: looked }];
    }
    const isOurs = sql.startsWith('SELECT m.indexId AS id, ') && looked > times;
    return isOurs ? [{ id: looked, msg_id: `m${looked}`, message: new Uint8Array(), deliveries: 1 }] : [];
  };
  const table = new MessageTable({ name: 't', dialect: sqliteDialect, owner: 'me' });
  const claimed = await table.claim(await database.connect(), 1);
  return { looked, claimed: claimed.map(({ msgId }) => msgId) };
}

test('a claim looks for other candidates at once when others were faster', async () => {
  expect(await contended(0)).toEqual({ looked: 1, claimed: ['m1'] });
  expect(await contended(2)).toEqual({ looked: 3, claimed: ['m3'] });
});

test('and gives up for now when they always are', async () => {
  expect(await contended(100)).toEqual({ looked: 3, claimed: [] });
});
