import { pause } from '../../scheduling/index.ts';
import type { StoreState } from '../message-store.ts';
import { BackOff, failureOf, HEALTHY_AFTER_MS } from './back-off.ts';
import { ConnectionAttempts } from './connection-attempts.ts';

/** A session that lasted so long has worked, even if nothing was asked of it, ms. */
const WORKED_AFTER_MS = 5_000;

/** What a supervisor needs to know of a connection. */
export interface SupervisedConnection {
  /** Resolves with the reason when the connection has ended; never rejects. */
  readonly ended: Promise<Error>;
  /** Whether the broker has ever confirmed something here: more than a port that accepts. */
  readonly hasWorked: boolean;
  /** Never throws. */
  close(): Promise<void>;
}

export interface SupervisorOptions<E, C extends SupervisedConnection> {
  /** To be tried in turn, for ever: none is ever given up (OP-12). At least one. */
  readonly endpoints: readonly E[];
  /**
   * Gives up when the signal is aborted. One that is not answered for long is not the only one: see {@link ConnectionAttempts}.
   * @throws ConnectError, which tells how long to wait before the next attempt
   */
  open(endpoint: E, signal: AbortSignal): Promise<C>;
  /** Resolves when it makes sense to try; default: at once. Never rejects. */
  readonly gate?: (signal: AbortSignal) => Promise<unknown>;
  /** Hears of every connection that comes about, before anybody may use it. */
  onConnected(connection: C, generation: number): void;
  /** Hears of every attempt that failed and of every connection that was lost. */
  onFailure(error: Error, phase: 'connecting' | 'connected'): void;
  readonly random?: () => number;
}

/**
 * Keeps one connection of a store to its broker, and by that knows whether the broker is there (OP-10):
 *
 *     CONNECTING ──connected──► READY ◄──all troubles over── DEGRADED
 *         │                      │ ▲ └──────trouble────────────► │
 *         │ attempt failed       │ │ connected                   │
 *         ▼                      ▼ │                             │
 *        DOWN ◄────── connection lost ◄──────────────────────────┘         any ──close()──► CLOSED
 *
 * Trouble is what others report while the connection itself stands: a consumer without its own connection, receipts that do not come.
 * DOWN includes the attempts to be READY again: the first one at once after a healthy session, then with a growing wait.
 * Each connection is a new generation. Only this connection tries a broker that is not there; consumers wait for it.
 */
export class ConnectionSupervisor<E, C extends SupervisedConnection> {
  readonly #options: SupervisorOptions<E, C>;
  readonly #backOff: BackOff;
  readonly #attempts: ConnectionAttempts<C>;
  readonly #life = new AbortController();
  readonly #waiters = new Set<(connection?: C) => void>();
  readonly #troubles = new Map<string, string>();
  #connection: C | undefined;
  #generation = 0;
  /** Which endpoint is next. */
  #turn = 0;
  #failedOnce = false;
  #state: StoreState = 'CONNECTING';
  #since = Date.now();
  #lastError: string | undefined;
  #run: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions<E, C>) {
    this.#options = options;
    this.#backOff = new BackOff(options.random);
    this.#attempts = new ConnectionAttempts({
      gate: options.gate,
      open: (signal) => this.#open(signal),
      onFailure: (error) => {
        this.#failed(error as Error, 'connecting');
        return failureOf(error);
      },
      discard: (connection) => connection.close(),
      backOff: this.#backOff,
    });
  }

  get state(): StoreState {
    return this.#state;
  }

  /** When the state began, epoch ms. */
  get since(): number {
    return this.#since;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** The connection of this moment; undefined while there is none. */
  get connection(): C | undefined {
    return this.#connection;
  }

  start(): void {
    this.#run = this.#keepConnected();
  }

  /** The connection, as soon as there is one; undefined when the signal was aborted or the supervisor closed before. */
  connected(signal: AbortSignal): Promise<C | undefined> {
    if (this.#connection || signal.aborted || this.#life.signal.aborted) return Promise.resolve(this.#connection);
    return new Promise((resolve) => {
      const end = (connection?: C) => {
        this.#waiters.delete(end);
        signal.removeEventListener('abort', stop);
        resolve(connection);
      };
      const stop = () => end();
      this.#waiters.add(end);
      signal.addEventListener('abort', stop);
    });
  }

  /** Reports that something is wrong although the connection stands. */
  trouble(who: string, what: string): void {
    this.#troubles.set(who, what);
    this.#lastError = what;
    this.#update();
  }

  /** Reports that it is over. */
  troubleOver(who: string): void {
    if (this.#troubles.delete(who)) this.#update();
  }

  /** Closes the connection and stops trying. */
  async close(): Promise<void> {
    if (this.#life.signal.aborted) return this.#run;
    this.#life.abort();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#update();
    for (const waiter of [...this.#waiters]) waiter();
    await connection?.close();
    await this.#run;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#life;
    while (!signal.aborted) {
      const connection = await this.#attempts.connect(signal);
      if (!connection) continue;
      if (signal.aborted) await connection.close();
      else await this.#use(connection);
    }
    await this.#attempts.settled();
  }

  async #open(signal: AbortSignal): Promise<C> {
    const { endpoints, open } = this.#options;
    const turn = this.#turn;
    this.#turn += 1;
    const connection = await open(endpoints[turn % endpoints.length] as E, signal);
    this.#turn = turn;
    return connection;
  }

  async #use(connection: C): Promise<void> {
    const begin = performance.now();
    this.#connection = connection;
    this.#generation += 1;
    this.#options.onConnected(connection, this.#generation);
    this.#update();
    for (const waiter of [...this.#waiters]) waiter(connection);
    const reason = await connection.ended;
    this.#connection = undefined;
    if (this.#life.signal.aborted) return;
    const lastedMs = performance.now() - begin;
    const worked = connection.hasWorked || lastedMs >= WORKED_AFTER_MS;
    if (lastedMs >= HEALTHY_AFTER_MS) this.#backOff.reset();
    const failure = lastedMs >= HEALTHY_AFTER_MS ? undefined : worked ? 'lost' : 'dropped';
    this.#failed(reason, 'connected');
    if (failure) await pause(this.#backOff.failed(failure), this.#life.signal);
  }

  #failed(error: Error, phase: 'connecting' | 'connected'): void {
    if (this.#life.signal.aborted) return;
    this.#failedOnce = true;
    this.#lastError = error.message;
    this.#update();
    this.#options.onFailure(error, phase);
  }

  #update(): void {
    const state = this.#stateNow();
    if (state === this.#state) return;
    this.#state = state;
    this.#since = Date.now();
  }

  #stateNow(): StoreState {
    if (this.#life.signal.aborted) return 'CLOSED';
    if (this.#connection) return this.#troubles.size > 0 ? 'DEGRADED' : 'READY';
    return this.#failedOnce ? 'DOWN' : 'CONNECTING';
  }
}
