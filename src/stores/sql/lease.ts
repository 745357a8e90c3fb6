import type { Cluster } from '../../coordination/cluster.ts';
import type { Grant, LeaseMedium, Refusal, TaskStates, Wanted } from '../../coordination/lease-medium.ts';
import { logger } from '../../logging/index.ts';
import type { SqlConnection, SqlDriver, SqlSession } from './driver.ts';
import { SqlLink } from './link.ts';
import { TaskTables } from './task-tables.ts';

const log = logger('RDBMSCoordinationStrategy');

/** The share of a lease in which work goes on; the rest is for stopping it, and for clocks that run at different speeds. */
const VALID_SHARE = 0.8;
/** How often a task that others have is asked for, ms. */
const ASK_EVERY_MS = 2_000;
/** A lease that is about to end is asked for a moment after that, ms. */
const AFTER_EXPIRY_MS = 20;
const CONNECT_PATIENCE_MS = 5_000;

export interface SqlLeaseOptions {
  /** For the log. */
  readonly store: string;
  readonly driver: SqlDriver;
  /** This process, as other nodes of the database know it (owner.ts). */
  readonly owner: string;
  readonly createsTables: boolean;
  readonly cluster: Cluster;
  /** A task was taken over from a process that holds none any more: its messages are to come first. */
  onTakenOver(session: SqlSession, former: string): Promise<void>;
}

/**
 * Tasks are given away in the database of a store, over a connection of its own: messages do not hold up the renewal of leases. All
 * times are the database's own.
 */
export class SqlLeases implements LeaseMedium {
  readonly where: string;
  readonly states: TaskStates;
  readonly #options: SqlLeaseOptions;
  readonly #tables: TaskTables;
  readonly #link: SqlLink;
  readonly #heartBeat: NodeJS.Timeout;
  readonly #closed = new AbortController();
  #lastError = 'the database does not answer';

  constructor(options: SqlLeaseOptions) {
    const { driver, cluster, owner, onTakenOver } = options;
    this.where = driver.where;
    this.#options = options;
    this.#tables = new TaskTables({ dialect: driver.dialect, cluster, owner, onTakenOver });
    this.#link = new SqlLink({
      open: () => driver.connect('messages'),
      prepare: (connection) => this.#prepare(connection),
      onUp: () => undefined,
      onDown: (error) => this.#onDown(error),
    });
    this.states = {
      read: (task) => this.#whenUp((connection) => this.#tables.wanted(connection, task)),
      write: (tasks, wanted: Wanted) => this.#whenUp((connection) => this.#tables.want(connection, tasks, wanted)),
      remove: (tasks) => this.#whenUp((connection) => this.#tables.remove(connection, tasks)),
    };
    this.#heartBeat = setInterval(() => void this.#beat(), cluster.leaseMs / 3);
    this.#link.start();
  }

  async acquire(task: string, signal: AbortSignal): Promise<Grant | Refusal> {
    await this.#connected(signal);
    const askedAt = performance.now();
    const held = await this.#use((connection) => this.#tables.acquire(connection, task));
    if (held.token === undefined) {
      const { holder, state, remainingMs } = held;
      const retryMs = Math.min(ASK_EVERY_MS, Math.max(remainingMs, 0) + AFTER_EXPIRY_MS);
      return { granted: false, holder, state, retryMs: remainingMs > 0 ? retryMs : ASK_EVERY_MS };
    }
    return this.#grant(task, held.token, askedAt);
  }

  /** Gives up what is held; leases that are not given back expire. */
  async close(): Promise<void> {
    this.#closed.abort();
    clearInterval(this.#heartBeat);
    try {
      await this.#link.use((connection) => this.#tables.leave(connection));
    } catch {
      // Who cannot say good-bye is found missing.
    }
    await this.#link.close();
  }

  #grant(task: string, token: number, askedAt: number): Grant {
    return {
      granted: true,
      askedAt,
      validMs: this.#options.cluster.leaseMs * VALID_SHARE,
      lost: this.#closed.signal,
      renew: () => this.#use((connection) => this.#tables.renew(connection, task, token)),
      release: async () => {
        try {
          await this.#use((connection) => this.#tables.release(connection, task, token));
        } catch (error) {
          log.debug(`The task [${task}] could not be given back and expires: ${String(error)}`, {
            store: this.#options.store,
            task,
          });
        }
      },
    };
  }

  /** @throws an error when there is no connection within a while */
  async #connected(signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.timeout(CONNECT_PATIENCE_MS);
    if (await this.#link.up(AbortSignal.any([signal, patience]))) return;
    throw new Error(this.#lastError);
  }

  async #whenUp<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    await this.#connected(this.#closed.signal);
    return this.#use(work);
  }

  #use<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#link.use(work);
  }

  async #prepare(connection: SqlConnection): Promise<void> {
    await this.#tables.prepare(connection, this.#options.createsTables);
    await this.#tables.beat(connection);
  }

  async #beat(): Promise<void> {
    if (!this.#link.isUp) return;
    try {
      await this.#use((connection) => this.#tables.beat(connection));
    } catch (error) {
      log.debug(`The heart-beat of this node could not be recorded: ${String(error)}`, {
        store: this.#options.store,
      });
    }
  }

  #onDown({ message }: Error): void {
    const { store } = this.#options;
    if (message !== this.#lastError) {
      log.warn(`Store [${store}]: tasks cannot be coordinated at ${this.where}: ${message}`, { store, cause: message });
    }
    this.#lastError = message;
  }
}
