import { logger } from '../logging/index.ts';
import { SqlConnectError, type SqlConnection, type SqlDriver, SqlLostError } from '../stores/sql/driver.ts';

const log = logger('DataSource');

export const ISOLATION_LEVELS = ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** How many connections there are, and how they are kept (spec mediators 3.31). */
export interface PoolSettings {
  /** At most so many at a time. */
  readonly maxActive: number;
  /** At most so many unused ones. */
  readonly maxIdle: number;
  /** So many unused ones are not closed for being unused. */
  readonly minIdle: number;
  /** How long to wait for one, ms. */
  readonly maxWaitMs: number;
  /** Asks each one before it is used, not only those that were unused for a while. */
  readonly testOnBorrow: boolean;
  readonly validationQuery: string;
  /** Undefined: READ COMMITTED. */
  readonly isolation: IsolationLevel | undefined;
}

/** No connection could be had. */
export class PoolError extends Error {
  override readonly name = 'PoolError';
}

/** One that was unused for longer is asked whether it still works, ms. */
const ASK_AFTER_MS = 1_000;
/** One that was unused for longer is closed, ms. */
const CLOSE_AFTER_MS = 60_000;
const SWEEP_EVERY_MS = 15_000;
const MAX_WAITING = 1_000;

interface Pooled {
  readonly connection: SqlConnection;
  /** Of the pool when it was opened: older ones are not kept. */
  readonly generation: number;
  lost: boolean;
  unusedSince: number;
}

interface Waiter {
  take(): void;
}

/**
 * The connections to one database with one set of settings.
 *
 *     (none) ──borrow──► OPENING ──► IN USE ──give back──► UNUSED ──borrow (asked, if unused for long)──► IN USE
 *                           └failed      └lost, or drained meanwhile──► CLOSED ◄──too many, too long, drain, close──┘
 *
 * Whoever finds all of them in use waits in line, for a bounded time.
 */
export class ConnectionPool {
  readonly driver: SqlDriver;
  readonly #settings: PoolSettings;
  readonly #onEmpty: (pool: ConnectionPool) => void;
  readonly #unused: Pooled[] = [];
  readonly #waiting = new Set<Waiter>();
  readonly #closing = new Set<Promise<void>>();
  /** Opening, in use and unused. */
  #size = 0;
  /** Looking for a connection now. */
  #borrowers = 0;
  #generation = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onEmpty hears when no connection is left */
  constructor(driver: SqlDriver, settings: PoolSettings, onEmpty: (pool: ConnectionPool) => void = () => undefined) {
    this.driver = driver;
    this.#settings = settings;
    this.#onEmpty = onEmpty;
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return this.#size;
  }

  get isolation(): IsolationLevel | undefined {
    return this.#settings.isolation;
  }

