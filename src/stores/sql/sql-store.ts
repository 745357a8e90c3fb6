import type { Cluster } from '../../coordination/cluster.ts';
import type { LeaseMedium } from '../../coordination/lease-medium.ts';
import { POINTS, reach } from '../../fault-points.ts';
import { type Logger, logger } from '../../logging/index.ts';
import type { IdRegister } from '../dedup/id-register.ts';
import type { DedupRules } from '../dedup/parameters.ts';
import type { PutsOnce } from '../dedup/puts-once.ts';
import { RegisteredPuts } from '../dedup/registered-puts.ts';
import { claimOf, isRepetition } from '../dedup/table-claim.ts';
import {
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreState,
  type StoreStatus,
} from '../message-store.ts';
import type { StoreBrowser } from '../store-browser.ts';
import type { StoredMessage } from '../stored-message.ts';
import { SqlBrowser } from './browse.ts';
import { OvertakenError } from './commit-job.ts';
import { CommitQueue } from './commit-queue.ts';
import { type ConsumerHost, SqlConsumer } from './consumer.ts';
import { Dispatcher } from './dispatcher.ts';
import {
  type SqlConnection,
  type SqlDriver,
  SqlLostError,
  SqlOutcomeUnknownError,
  SqlRefusedError,
  within,
} from './driver.ts';
import { SqlLeases } from './lease.ts';
import { SqlLink } from './link.ts';
import { type ClaimedMessage, LEASE_MS, type Lease, type MessageRow, type MessageTable } from './message-table.ts';
import { endOwner } from './owner.ts';
import { storedMessageBytes } from './stored-message-bytes.ts';

/** Three tries before a lease expires. */
const RENEW_EVERY_MS = LEASE_MS / 3;
/** Claims without a message are swept out at every so-manieth renewal: every ten minutes. */
const SWEEP_EVERY = 60;
/** Ids of messages are forgotten at every so-manieth: once a minute. */
const SWEEP_IDS_EVERY = 6;
/** How long close() waits for puts that are under way, ms. */
const CLOSE_PATIENCE_MS = 5_000;
/** How long a release may keep its caller waiting, ms; what is not freed by then is freed later. */
const RELEASE_PATIENCE_MS = 2_000;
/** Messages that were moved elsewhere and could not be deleted here. */
const MAX_REMEMBERED_MOVES = 10_000;

export interface SqlStoreOptions {
  readonly name: string;
  readonly type: string;
  /** All parameters as written. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly driver: SqlDriver;
  readonly table: MessageTable;
  readonly owner: string;
  /** Whether the table of messages may be created. */
  readonly createsTable: boolean;
  readonly deadlineMs: number;
  /** Whether puts wait for a database that is away; those that have a failover store need not. */
  readonly patient: boolean;
  /** The name under which it logs. */
  readonly logName: string;
  /** The number of a message in a sequenced table. @throws an error for a message without one */
  readonly sequenceOf?: (message: StoredMessage) => bigint;
  /** How repetitions are recognised (OP-07); the table has its register of ids then. */
  readonly dedup?: DedupRules;
}

/**
 * A message store in a table of a database. Any number of stores, in any number of processes, may share the table: a message
 * is with one consumer at a time, by a lease in the database (see message-table.ts).
 *
 *     CONNECTING ──both links──► READY ◄──both links── DEGRADED: one of two connections is away
 *         │                       │ └───one lost──────────► │
 *         │ attempt failed        ▼ both lost               │
 *         └──────────────────►  DOWN ◄──────────────────────┘      any ──close()──► CLOSED
 *
 * One connection claims messages, and tries a database that is not there; the other one stores and settles, and follows it.
 */
