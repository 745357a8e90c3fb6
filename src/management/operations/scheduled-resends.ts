import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { logger } from '../../logging/index.ts';
import type { Configuration } from '../../message/configuration.ts';
import { StoreError } from '../../stores/message-store.ts';
import { ManagementError } from '../management-error.ts';
import { writeWholeFile } from '../whole-file.ts';
import { type Job, TooManyJobsError } from './jobs.ts';
import type { MessageOperations } from './message-operations.ts';
import { reasonOf } from './operation-error.ts';
import type { Selection } from './selection.ts';
import { checkTreatment, type Treatment } from './treatment.ts';

const log = logger('ScheduledResends');
/** Resends that wait, and those that have ended and are remembered. */
const MAX_WAITING = 100;
const MAX_ENDED = 50;
/** How far ahead one may be, ms. */
const MAX_AHEAD_MS = 366 * 24 * 3_600_000;
/** A store that is out of reach is tried again, ever later, for an hour, ms. */
const RETRY = { first: 5_000, most: 300_000, for: 3_600_000 };
/** Timers are set anew after this at the latest: the clock may have been changed meanwhile, ms. */
const LONGEST_WAIT_MS = 60_000;
/** How long counting the messages may take, ms. */
const COUNT_DEADLINE_MS = 600_000;

export type ScheduleState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** What is to be sent again when (OP-63). */
export interface ResendWishes {
  readonly store: string;
  /** Epoch ms. */
  readonly at: number;
  /** Those of `filter` and `all` are the ones that there are by then. */
  readonly selection: Selection;
  readonly treatment: Extract<Treatment, { action: 'resend' }>;
  readonly ratePerSecond?: number | undefined;
  readonly by: string;
}

export interface ScheduledResend extends ResendWishes {
  readonly id: string;
  readonly createdAt: number;
  readonly state: ScheduleState;
  /** The job that does it, or has done it. */
  readonly job?: string | undefined;
  readonly done?: number | undefined;
  readonly failed?: number | undefined;
  readonly endedAt?: number | undefined;
  /** Why it failed, or why it is tried again. */
  readonly problem?: string | undefined;
  /** Epoch ms; later than `at` when it is tried again. */
  readonly nextAt: number;
}

export interface ResendHost {
  configuration(): Configuration;
  readonly operations: Pick<MessageOperations, 'many' | 'jobs'>;
  /** Told when one has ended. */
  ended?(resend: ScheduledResend): void;
  /** ms before a store that is out of reach is tried again for the first time; default 5,000. */
  readonly retryMs?: number;
}

/**
 * Resends at a time, kept in a file of the data folder:
 *
 *     waiting ──its time has come──► running ──the job has ended──► done | failed
 *        │ ▲                            │
 *        │ └──the store is out of reach─┘   (after an hour of that: failed)
 *        └──cancel()──► cancelled ◄──cancel()── running
 *
 * What was due while the server was down is done when it is back, and what was running then is done again, with what is left.
 */
