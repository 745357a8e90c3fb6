import { setImmediate as nextTurn } from 'node:timers/promises';
import { LONGEST_INTERVAL } from '../../scheduling/index.ts';
import type { ClaimedMessage } from './message-table.ts';

/** Claims at one time: as many as there are consumers waiting, but not more than this. */
const MAX_CLAIMED_AT_ONCE = 16;
/** How long to rest when there was nothing, ms; doubled with every time. What this process puts wakes up earlier. */
const FIRST_REST_MS = 25;
const LONGEST_REST_MS = 1_000;

export interface DispatcherOptions {
  /** Whether there is a database to ask. */
  readonly ready: () => boolean;
  /** Claims at most so many messages. Never throws. */
  claim(count: number): Promise<readonly ClaimedMessage[]>;
  /** Gives back a message that nobody waits for any more. */
  giveBack(message: ClaimedMessage): void;
}

interface Waiter {
  readonly end: (message: ClaimedMessage | undefined) => void;
  /** A claim was made for it. */
  asked: boolean;
  /** Its time is over; it only waits for the claim that is under way. */
  due: boolean;
}

/**
 * Gets messages for the consumers that wait, first come, first served, with one question to the database for all of them.
 *
 *     IDLE ──somebody waits──► CLAIMING ──messages──► CLAIMING, or IDLE when nobody waits any more
 *                               ▲  │
 *                     wake, time│  └──none──► RESTING
 *                               └────────────────┘
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #waiters = new Set<Waiter>();
  #running = false;
  /** A claim is under way, or about to be made. */
  #claiming = false;
  #woken = false;
  #restMs = FIRST_REST_MS;
  #endRest: (() => void) | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** The next message; undefined when the signal was aborted, or none came within `waitMs`. */
  next(signal: AbortSignal, waitMs: number | undefined): Promise<ClaimedMessage | undefined> {
    return new Promise((resolve) => {
      const end = (message: ClaimedMessage | undefined) => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        if (this.#waiters.size === 0) this.#endRest?.();
        resolve(message);
      };
      const stop = () => end(undefined);
      const waiter: Waiter = { end, asked: false, due: false };
      const timer =
        waitMs === undefined
          ? undefined
          : setTimeout(() => this.#onTime(waiter), Math.min(Math.max(0, waitMs), LONGEST_INTERVAL));
      signal.addEventListener('abort', stop, { once: true });
      this.#waiters.add(waiter);
      this.wake();
    });
  }

  /** There may be something: a message was put or released, or the database is back. */
  wake(): void {
    this.#woken = true;
    this.#restMs = FIRST_REST_MS;
    this.#endRest?.();
    if (!this.#running) void this.#run();
  }

  #onTime(waiter: Waiter): void {
    // A claim that is under way may bring something yet.
    if (this.#claiming) waiter.due = true;
    else waiter.end(undefined);
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.size > 0) {
      this.#claiming = true;
      // Those whose messages were settled in one transaction come together: one claim serves all of them.
      await nextTurn();
      this.#woken = false;
      const ready = this.#options.ready() && this.#waiters.size > 0;
      const found = ready && (await this.#claim()) > 0;
      this.#claiming = false;
      if (!ready) this.#endDue(() => true);
      if (found) this.#restMs = FIRST_REST_MS;
      else if (!this.#woken && this.#waiters.size > 0) await this.#rest();
    }
    this.#running = false;
  }

  async #claim(): Promise<number> {
    for (const waiter of this.#waiters) waiter.asked = true;
    const messages = await this.#options.claim(Math.min(this.#waiters.size, MAX_CLAIMED_AT_ONCE));
    for (const message of messages) {
      const [waiter] = this.#waiters;
      if (waiter) waiter.end(message);
      else this.#options.giveBack(message);
    }
    this.#endDue(({ asked }) => asked);
    return messages.length;
  }

  #endDue(which: (waiter: Waiter) => boolean): void {
    for (const waiter of [...this.#waiters]) if (waiter.due && which(waiter)) waiter.end(undefined);
  }

  #rest(): Promise<void> {
    const ms = this.#restMs;
    this.#restMs = Math.min(LONGEST_REST_MS, ms * 2);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#endRest?.(), ms);
      this.#endRest = () => {
        this.#endRest = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
