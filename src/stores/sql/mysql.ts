import { connect as connectTcp, isIP } from 'node:net';
import type { Connection, ConnectionOptions, FieldPacket, SslOptions } from 'mysql2/promise';
import type { DatabaseHost, ServerDatabase, SignedInDatabase } from './address.ts';
import { type InsertOrUpdate, nameParts, type SqlDialect } from './dialect.ts';
import {
  CONNECT_TIMEOUT_MS,
  type ConnectionRole,
  connectFailure,
  KEEP_ALIVE_MS,
  MEDIATION_TRANSACTION_MS,
  type Refusal,
  SqlConnectError,
  type SqlConnection,
  type SqlDriver,
  type SqlOutcome,
  type SqlParameter,
  SqlRefusedError,
  type SqlRow,
  type SqlValue,
  STATEMENT_TIMEOUT_MS,
  within,
} from './driver.ts';
import { type JavaType, javaText } from './java-text.ts';
import { connectReason, parameter, reasonOf, ServerConnection, serverDriver, serverTls } from './server-database.ts';

const LOCK_WAIT_S = 5;
const MAX_PREPARED = 200;
/** A connection of a store speaks every 20 s at least: it is asked every 10 s whether it was idle for that long (link.ts). */
const IDLE_LIMIT_S = 30;

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

const LAST_SECOND = 'the last second of what the server has confirmed may be gone after a crash';

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
  return serverDriver(address, { dialect: mysqlDialect, connect });
}

async function connect(address: SignedInDatabase, at: DatabaseHost, role: ConnectionRole): Promise<SqlConnection> {
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
    await connection.setUp(role);
    return connection;
  } catch (cause) {
    await connection?.close();
    throw new SqlConnectError(failureOf(cause), connectReason(address, at, cause), { cause });
  }
}

