import { pause } from '../../scheduling/index.ts';
import { BackOff, HEALTHY_AFTER_MS } from '../broker/back-off.ts';
import { ConnectionAttempts } from '../broker/connection-attempts.ts';
import { CLOSE_TIMEOUT_MS, SqlConnectError, type SqlConnection, SqlNotConnectedError, within } from './driver.ts';
import { Turns } from './turns.ts';

/** An idle connection is asked this often whether it still works, ms. */
const PING_EVERY_MS = 10_000;

export interface LinkOptions {
  /** One attempt. One that is not answered for long is not the only one: see {@link ConnectionAttempts}. */
  open(): Promise<SqlConnection>;
  /** Gets a new connection ready for use. What it throws counts as a failed attempt. */
  prepare?(connection: SqlConnection): Promise<void>;
  /** Resolves when it makes sense to try; default: at once. */
  readonly gate?: (signal: AbortSignal) => Promise<unknown>;
  onUp(connection: SqlConnection): void;
  /** Hears of every attempt that failed and of every connection that was lost. */
  onDown(error: Error, phase: 'connecting' | 'connected'): void;
  readonly random?: () => number;
}

/**
 * Keeps one connection to a database for as long as it is open (OP-10, OP-12, OP-14):
 *
 *     DOWN ──gate, open, prepare──► UP ──lost──► DOWN (the next attempt at once, if it had worked for long enough)
 *      ▲  └──failed──► WAITING ─┐                                 any ──close()──► CLOSED
 *      └────── back-off ────────┘
 *
 * How it opens is told by {@link ConnectionAttempts}.
 */
export class SqlLink {
  readonly #options: LinkOptions;
  readonly #backOff: BackOff;
  readonly #attempts: ConnectionAttempts<SqlConnection>;
  readonly #life = new AbortController();
  readonly #turns = new Turns();
  readonly #waiters = new Set<() => void>();
  #connection: SqlConnection | undefined;
  #failedOnce = false;
  #lastUse = 0;
  #ping: NodeJS.Timeout | undefined;
  #run: Promise<void> = Promise.resolve();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.random);
    this.#attempts = new ConnectionAttempts({
      gate: options.gate,
      open: () => options.open(),
      onFailure: (error) => {
        this.#failed(error as Error, 'connecting');
        // A server that answers, but has not what we need, is asked again like one that was lost.
        return error instanceof SqlConnectError ? error.failure : 'lost';
      },
      discard: (connection) => connection.close(),
      backOff: this.#backOff,
    });
  }

  get isUp(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether any attempt or connection has failed so far. */
  get hasFailed(): boolean {
    return this.#failedOnce;
  }

  start(): void {
    this.#run = this.#keepConnected();
  }

  /** Resolves true when it is up, false when it was closed or the signal aborted before. */
  async up(signal?: AbortSignal): Promise<boolean> {
    const ended = signal ? AbortSignal.any([signal, this.#life.signal]) : this.#life.signal;
    while (!this.#connection && !ended.aborted) await this.#change(ended);
    return this.#connection !== undefined;
  }

  /**
   * Works with the connection, alone.
   * @throws SqlNotConnectedError when there is none; and what `work` throws
   */
  use<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      const connection = this.#connection;
      if (!connection) throw new SqlNotConnectedError('there is no connection to the database');
      try {
        return await work(connection);
      } finally {
        this.#lastUse = performance.now();
      }
    });
  }

  /** Drops the connection and begins anew, preparation included. */
  reconnect(): void {
    void this.#connection?.close();
  }

  async close(): Promise<void> {
    if (!this.#life.signal.aborted) {
      this.#life.abort();
      clearInterval(this.#ping);
      const connection = this.#connection;
      this.#connection = undefined;
      if (connection) await this.#letGo(connection);
    }
    await this.#run;
  }

  /** What uses the connection comes to its end first, unless that takes too long. */
  async #letGo(connection: SqlConnection): Promise<void> {
    try {
      const idle = this.#turns.take(async () => undefined);
      await within(idle, CLOSE_TIMEOUT_MS, () => new Error('busy'));
    } catch {
      // Whoever uses it learns that it is gone.
    }
    await connection.close();
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#life;
    while (!signal.aborted) {
      const connection = await this.#attempts.connect(signal);
      if (!connection || !(await this.#prepared(connection))) continue;
      if (signal.aborted) await connection.close();
      else await this.#hold(connection);
    }
    await this.#attempts.settled();
  }

  /** Whether it can be used; otherwise it is closed, and a pause was made. Never rejects. */
  async #prepared(connection: SqlConnection): Promise<boolean> {
    try {
      await this.#options.prepare?.(connection);
      return true;
    } catch (error) {
      await connection.close();
      this.#failed(error as Error, 'connecting');
      await pause(this.#backOff.failed('lost'), this.#life.signal);
      return false;
    }
  }

  async #hold(connection: SqlConnection): Promise<void> {
    const begin = performance.now();
    this.#connection = connection;
    this.#lastUse = begin;
    this.#ping = setInterval(() => this.#pingWhenIdle(connection), PING_EVERY_MS);
    this.#options.onUp(connection);
    for (const waiter of [...this.#waiters]) waiter();
    const reason = await connection.ended;
    clearInterval(this.#ping);
    this.#connection = undefined;
    if (this.#life.signal.aborted) return;
    this.#failed(reason, 'connected');
    const lastedMs = performance.now() - begin;
    if (lastedMs >= HEALTHY_AFTER_MS) this.#backOff.reset();
    else await pause(this.#backOff.failed('lost'), this.#life.signal);
  }

  #failed(error: Error, phase: 'connecting' | 'connected'): void {
    if (this.#life.signal.aborted) return;
    this.#failedOnce = true;
    this.#options.onDown(error, phase);
  }

  #pingWhenIdle(connection: SqlConnection): void {
    if (performance.now() - this.#lastUse < PING_EVERY_MS) return;
    // A failure ends the connection, which says all there is to say.
    this.use(() => connection.query('SELECT 1 AS one')).catch(() => undefined);
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#waiters.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      this.#waiters.add(end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
