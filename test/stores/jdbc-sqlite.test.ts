import { join } from 'node:path';
import { afterAll } from 'vitest';
import { storeContract } from './contract.ts';
import { type DatabaseAccess, JdbcStores } from './jdbc-stores.ts';

const stores = new JdbcStores();
const folder = await stores.folder();
const sqlite: DatabaseAccess = { url: `jdbc:sqlite:${join(folder, 'messages.db')}`, driver: 'org.sqlite.JDBC' };

afterAll(() => stores.closeAll());

storeContract('JDBC on SQLite', {
  open: () => stores.open(sqlite),
  reopen: (closed) => stores.open(sqlite, { table: closed.parameters.get('store.jdbc.table') ?? '' }),
  durable: true,
});
