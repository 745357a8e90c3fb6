import type { ConnectionFailure } from '../broker/back-off.ts';
import type { SqlDialect } from './dialect.ts';

/*
 * What a database must offer to keep messages: one file per kind of database implements this on top of its package, and nothing else
 * in the code base imports that package.
 */

export type SqlValue = string | number | Uint8Array;

/** A row by column name; the statements give every column a name in lower case. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A value for a statement of a mediator; text fits any column that it can be read as. */
export type SqlParameter = string | number | bigint | boolean | null;

/** What a statement of a mediator has given: whatever it selected, as Java would print it, and how many rows it has changed. */
export interface SqlOutcome {
  readonly columns: readonly string[];
  /** Undefined when there are no rows. */
  readonly firstRow: ReadonlyArray<string | null> | undefined;
  readonly changed: number;
}

export interface SqlSession {
  /**
   * Runs one statement; `?` stands for the values in their order. Resolves with its rows.
   * @throws SqlRefusedError, SqlLostError
   */
  query(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /**
   * Runs one statement of a mediator (spec mediators 3.31), prepared when it has values; `?` outside of quotes and comments stands for
   * them in their order.
   * @throws SqlRefusedError, SqlLostError
   */
  execute(sql: string, values: readonly SqlParameter[]): Promise<SqlOutcome>;
}

/** One connection; used by one owner at a time. */
export interface SqlConnection extends SqlSession {
  /** The server and its version, for the log. */
  readonly server: string;
  /** What operators should know about how safely this server keeps what it has confirmed. */
  readonly cautions: readonly string[];
  /** Resolves with the reason when the connection has ended, whoever ended it. Never rejects. */
  readonly ended: Promise<Error>;
  /**
   * Runs `work` in one transaction and commits it.
   * @throws SqlOutcomeUnknownError when the answer to the commit did not come; any other error means that nothing was changed
   */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /**
   * Runs one statement that is a transaction by itself: one question, where {@link transaction} takes three.
   * @param onSent called when it is on its way
   * @throws SqlOutcomeUnknownError when the connection ended before the answer came; any other error means that nothing was changed
   */
  atOnce(sql: string, values: readonly SqlValue[], onSent: () => void): Promise<void>;
  /** Ends it, orderly if the server answers. Never throws. */
  close(): Promise<void>;
}

/**
 * What a connection is for: databases may let claims reach the disk later than messages (see lease.ts); what mediators ask may stand
 * still in a transaction for longer, while their flow waits for something else.
 */
export type ConnectionRole = 'messages' | 'claims' | 'mediation';

export interface SqlDriver {
  readonly dialect: SqlDialect;
  /** Two drivers with the same key reach the same database as the same user. */
  readonly key: string;
  /** For people, without secrets. */
  readonly where: string;
  /** @throws SqlConnectError after the connect timeout at the latest */
  connect(role: ConnectionRole): Promise<SqlConnection>;
}

/** Times that hold for every database, ms. */
export const CONNECT_TIMEOUT_MS = 5_000;
export const STATEMENT_TIMEOUT_MS = 10_000;
/** How long a transaction of mediators may stay open. */
export const MEDIATION_TRANSACTION_MS = 60_000;
export const KEEP_ALIVE_MS = 10_000;
/** How long an orderly good-bye may take. */
export const CLOSE_TIMEOUT_MS = 1_000;

/** No connection came about. */
export class SqlConnectError extends Error {
  override readonly name = 'SqlConnectError';
  readonly failure: ConnectionFailure;

  constructor(failure: ConnectionFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** The connection ended, or gave no answer in time and was ended for that. */
export class SqlLostError extends Error {
  override readonly name = 'SqlLostError';
}

/** There was no connection to begin with: nothing was sent. */
export class SqlNotConnectedError extends SqlLostError {}

/** The connection ended between a COMMIT and its answer: nobody knows whether the transaction took place. */
export class SqlOutcomeUnknownError extends Error {
  override readonly name = 'SqlOutcomeUnknownError';
}

/** What a refused statement met with, as far as it matters to us. */
export type Refusal = 'conflict' | 'no such table' | 'other';

/** The database refused a statement; the connection is as good as before. */
export class SqlRefusedError extends Error {
  override readonly name = 'SqlRefusedError';
  /** `conflict`: a deadlock or a lock that others hold; the same may succeed when tried again. */
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.refusal = refusal;
  }
}

/** BEGIN, work, COMMIT or ROLLBACK, on a session that nobody else uses meanwhile. */
export async function runTransaction<T>(
  session: SqlSession,
  begin: string,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  await session.query(begin);
  let result: T;
  try {
    result = await work(session);
  } catch (error) {
    await rollBack(session);
    throw error;
  }
  try {
    await session.query('COMMIT');
  } catch (error) {
    if (error instanceof SqlLostError) throw new SqlOutcomeUnknownError(error.message, { cause: error });
    await rollBack(session);
    throw error;
  }
  return result;
}

/** What becomes of a statement that is a transaction by itself and has been sent. @throws SqlOutcomeUnknownError, SqlRefusedError */
export async function answered(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof SqlLostError) throw new SqlOutcomeUnknownError(error.message, { cause: error });
    throw error;
  }
}

/** A connection that cannot even roll back has ended, and with it its transaction. */
async function rollBack(session: SqlSession): Promise<void> {
  try {
    await session.query('ROLLBACK');
  } catch {
    // The first error tells more.
  }
}

/** Waits for `answer`, at most `ms`; on time out calls `giveUp`, which must make it settle or useless. */
export async function within<T>(answer: Promise<T>, ms: number, giveUp: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(giveUp()), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The failure of an attempt to have a session, by the code of its error. */
export function connectFailure(error: unknown): ConnectionFailure {
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOENT':
      return 'unreachable';
    case 'ETIMEDOUT':
      return 'silent';
    // PostgreSQL: invalid_password, invalid_authorization_specification.
    case '28P01':
    case '28000':
    case 'ER_ACCESS_DENIED_ERROR':
      return 'refused';
    default:
      return 'dropped';
  }
}
