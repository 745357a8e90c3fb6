/**
 * Keeps the order of a queue while somebody looks into it. RabbitMQ has no browsers: whoever looks takes messages and gives them back
 * to their places, and a consumer that asked meanwhile would get a later one first. So the consumers of this process fetch together,
 * and a look is alone:
 *
 *     OPEN ──fetch()──► FETCHING (any number) ──all have ended──► OPEN
 *       ▲                  │ look(): fetches that wait for a message are interrupted
 *       └──the look ended──┴──► LOOKING (one at a time; who wants to fetch waits)
 */
export class FetchGate {
  #fetching = 0;
  #looks: Promise<unknown> = Promise.resolve();
  #looking = 0;
  #interrupt = new AbortController();
  /** Those who wait for a look or for fetches to end. */
  readonly #waiting = new Set<() => void>();

  /** Fetches as soon as nobody looks. `interrupted`: to be given up, and tried again. Undefined when `signal` was aborted before. */
  async fetch<T>(signal: AbortSignal, work: (interrupted: AbortSignal) => Promise<T>): Promise<T | undefined> {
    while (this.#looking > 0 && !signal.aborted) await this.#change(signal);
    if (signal.aborted) return undefined;
    this.#fetching += 1;
    try {
      return await work(this.#interrupt.signal);
    } finally {
      this.#fetching -= 1;
      this.#wake();
    }
  }

  /** Waits for its turn, and for fetches to end. @returns what to call at the end of the look; must be called */
  async look(signal: AbortSignal): Promise<() => void> {
    this.#looking += 1;
    this.#interrupt.abort();
    const { promise, resolve } = Promise.withResolvers<void>();
    const earlier = this.#looks;
    this.#looks = promise;
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      this.#looking -= 1;
      if (this.#looking === 0) this.#interrupt = new AbortController();
      // Its turn passes on only after those before it have had theirs.
      void earlier.then(() => resolve());
      this.#wake();
    };
    try {
      await abortable(earlier, signal);
      while (this.#fetching > 0) {
        signal.throwIfAborted();
        await this.#change(signal);
      }
      signal.throwIfAborted();
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      this.#waiting.add(end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

/** @throws the signal's reason when it is aborted first */
async function abortable(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    aborted.promise.catch(() => undefined);
  }
}
