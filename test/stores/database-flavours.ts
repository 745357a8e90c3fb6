import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { type DatabaseServer, HOST } from '../support/servers/database-server.ts';

/** What tests have to say to each database in its own words. */
export interface Flavour {
  /** Runs one statement as an operator would. */
  sql(server: DatabaseServer, statement: string): Promise<void>;
  /** The table as documented for this database, without what x.create.table would do better. */
  documentedTable(name: string): string;
  /** Bytes as a literal. */
  bytes(hex: string): string;
  /** Finds a row when a transaction waits for another one. */
  readonly waitingTransactions: string;
  /** One who may do everything. */
  newUser(name: string, password: string): string;
  newPassword(name: string, password: string): string;
  /** Ends all other connections of a user. */
  endSessions(name: string): string;
}

export const onPostgresql: Flavour = {
  async sql({ port, user, password, database }, statement) {
    const client = new pg.Client({ host: HOST, port, user, password, database });
    await client.connect();
    await client.query(statement);
    await client.end();
  },
  documentedTable: (name) =>
    `CREATE TABLE ${name} (indexId BIGSERIAL PRIMARY KEY, msg_id VARCHAR(200) NOT NULL, message BYTEA NOT NULL)`,
  bytes: (hex) => `'\\x${hex}'`,
  waitingTransactions: "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  newUser: (name, password) => `CREATE ROLE ${name} SUPERUSER LOGIN PASSWORD '${password}'`,
  newPassword: (name, password) => `ALTER ROLE ${name} PASSWORD '${password}'`,
  endSessions: (name) =>
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${name}' AND pid <> pg_backend_pid()`,
};

export const onMariaDb: Flavour = {
  async sql({ port, user, password, database }, statement) {
    const connection = await createConnection({ host: HOST, port, user, password, database });
    await connection.query(statement);
    await connection.end();
  },
  documentedTable: (name) =>
    `CREATE TABLE ${name} (indexId BIGINT(20) NOT NULL AUTO_INCREMENT, msg_id VARCHAR(200) NOT NULL, ` +
    'message BLOB NOT NULL, PRIMARY KEY (indexId))',
  bytes: (hex) => `X'${hex}'`,
  waitingTransactions: "SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
  newUser: (name, password) => `GRANT ALL ON *.* TO ${name} IDENTIFIED BY '${password}'`,
  newPassword: (name, password) => `ALTER USER ${name} IDENTIFIED BY '${password}'`,
  endSessions: (name) =>
    `BEGIN NOT ATOMIC FOR other IN (SELECT id FROM information_schema.processlist WHERE user = '${name}' AND id <> CONNECTION_ID()) ` +
    "DO EXECUTE IMMEDIATE CONCAT('KILL ', other.id); END FOR; END",
};