export class ScheduledResends {
  readonly #file: string;
  readonly #host: ResendHost;
  readonly #byId = new Map<string, ScheduledResend>();
  readonly #closing = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  readonly #running = new Set<Promise<void>>();
  #saving: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  private constructor(file: string, host: ResendHost) {
    this.#file = file;
    this.#host = host;
  }

  /** Goes on with what an earlier run has left; a file that cannot be understood is told of and put aside by the next change. */
  static async open(file: string, host: ResendHost): Promise<ScheduledResends> {
    const resends = new ScheduledResends(file, host);
    for (const resend of await readResends(file)) {
      const again = resend.state === 'running' ? { ...resend, state: 'waiting' as const, job: undefined } : resend;
      resends.#byId.set(resend.id, again);
    }
    resends.#arm();
    return resends;
  }

  /** Those that wait, by their time, then those that run or have ended, the newest first. */
  list(): readonly ScheduledResend[] {
    const all = [...this.#byId.values()];
    const waiting = all.filter(({ state }) => state === 'waiting').sort((one, other) => one.nextAt - other.nextAt);
    return [...waiting, ...all.filter(({ state }) => state !== 'waiting').reverse()];
  }

  find(id: string): ScheduledResend | undefined {
    return this.#byId.get(id);
  }

  /** Resolves when it is on disk. @throws ManagementError 400, 404, 429 */
  async add(wishes: ResendWishes): Promise<ScheduledResend> {
    const now = Date.now();
    if (wishes.at <= now) throw new ManagementError(400, "'at' is not in the future");
    if (wishes.at > now + MAX_AHEAD_MS) throw new ManagementError(400, "'at' is more than a year ahead");
    const { configuration } = this.#host;
    const source = configuration().find('messageStore', wishes.store);
    if (!source) throw new ManagementError(404, `There is no message store '${wishes.store}'`);
    checkTreatment(wishes.treatment, { source, configuration: configuration() });
    if (this.list().filter(({ state }) => state === 'waiting').length >= MAX_WAITING)
      throw new ManagementError(429, `${MAX_WAITING} resends wait for their time already`);
    const resend: ScheduledResend = {
      ...wishes,
      id: randomUUID(),
      createdAt: now,
      state: 'waiting',
      nextAt: wishes.at,
    };
    await this.#set(resend);
    this.#arm();
    return resend;
  }

  /** One that runs ends after the message in hand. @throws ManagementError 404, and 409 for one that has ended */
  async cancel(id: string): Promise<ScheduledResend> {
    const resend = this.#byId.get(id);
    if (!resend) throw new ManagementError(404, `There is no scheduled resend '${id}'`);
    if (resend.state !== 'waiting' && resend.state !== 'running')
      throw new ManagementError(409, `It is ${resend.state} already`);
    if (resend.job !== undefined) this.#host.operations.jobs.find(resend.job)?.cancel();
    return await this.#set({ ...resend, state: 'cancelled', endedAt: Date.now() });
  }

  /** Begins nothing any more; what runs was begun as a job and ends with the others. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.#closed.resolve();
    await Promise.all(this.#running);
    await this.#saving;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const [next] = this.list();
    if (this.#closing.signal.aborted || next?.state !== 'waiting') return;
    const wait = Math.min(LONGEST_WAIT_MS, Math.max(0, next.nextAt - Date.now()));
    this.#timer = setTimeout(() => this.#beginDue(), wait).unref();
  }

  #beginDue(): void {
    for (const resend of this.list()) {
      if (resend.state !== 'waiting' || resend.nextAt > Date.now()) continue;
      const running = this.#run(resend).finally(() => {
        this.#running.delete(running);
        this.#arm();
      });
      this.#running.add(running);
    }
    this.#arm();
  }

  /** Never rejects. */
  async #run(resend: ScheduledResend): Promise<void> {
    await this.#set({ ...resend, state: 'running', problem: undefined });
    try {
      const job = await this.#begin(resend);
      await this.#set({ ...this.#now(resend), job: job.id });
      // Cancelled while it began.
      if (this.#now(resend).state === 'cancelled') job.cancel();
      await Promise.race([job.ended, this.#closed.promise]);
      // It goes on when the server is back.
      if (this.#closing.signal.aborted || (job.state === 'cancelled' && this.#host.operations.jobs.closed)) return;
      const ended = { done: job.done, failed: job.failed, problem: job.problem, endedAt: Date.now() };
      await this.#ends(resend, { ...ended, state: job.state === 'running' ? 'failed' : job.state });
    } catch (error) {
      if (!this.#closing.signal.aborted) await this.#fails(resend, error);
    }
  }

  async #begin({ store, selection, treatment, ratePerSecond, by }: ScheduledResend): Promise<Job> {
    const source = this.#host.configuration().find('messageStore', store);
    if (!source) throw new StoreError(store, `there is no message store '${store}'`);
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(COUNT_DEADLINE_MS)]);
    return await this.#host.operations.many(source, { selection, treatment, ratePerSecond, by, signal, unasked: true });
  }

  async #fails(resend: ScheduledResend, error: unknown): Promise<void> {
    const passing =
      error instanceof StoreError ||
      error instanceof TooManyJobsError ||
      (error instanceof ManagementError && error.status === 503);
    const late = Date.now() - resend.at;
    if (!passing || late >= RETRY.for || this.#now(resend).state !== 'running')
      return await this.#ends(resend, { state: 'failed', problem: reasonOf(error), endedAt: Date.now() });
    // As long again as it is late already.
    const wait = Math.min(RETRY.most, Math.max(this.#host.retryMs ?? RETRY.first, late));
    log.warn(
      `The resend from store [${resend.store}] is tried again in ${Math.round(wait / 1000)} s: ${reasonOf(error)}`,
    );
    await this.#set({ ...resend, state: 'waiting', problem: reasonOf(error), nextAt: Date.now() + wait });
  }

  async #ends(resend: ScheduledResend, end: Partial<ScheduledResend>): Promise<void> {
    const now = this.#now(resend);
    const ended = await this.#set({ ...now, ...end, ...(now.state === 'cancelled' && { state: now.state }) });
    const { store, by, state, problem } = ended;
    const details = { store, ...(problem !== undefined && { cause: problem }) };
    log.info(`The scheduled resend from store [${store}] of ${by} is ${state}: ${ended.done ?? 0} messages`, details);
    this.#host.ended?.(ended);
  }

  #now(resend: ScheduledResend): ScheduledResend {
    return this.#byId.get(resend.id) ?? resend;
  }

  /** Resolves when it is on disk; a file that cannot be written is told of. */
  async #set(resend: ScheduledResend): Promise<ScheduledResend> {
    this.#byId.set(resend.id, resend);
    const ended = [...this.#byId.values()].filter(({ endedAt }) => endedAt !== undefined);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MAX_ENDED))) this.#byId.delete(id);
    this.#saving = this.#saving.then(() => this.#save());
    await this.#saving;
    return resend;
  }

  async #save(): Promise<void> {
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      const text = JSON.stringify({ resends: [...this.#byId.values()] }, undefined, 1);
      await writeWholeFile(this.#file, text, { private: true });
    } catch (error) {
      log.error(`${this.#file} cannot be written, a restart will forget what is scheduled: ${reasonOf(error)}`);
    }
  }
}

async function readResends(file: string): Promise<readonly ScheduledResend[]> {
  try {
    const { resends } = JSON.parse(await readFile(file, 'utf8')) as { resends: ScheduledResend[] };
    return resends.filter(({ id, store, at, nextAt }) => id && store && Number.isFinite(at) && Number.isFinite(nextAt));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.error(`The scheduled resends in ${file} cannot be read: ${reasonOf(error)}`);
    return [];
  }
}
