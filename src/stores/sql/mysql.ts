import { readFileSync } from 'node:fs';
import type { Connection, ConnectionOptions, SslOptions } from 'mysql2/promise';
import { type DatabaseHost, describeAddress, type ServerDatabase } from './address.ts';
import { type InsertOrUpdate, nameParts, type SqlDialect } from './dialect.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  connectFailure,
  KEEP_ALIVE_MS,
  type Refusal,
  runTransaction,
  SqlConnectError,
  type SqlConnection,
  type SqlDriver,
  SqlLostError,
  SqlRefusedError,
  type SqlRow,
  type SqlSession,
  type SqlValue,
  STATEMENT_TIMEOUT_MS,
  within,
} from './driver.ts';

const LOCK_WAIT_S = 5;
const MAX_PREPARED = 200;

export const mysqlDialect: SqlDialect = {
  name: 'MySQL/MariaDB',
  now: 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)',
  forUpdate: ' FOR UPDATE',
  createMessages: (table) => createMessages(table, ''),
  createSequencedMessages: (table) => createMessages(table, 'seq_id BIGINT NOT NULL, INDEX seq_id_index (seq_id), '),
  createClaims: (table) =>
    `CREATE TABLE IF NOT EXISTS ${table} (index_id BIGINT NOT NULL, owner VARCHAR(100) NOT NULL, ` +
    'expires_at BIGINT NOT NULL, deliveries INT NOT NULL, PRIMARY KEY (index_id)) ENGINE=InnoDB',
  insertOrUpdate: onDuplicateKey,
  columnLimit: (table) => {
    const { schema, name } = nameParts(table);
    const [where, values] = schema === undefined ? ['DATABASE()', []] : ['?', [schema]];
    return {
      sql:
        'SELECT c.CHARACTER_OCTET_LENGTH AS bytes, t.ENGINE AS engine FROM information_schema.COLUMNS c ' +
        'JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME ' +
        `WHERE c.TABLE_SCHEMA = ${where} AND LOWER(c.TABLE_NAME) = LOWER(?) AND LOWER(c.COLUMN_NAME) = 'message'`,
      values: [...values, name],
    };
  },
  enlarge: (table) => `ALTER TABLE ${table} MODIFY message LONGBLOB NOT NULL`,
};

function createMessages(table: string, more: string): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (indexId BIGINT NOT NULL AUTO_INCREMENT, msg_id VARCHAR(200) NOT NULL, ` +
      `${more}message LONGBLOB NOT NULL, PRIMARY KEY (indexId), INDEX msg_id_index (msg_id)) ENGINE=InnoDB`,
  ];
}

/** The changes are made in their order, so that a change may spoil the condition only for those after it. */
function onDuplicateKey({ table, columns, rows, condition, changes }: InsertOrUpdate): string {
  const said = (text: string) => text.replaceAll('old.', '').replace(/new\.(\w+)/g, 'VALUES($1)');
  const sets = changes.map(
    ([column, expression]) => `${column} = IF(${said(condition)}, ${said(expression)}, ${column})`,
  );
  return (
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.join(', ')} ` +
    `ON DUPLICATE KEY UPDATE ${sets.join(', ')}`
  );
}

/** MySQL and MariaDB through `mysql2`, which is loaded with the first connection (OP-103). */
export function mysqlDriver(address: ServerDatabase): SqlDriver {
  let turn = 0;
  return {
    dialect: mysqlDialect,
    key: JSON.stringify([describeAddress(address), address.user]),
    where: describeAddress(address),
    async connect() {
      const host = address.hosts[turn % address.hosts.length] as DatabaseHost;
      try {
        return await connect(address, host);
      } catch (error) {
        turn += 1;
        throw error;
      }
    },
  };
}

async function connect(address: ServerDatabase, at: DatabaseHost): Promise<SqlConnection> {
  const { createConnection } = await import('mysql2/promise');
  let connection: MysqlConnection | undefined;
  try {
    // The time for a greeting counts, too: mysql2's own limit ends with the TCP connection.
    const connecting = createConnection(connectionOptions(address, at));
    const client = await within(connecting, CONNECT_TIMEOUT_MS, () => {
      void connecting.then(
        (late) => late.destroy(),
        () => undefined,
      );
      return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
    });
    connection = new MysqlConnection(client);
    await connection.setUp();
    return connection;
  } catch (cause) {
    await connection?.close();
    throw new SqlConnectError(failureOf(cause), `${at.host}:${at.port}: ${messageOf(cause)}`, { cause });
  }
}

