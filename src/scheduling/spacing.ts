/** Greatest interval in milliseconds: the longest wait that a Node.js timer can do. */
export const LONGEST_INTERVAL = 2_147_483_647;

/**
 * The minimum distance between the starts of two deliveries of a worker (REQ-14, REQ-61): what `interval` means. After a
 * delivery that took longer than the interval the next one may start at once, but nothing is caught up. Time is
 * the monotonic clock's: setting the wall clock changes nothing (OP-88).
 */
export class Spacing {
  /** Milliseconds. */
  readonly interval: number;
  readonly #now: () => number;
  #lastStart = Number.NEGATIVE_INFINITY;

  /**
   * @param interval whole milliseconds, 0 to {@link LONGEST_INTERVAL}
   * @param now a monotonic clock in milliseconds
   * @throws RangeError if the interval is something else
   */
  constructor(interval: number, now: () => number = () => performance.now()) {
    if (!Number.isInteger(interval) || interval < 0 || interval > LONGEST_INTERVAL) {
      throw new RangeError(`interval must be 0 to ${LONGEST_INTERVAL} ms, not ${interval}`);
    }
    this.interval = interval;
    this.#now = now;
  }

  /** Milliseconds until the next delivery may start, rounded up to whole ones for a timer; 0 = now. */
  untilFree(): number {
    return Math.max(0, Math.ceil(this.#lastStart + this.interval - this.#now()));
  }

  /** A delivery starts now. */
  started(): void {
    this.#lastStart = this.#now();
  }
}
