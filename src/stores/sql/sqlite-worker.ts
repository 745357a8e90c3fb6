import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/*
 * The thread of one database file: runs one statement after the other. Write-ahead log, and a flush to the disk for every commit
 * unless the other side says that it can do without.
 */

export interface SqliteOpening {
  readonly file: string;
}

export interface SqliteRequest {
  readonly id: number;
  readonly sql: string;
  readonly values: ReadonlyArray<string | number | Uint8Array>;
}

export type SqliteAnswer =
  | { readonly id: number; readonly rows: Array<Record<string, unknown>> }
  | { readonly id: number; readonly rows?: undefined; readonly code: number; readonly message: string };

/** How long to wait for other processes that use the file, ms. */
const BUSY_TIMEOUT_MS = 5_000;
const MAX_PREPARED = 200;

const { file } = workerData as SqliteOpening;
const statements = new Map<string, StatementSync>();

mkdirSync(dirname(file), { recursive: true });
const database = new DatabaseSync(file);
database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
database.exec('PRAGMA journal_mode = WAL');
database.exec('PRAGMA synchronous = FULL');

parentPort?.on('message', (request: SqliteRequest | 'close') => {
  if (request === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(answerTo(request));
});

function answerTo({ id, sql, values }: SqliteRequest): SqliteAnswer {
  try {
    // `all` steps through any statement to its end; there are no rows when it has none.
    return { id, rows: prepared(sql).all(...values) };
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    return { id, code: errcode ?? 0, message };
  }
}

function prepared(sql: string): StatementSync {
  const known = statements.get(sql);
  if (known) return known;
  const statement = database.prepare(sql);
  if (statements.size < MAX_PREPARED) statements.set(sql, statement);
  return statement;
}
