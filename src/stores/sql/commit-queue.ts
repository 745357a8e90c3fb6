import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { POINTS, reach } from '../../fault-points.ts';
import { type Change, type Commit, CommitFailure, failure, type Job, OvertakenError, rowsOf } from './commit-job.ts';
import {
  type SqlConnection,
  SqlLostError,
  SqlNotConnectedError,
  SqlOutcomeUnknownError,
  SqlRefusedError,
  type SqlSession,
} from './driver.ts';
import { Gathering } from './gathering.ts';
import type { SqlLink } from './link.ts';
import type { Lease, MessageTable } from './message-table.ts';

/** What one transaction takes at most. */
const MAX_BATCH_JOBS = 64;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Messages that may wait to be stored; one more fails at once (OP-100). */
const MAX_WAITING_JOBS = 10_000;
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** How often a transaction is tried again that met with a deadlock or a lock. */
const MAX_CONFLICTS = 3;
const CONFLICT_PAUSE_MS = 20;
/** A connection that has answered within this time, ms, is there: messages go to it in one statement, which is not repeated when it is lost. */
const FRESH_MS = 1_000;

export interface CommitQueueOptions {
  readonly link: SqlLink;
  readonly table: MessageTable;
  readonly deadlineMs: number;
  /** The last thing that is known about the connection, for messages. */
  lastError(): string | undefined;
  /** Hears of a statement that the database refused because there is no table. */
  onMissingTable(): void;
}

