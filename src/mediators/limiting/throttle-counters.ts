import type { Quota } from './throttle-policy.ts';

/** Callers that are remembered; the one unseen for longest is forgotten first. */
const MAX_CALLERS = 10_000;

interface Window {
  startMs: number;
  count: number;
  /** No request is allowed before. */
  deniedUntilMs: number;
}

/**
 * Counts requests by caller (spec mediators 3.32).
 *
 *     first request ──▶ OPEN for unitMs, up to count requests ──one too many──▶ DENIED until the window ends, or for prohibitMs
 *                        ▲                                                        │
 *                        └────────────── the first request after that ────────────┘
 *
 * Each caller has a window of its own (MREQ-38).
 */
export class CallerCounters {
  readonly #windows = new Map<string, Window>();
  readonly #now: () => number;

  /** @param now ms of a clock that does not go back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts one request; may it pass? */
  admit(caller: string, quota: Quota): boolean {
    if (quota.kind !== 'rate') return quota.kind === 'always';
    const now = this.#now();
    const window = this.#windowOf(caller, now);
    if (window.deniedUntilMs > now) return false;
    if (window.deniedUntilMs > 0 || now >= window.startMs + quota.unitMs) {
      Object.assign(window, { startMs: now, count: 0, deniedUntilMs: 0 });
    }
    if (window.count < quota.count) {
      window.count += 1;
      return true;
    }
    window.deniedUntilMs = quota.prohibitMs > 0 ? now + quota.prohibitMs : window.startMs + quota.unitMs;
    return false;
  }

  #windowOf(caller: string, now: number): Window {
    const window = this.#windows.get(caller) ?? { startMs: now, count: 0, deniedUntilMs: 0 };
    this.#windows.delete(caller);
    this.#windows.set(caller, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MAX_CALLERS && oldest !== undefined) this.#windows.delete(oldest);
    return window;
  }
}

/** Requests that may be going on at the same time. */
export class ConcurrencySlots {
  #taken = 0;

  /** Takes one of so many slots; the returned function gives it back, once. Undefined when all are taken. */
  take(limit: number): (() => void) | undefined {
    if (this.#taken >= limit) return undefined;
    this.#taken += 1;
    let held = true;
    return () => {
      if (held) this.#taken -= 1;
      held = false;
    };
  }
}
