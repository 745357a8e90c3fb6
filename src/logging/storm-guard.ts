/** More different lines than this are not told apart at once; the oldest is forgotten. */
const MAX_KEYS = 256;

export interface StormGuardOptions<T> {
  /** How many equal events of the first window pass. */
  readonly allowed: number;
  readonly windowMs: number;
  /** Windows that follow each other in one storm double up to this length. */
  readonly longestWindowMs: number;
  /** Told at the end of a window how many were held back in it, with the last of them. */
  onSummary(last: T, count: number, windowMs: number): void;
}

interface Window<T> {
  readonly ms: number;
  readonly timer: NodeJS.Timeout;
  /** How many more may pass. */
  left: number;
  held: number;
  last: T;
}

/**
 * Collapses repeated identical events into counts (OP-70), so that a broker that is down for a night does not fill the disk with one
 * line:
 *
 *   quiet --(event)--> first window: `allowed` events pass, the rest is held
 *   window ends, some held --> summary; next window, twice as long, in which all is held
 *   window ends, none held --> quiet
 */
export class StormGuard<T> {
  readonly #options: StormGuardOptions<T>;
  readonly #windows = new Map<string, Window<T>>();

  constructor(options: StormGuardOptions<T>) {
    this.#options = options;
  }

  /** True when the event may pass. */
  admit(key: string, event: T): boolean {
    const { allowed, windowMs } = this.#options;
    const window = this.#windows.get(key) ?? this.#open(key, event, { ms: windowMs, left: allowed });
    if (window.left > 0) {
      window.left -= 1;
      return true;
    }
    window.held += 1;
    window.last = event;
    return false;
  }

  /** Ends all windows now and reports what they held back. */
  flush(): void {
    for (const key of [...this.#windows.keys()]) this.#end(key);
  }

  #open(key: string, event: T, { ms, left }: { ms: number; left: number }): Window<T> {
    if (this.#windows.size >= MAX_KEYS) this.#end(this.#windows.keys().next().value as string);
    const timer = setTimeout(() => this.#elapsed(key), ms);
    timer.unref();
    const window = { ms, timer, left, held: 0, last: event };
    this.#windows.set(key, window);
    return window;
  }

  #elapsed(key: string): void {
    const window = this.#end(key);
    if (!window?.held) return;
    this.#open(key, window.last, { ms: Math.min(window.ms * 2, this.#options.longestWindowMs), left: 0 });
  }

  #end(key: string): Window<T> | undefined {
    const window = this.#windows.get(key);
    if (!window) return undefined;
    clearTimeout(window.timer);
    this.#windows.delete(key);
    if (window.held > 0) this.#options.onSummary(window.last, window.held, window.ms);
    return window;
  }
}
