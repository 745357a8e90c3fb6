import { type ClockChangeRule, parseQuartzExpression, type QuartzExpression } from './quartz-expression.ts';
import { type WallClock, wallClock } from './wall-clock.ts';

export interface CronTriggerOptions {
  /** For an expression given as text: IANA name, default the zone of the process. */
  readonly timeZone?: string | undefined;
  /** For an expression given as text. */
  readonly dst?: ClockChangeRule | undefined;
  readonly clock?: WallClock | undefined;
  /** Gets what `onTick` throws or rejects with; the schedule goes on. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/** @param due the time for which the run was planned, epoch milliseconds */
export type OnTick = (due: number) => Promise<void> | void;

/**
 * The clock is looked at no less often than this, in milliseconds: timers stand still while a machine sleeps and know
 * nothing of a clock that was set, so a run that came due meanwhile starts at most this late.
 */
const LONGEST_WAIT = 60_000;

/**
 * Runs `onTick` by a Quartz expression, never twice at a time (OP-88).
 *
 *     stopped ── start ──> waiting ── a run comes due ──> running ── onTick settles ──> waiting
 *                                                          │    ^
 *                                     a run comes due      v    │ onTick settles: the remembered run starts at once
 *                                                   running, one remembered
 *     any ── stop ──> stopped: no run starts any more, the remembered one is forgotten, a running onTick ends by itself
 *
 * However many runs have come due since the last look at the clock (the process was stopped, the machine asleep, the
 * event loop blocked, `onTick` slow), they become one. After `stop` and `start` the schedule begins anew at the present.
 * Once the expression has no further run, the trigger waits for nothing and holds no timer.
 *
 * When the clock is set back by less than the longest wait, the trigger waits until the time it had reached comes again;
 * by more, it plans anew, so that a wrong date at boot does not silence it.
 */
export class CronTrigger {
  readonly expression: QuartzExpression;
  readonly #onTick: OnTick;
  readonly #clock: WallClock;
  readonly #onError: (error: unknown) => void;
  #started = false;
  #next: number | undefined;
  #lastLook = 0;
  #turnOffAlarm: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #remembered: number | undefined;

  constructor(expression: QuartzExpression, onTick: OnTick, options: Pick<CronTriggerOptions, 'clock' | 'onError'>) {
    this.expression = expression;
    this.#onTick = onTick;
    this.#clock = options.clock ?? wallClock;
    this.#onError = options.onError;
  }

  /** Begins with the first run after the present. Does nothing if started already. */
  start(): void {
    if (this.#started) {
      return;
    }
    this.#started = true;
    this.#plan(this.#clock.now());
    this.#wait();
  }

  /** From now on no run starts. One that is going on ends by itself: see {@link whenIdle}. */
  stop(): void {
    this.#started = false;
    this.#next = undefined;
    this.#remembered = undefined;
    this.#turnOffAlarm?.();
    this.#turnOffAlarm = undefined;
  }

  /** Resolves once no `onTick` is going on; after {@link stop}, that is for good. Never rejects. */
  async whenIdle(): Promise<void> {
    await this.#running;
  }

  /** The next run in epoch milliseconds; undefined when stopped or when there is none any more. */
  next(): number | undefined {
    return this.#next;
  }

  #plan(now: number): void {
    this.#lastLook = now;
    this.#next = this.expression.next(now);
  }

  #wait(): void {
    if (this.#next !== undefined) {
      const look = Math.min(this.#next, this.#lastLook + LONGEST_WAIT);
      this.#turnOffAlarm = this.#clock.alarm(look, () => this.#look());
    }
  }

  #look(): void {
    const now = this.#clock.now();
    const due = this.#next;
    if (due !== undefined && now >= due) {
      this.#plan(now);
      this.#wait();
      this.#tick(due);
      return;
    }
    if (now < this.#lastLook - LONGEST_WAIT) {
      this.#plan(now);
    }
    this.#lastLook = now;
    this.#wait();
  }

  #tick(due: number): void {
    if (this.#running === undefined) {
      this.#running = this.#run(due);
    } else {
      this.#remembered ??= due;
    }
  }

  async #run(first: number): Promise<void> {
    try {
      for (let due: number | undefined = first; due !== undefined; due = this.#takeRemembered()) {
        await this.#runOnce(due);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #runOnce(due: number): Promise<void> {
    try {
      await this.#onTick(due);
    } catch (error) {
      this.#onError(error);
    }
  }

  #takeRemembered(): number | undefined {
    const due = this.#remembered;
    this.#remembered = undefined;
    return due;
  }
}

/**
 * A trigger that is not started yet.
 *
 * @throws QuartzSyntaxError, UnknownTimeZoneError for an expression given as text
 */
export function cronTrigger(
  expression: string | QuartzExpression,
  onTick: OnTick,
  options: CronTriggerOptions,
): CronTrigger {
  const parsed = typeof expression === 'string' ? parseQuartzExpression(expression, options) : expression;
  return new CronTrigger(parsed, onTick, options);
}
