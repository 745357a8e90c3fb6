import type { Worker } from 'node:worker_threads';
import { type DatabaseAddress, databaseFile, type FileDatabase } from './address.ts';
import { onConflict, type SqlDialect } from './dialect.ts';
import {
  answered,
  type ConnectionRole,
  type Refusal,
  runTransaction,
  SqlConnectError,
  type SqlConnection,
  type SqlDriver,
  SqlLostError,
  type SqlOutcome,
  type SqlParameter,
  SqlRefusedError,
  type SqlRow,
  type SqlSession,
  type SqlValue,
  within,
} from './driver.ts';
import { sparingThread } from './sparing-thread.ts';
import type { SqliteAnswer, SqliteOpening, SqliteRequest, SqliteValues } from './sqlite-worker.ts';
import { Turns } from './turns.ts';

/** A disk may be slow; who waits longer has no answer. */
const ANSWER_TIMEOUT_MS = 30_000;

export const sqliteDialect: SqlDialect = {
  name: 'SQLite',
  now: "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)",
  // Transactions begin with BEGIN IMMEDIATE.
  forUpdate: '',
  createMessages: (table) => createMessages(table, ''),
  createSequencedMessages: (table) => createMessages(table, 'seq_id INTEGER NOT NULL, '),
  createClaims: (table) =>
    `CREATE TABLE IF NOT EXISTS ${table} (index_id INTEGER PRIMARY KEY, owner TEXT NOT NULL, ` +
    'expires_at INTEGER NOT NULL, deliveries INTEGER NOT NULL)',
  insertOrUpdate: onConflict,
  columnLimit: undefined,
  enlarge: (table) => `-- the column message of ${table} has no limit`,
};

function createMessages(table: string, more: string): string[] {
  const name = table.replace(/^.*\./, '');
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (indexId INTEGER PRIMARY KEY AUTOINCREMENT, msg_id VARCHAR(200) NOT NULL, ` +
      `${more}message BLOB NOT NULL)`,
    `CREATE INDEX IF NOT EXISTS ${name}_msg_id ON ${name} (msg_id)`,
    ...(more === '' ? [] : [`CREATE INDEX IF NOT EXISTS ${name}_seq_id ON ${name} (seq_id)`]),
  ];
}

/** SQLite as part of Node, in a thread of its own: its commits wait for the disk. */
export function sqliteDriver(address: FileDatabase, dataDirectory: string): SqlDriver {
  const file = databaseFile(address, dataDirectory);
  return {
    dialect: sqliteDialect,
    key: JSON.stringify(['sqlite', file]),
    where: `sqlite:${file}`,
    connect: (role) => connect(file, role),
  };
}

export function isFileDatabase(address: DatabaseAddress): address is FileDatabase {
  return address.kind === 'sqlite';
}

/** One thread for each file: SQLite has one writer at a time anyway, and so nobody waits for a lock in this process. */
const open = new Map<string, SqliteFile>();

async function connect(file: string, role: ConnectionRole): Promise<SqlConnection> {
  let shared = open.get(file);
  if (!shared) {
    shared = new SqliteFile(file, () => {
      if (open.get(file) === shared) open.delete(file);
    });
    open.set(file, shared);
  }
  shared.users += 1;
  try {
    await shared.opened;
    return new SqliteConnection(shared, role);
  } catch (cause) {
    shared.release();
    throw new SqlConnectError('silent', `${file}: ${(cause as Error).message}`, { cause });
  }
}

interface Waiting {
  resolve(given: unknown): void;
  reject(error: Error): void;
}

/** The thread of a database file and what is asked of it. */
class SqliteFile {
  /** Connections that use it; the last one ends it. */
  users = 0;
  /** Resolves with the version when the file is open. */
  readonly opened: Promise<string>;
  readonly ended: Promise<Error>;
  /** Transactions of all connections, one after the other. */
  readonly turns = new Turns();
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEnd: () => void;
  #end: (error: Error) => void = () => undefined;
  #asked = 0;
  #lost: Error | undefined;
  #synchronous: 'FULL' | 'NORMAL' | undefined;

  constructor(file: string, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const workerData: SqliteOpening = { file };
    this.#worker = sparingThread(new URL(`./sqlite-worker.${extension}`, import.meta.url), { workerData });
    this.#worker.on('message', (answer: SqliteAnswer) => this.#onAnswer(answer));
    this.#worker.on('error', (error) => this.#onLost(error));
    this.#worker.on('exit', () => this.#onLost(new SqlLostError('the thread of the database has ended')));
    this.opened = this.ask('SELECT sqlite_version() AS version', []).then(([row]) => String(row?.version));
    // Whoever connects hears of it.
    this.opened.catch(() => undefined);
  }

  /** Runs a statement, in the order of the calls. */
  ask(sql: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const lost = this.#lost;
    if (lost) return Promise.reject(new SqlLostError(lost.message, { cause: lost }));
    this.#asked += 1;
    return this.#send<readonly SqlRow[]>({ id: this.#asked, sql, ...packed(values) });
  }

  /** Runs a statement of a mediator, in the order of the calls. */
  perform(sql: string, values: readonly SqlParameter[]): Promise<SqlOutcome> {
    const lost = this.#lost;
    if (lost) return Promise.reject(new SqlLostError(lost.message, { cause: lost }));
    this.#asked += 1;
    return this.#send<SqlOutcome>({ id: this.#asked, sql, parameters: values });
  }

  #send<T>(request: SqliteRequest): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      this.#waiting.set(request.id, { resolve: (given) => resolve(given as T), reject });
    });
    const bytes = 'bytes' in request ? request.bytes : undefined;
    this.#worker.postMessage(request, bytes ? [bytes.buffer] : []);
    return within(answer, ANSWER_TIMEOUT_MS, () => {
      this.#waiting.delete(request.id);
      const error = new SqlLostError(`the disk gave no answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
      this.#onLost(error);
      void this.#worker.terminate();
      return error;
    });
  }

  /** Claims need not reach the disk before the next message does. */
  async flushFor(role: ConnectionRole): Promise<void> {
    const wanted = role === 'claims' ? 'NORMAL' : 'FULL';
    if (this.#synchronous === wanted) return;
    await this.ask(`PRAGMA synchronous = ${wanted}`, []);
    this.#synchronous = wanted;
  }

  release(): void {
    this.users -= 1;
    if (this.users > 0) return;
    this.#onEnd();
    // The thread closes the database, which needs no more than what is asked already.
    this.#worker.postMessage('close');
  }

  #onAnswer(answer: SqliteAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    const given = answer.rows ?? answer.outcome;
    if (given) waiting.resolve(given);
    else waiting.reject(refused(answer.code ?? 0, answer.message ?? ''));
  }

  #onLost(error: Error): void {
    this.#lost ??= error;
    this.#onEnd();
    this.#end(this.#lost);
    for (const { reject } of this.#waiting.values()) reject(new SqlLostError(error.message, { cause: error }));
    this.#waiting.clear();
  }
}

