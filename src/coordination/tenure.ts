import type { MonotonicClock } from './clock.ts';

/**
 * The time in which this node may do a task. What is done under it looks at {@link Tenure.holds} right before anything that others
 * would notice: timers alone cannot tell, as a process that was stopped (SIGSTOP, a frozen virtual machine) goes on in the middle of
 * its work, before they fire.
 */
export class Tenure {
  /** Aborted when it is over, by expiry, by loss or because it was given back. */
  readonly over: AbortSignal;
  readonly #clock: MonotonicClock;
  readonly #validMs: number;
  readonly #end = new AbortController();
  #deadline: number;
  #inside = 0;
  #onEmpty: (() => void) | undefined;

  constructor(clock: MonotonicClock, { askedAt, validMs }: { readonly askedAt: number; readonly validMs: number }) {
    this.#clock = clock;
    this.#validMs = validMs;
    this.#deadline = askedAt + validMs;
    this.over = this.#end.signal;
  }

  /** Whether it holds now; once it does not, it never does again. */
  holds(): boolean {
    if (!this.over.aborted && this.#clock.now() >= this.#deadline) this.#end.abort();
    return !this.over.aborted;
  }

  /** ms until it ends unless it is renewed. */
  remainingMs(): number {
    return this.holds() ? this.#deadline - this.#clock.now() : 0;
  }

  /** The medium has confirmed it when asked at `askedAt`. What came too late changes nothing. */
  renewed(askedAt: number): void {
    if (this.holds()) this.#deadline = Math.max(this.#deadline, askedAt + this.#validMs);
  }

  end(): void {
    this.#end.abort();
  }

  /** Does work under it; see {@link left}. */
  async enter(work: () => Promise<void>): Promise<void> {
    this.#inside += 1;
    try {
      await work();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0) this.#onEmpty?.();
    }
  }

  /** Resolves when nobody works under it any more. */
  left(): Promise<void> {
    if (this.#inside === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }
}
