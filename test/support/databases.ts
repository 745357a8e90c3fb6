import { afterAll, beforeAll } from 'vitest';
import { type Flavour, onMariaDb, onPostgresql } from '../stores/database-flavours.ts';
import { type DatabaseAccess, JdbcStores } from '../stores/jdbc-stores.ts';
import type { DatabaseServer } from './servers/database-server.ts';
import { findOrInstall, mariadb, postgresql } from './servers/index.ts';

/** A real database that the tests of one `describe` share. */
export interface SharedDatabase {
  /** As people call it. */
  readonly name: string;
  readonly flavour: Flavour;
  /** Its stores; all are closed at the end. */
  readonly stores: JdbcStores;
  /** Only while tests or their hooks run. */
  readonly server: DatabaseServer;
  readonly access: DatabaseAccess;
}

const KINDS = [
  { name: 'PostgreSQL', kind: await findOrInstall(postgresql), flavour: onPostgresql },
  { name: 'MariaDB', kind: await findOrInstall(mariadb), flavour: onMariaDb },
];

/** A `describe` for each database server, with one that runs; skipped where it is missing. */
export function describeDatabases(what: string, suite: (database: SharedDatabase) => void): void {
  for (const { name, kind, flavour } of KINDS) {
    kind.describe(`${what} on ${name}`, () => {
      const stores = new JdbcStores();
      let running: DatabaseServer | undefined;
      const server = () => {
        if (!running) throw new Error(`${name} does not run yet`);
        return running;
      };

      beforeAll(async () => {
        running = await kind.start();
      });

      afterAll(() => stores.closeAll());

      suite({
        name,
        flavour,
        stores,
        get server() {
          return server();
        },
        get access() {
          const { jdbcUrl: url, driverClass: driver, user, password } = server();
          return { url, driver, user, password };
        },
      });
    });
  }
}
