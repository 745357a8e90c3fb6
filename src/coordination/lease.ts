import { logger } from '../logging/index.ts';
import { type MonotonicClock, processClock } from './clock.ts';
import type { Grant, LeaseMedium, TaskState } from './lease-medium.ts';
import { Tenure } from './tenure.ts';

const log = logger('CoordinatedTaskScheduler');

/** How long to wait when the medium could not be asked, or is not there, ms. */
const ASK_AGAIN_MS = 1_000;
/** Of the time that a grant is valid: when it is renewed, and how long to wait after a renewal that failed. */
const RENEW_AFTER = 1 / 3;
const RENEW_AGAIN_AFTER = 1 / 15;
/** The longest time between two renewals, ms. */
const LONGEST_RENEWAL_MS = 5_000;

/** How a node stands to a task, for operators. */
export interface LeaseStatus {
  /** `MSMP_<processor>_<i>` */
  readonly task: string;
  /** As the medium says it, or as this node knows it. LOCAL: the store is in memory, where no other node can be. */
  readonly state: TaskState | 'LOCAL';
  /** The node that has it; undefined when the medium does not tell. */
  readonly holder: string | undefined;
  /** Whether this node may do it now. */
  readonly here: boolean;
  /** Where it is coordinated. */
  readonly where: string | undefined;
  /** Why it cannot be asked for. */
  readonly lastError: string | undefined;
}

export interface LeaseOptions {
  readonly task: string;
  readonly node: string;
  /**
   * The medium of the moment; `local`: there are no others to agree with; undefined: it is not there yet.
   * @throws an error when it cannot be used
   */
  medium(): LeaseMedium | 'local' | undefined;
  readonly clock?: MonotonicClock;
}

