import { LONGEST_INTERVAL } from './spacing.ts';

/** When a simple trigger fires: at once, then every `intervalMs`, `count` times in all. */
export interface SimpleSchedule {
  /** Milliseconds. */
  readonly intervalMs: number;
  /** Undefined: for ever. */
  readonly count: number | undefined;
}

/**
 * Runs something at a fixed distance, on the monotonic clock. Runs that come due while the event loop is blocked are left out, so
 * that nothing is caught up in a burst; a run does not wait for the one before.
 */
export class SimpleTrigger {
  readonly #schedule: SimpleSchedule;
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #runs = 0;

  /** @param onTick must not throw */
  constructor(schedule: SimpleSchedule, onTick: () => void) {
    this.#schedule = schedule;
    this.#onTick = onTick;
  }

  /** Fires for the first time as soon as the present turn of the event loop has ended. Does nothing when started already. */
  start(): void {
    if (this.#timer !== undefined || this.#ended) return;
    this.#due = performance.now();
    this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** How often it has fired. */
  get runs(): number {
    return this.#runs;
  }

  get #ended(): boolean {
    return this.#schedule.count !== undefined && this.#runs >= this.#schedule.count;
  }

  #wait(): void {
    const wait = Math.min(Math.max(this.#due - performance.now(), 0), LONGEST_INTERVAL);
    this.#timer = setTimeout(() => this.#look(), wait);
  }

  #look(): void {
    const now = performance.now();
    // A timer may come a fraction of a millisecond early, and much too early where the interval is longer than a timer can be.
    if (now < this.#due) {
      this.#wait();
      return;
    }
    this.#runs += 1;
    const missed = Math.floor((now - this.#due) / Math.max(this.#schedule.intervalMs, 1));
    this.#due += (missed + 1) * Math.max(this.#schedule.intervalMs, 1);
    if (this.#ended) this.#timer = undefined;
    else this.#wait();
    this.#onTick();
  }
}