/**
 * Group commit: what is asked for while a transaction is under way goes into the next one together (spec operators 3, SQL). Alone,
 * a change waits for nothing but the end of the current turn of the event loop.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: Job[] = [];
  #waitingBytes = 0;
  readonly #gathering = new Gathering();
  #working: Promise<void> | undefined;
  #committing: readonly Job[] = [];
  #closed = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the change is committed.
   * @throws CommitFailure at the deadline at the latest, OvertakenError
   */
  commit(change: Change, { patient }: { readonly patient: boolean }): Promise<void> {
    const size = change.kind === 'settle' ? 0 : change.row.bytes.length;
    const refusal = this.#refusal(change, size);
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const job: Job = {
        change,
        size,
        resolve,
        reject,
        patient,
        timer: undefined,
        settled: false,
        losses: 0,
        conflicts: 0,
        unknown: false,
      };
      job.timer = setTimeout(() => this.#onDeadline(job), this.#options.deadlineMs);
      this.#waiting.push(job);
      this.#waitingBytes += size;
      this.#working ??= this.#work();
    });
  }

  /** The database is known to be away: those that do not want to wait for it fail. */
  away(error: Error): void {
    for (const job of this.#waiting.filter(({ patient }) => !patient)) {
      this.#withdraw(job);
      this.#fail(job, `the database is not reachable: ${error.message}`, error);
    }
  }

  /** Takes no more, waits for what is under way, and fails what is not done by then. */
  async close(patienceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#working && this.#options.link.isUp) {
      const patience = new AbortController();
      const late = delay(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
      await Promise.race([this.#working, late]);
      patience.abort();
    }
    for (const job of [...this.#waiting, ...this.#committing]) this.#fail(job, 'the store was closed');
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #refusal({ kind }: Change, size: number): CommitFailure | undefined {
    if (this.#closed) return new CommitFailure('the store is closed');
    if (kind === 'settle') return undefined;
    const { length } = this.#waiting;
    if (length < MAX_WAITING_JOBS && this.#waitingBytes + size <= MAX_WAITING_BYTES) return undefined;
    const waiting = `${length} messages with ${this.#waitingBytes} bytes wait already`;
    return new CommitFailure(`${waiting} to be taken by the database`, { busy: true });
  }

  async #work(): Promise<void> {
    try {
      for (;;) {
        await nextTurn();
        if (this.#waiting.length === 0) return;
        await this.#gathering.whole(() => this.#waiting.length, MAX_BATCH_JOBS);
        if (!(await this.#options.link.up())) return;
        await this.#commitAll(this.#nextBatch());
      }
    } finally {
      this.#working = undefined;
    }
  }

  #nextBatch(): readonly Job[] {
    let bytes = 0;
    let count = 0;
    for (const { size, change } of this.#waiting) {
      bytes += size;
      // A move is a transaction of its own: it changes nothing at all when it cannot take its message.
      const fits = count === 0 || (count < MAX_BATCH_JOBS && bytes <= MAX_BATCH_BYTES && change.kind !== 'move');
      if (!fits) break;
      count += 1;
      if (change.kind === 'move') break;
    }
    const batch = this.#waiting.splice(0, count);
    for (const { size } of batch) this.#waitingBytes -= size;
    return batch;
  }

  /**
   * Commits a batch, and then what has come meanwhile, as long as that is not to be gathered: it is on its way before those are told that
   * came before, so that the database is at work while their clients are answered.
   */
  async #commitAll(first: readonly Job[]): Promise<void> {
    let commit = first.length > 0 ? this.#begin(first) : undefined;
    while (commit) {
      const { batch, outcome } = commit;
      try {
        const overtaken = await outcome;
        this.#note(commit);
        commit = this.#beginNext();
        this.#tell(batch, overtaken);
      } catch (error) {
        commit = undefined;
        await this.#onFailure(batch, error as Error);
      } finally {
        if (!commit) this.#committing = [];
      }
    }
  }

  #beginNext(): Commit | undefined {
    const { length } = this.#waiting;
    if (length === 0 || this.#gathering.awaits(length, MAX_BATCH_JOBS) || !this.#options.link.isUp) return undefined;
    return this.#begin(this.#nextBatch());
  }

  #begin(batch: readonly Job[]): Commit {
    this.#committing = batch;
    const begun = performance.now();
    const busy = performance.eventLoopUtilization();
    const outcome = this.#options.link.use((connection) => this.#transact(connection, batch));
    return { batch, outcome, begun, busy };
  }

  #note({ batch, begun, busy }: Commit): void {
    const idle = 1 - performance.eventLoopUtilization(busy).utilization;
    this.#gathering.note(batch.length, this.#waiting.length, performance.now() - begun, idle);
  }

  #tell(batch: readonly Job[], overtaken: ReadonlySet<Job>): void {
    for (const job of batch) {
      if (overtaken.has(job)) this.#reject(job, new OvertakenError('another node has taken it over'));
      else this.#resolve(job);
    }
  }

  /** Returns those whose message somebody else has. */
  async #transact(connection: SqlConnection, batch: readonly Job[]): Promise<ReadonlySet<Job>> {
    const rows = rowsOf(batch);
    // One that was silent for long may be gone: what a transaction loses there is not done, and is tried again.
    const asks = this.#options.table.ids !== undefined && rows.some(({ once }) => once !== undefined);
    if (asks || rows.length < batch.length || !this.#gathering.endedWithin(FRESH_MS)) {
      return connection.transaction((session) => this.#execute(session, batch));
    }
    const { table } = this.#options;
    const { sql, values } = table.insertion(rows);
    await connection.atOnce(sql, values, () => reach(POINTS.putSent, table.name, rows.length));
    return NONE;
  }

  /** Returns those whose message somebody else has. */
  async #execute(session: SqlSession, batch: readonly Job[]): Promise<ReadonlySet<Job>> {
    const { table } = this.#options;
    const rows = rowsOf(batch);
    if (rows.length > 0) await table.insert(session, rows);
    const overtaken = new Set<Job>();
    const leases = new Map<Lease, Job>();
    for (const job of batch) if (job.change.kind === 'settle') leases.set(job.change.lease, job);
    if (leases.size > 0) {
      for (const lease of await table.settle(session, [...leases.keys()])) overtaken.add(leases.get(lease) as Job);
    }
    for (const job of batch) if (job.change.kind === 'move') await this.#move(session, job, job.change);
    if (rows.length > 0) reach(POINTS.putSent, table.name, rows.length);
    return overtaken;
  }

  /** Throws, so that nothing is inserted, unless the message was there to be taken. */
  async #move(session: SqlSession, job: Job, change: Change & { kind: 'move' }): Promise<void> {
    const taken = await this.#options.table.take(session, change.lease);
    if (taken === 'taken') return change.target.insert(session, [change.row]);
    // Nobody but us could have moved it, so the commit that was not answered took place.
    if (taken === 'gone' && job.unknown) return;
    throw new OvertakenError(taken === 'gone' ? 'it is not there any more' : 'another node has taken it over');
  }

  async #onFailure(batch: readonly Job[], error: Error): Promise<void> {
    if (error instanceof SqlOutcomeUnknownError) return this.#onUnknown(batch, error);
    if (error instanceof SqlNotConnectedError) return this.#putBack(batch);
    if (error instanceof SqlLostError) return this.#onLost(batch, error);
    if (error instanceof SqlRefusedError && error.refusal === 'conflict') {
      if (batch.every(({ conflicts }) => conflicts < MAX_CONFLICTS)) {
        for (const job of batch) job.conflicts += 1;
        await delay(CONFLICT_PAUSE_MS * Math.random());
        return this.#putBack(batch);
      }
    }
    if (error instanceof SqlRefusedError && error.refusal === 'no such table') this.#options.onMissingTable();
    if (batch.length === 1) {
      for (const job of batch)
        this.#reject(job, error instanceof OvertakenError ? error : failure(error.message, error));
      return;
    }
    // One of them is to blame, and the others must not suffer for it.
    for (const job of batch) await this.#commitAlone(job);
  }

  async #commitAlone(job: Job): Promise<void> {
    const { batch, outcome } = this.#begin([job]);
    try {
      this.#tell(batch, await outcome);
    } catch (error) {
      await this.#onFailure(batch, error as Error);
    }
  }

  /** Nothing of it took place: one more try with a fresh connection (spec operators 3, SQL). */
  #onLost(batch: readonly Job[], error: Error): void {
    for (const job of batch) job.losses += 1;
    const again = batch.filter(({ losses }) => losses <= 1);
    for (const job of batch.filter(({ losses }) => losses > 1)) this.#fail(job, error.message, error);
    this.#putBack(again);
  }

  #onUnknown(batch: readonly Job[], error: Error): void {
    const again: Job[] = [];
    for (const job of batch) {
      if (job.change.kind === 'insert') {
        this.#fail(job, `the database did not confirm it, it may be stored all the same: ${error.message}`, error);
      } else {
        job.unknown = true;
        again.push(job);
      }
    }
    this.#putBack(again);
  }

  #putBack(jobs: readonly Job[]): void {
    const open = jobs.filter(({ settled }) => !settled);
    if (this.#closed) {
      for (const job of open) this.#fail(job, 'the store was closed');
      return;
    }
    for (const { size } of open) this.#waitingBytes += size;
    this.#waiting.unshift(...open);
  }

  #onDeadline(job: Job): void {
    const waited = `within ${this.#options.deadlineMs} ms`;
    if (this.#withdraw(job)) {
      const because = this.#options.lastError();
      const reason = `the database could not take it ${waited}${because === undefined ? '' : `: ${because}`}`;
      this.#reject(job, new CommitFailure(reason, { busy: this.#options.link.isUp }));
    } else {
      this.#fail(job, `the database did not confirm it ${waited}; it may be done all the same`);
    }
  }

  #withdraw(job: Job): boolean {
    const at = this.#waiting.indexOf(job);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    this.#waitingBytes -= job.size;
    return true;
  }

  #fail(job: Job, reason: string, cause?: Error): void {
    this.#reject(job, failure(reason, cause));
  }

  #resolve(job: Job): void {
    if (this.#end(job)) job.resolve();
  }

  #reject(job: Job, error: Error): void {
    if (this.#end(job)) job.reject(error);
  }

  #end(job: Job): boolean {
    clearTimeout(job.timer);
    if (job.settled) return false;
    job.settled = true;
    return true;
  }
}

const NONE: ReadonlySet<Job> = new Set();
