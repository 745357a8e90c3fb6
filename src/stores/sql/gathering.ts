import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

/** A group waits for others at most this long, ms, and at most half as long as the last commit took. */
const LONGEST_WAIT_MS = 10;
const SHORTEST_WAIT_MS = 1;
/** Who was at work for more of the time that the last commit took than this leaves has no time to wait. */
const LEAST_IDLE = 0.5;
/** What the last commit tells about the next one is forgotten after so many times its duration, and so many ms. */
const FORGOTTEN_AFTER_TIMES = 2;
const FORGOTTEN_AFTER_MS = 20;

/**
 * When a group is whole. Clients that have just been answered come again within moments: a commit that begins with the first of them
 * leaves the others to the next one, so that each flush of the disk serves half of them. So a group waits until it is as large as all
 * were that the last commit found, taken or waiting; it gives up as soon as nobody comes any more.
 *
 *     last commit: 40 taken, 24 waiting at its end ──► the next group goes at 64, or when none has come for a moment, or when it has
 *     waited for half of what the last commit took, 10 ms at most
 *
 * Who is alone never waits: the last commit found nobody else. Nor is there a wait when this process was at work for most of the last
 * commit: then not the disk is what everybody waits for, and a group that goes at once is written while others are taken in.
 */
export class Gathering {
  readonly #longestWaitMs: number;
  #expected = 1;
  #tookMs = 0;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(longestWaitMs = LONGEST_WAIT_MS) {
    this.#longestWaitMs = longestWaitMs;
  }

  /**
   * A commit has ended: what it had taken, how many were waiting then, how long it took, ms, and for which part of that time this
   * process had nothing to do, 0 to 1.
   */
  note(taken: number, waiting: number, tookMs: number, idle = 1): void {
    this.#expected = idle < LEAST_IDLE ? 1 : taken + waiting;
    this.#tookMs = tookMs;
    this.#endedAt = performance.now();
  }

  /** Whether the last commit ended less than `ms` ago. */
  endedWithin(ms: number): boolean {
    return performance.now() - this.#endedAt < ms;
  }

  /**
   * Whether there is something to wait for.
   * @param count how many are in the group now
   * @param most how many a group takes at most
   */
  awaits(count: number, most: number): boolean {
    return count < Math.min(most, this.#expected) && !this.#isForgotten(performance.now());
  }

  /** Waits until the group is whole, of which `count` tells how many there are; see {@link awaits}. */
  async whole(count: () => number, most: number): Promise<void> {
    if (!this.awaits(count(), most)) return;
    const begun = performance.now();
    const expected = Math.min(most, this.#expected);
    const waitMs = Math.min(this.#longestWaitMs, Math.max(SHORTEST_WAIT_MS, this.#tookMs / 2));
    for (let before = count(); performance.now() - begun < waitMs; before = count()) {
      await nextTurn();
      if (count() === before) await delay(SHORTEST_WAIT_MS);
      if (count() >= expected || count() === before) return;
    }
  }

  #isForgotten(now: number): boolean {
    return now - this.#endedAt > Math.max(FORGOTTEN_AFTER_MS, this.#tookMs * FORGOTTEN_AFTER_TIMES);
  }
}