export class SqlStore implements MessageStore {
  readonly name: string;
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly durable = true;
  readonly table: MessageTable;
  readonly once: PutsOnce | undefined;
  readonly #options: SqlStoreOptions;
  readonly #log: Logger;
  readonly #claims: SqlLink;
  readonly #messages: SqlLink;
  readonly #commits: CommitQueue;
  readonly #dispatcher: Dispatcher;
  readonly #consumers = new Set<SqlConsumer>();
  #browser: SqlBrowser | undefined;
  /** What consumers of this store have in hand. */
  readonly #held = new Map<number, Lease>();
  /** Moved elsewhere, but still here: to be deleted when they come again. */
  readonly #moved = new Set<number>();
  readonly #upkeep: NodeJS.Timeout;
  #upkeeps = 0;
  #sweepingIds = false;
  /** The last sweep of ids came to its bound. */
  #moreIds = false;
  #consumersMade = 0;
  #enqueued = 0;
  #dequeued = 0;
  #wasReady = false;
  /** Its tables were there at least once. */
  #prepared = false;
  #state: StoreState = 'CONNECTING';
  #since = Date.now();
  #lastError: string | undefined;
  #successor: SqlStore | undefined;
  #leases: SqlLeases | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqlStoreOptions, previous: SqlStore | undefined) {
    const { name, driver, table, deadlineMs } = options;
    this.name = name;
    this.type = options.type;
    this.parameters = options.parameters;
    this.table = table;
    this.#options = options;
    this.#log = logger(options.logName);
    this.#claims = new SqlLink({
      open: () => driver.connect('claims'),
      prepare: (connection) => this.#prepare(connection),
      onUp: (connection) => this.#onUp(connection),
      onDown: (error, phase) => this.#onDown(error, phase),
    });
    this.#messages = new SqlLink({
      open: () => driver.connect('messages'),
      gate: async (signal) => void (await this.#claims.up(signal)),
      onUp: () => this.#update(),
      onDown: (error, phase) => this.#onDown(error, phase),
    });
    this.#commits = new CommitQueue({
      link: this.#messages,
      table,
      deadlineMs,
      lastError: () => this.#lastError,
      onMissingTable: () => this.#claims.reconnect(),
    });
    this.#dispatcher = new Dispatcher({
      ready: () => this.#claims.isUp,
      claim: (count) => this.#claim(count),
      giveBack: ({ lease }) => void this.#release(lease, true),
    });
    if (options.dedup) {
      const duplicates = previous?.once?.duplicates ?? 0;
      this.once = new RegisteredPuts({ store: this, rules: options.dedup, deadlineMs, duplicates });
    }
    if (previous) this.#takeOver(previous);
    this.#upkeep = setInterval(() => void this.#keepUp(), RENEW_EVERY_MS);
    this.#claims.start();
    this.#messages.start();
  }

  async put(message: StoredMessage): Promise<void> {
    if (this.#closing) {
      // Messages in flight may still know the store that was replaced.
      if (this.#successor) return this.#successor.put(message);
      throw this.#error('is closed');
    }
    try {
      const row = this.#rowOf(message);
      await this.#commits.commit({ kind: 'insert', row }, { patient: this.#options.patient });
    } catch (cause) {
      const reason = messageOf(cause);
      this.#log.error(`Error while storing message : ${message.id}: ${reason}`, {
        store: this.name,
        messageId: message.id,
      });
      throw this.#error(`could not store message [${message.id}]: ${reason}`, cause);
    }
    if (!isRepetition(message)) this.#noteStored();
  }

  consumer(): StoreConsumer {
    if (this.#closing) throw this.#error('is closed');
    this.#consumersMade += 1;
    const consumer = new SqlConsumer(`[${this.name}-C-${this.#consumersMade}]`, this.#host());
    this.#consumers.add(consumer);
    return consumer;
  }

  browser(): StoreBrowser {
    if (this.#closing) throw this.#error('is closed');
    this.#browser ??= new SqlBrowser({
      table: this.table,
      use: (work) => this.#claims.use(work),
      error: (reason, cause) => this.#error(reason, cause),
      take: (rows) => this.#takeRows(rows),
      deliveries: this.#host(),
    });
    return this.#browser;
  }

  status(): StoreStatus {
    return {
      state: this.#state,
      since: this.#since,
      lastError: this.#lastError,
      enqueued: this.#enqueued,
      dequeued: this.#dequeued,
    };
  }

  async depth(): Promise<StoreDepth> {
    try {
      return { count: await this.#claims.use((connection) => this.table.count(connection)), estimated: false };
    } catch {
      return { count: 'unknown', estimated: false };
    }
  }

  leases(cluster: Cluster): LeaseMedium {
    if (this.#closing) throw this.#error('is closed');
    const { driver, owner, createsTable: createsTables } = this.#options;
    this.#leases ??= new SqlLeases({
      store: this.name,
      driver,
      owner,
      createsTables,
      cluster,
      onTakenOver: (session, former) => this.table.releaseOwner(session, former),
    });
    return this.#leases;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#browser?.close(), ...[...this.#consumers].map((consumer) => consumer.close())]);
    await this.#commits.close(Math.min(CLOSE_PATIENCE_MS, this.#options.deadlineMs));
    clearInterval(this.#upkeep);
    await this.#leases?.close();
    await this.#messages.close();
    await this.#claims.close();
    endOwner(this.#options.owner);
    this.#update();
  }

  #takeOver(previous: SqlStore): void {
    previous.#successor = this;
    this.#enqueued = previous.#enqueued;
    this.#dequeued = previous.#dequeued;
    this.#consumersMade = previous.#consumersMade;
    // Numbers of another table would mean other messages.
    const sameTable =
      previous.#options.driver.key === this.#options.driver.key && previous.table.name === this.table.name;
    if (sameTable) for (const id of previous.#moved) this.#moved.add(id);
  }

  /** Before anybody uses a new connection: what the last one has left behind is put in order. */
  async #prepare(connection: SqlConnection): Promise<void> {
    await this.table.prepare(connection, this.#options.createsTable);
    const held = [...this.#held.values()];
    await this.table.restore(connection, held);
    await this.#renew(connection, held);
    await this.table.releaseForgotten(connection, [...this.#held.values()]);
    await this.table.sweep(connection);
    this.#prepared = true;
  }

  #onUp(connection: SqlConnection): void {
    const { name } = this;
    const again = this.#wasReady ? ' again' : '';
    this.#log.info(`Store [${name}] is connected${again} to ${connection.server} at ${this.#options.driver.where}`, {
      store: name,
    });
    if (!this.#wasReady) this.#warn(connection);
    this.#update();
    this.#dispatcher.wake();
  }

  #warn({ cautions }: SqlConnection): void {
    const { table, name } = this;
    const limit = table.columnLimit;
    const small =
      limit !== undefined && limit <= 65_535
        ? [`the column ${table.name}.message holds ${limit} bytes only: ${table.dialect.enlarge(table.name)}`]
        : [];
    for (const caution of [...cautions, ...small]) this.#log.warn(`Store [${name}]: ${caution}`, { store: name });
  }

  #onDown(error: Error, phase: 'connecting' | 'connected'): void {
    const reason = messageOf(error);
    const details = { store: this.name, cause: reason };
    const before = this.#lastError;
    this.#lastError = reason;
    this.#update();
    if (phase === 'connected') {
      this.#log.warn(`Store [${this.name}] has lost a connection and reconnects by itself: ${reason}`, details);
      return;
    }
    const text = `Store [${this.name}] cannot use the database ${this.#options.driver.where}, and goes on trying: ${reason}`;
    if (before === reason) this.#log.debug(text, details);
    else this.#log.error(text, details);
    this.#commits.away(error);
  }

  #update(): void {
    const state = this.#stateNow();
    if (state === 'READY') this.#wasReady = true;
    if (state === this.#state) return;
    this.#state = state;
    this.#since = Date.now();
  }

  #stateNow(): StoreState {
    if (this.#closing) return 'CLOSED';
    const up = Number(this.#claims.isUp) + Number(this.#messages.isUp);
    if (up === 2) return 'READY';
    if (up === 1 && this.#wasReady) return 'DEGRADED';
    return this.#claims.hasFailed || this.#messages.hasFailed ? 'DOWN' : 'CONNECTING';
  }

  async #claim(count: number): Promise<readonly ClaimedMessage[]> {
    let claimed: readonly ClaimedMessage[];
    try {
      claimed = await this.#claims.use((connection) => this.table.claim(connection, count));
    } catch (error) {
      this.#onClaimFailure(error as Error);
      return [];
    }
    if (claimed.length > 0) reach(POINTS.leaseTaken, this.name, claimed.length);
    for (const { lease } of claimed) this.#held.set(lease.indexId, lease);
    return claimed.filter((message) => !this.#deleteMoved(message.lease) && !this.#drop(message));
  }

  /** For an operator. @throws what the database says */
  async #takeRows(rows: readonly number[]): Promise<readonly ClaimedMessage[]> {
    const taken = await this.#claims.use((connection) => this.table.takeRows(connection, rows));
    for (const { lease } of taken) this.#held.set(lease.indexId, lease);
    return taken.filter(({ lease }) => !this.#deleteMoved(lease));
  }

  #onClaimFailure(error: Error): void {
    // A lost connection is reported by its link, and what was claimed all the same is freed by the next one; a conflict is over at
    // the next time.
    if (error instanceof SqlLostError || error instanceof SqlOutcomeUnknownError) return;
    const refusal = error instanceof SqlRefusedError ? error.refusal : 'other';
    if (refusal === 'conflict') return;
    this.#lastError = messageOf(error);
    this.#log.error(`Can't receive message : ${this.#lastError}`, { store: this.name });
    if (refusal === 'no such table') this.#claims.reconnect();
  }

  #deleteMoved(lease: Lease): boolean {
    if (!this.#moved.has(lease.indexId)) return false;
    this.#delete(lease, () => this.#moved.delete(lease.indexId));
    return true;
  }

  #drop({ lease, msgId, unwanted }: ClaimedMessage): boolean {
    if (unwanted?.action !== 'drop') return false;
    const text = `Store [${this.name}] drops message [${msgId}]: ${unwanted.reason}`;
    this.#delete(lease, () => this.#log.warn(text, { store: this.name, messageId: msgId }));
    return true;
  }

  #delete(lease: Lease, deleted: () => void): void {
    this.#settle(lease).then(
      () => {
        deleted();
        this.#dispatcher.wake();
      },
      // Without a wake-up: it would be claimed again at once, and again.
      () => this.#free(lease, false),
    );
  }

  /** @throws StoreError */
  async #settle(lease: Lease): Promise<void> {
    try {
      await this.#commits.commit({ kind: 'settle', lease }, { patient: true });
    } catch (cause) {
      throw this.#notSettled(lease, cause);
    }
    this.#held.delete(lease.indexId);
    this.#dequeued += 1;
  }

  /** @throws StoreError when it is not stored there */
  async #move(lease: Lease, store: MessageStore, message: StoredMessage): Promise<void> {
    if (store instanceof SqlStore && store.#options.driver.key === this.#options.driver.key && !store.#closing) {
      return this.#moveWithin(lease, store, message);
    }
    await store.put(message);
    reach(POINTS.moveCopied, this.name, message);
    try {
      await this.#settle(lease);
    } catch (error) {
      // It is there now. What is left here must not be delivered.
      this.#log.warn(
        `Store [${this.name}] could not delete message [${message.id}], which was moved: ${messageOf(error)}`,
      );
      if (this.#moved.size < MAX_REMEMBERED_MOVES) this.#moved.add(lease.indexId);
      await this.#release(lease, false);
    }
  }

  /** Both tables are in one database: one transaction (OP-15). */
  async #moveWithin(lease: Lease, target: SqlStore, message: StoredMessage): Promise<void> {
    try {
      await target.#beThere();
      const row = target.#rowOf(message);
      await this.#commits.commit({ kind: 'move', lease, row, target: target.table }, { patient: true });
    } catch (cause) {
      throw this.#notSettled(lease, cause);
    }
    this.#held.delete(lease.indexId);
    this.#dequeued += 1;
    target.#noteStored();
  }

  /** @throws StoreError when its tables are not there within the deadline */
  async #beThere(): Promise<void> {
    if (this.#prepared) return;
    if (await this.#claims.up(AbortSignal.timeout(this.#options.deadlineMs))) return;
    throw this.#error(`is not ready: ${this.#lastError ?? 'the database does not answer'}`);
  }

  #notSettled(lease: Lease, cause: unknown): StoreError {
    if (cause instanceof OvertakenError) this.#held.delete(lease.indexId);
    return this.#error(
      `could not remove message ${lease.indexId} of table ${this.table.name}: ${messageOf(cause)}`,
      cause,
    );
  }

  /** Never throws. */
  async #release(lease: Lease, unseen: boolean): Promise<void> {
    await this.#free(lease, unseen);
    this.#dispatcher.wake();
  }

  /** Never throws. What cannot be freed now is freed with the next connection, or by its expiry. */
  async #free(lease: Lease, unseen: boolean): Promise<void> {
    if (this.#held.get(lease.indexId) !== lease) return;
    this.#held.delete(lease.indexId);
    const released = this.#claims.use((connection) => this.table.release(connection, [lease], unseen));
    try {
      await within(released, RELEASE_PATIENCE_MS, () => new Error('it takes too long'));
    } catch (error) {
      this.#log.debug(`Store [${this.name}] frees message ${lease.indexId} later: ${messageOf(error)}`, {
        store: this.name,
      });
    }
  }

  async #keepUp(): Promise<void> {
    this.#upkeeps += 1;
    const sweep = this.#upkeeps % SWEEP_EVERY === 0;
    const ids = this.#idsToSweep();
    if (!this.#claims.isUp || (this.#held.size === 0 && !sweep && !ids)) return;
    try {
      await this.#claims.use(async (connection) => {
        await this.#renew(connection, [...this.#held.values()]);
        if (sweep) await this.table.sweep(connection);
        if (ids) await this.#sweepIds(ids, connection);
      });
    } catch (error) {
      this.#log.debug(`Store [${this.name}] could not renew its leases: ${messageOf(error)}`, {
        store: this.name,
      });
    }
  }

  /** Undefined: not now. Where more come than one sweep forgets it is at every turn, or the table would grow without an end. */
  #idsToSweep(): IdRegister | undefined {
    if (this.#sweepingIds) return undefined;
    return this.#moreIds || this.#upkeeps % SWEEP_IDS_EVERY === 0 ? this.table.ids : undefined;
  }

  async #sweepIds(ids: IdRegister, connection: SqlConnection): Promise<void> {
    this.#sweepingIds = true;
    try {
      const { early, more } = await ids.sweep(connection);
      this.#moreIds = more;
      this.#noteForgotten(early);
    } finally {
      this.#sweepingIds = false;
    }
  }

  #noteForgotten(early: number): void {
    if (early === 0) return;
    const reason = `there are more than x.dedup.max allows`;
    this.#log.warn(`Store [${this.name}] has forgotten ${early} ids of messages before their time: ${reason}`, {
      store: this.name,
    });
  }

  async #renew(connection: SqlConnection, leases: readonly Lease[]): Promise<void> {
    for (const lease of await this.table.renew(connection, leases)) {
      if (this.#held.get(lease.indexId) !== lease) continue;
      this.#held.delete(lease.indexId);
      this.#log.warn(
        `Store [${this.name}]: another node has taken over message ${lease.indexId}: its lease had expired`,
      );
    }
  }

  #noteStored(): void {
    this.#enqueued += 1;
    this.#dispatcher.wake();
  }

  /** @throws StoreError when it does not fit */
  #rowOf(message: StoredMessage): MessageRow {
    const bytes = storedMessageBytes(message);
    const refusal = this.table.refusal(bytes);
    if (refusal !== undefined) throw this.#error(refusal);
    const sequence = this.#options.sequenceOf?.(message);
    const once = this.once && claimOf(message);
    return { msgId: message.id, bytes, ...(sequence !== undefined && { sequence }), ...(once && { once }) };
  }

  #error(reason: string, cause?: unknown): StoreError {
    return new StoreError(this.name, `Store [${this.name}] ${reason}`, cause === undefined ? undefined : { cause });
  }

  #host(): ConsumerHost {
    return {
      tableName: this.table.name,
      isClosed: () => this.#closing !== undefined,
      error: (reason) => this.#error(reason),
      next: (signal, waitMs) => this.#dispatcher.next(signal, waitMs),
      settle: (lease) => this.#settle(lease),
      move: (lease, store, message) => this.#move(lease, store, message),
      holds: (lease) => this.#held.get(lease.indexId) === lease,
      release: (lease, unseen) => this.#release(lease, unseen),
      noteClosed: (consumer) => void this.#consumers.delete(consumer),
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
