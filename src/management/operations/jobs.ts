import { randomUUID } from 'node:crypto';
import { logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import { reasonOf } from './operation-error.ts';

const log = logger('MessageOperations');

/** Jobs at a time, and jobs that have ended and are remembered. */
const MAX_RUNNING = 8;
const MAX_ENDED = 100;
/** Failures that a job tells of; the others are counted. */
const MAX_ERRORS = 100;
/** After so many in a row something is wrong with more than single messages. */
const MAX_FAILURES_IN_A_ROW = 20;
/** How often listeners hear of the progress of a job at most, ms; of its end they hear at once. */
const TELL_EVERY_MS = 250;
/** How long close() waits for what jobs have in hand, ms. */
const CLOSE_PATIENCE_MS = 5_000;
export const DEFAULT_RATE = 1_000;

export type JobState = 'running' | 'done' | 'failed' | 'cancelled';

/** What failed, and why. */
export interface JobFailure {
  readonly id: string;
  readonly Error: string;
}

export interface JobOptions {
  /** `resend`, `move`, `delete`, `purge`. */
  readonly action: string;
  readonly store: string;
  /** How many messages are meant. */
  readonly total: number;
  readonly ratePerSecond?: number | undefined;
  /** Who began it. */
  readonly by: string;
}

/** There are too many at work. */
export class TooManyJobsError extends Error {
  override readonly name = 'TooManyJobsError';
}

/**
 * Work on many messages, one after the other, at a bounded rate (OP-61):
 *
 *     running ──all done, or tried──► done          running ──cancel(), close()──► cancelled, after the message in hand
 *        └──the store fails, or 20 messages in a row──► failed
 *
 * It keeps nothing: each message is settled by itself, so a job that was killed is begun again with what is left.
 */
export class Job {
  readonly id = randomUUID();
  readonly options: JobOptions;
  readonly startedAt = Date.now();
  readonly errors: JobFailure[] = [];
  done = 0;
  failed = 0;
  state: JobState = 'running';
  endedAt: number | undefined;
  /** Why it failed as a whole. */
  problem: string | undefined;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly #cancel = new AbortController();
  readonly #end: () => void;
  readonly #onChange: (job: Job) => void;
  #failuresInARow = 0;
  #nextAt = 0;

  constructor(options: JobOptions, onChange: (job: Job) => void) {
    this.options = options;
    this.#onChange = onChange;
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
  }

  /** Aborted when nothing more is to be begun. */
  get signal(): AbortSignal {
    return this.#cancel.signal;
  }

  succeeded(): void {
    this.done += 1;
    this.#failuresInARow = 0;
    this.#onChange(this);
  }

  /** One message could not be dealt with. `counts`: it says something about the others. */
  fails(id: string, error: unknown, counts = true): void {
    this.failed += 1;
    if (this.errors.length < MAX_ERRORS) this.errors.push({ id, Error: reasonOf(error) });
    if (counts) this.#failuresInARow += 1;
    if (this.#failuresInARow >= MAX_FAILURES_IN_A_ROW) {
      this.problem ??= `stopped after ${MAX_FAILURES_IN_A_ROW} failures in a row`;
      this.#cancel.abort();
    }
    this.#onChange(this);
  }

  /** Waits until the next message may be begun. */
  async pace(): Promise<void> {
    const rate = this.options.ratePerSecond ?? DEFAULT_RATE;
    const now = performance.now();
    const wait = this.#nextAt - now;
    this.#nextAt = Math.max(now, this.#nextAt) + 1000 / rate;
    // Timers are not that exact.
    if (wait >= 1) await pause(wait, this.signal);
  }

  cancel(): void {
    this.#cancel.abort();
  }

  /** Runs it to its end. Never rejects. */
  async run(work: (job: Job) => Promise<void>): Promise<void> {
    try {
      await work(this);
    } catch (error) {
      if (!this.signal.aborted) this.problem ??= reasonOf(error);
    }
    const cancelled = this.signal.aborted ? 'cancelled' : 'done';
    this.state = this.problem === undefined ? cancelled : 'failed';
    this.endedAt = Date.now();
    this.#onChange(this);
    this.#end();
  }
}

/** The jobs of one server. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #listeners = new Set<(job: Job) => void>();
  #closed = false;

  /** All that run, and the last hundred that have ended; the newest first. */
  list(): readonly Job[] {
    return [...this.#jobs.values()].reverse();
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Is the server ending, so that what is cancelled now is not so because somebody wanted it? */
  get closed(): boolean {
    return this.#closed;
  }

  /** @throws TooManyJobsError */
  start(options: JobOptions, work: (job: Job) => Promise<void>): Job {
    const running = this.#running.length;
    if (this.#closed || running >= MAX_RUNNING) throw new TooManyJobsError(`${running} jobs are running already`);
    let toldAt = Number.NEGATIVE_INFINITY;
    const job = new Job(options, (changed) => {
      const now = performance.now();
      if (changed.state === 'running' && now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      for (const listener of this.#listeners) listener(changed);
    });
    this.#jobs.set(job.id, job);
    this.#forgetOldest();
    void job.run(work).then(() => {
      const { action, store, by } = options;
      log.info(
        `The job ${action} on store [${store}] of ${by} is ${job.state}: ${job.done} messages, ${job.failed} failed`,
        {
          store,
          ...(job.problem !== undefined && { cause: job.problem }),
        },
      );
    });
    return job;
  }

  /** Hears of the progress and the end of every job; must not throw. @returns how to stop */
  onChange(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Cancels all, and lets each finish the message that it has in hand. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#running;
    for (const job of running) job.cancel();
    const late = new AbortController();
    const ended = Promise.all(running.map((job) => job.ended)).then(() => late.abort());
    await Promise.race([ended, pause(CLOSE_PATIENCE_MS, late.signal)]);
  }

  get #running(): readonly Job[] {
    return [...this.#jobs.values()].filter(({ state }) => state === 'running');
  }

  #forgetOldest(): void {
    const ended = [...this.#jobs.values()].filter(({ state }) => state !== 'running');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MAX_ENDED))) this.#jobs.delete(id);
  }
}