function connectionOptions(address: ServerDatabase, { host, port }: DatabaseHost): ConnectionOptions {
  return {
    host,
    port,
    database: address.database,
    ...(address.user !== undefined && { user: address.user }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.tls !== 'off' && { ssl: tlsOptions(address) }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    charset: 'utf8mb4',
    supportBigNumbers: true,
    maxPreparedStatements: MAX_PREPARED,
    // A server must not be able to ask for our files.
    flags: ['-LOCAL_FILES'],
  };
}

function tlsOptions({ tls, caFile }: ServerDatabase): SslOptions {
  return {
    rejectUnauthorized: tls !== 'encrypt',
    verifyIdentity: tls === 'verify-full',
    ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
  };
}

/** The server is full, or shuts down. */
const NOT_YET = new Set(['ER_CON_COUNT_ERROR', 'ER_TOO_MANY_USER_CONNECTIONS', 'ER_SERVER_SHUTDOWN']);

function failureOf(error: unknown) {
  return NOT_YET.has((error as { code?: string }).code ?? '') ? 'unreachable' : connectFailure(error);
}

class MysqlConnection implements SqlConnection {
  server = 'MySQL';
  cautions: readonly string[] = [];
  readonly ended: Promise<Error>;
  readonly #client: Connection;
  #lost: Error | undefined;
  #end: (error: Error) => void = () => undefined;

  constructor(client: Connection) {
    this.#client = client;
    this.ended = new Promise((resolve) => {
      this.#end = (error) => {
        this.#lost ??= error;
        resolve(this.#lost);
      };
      client.on('error', this.#end);
      client.on('end', () => this.#end(new SqlLostError('the connection was closed')));
    });
  }

  async setUp(): Promise<void> {
    // What does not fit must be refused, not cut off.
    await this.query("SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')");
    await this.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await this.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_S}`);
    const [row] = await this.query('SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush');
    const version = String(row?.version);
    this.server = /mariadb/i.test(version) ? `MariaDB ${version}` : `MySQL ${version}`;
    if (String(row?.flush) !== '1') {
      this.cautions = [
        `innodb_flush_log_at_trx_commit is ${String(row?.flush)}: the last second of what the server has confirmed may be gone after a crash`,
      ];
    }
  }

  async query(sql: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    if (this.#lost) throw new SqlLostError(this.#lost.message, { cause: this.#lost });
    try {
      const [rows] = await within(this.#run(sql, values), STATEMENT_TIMEOUT_MS, () => this.#giveUp());
      return Array.isArray(rows) ? (rows as SqlRow[]) : [];
    } catch (error) {
      throw this.#explained(error);
    }
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return runTransaction(this, 'START TRANSACTION', work);
  }

  async close(): Promise<void> {
    try {
      await within(this.#client.end(), CLOSE_TIMEOUT_MS, () => this.#giveUp());
    } catch {
      // It is gone one way or the other.
    }
    this.#end(new SqlLostError('the connection was closed'));
  }

  /** Bytes go as they are, in the binary protocol; everything else in one round trip. */
  #run(sql: string, values: readonly SqlValue[]): Promise<readonly [unknown, unknown]> {
    if (!values.some((value) => value instanceof Uint8Array)) return this.#client.query(sql, [...values]);
    return this.#client.execute(sql, values.map(parameter));
  }

  #giveUp(): Error {
    const error = new SqlLostError('the database gave no answer in time');
    this.#client.destroy();
    this.#end(error);
    return error;
  }

  #explained(error: unknown): Error {
    const { errno, sqlState, fatal } = error as { errno?: unknown; sqlState?: unknown; fatal?: unknown };
    const isAnswer = typeof errno === 'number' && errno > 0 && typeof sqlState === 'string';
    if (!isAnswer || fatal === true) {
      this.#client.destroy();
      this.#end(error as Error);
      return new SqlLostError(messageOf(error), { cause: error });
    }
    return new SqlRefusedError(refusalOf(errno), messageOf(error), { cause: error });
  }
}

function parameter(value: SqlValue): string | number | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

function refusalOf(errno: number): Refusal {
  // Lock wait timeout, deadlock.
  if (errno === 1205 || errno === 1213) return 'conflict';
  return errno === 1146 ? 'no such table' : 'other';
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
