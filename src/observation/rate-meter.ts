/** Rates are means over this time, ms. */
const WINDOW_MS = 5_000;
const MAX_SAMPLES = 8;

/** Turns samples of a growing count into a rate per second. */
export class RateMeter {
  readonly #samples: Array<readonly [at: number, count: number]> = [];

  /** @param at monotonic ms */
  sample(at: number, count: number): void {
    const last = this.#samples.at(-1);
    // What it counts was replaced by another deployment of itself.
    if (last && count < last[1]) this.#samples.length = 0;
    this.#samples.push([at, count]);
    while (this.#samples.length > MAX_SAMPLES || this.#tooOld(at)) this.#samples.shift();
  }

  /** Per second; 0 before there are two samples. */
  get perSecond(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last[0] <= first[0]) return 0;
    return Math.round(((last[1] - first[1]) / (last[0] - first[0])) * 100_000) / 100;
  }

  /** Two samples stay, however far apart they are. */
  #tooOld(now: number): boolean {
    const [first, second] = this.#samples;
    return this.#samples.length > 2 && first !== undefined && second !== undefined && now - first[0] > WINDOW_MS + 500;
  }
}

/** One meter per name; those that are not sampled any more are forgotten. */
export class RateMeters {
  #meters = new Map<string, RateMeter>();

  /** Samples all counts that there are now. */
  sample(at: number, counts: Iterable<readonly [name: string, count: number]>): void {
    const meters = new Map<string, RateMeter>();
    for (const [name, count] of counts) {
      const meter = this.#meters.get(name) ?? new RateMeter();
      meter.sample(at, count);
      meters.set(name, meter);
    }
    this.#meters = meters;
  }

  perSecond(name: string): number {
    return this.#meters.get(name)?.perSecond ?? 0;
  }
}
