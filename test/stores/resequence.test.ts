import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { problems, read, SYN } from '../synapse/read.ts';
import { storeContract } from './contract.ts';
import { JdbcStores } from './jdbc-stores.ts';
import { allWithOneNumber, resequenceSuite } from './resequence-suite.ts';

const stores = new JdbcStores();
const access = { url: `jdbc:sqlite:${join(await stores.folder(), 'messages.db')}`, driver: 'org.sqlite.JDBC' };

afterAll(() => stores.closeAll());

resequenceSuite('SQLite', {
  access: () => access,
  async sql(statement) {
    const database = new DatabaseSync(access.url.slice('jdbc:sqlite:'.length));
    database.exec(statement);
    database.close();
  },
});

storeContract(
  'resequence, all with one number',
  allWithOneNumber(stores, () => access),
);

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
