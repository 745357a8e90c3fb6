import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SqlOutcome, SqlParameter } from './driver.ts';
import { earlyCollection } from './early-collection.ts';
import { javaText } from './java-text.ts';

/*
 * The thread of one database file: runs one statement after the other. Write-ahead log, and a flush to the disk for every commit
 * unless the other side says that it can do without.
 */

export interface SqliteOpening {
  readonly file: string;
}

export type SqliteRequest = { readonly id: number; readonly sql: string } & (
  | SqliteValues
  /** Of a mediator. */
  | { readonly parameters: readonly SqlParameter[] }
);

/** Values with the bytes of all of them in one piece, which changes hands: a copy of each is twice the work of a whole INSERT. */
export interface SqliteValues {
  /** Null: the next so many of the bytes. */
  readonly values: ReadonlyArray<string | number | null>;
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** Rows, the outcome for a mediator, or an error. */
export interface SqliteAnswer {
  readonly id: number;
  readonly rows?: Array<Record<string, unknown>>;
  readonly outcome?: SqlOutcome;
  readonly code?: number;
  readonly message?: string;
}

/** How long to wait for other processes that use the file, ms. */
const BUSY_TIMEOUT_MS = 5_000;
const MAX_PREPARED = 200;
/**
 * Of a new file, bytes: a message takes about 2,600, of which one fits into a page of the usual 4,096, and three into one of these. What a commit
 * writes is pages.
 */
const PAGE_BYTES = 8_192;
/** The log is merged into the file after so many pages (usual: 1,000): what changes again meanwhile is written once. About 16 MB. */
const PAGES_OF_LOG = 2_000;

const { file } = workerData as SqliteOpening;
const statements = new Map<string, StatementSync>();
const collectEarly = earlyCollection();

mkdirSync(dirname(file), { recursive: true });
const database = new DatabaseSync(file);
database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
database.exec('PRAGMA journal_mode = WAL');
database.exec(`PRAGMA wal_autocheckpoint = ${PAGES_OF_LOG}`);
database.exec('PRAGMA synchronous = FULL');

parentPort?.on('message', (request: SqliteRequest | 'close') => {
  if (request === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(answerTo(request));
  collectEarly();
});

function answerTo(request: SqliteRequest): SqliteAnswer {
  const { id, sql } = request;
  try {
    if ('parameters' in request) return { id, outcome: outcomeOf(sql, request.parameters) };
    // `all` steps through any statement to its end; there are no rows when it has none.
    return { id, rows: prepared(sql).all(...valuesOf(request)) };
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    return { id, code: errcode ?? 0, message };
  }
}

function valuesOf({ values, lengths, bytes }: SqliteValues): ReadonlyArray<string | number | Uint8Array> {
  if (!bytes) return values as ReadonlyArray<string | number>;
  let next = 0;
  let at = 0;
  return values.map((value) => {
    if (value !== null) return value;
    const length = lengths[next] ?? 0;
    next += 1;
    at += length;
    return bytes.subarray(at - length, at);
  });
}

/** Values as Java prints them: only with all integers as bigint can 2 be told from 2.0. */
function outcomeOf(sql: string, parameters: readonly SqlParameter[]): SqlOutcome {
  const key = `mediation: ${sql}`;
  const statement = statements.get(key) ?? database.prepare(sql);
  if (statements.size < MAX_PREPARED) statements.set(key, statement);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name }) => name ?? '');
  const bound = parameters.map((value) => (typeof value === 'boolean' ? BigInt(value) : value));
  if (columns.length === 0) {
    return { columns, firstRow: undefined, changed: Number(statement.run(...bound).changes) };
  }
  // A statement that returns what it has changed must come to its end.
  const [row] = statement.all(...bound) as unknown as unknown[][];
  const firstRow = row?.map((value) => javaText(value, typeof value === 'number' ? 'double' : undefined));
  return { columns, firstRow, changed: 0 };
}

function prepared(sql: string): StatementSync {
  const known = statements.get(sql);
  if (known) return known;
  const statement = database.prepare(sql);
  if (statements.size < MAX_PREPARED) statements.set(sql, statement);
  return statement;
}