  /**
   * Works with a connection, alone.
   * @throws PoolError, SqlConnectError; and what `work` throws
   */
  async use<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    const { connection, giveBack } = await this.borrow();
    try {
      return await work(connection);
    } finally {
      giveBack();
    }
  }

  /**
   * A connection for the borrower alone, until it is given back.
   * @throws PoolError when all are in use for too long; SqlConnectError
   */
  async borrow(): Promise<{ readonly connection: SqlConnection; giveBack(): void }> {
    this.#borrowers += 1;
    try {
      return this.#lend(await this.#find(performance.now() + this.#settings.maxWaitMs));
    } finally {
      this.#borrowers -= 1;
      this.#noteIfEmpty();
    }
  }

  async #find(deadline: number): Promise<Pooled> {
    for (;;) {
      if (this.#closed) throw new PoolError('the data source is closed');
      const pooled = this.#unused.pop();
      if (pooled && !(await this.#works(pooled))) continue;
      if (pooled) return pooled;
      if (this.#size < this.#settings.maxActive) return this.#open();
      await this.#wait(deadline);
    }
  }

  /** Closes what is unused now and, when it is given back, what is in use: the configuration has changed. */
  drain(): void {
    this.#generation += 1;
    for (const pooled of this.#unused.splice(0)) this.#end(pooled);
  }

  /** Closes all that is unused, and what is in use when it is given back. Resolves when what was unused is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.drain();
    clearInterval(this.#sweeper);
    for (const waiter of [...this.#waiting]) waiter.take();
    await Promise.all(this.#closing);
  }

  #lend(pooled: Pooled) {
    let lent = true;
    return {
      connection: pooled.connection,
      giveBack: () => {
        if (lent) this.#giveBack(pooled);
        lent = false;
      },
    };
  }

  #giveBack(pooled: Pooled): void {
    const stale = pooled.lost || pooled.generation !== this.#generation || this.#closed;
    if (stale || this.#unused.length >= this.#settings.maxIdle) {
      this.#end(pooled);
      return;
    }
    pooled.unusedSince = performance.now();
    this.#unused.push(pooled);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
    this.#wakeOne();
  }

  async #open(): Promise<Pooled> {
    this.#size += 1;
    const generation = this.#generation;
    let connection: SqlConnection | undefined;
    try {
      connection = await this.driver.connect('mediation');
      await this.#prepare(connection);
    } catch (error) {
      await connection?.close();
      this.#gone();
      throw error;
    }
    const pooled: Pooled = { connection, generation, lost: false, unusedSince: 0 };
    void connection.ended.then(() => this.#onLost(pooled));
    log.debug(`Connected to ${connection.server} at ${this.driver.where}`);
    return pooled;
  }

  async #prepare(connection: SqlConnection): Promise<void> {
    const { isolation } = this.#settings;
    const { name } = this.driver.dialect;
    if (isolation === undefined || name === 'SQLite') return;
    const what = name === 'PostgreSQL' ? 'SESSION CHARACTERISTICS AS TRANSACTION' : 'SESSION TRANSACTION';
    await connection.query(`SET ${what} ISOLATION LEVEL ${isolation}`);
  }

  async #works(pooled: Pooled): Promise<boolean> {
    if (pooled.lost) return false;
    const { testOnBorrow, validationQuery } = this.#settings;
    if (!testOnBorrow && performance.now() - pooled.unusedSince < ASK_AFTER_MS) return true;
    try {
      await pooled.connection.execute(validationQuery, []);
      return true;
    } catch (error) {
      if (!(error instanceof SqlLostError)) this.#end(pooled);
      return false;
    }
  }

  #onLost(pooled: Pooled): void {
    if (pooled.lost) return;
    pooled.lost = true;
    const index = this.#unused.indexOf(pooled);
    if (index >= 0) this.#unused.splice(index, 1);
    this.#gone();
  }

  #end(pooled: Pooled): void {
    this.#onLost(pooled);
    const closing = pooled.connection.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #gone(): void {
    this.#size -= 1;
    this.#wakeOne();
    this.#noteIfEmpty();
  }

  #noteIfEmpty(): void {
    if (this.#size > 0 || this.#borrowers > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    this.#onEmpty(this);
  }

  #sweep(): void {
    const now = performance.now();
    // The longest unused come first.
    while (this.#unused.length > this.#settings.minIdle) {
      const [first] = this.#unused;
      if (!first || now - first.unusedSince < CLOSE_AFTER_MS) return;
      this.#unused.shift();
      this.#end(first);
    }
  }

  #wakeOne(): void {
    const [first] = this.#waiting;
    first?.take();
  }

  #wait(deadline: number): Promise<void> {
    const { maxActive, maxWaitMs } = this.#settings;
    const remaining = deadline - performance.now();
    const busy = `Cannot get a connection, all ${maxActive} are in use`;
    if (this.#waiting.size >= MAX_WAITING) throw new PoolError(`${busy} and ${MAX_WAITING} others wait for one`);
    if (remaining <= 0) throw new PoolError(`${busy} for ${maxWaitMs} ms`);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter: Waiter = { take: end };
      const timer = setTimeout(end, remaining);
      this.#waiting.add(waiter);
    });
  }
}

/** Did no connection come about, or did it end? Then the statement may be worth another try. */
export function isConnectionTrouble(error: unknown): boolean {
  return error instanceof SqlConnectError || error instanceof SqlLostError;
}
