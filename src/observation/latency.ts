/**
 * Upper bounds of the buckets, seconds: ten to a decade where most answers are, so that percentiles are right to about 20 %.
 * {@link EXPORTED_BOUNDS} are among them.
 */
export const BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.0125,
  0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5,
  2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600,
];

/** The bounds that Prometheus sees, seconds. */
export const EXPORTED_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
];

/** Percentiles of a recent time, ms. */
export interface LatencyPercentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/**
 * How long something took, in fixed buckets of plain numbers: counting allocates nothing. The counts only grow, as Prometheus wants
 * them; percentiles are those of the time since the last but one {@link turn}.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BOUNDS.length + 1);
  /** The counts at the last turn, and at the one before. */
  #last = new Float64Array(BOUNDS.length + 1);
  #lastButOne = new Float64Array(BOUNDS.length + 1);
  #sum = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Seconds. */
  get sum(): number {
    return this.#sum;
  }

  /** @param ms what was measured */
  add(ms: number): void {
    const seconds = ms / 1000;
    const bucket = bucketOf(seconds);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
    this.#count += 1;
  }

  /** What was counted, by bucket. */
  buckets(): readonly number[] {
    return [...this.#counts];
  }

  /** Adds what another histogram has counted. @param sum of it, seconds */
  addBuckets(buckets: ReadonlyArray<readonly [bucket: number, count: number]>, sum: number): void {
    for (const [bucket, count] of buckets) {
      if (this.#counts[bucket] === undefined) continue;
      this.#counts[bucket] += count;
      this.#count += count;
    }
    this.#sum += sum;
  }

  /** Cumulative counts for the exported bounds, in their order; everything is {@link count}. */
  cumulative(): number[] {
    const result: number[] = [];
    let bucket = 0;
    let sum = 0;
    for (const bound of EXPORTED_BOUNDS) {
      for (; bucket < BOUNDS.length && (BOUNDS[bucket] as number) <= bound; bucket += 1)
        sum += this.#counts[bucket] ?? 0;
      result.push(sum);
    }
    return result;
  }

  /** Of what was added since the last but one turn; undefined when that is nothing. */
  percentiles(): LatencyPercentiles | undefined {
    const recent = this.#counts.map((count, bucket) => count - (this.#lastButOne[bucket] ?? 0));
    const total = recent.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    return {
      p50: quantile(recent, total, 0.5),
      p95: quantile(recent, total, 0.95),
      p99: quantile(recent, total, 0.99),
    };
  }

  /** Lets percentiles forget what is older than two turns. */
  turn(): void {
    this.#lastButOne = this.#last;
    this.#last = this.#counts.slice();
  }
}

function bucketOf(seconds: number): number {
  let low = 0;
  let high = BOUNDS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((BOUNDS[middle] as number) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** In ms, interpolated inside its bucket. */
function quantile(counts: Float64Array, total: number, wanted: number): number {
  const rank = wanted * total;
  let before = 0;
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] ?? 0;
    if (count > 0 && before + count >= rank) {
      const lower = bucket === 0 ? 0 : (BOUNDS[bucket - 1] as number);
      const upper = BOUNDS[bucket] ?? lower;
      return round((lower + (upper - lower) * ((rank - before) / count)) * 1000);
    }
    before += count;
  }
  return round((BOUNDS.at(-1) as number) * 1000);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
