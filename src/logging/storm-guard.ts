/** More different lines than this are not told apart at once; the oldest is forgotten. */
const MAX_KEYS = 256;

export interface StormGuardOptions<T> {
  /** How many equal events of a window pass. */
  readonly allowed: number;
  readonly windowMs: number;
  /** Told at the end of a window how many were held back, with the last of them. */
  onSummary(last: T, count: number): void;
}

/** Collapses repeated identical events into a count (OP-70), so that a dead broker does not fill the disk with one line. */
export class StormGuard<T> {
  readonly #options: StormGuardOptions<T>;
  readonly #windows = new Map<string, { seen: number; held: number; last: T; timer: NodeJS.Timeout }>();

  constructor(options: StormGuardOptions<T>) {
    this.#options = options;
  }

  /** True when the event may pass. */
  admit(key: string, event: T): boolean {
    const window = this.#windows.get(key);
    if (!window) {
      this.#open(key, event);
      return true;
    }
    window.seen += 1;
    if (window.seen <= this.#options.allowed) return true;
    window.held += 1;
    window.last = event;
    return false;
  }

  /** Ends all windows now and reports what they held back. */
  flush(): void {
    for (const key of [...this.#windows.keys()]) this.#end(key);
  }

  #open(key: string, event: T): void {
    if (this.#windows.size >= MAX_KEYS) this.#end(this.#windows.keys().next().value as string);
    const timer = setTimeout(() => this.#end(key), this.#options.windowMs);
    timer.unref();
    this.#windows.set(key, { seen: 1, held: 0, last: event, timer });
  }

  #end(key: string): void {
    const window = this.#windows.get(key);
    if (!window) return;
    clearTimeout(window.timer);
    this.#windows.delete(key);
    if (window.held > 0) this.#options.onSummary(window.last, window.held);
  }
}