/**
 * The right of one node to do a task (spec stores 6.2, REQ-25), kept for as long as somebody here wants to do it:
 *
 *   RELEASED ── first `during` ──► ASKING ── granted ──► HELD ── renewed ──► HELD …
 *      ▲                           │  ▲                   │ │
 *      │              refused, or  ▼  │ time              │ │ expired, lost, refused when renewed
 *      │           out of reach   WAITING                 │ ▼
 *      │                           ▲                      │ ENDING (who worked under it stops)
 *      │                           └── all have stopped ───┼─┘
 *      └── last `during` has ended: given back ◄──────────┘ (also from ASKING and WAITING)
 *
 * HELD has a deadline: the last answer of the medium counts from when it was asked for, on the monotonic clock, and a margin short of
 * when the medium gives the task to others. An answer that comes after the deadline does not bring the tenure back: the way from
 * ENDING leads through ASKING. There is no ASKING before all who worked under the last tenure have stopped.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #clock: MonotonicClock;
  readonly #waiting = new Set<() => void>();
  #users = 0;
  #loop: Promise<void> | undefined;
  /** Aborted when nobody wants to do it any more. */
  #unwanted = new AbortController();
  #tenure: Tenure | undefined;
  #holder: string | undefined;
  #state: TaskState = 'NONE';
  #where: string | undefined;
  #local = false;
  #lastError: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? processClock;
  }

  /**
   * Does `work` whenever this node has the task, again and again until `halt` is aborted. `work` has to end soon after `over` of its
   * tenure or `halt` is aborted. The task is given back when the last one who called this has ended, who waits for that unless somebody
   * wants to do it again meanwhile.
   * @throws what `work` throws
   */
  async during(halt: AbortSignal, work: (tenure: Tenure) => Promise<void>): Promise<void> {
    if (halt.aborted) return;
    this.#users += 1;
    if (this.#users === 1) this.#wake();
    this.#loop ??= this.#keep();
    try {
      for (let tenure = await this.#next(halt); tenure; tenure = await this.#next(halt)) {
        const current = tenure;
        await current.enter(() => work(current));
      }
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        this.#unwanted.abort();
        await this.#givenBack();
      }
    }
  }

  status(): LeaseStatus {
    const here = this.#tenure?.holds() ?? false;
    const holder = here ? this.#options.node : this.#holder;
    const state = this.#local ? 'LOCAL' : here ? 'RUNNING' : this.#state;
    return { task: this.#options.task, state, holder, here, where: this.#where, lastError: this.#lastError };
  }

  /** The next tenure that holds; undefined when halted before. */
  async #next(halt: AbortSignal): Promise<Tenure | undefined> {
    while (!halt.aborted) {
      if (this.#tenure?.holds()) return this.#tenure;
      await this.#change(halt);
    }
    return undefined;
  }

  async #givenBack(): Promise<void> {
    const ended = new AbortController();
    void this.#loop?.finally(() => ended.abort());
    while (this.#users === 0 && !ended.signal.aborted) await this.#change(ended.signal);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #change(halt: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        halt.removeEventListener('abort', end);
        resolve();
      };
      this.#waiting.add(end);
      halt.addEventListener('abort', end);
    });
  }

  async #keep(): Promise<void> {
    while (this.#users > 0) {
      this.#unwanted = new AbortController();
      const grant = await this.#ask(this.#unwanted.signal);
      if (grant) await this.#hold(grant, this.#unwanted.signal);
    }
    this.#loop = undefined;
  }

  /** ASKING and WAITING. */
  async #ask(unwanted: AbortSignal): Promise<Grant | undefined> {
    while (!unwanted.aborted) {
      const waitMs = await this.#askOnce(unwanted);
      if (typeof waitMs !== 'number') return waitMs;
      await this.#clock.pause(waitMs, unwanted);
    }
    return undefined;
  }

  async #askOnce(unwanted: AbortSignal): Promise<Grant | number> {
    try {
      const medium = this.#options.medium();
      this.#local = medium === 'local';
      if (medium === undefined) return ASK_AGAIN_MS;
      if (medium === 'local') return this.#localGrant();
      this.#where = medium.where;
      const answer = await medium.acquire(this.#options.task, unwanted);
      this.#lastError = undefined;
      if (answer.granted) return answer;
      this.#holder = answer.holder;
      this.#state = answer.state ?? (answer.holder === undefined ? 'NONE' : 'RUNNING');
      return answer.retryMs;
    } catch (error) {
      this.#noteProblem(error);
      return ASK_AGAIN_MS;
    }
  }

  /** Where there are no others, nobody is asked and nothing expires, until the store becomes another one. */
  #localGrant(): Grant {
    return {
      granted: true,
      askedAt: this.#clock.now(),
      validMs: Number.POSITIVE_INFINITY,
      lost: new AbortController().signal,
      renew: async () => this.#options.medium() === 'local',
      release: async () => undefined,
    };
  }

  /** HELD and ENDING. */
  async #hold(grant: Grant, unwanted: AbortSignal): Promise<void> {
    const { task, node } = this.#options;
    const tenure = new Tenure(this.#clock, grant);
    const end = () => tenure.end();
    grant.lost.addEventListener('abort', end);
    if (grant.lost.aborted) end();
    if (tenure.holds() && !unwanted.aborted) {
      this.#tenure = tenure;
      this.#holder = undefined;
      this.#state = 'NONE';
      if (!this.#local) log.info(`The task [${task}] runs on this node [${node}]`, { task, node });
      this.#wake();
      await this.#renew(grant, tenure, unwanted);
      if (!this.#local) this.#announceEnd(unwanted.aborted);
      tenure.end();
      await tenure.left();
      this.#tenure = undefined;
    }
    grant.lost.removeEventListener('abort', end);
    await grant.release();
  }

  /** Resolves when the tenure is over, or nobody wants it any more. */
  async #renew(grant: Grant, tenure: Tenure, unwanted: AbortSignal): Promise<void> {
    let waitMs = Math.min(grant.validMs * RENEW_AFTER, LONGEST_RENEWAL_MS);
    while (tenure.holds() && !unwanted.aborted) {
      await this.#clock.pause(Math.min(waitMs, tenure.remainingMs()), unwanted, tenure.over);
      if (!tenure.holds() || unwanted.aborted) return;
      const askedAt = this.#clock.now();
      const answer = await this.#renewOnce(grant, tenure, unwanted);
      if (answer === 'refused') return;
      if (answer === 'kept') tenure.renewed(askedAt);
      waitMs = Math.min(grant.validMs * (answer === 'kept' ? RENEW_AFTER : RENEW_AGAIN_AFTER), LONGEST_RENEWAL_MS);
    }
  }

  async #renewOnce(grant: Grant, tenure: Tenure, unwanted: AbortSignal): Promise<'kept' | 'refused' | 'unknown'> {
    const answered = new AbortController();
    const late = this.#clock
      .pause(tenure.remainingMs(), answered.signal, unwanted, tenure.over)
      .then(() => 'unknown' as const);
    const answer = grant.renew().then(
      (kept) => (kept ? 'kept' : 'refused') as 'kept' | 'refused',
      (error: unknown) => {
        this.#noteProblem(error);
        return 'unknown' as const;
      },
    );
    const first = await Promise.race([answer, late]);
    answered.abort();
    return first;
  }

  #announceEnd(wanted: boolean): void {
    const { task, node } = this.#options;
    if (wanted) log.info(`The task [${task}] is given back by this node [${node}]`, { task, node });
    else {
      const why = this.#lastError === undefined ? '' : `: ${this.#lastError}`;
      log.warn(`This node [${node}] has lost the task [${task}] and stops it${why}`, { task, node });
    }
  }

  #noteProblem(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    const { task, node } = this.#options;
    if (problem !== this.#lastError) log.debug(`The task [${task}] cannot be coordinated: ${problem}`, { task, node });
    this.#lastError = problem;
  }
}
