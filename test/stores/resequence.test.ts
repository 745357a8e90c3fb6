import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { problems, read, SYN } from '../synapse/read.ts';
import { storeContract } from './contract.ts';
import { JdbcStores } from './jdbc-stores.ts';
import { numbered, openResequence, resequenceSuite } from './resequence-suite.ts';

const never = new AbortController().signal;
const stores = new JdbcStores();
const access = { url: `jdbc:sqlite:${join(await stores.folder(), 'messages.db')}`, driver: 'org.sqlite.JDBC' };

afterAll(() => stores.closeAll());

resequenceSuite('SQLite', () => access);

// Where all messages have one number they come in the order of the puts: the first one, and those that are late.
storeContract('resequence, all with one number', {
  open: () => openResequence(stores, access, { table: stores.table(), path: "'1'", late: 'deliver' }),
  reopen: (closed) => {
    const table = closed.parameters.get('store.jdbc.table') ?? '';
    return openResequence(stores, access, { table, name: closed.name, path: "'1'", late: 'deliver' });
  },
  durable: true,
});

describe('messages with one number that are put at the same time', () => {
  /** As it is seen when the transaction that came first, and has the smaller index, commits last. */
  function comeFirst(table: string, id: string): void {
    const database = new DatabaseSync(access.url.slice('jdbc:sqlite:'.length));
    try {
      const { changes } = database.prepare(`UPDATE ${table} SET indexId = indexId - 1000 WHERE msg_id = ?`).run(id);
      expect(changes).toBe(1);
    } finally {
      database.close();
    }
  }

  test.each(['deliver', 'drop', 'fail'] as const)('one has it, the others are late: %s', async (late) => {
    const table = stores.table();
    const store = await openResequence(stores, access, { table, late });
    await store.put(numbered(1));
    const holder = store.consumer();
    const first = await holder.receive({ signal: never, waitMs: 10_000 });
    const second = numbered(1);
    await store.put(second);
    await store.put(numbered(2));
    comeFirst(table, second.id);
    const other = store.consumer();
    // Nothing comes beside it, as long as it is in hand.
    expect(await other.receive({ signal: never, waitMs: 300 })).toBeUndefined();
    await first?.done();
    const next = await other.receive({ signal: never, waitMs: 10_000 });
    if (late === 'deliver') expect(next?.message?.id).toBe(second.id);
    if (late === 'fail') expect(next?.poison?.reason).toMatch(/its sequence number 1 is late/);
    if (late === 'drop') expect(Buffer.from(next?.message?.body.bytes ?? []).toString()).toContain('<n>2</n>');
    await next?.done();
    await holder.close();
    await other.close();
  });
});

describe('parameters of the resequence store (spec stores 1.4)', () => {
  const CLASS = 'org.apache.synapse.message.store.impl.resequencer.ResequenceMessageStore';
  const errors = (...parameters: string[]) =>
    problems(read(`<messageStore ${SYN} name="S" class="${CLASS}">${parameters.join('')}</messageStore>`)).join('\n');
  const PATH = '<parameter name="store.resequence.id.path" expression="//n"/>';
  const TIMEOUT = '<parameter name="store.resequence.timeout"> 5 </parameter>';

  const DATABASE = '<parameter name="store.jdbc.dsName">Orders</parameter>';

  test('are complete with database, path and timeout', () => {
    expect(errors(DATABASE, PATH, TIMEOUT)).toBe('');
    expect(errors(PATH, TIMEOUT)).toMatch(/The DataSource connection information must be specified/);
  });

  test.each([
    [[PATH], /parameter 'store\.resequence\.timeout' is required/],
    [[PATH, '<parameter name="store.resequence.timeout">5s</parameter>'], /'5s' is not a valid number/],
    [[TIMEOUT], /parameter 'store\.resequence\.id\.path' is required, as an expression/],
    [
      [TIMEOUT, '<parameter name="store.resequence.id.path">//n</parameter>'],
      /'store\.resequence\.id\.path': '\/\/n' is text/,
    ],
    [[TIMEOUT, '<parameter name="store.resequence.id.path" expression="//n["/>'], /store\.resequence\.id\.path/],
    [[PATH, TIMEOUT, '<parameter name="x.resequence.late">skip</parameter>'], /'skip' is not allowed/],
  ])('%j is an error', (parameters, reason) => {
    expect(errors(...parameters)).toMatch(reason);
  });
});
