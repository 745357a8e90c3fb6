import { readTrusted, tlsAdvice, trustedBy } from '../broker/trust.ts';
import { type DatabaseHost, describeAddress, type ServerDatabase, type SignedInDatabase } from './address.ts';
import type { SqlDialect } from './dialect.ts';
import {
  answered,
  CLOSE_TIMEOUT_MS,
  type ConnectionRole,
  runTransaction,
  SqlConnectError,
  type SqlConnection,
  type SqlDriver,
  SqlLostError,
  type SqlOutcome,
  type SqlParameter,
  type SqlRefusedError,
  type SqlRow,
  type SqlSession,
  type SqlValue,
  within,
} from './driver.ts';

/*
 * What databases behind TCP have in common, whatever package speaks to them.
 */

/** What differs. */
export interface ServerKind {
  readonly dialect: SqlDialect;
  /** @throws SqlConnectError */
  connect(address: SignedInDatabase, at: DatabaseHost, role: ConnectionRole): Promise<SqlConnection>;
}

/** Reaches the database at its hosts in turn: the next one when one fails. */
export function serverDriver(address: ServerDatabase, { dialect, connect }: ServerKind): SqlDriver {
  const where = describeAddress(address);
  let turn = 0;
  return {
    dialect,
    key: JSON.stringify([where, address.user, address.schema]),
    where,
    async connect(role) {
      const host = address.hosts[turn % address.hosts.length] as DatabaseHost;
      try {
        return await connect(signedIn(address), host, role);
      } catch (error) {
        turn += 1;
        throw error;
      }
    },
  };
}

/** @throws SqlConnectError when nobody knows the password any more: without it the server would refuse us */
function signedIn(address: ServerDatabase): SignedInDatabase {
  const { password } = address;
  try {
    return { ...address, password: typeof password === 'function' ? password() : password };
  } catch (cause) {
    throw new SqlConnectError('refused', reasonOf(cause), { cause });
  }
}

/** How the certificate of a server is checked; undefined: the connection is plain text. */
export interface ServerTls {
  /** Whether it must be trusted at all. */
  readonly trusted: boolean;
  /** Whether it must be for this host. */
  readonly forHost: boolean;
  /** PEM; undefined: the well-known authorities. */
  readonly ca: readonly string[] | undefined;
}

/** @throws TrustError */
export function serverTls({ tls, caFile, trustedCertificates }: ServerDatabase): ServerTls | undefined {
  if (tls === 'off') return undefined;
  const trusted = tls !== 'encrypt';
  if (!trusted) return { trusted, forHost: false, ca: undefined };
  const own = caFile === undefined ? undefined : readTrusted(caFile, 'the trusted certificates');
  const ca = trustedBy(own, trustedCertificates);
  return { trusted, forHost: tls === 'verify-full', ca };
}

/** One connection: ends once, with one reason, and answers in time or is given up. */
export abstract class ServerConnection implements SqlConnection {
  server: string;
  cautions: readonly string[] = [];
  readonly ended: Promise<Error>;
  readonly #begin: string;
  readonly #resolveEnded: (reason: Error) => void;
  #lost: Error | undefined;

  /** `begin`: the statement that begins a transaction. */
  constructor(server: string, begin: string) {
    this.server = server;
    this.#begin = begin;
    const ended = Promise.withResolvers<Error>();
    this.ended = ended.promise;
    this.#resolveEnded = ended.resolve;
  }

  query(sql: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#ask(() => this.run(sql, values));
  }

  execute(sql: string, values: readonly SqlParameter[]): Promise<SqlOutcome> {
    return this.#ask(() => this.perform(sql, values));
  }

  async #ask<T>(send: () => Promise<T>): Promise<T> {
    if (this.#lost) throw new SqlLostError(this.#lost.message, { cause: this.#lost });
    try {
      return await within(send(), this.answerTimeoutMs, () => this.#giveUp());
    } catch (error) {
      const refused = this.refusal(error);
      if (refused) throw refused;
      this.#end(error as Error);
      throw new SqlLostError(reasonOf(error), { cause: error });
    }
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return runTransaction(this, this.#begin, work);
  }

  async atOnce(sql: string, values: readonly SqlValue[], onSent: () => void): Promise<void> {
    if (this.#lost) throw new SqlLostError(this.#lost.message, { cause: this.#lost });
    const answer = this.query(sql, values);
    onSent();
    await answered(answer);
  }

  async close(): Promise<void> {
    try {
      await within(this.leave(), CLOSE_TIMEOUT_MS, () => this.#giveUp());
    } catch {
      // It is gone one way or the other.
    }
    this.onEnded();
  }

  /** How long a statement may take, ms. */
  protected abstract readonly answerTimeoutMs: number;
  protected abstract run(sql: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  protected abstract perform(sql: string, values: readonly SqlParameter[]): Promise<SqlOutcome>;
  /** What the server has answered, if it is an answer and the connection stands. */
  protected abstract refusal(error: unknown): SqlRefusedError | undefined;
  /** Says good-bye. */
  protected abstract leave(): Promise<void>;
  /** Ends the connection at once: `leave` would wait for a server that does not answer. */
  protected abstract destroy(reason: Error): void;

  /** The package says that it has ended. */
  protected onEnded(reason: Error = new SqlLostError('the connection was closed')): void {
    this.#lost ??= reason;
    this.#resolveEnded(this.#lost);
  }

  #giveUp(): Error {
    const reason = this.#lost ?? new SqlLostError('the database gave no answer in time');
    this.#end(reason);
    return reason;
  }

  #end(reason: Error): void {
    this.#lost ??= reason;
    this.destroy(this.#lost);
    this.onEnded();
  }
}

/** As both packages take bytes. */
export function parameter(value: SqlValue): string | number | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

/** The reason why no connection came about, with advice where TLS is the trouble. */
export function connectReason({ kind, tls }: ServerDatabase, { host, port }: DatabaseHost, cause: unknown): string {
  const file = kind === 'postgresql' ? 'sslrootcert' : 'serverSslCert';
  const trust = `name a PEM file with the server's certificate or its authority by ${file} in the URL, or by [mini_synapse] trusted_certificates`;
  const advice = tls === 'off' ? '' : tlsAdvice(cause, { trust });
  return `${host}:${port}: ${reasonOf(cause)}${advice}`;
}

/** Where a host has several addresses, the reasons are inside; some errors have a code and no words. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