function connectionOptions(address: SignedInDatabase, { host, port }: DatabaseHost): ConnectionOptions {
  return {
    host,
    port,
    database: address.database,
    ...(address.user !== undefined && { user: address.user }),
    ...(address.password !== undefined && { password: address.password }),
    ...tlsOptions(address),
    ...(address.tls === 'verify-full' && isIP(host) && checkedByAddress(host, port)),
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

function tlsOptions(address: ServerDatabase): { readonly ssl?: SslOptions } {
  const tls = serverTls(address);
  if (!tls) return {};
  const { trusted, forHost, ca } = tls;
  return { ssl: { rejectUnauthorized: trusted, verifyIdentity: forHost, ...(ca !== undefined && { ca: [...ca] }) } };
}

/**
 * mysql2 checks the certificate of an address as if it were that of `localhost`. A name that is no address, but is one without the dot
 * at its end, is what the check of Node takes for that address; the connection itself goes where it should.
 */
function checkedByAddress(host: string, port: number): Pick<ConnectionOptions, 'host' | 'stream'> {
  const stream = () => connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
  return { host: `${host}.`, stream };
}

/** The server is full, or shuts down. */
const NOT_YET = new Set(['ER_CON_COUNT_ERROR', 'ER_TOO_MANY_USER_CONNECTIONS', 'ER_SERVER_SHUTDOWN']);

function failureOf(error: unknown) {
  return NOT_YET.has((error as { code?: string }).code ?? '') ? 'unreachable' : connectFailure(error);
}

class MysqlConnection extends ServerConnection {
  protected override readonly answerTimeoutMs = STATEMENT_TIMEOUT_MS;
  readonly #client: Connection;

  constructor(client: Connection) {
    super('MySQL', 'START TRANSACTION');
    this.#client = client;
    client.on('error', (error) => this.onEnded(error));
    client.on('end', () => this.onEnded());
  }

  async setUp(role: ConnectionRole): Promise<void> {
    // What does not fit must be refused, not cut off.
    await this.query("SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')");
    await this.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    // A server may have it off: what is not in a transaction would never be committed.
    await this.query('SET SESSION autocommit = 1');
    await this.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_S}`);
    const [row] = await this.query('SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush');
    const version = String(row?.version);
    const isMariaDb = /mariadb/i.test(version);
    this.server = isMariaDb ? `MariaDB ${version}` : `MySQL ${version}`;
    const unlimited = await this.#limitTransactions(isMariaDb, role);
    const flush = String(row?.flush);
    this.cautions = [
      ...(flush === '1' ? [] : [`innodb_flush_log_at_trx_commit is ${flush}: ${LAST_SECOND}`]),
      ...(unlimited === undefined ? [] : [unlimited]),
    ];
  }

  /**
   * A node that froze in a transaction must not hold up the others for long: a claim holds a row (sequenced-table.ts). MySQL has no limit
   * for transactions, but one for connections, which those of mediators would not keep: they wait in their pool.
   * Returns what to caution of when the server knows no such limit, as MariaDB before 10.3.
   */
  async #limitTransactions(isMariaDb: boolean, role: ConnectionRole): Promise<string | undefined> {
    const forMediation = role === 'mediation';
    if (!isMariaDb && forMediation) return undefined;
    const idleMs = forMediation ? MEDIATION_TRANSACTION_MS : STATEMENT_TIMEOUT_MS;
    const limit = isMariaDb ? `idle_transaction_timeout = ${idleMs / 1_000}` : `wait_timeout = ${IDLE_LIMIT_S}`;
    try {
      await this.query(`SET SESSION ${limit}`);
      return undefined;
    } catch (error) {
      if (!(error instanceof SqlRefusedError)) throw error;
      return `the server does not take ${limit} (${error.message}): a node that freezes in a transaction holds up the others until its connection ends`;
    }
  }

  protected override async run(sql: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const [rows] = await this.#send(sql, values);
    return Array.isArray(rows) ? (rows as SqlRow[]) : [];
  }

  protected override async perform(sql: string, values: readonly SqlParameter[]): Promise<SqlOutcome> {
    const options = { sql, rowsAsArray: true, jsonStrings: true, dateStrings: true, bigNumberStrings: true };
    // Text, which the server reads as what the column is: numbers would be doubles.
    const sent = values.map((value) =>
      typeof value === 'bigint' || typeof value === 'number' ? String(value) : value,
    );
    const [answer, described] =
      sent.length === 0 ? await this.#client.query(options) : await this.#client.execute(options, sent);
    return outcomeOf(answer, described);
  }

  protected override refusal(error: unknown): SqlRefusedError | undefined {
    const { errno, sqlState, fatal } = error as { errno?: unknown; sqlState?: unknown; fatal?: unknown };
    const isAnswer = typeof errno === 'number' && errno > 0 && typeof sqlState === 'string';
    if (!isAnswer || fatal === true) return undefined;
    return new SqlRefusedError(refusalOf(errno), reasonOf(error), { cause: error });
  }

  protected override leave(): Promise<void> {
    return this.#client.end();
  }

  protected override destroy(): void {
    this.#client.destroy();
  }

  /** Bytes go as they are, in the binary protocol; everything else in one round trip. */
  #send(sql: string, values: readonly SqlValue[]): Promise<readonly [unknown, unknown]> {
    if (!values.some((value) => value instanceof Uint8Array)) return this.#client.query(sql, [...values]);
    return this.#client.execute(sql, values.map(parameter));
  }
}

/** A procedure answers with a list: its result sets, and what it has changed at the end. */
function outcomeOf(answer: unknown, described: unknown): SqlOutcome {
  if (!Array.isArray(answer)) {
    const { affectedRows = 0 } = answer as { affectedRows?: number };
    return { columns: [], firstRow: undefined, changed: affectedRows };
  }
  const several = Array.isArray(described) && Array.isArray(described[0]);
  const rows = (several ? answer[0] : answer) as unknown[][];
  const fields = ((several ? described[0] : described) ?? []) as FieldPacket[];
  const last: unknown = several ? answer.at(-1) : undefined;
  return {
    columns: fields.map(({ name }) => name),
    firstRow: rows[0]?.map((value, index) => javaText(value, javaType(fields[index]))),
    changed: Array.isArray(last) ? 0 : ((last as { affectedRows?: number } | undefined)?.affectedRows ?? 0),
  };
}

function javaType(field: FieldPacket | undefined): JavaType | undefined {
  // It has no name in the types.
  const isFlag = (field as { readonly columnLength?: number } | undefined)?.columnLength === 1;
  switch (field?.columnType) {
    case Types.TINY:
      return isFlag ? 'boolean' : undefined;
    case Types.BIT:
      return isFlag ? 'boolean' : 'bits';
    case Types.FLOAT:
    case Types.DOUBLE:
      return 'double';
    case Types.DATETIME:
    case Types.TIMESTAMP:
      return 'timestamp';
    default:
      return undefined;
  }
}

/** Numbers of MySQL's protocol for the types of columns. */
const Types = { TINY: 1, FLOAT: 4, DOUBLE: 5, TIMESTAMP: 7, DATETIME: 12, BIT: 16 } as const;

function refusalOf(errno: number): Refusal {
  // Lock wait timeout, deadlock.
  if (errno === 1205 || errno === 1213) return 'conflict';
  return errno === 1146 ? 'no such table' : 'other';
}
