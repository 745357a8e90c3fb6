const WINDOW_MS = 60_000;
const MAX_KEYS = 10_000;

interface Window {
  /** Epoch ms. */
  readonly endsAt: number;
  count: number;
}

/**
 * How often something may be tried within a minute, by key. Tries count as they begin, so that many at once are no way around it; what
 * succeeds is given back.
 */
export class AttemptLimit {
  readonly #allowed: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  constructor(allowed: number, now: () => number = Date.now) {
    this.#allowed = allowed;
    this.#now = now;
  }

  /** Counts a try; seconds to wait when there were too many, 0 when it may go on. */
  begin(key: string): number {
    const now = this.#now();
    let window = this.#windows.get(key);
    if (!window || window.endsAt <= now) {
      this.#windows.delete(key);
      window = { endsAt: now + WINDOW_MS, count: 0 };
      this.#makeRoom(now);
      this.#windows.set(key, window);
    }
    if (window.count >= this.#allowed) return Math.max(1, Math.ceil((window.endsAt - now) / 1000));
    window.count += 1;
    return 0;
  }

  /** The try succeeded: what was wrong before it is forgotten, too. */
  succeeded(key: string): void {
    this.#windows.delete(key);
  }

  #makeRoom(now: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now && this.#windows.size < MAX_KEYS) return;
      this.#windows.delete(key);
    }
  }
}