class SqliteConnection implements SqlConnection {
  readonly server = 'SQLite';
  readonly cautions: readonly string[] = [];
  readonly ended: Promise<Error>;
  readonly #file: SqliteFile;
  readonly #role: ConnectionRole;
  #closed = false;
  #end: (error: Error) => void = () => undefined;

  constructor(file: SqliteFile, role: ConnectionRole) {
    this.#file = file;
    this.#role = role;
    const closed = new Promise<Error>((resolve) => (this.#end = resolve));
    this.ended = Promise.race([file.ended, closed]);
  }

  query(sql: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#exclusively(() => this.#file.ask(sql, values));
  }

  execute(sql: string, values: readonly SqlParameter[]): Promise<SqlOutcome> {
    return this.#exclusively(() => this.#file.perform(sql, values));
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const session: SqlSession = {
      query: (sql, values = []) => this.#file.ask(sql, values),
      execute: (sql, values) => this.#file.perform(sql, values),
    };
    return this.#exclusively(() => runTransaction(session, 'BEGIN IMMEDIATE', work));
  }

  atOnce(sql: string, values: readonly SqlValue[], onSent: () => void): Promise<void> {
    return this.#exclusively(() => {
      const answer = this.#file.ask(sql, values);
      onSent();
      return answered(answer);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#end(new SqlLostError('the connection was closed'));
    await this.#file.turns.take(async () => this.#file.release());
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#file.turns.take(async () => {
      if (this.#closed) throw new SqlLostError('the connection was closed');
      await this.#file.flushFor(this.#role);
      return work();
    });
  }
}

function packed(values: readonly SqlValue[]): SqliteValues {
  const parts = values.filter((value) => value instanceof Uint8Array);
  if (parts.length === 0) return { values: values as ReadonlyArray<string | number>, lengths: [], bytes: undefined };
  const lengths = parts.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { values: values.map((value) => (value instanceof Uint8Array ? null : value)), lengths, bytes };
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

function refused(code: number, message: string): SqlRefusedError {
  return new SqlRefusedError(refusalOf(code, message), message);
}

function refusalOf(code: number, message: string): Refusal {
  // The lower byte is the primary code.
  const primary = code & 0xff;
  if (primary === SQLITE_BUSY || primary === SQLITE_LOCKED) return 'conflict';
  return /^no such table/.test(message) ? 'no such table' : 'other';
}
