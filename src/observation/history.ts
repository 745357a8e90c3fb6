/** One point of a store's history. */
export interface HistoryPoint {
  /** Epoch ms. */
  readonly t: number;
  /** Messages waiting; null when nobody could tell. */
  readonly depth: number | null;
  /** Messages stored and taken away since the point before. */
  readonly in: number;
  readonly out: number;
}

/** The distance of two points, and how many there are: an hour. */
export const HISTORY_STEP_MS = 5_000;
const POINTS = 720;

/** The last hour of one store in a ring of fixed size. */
export class StoreHistory {
  readonly #at = new Float64Array(POINTS);
  readonly #depth = new Float64Array(POINTS);
  readonly #in = new Float64Array(POINTS);
  readonly #out = new Float64Array(POINTS);
  #next = 0;
  #size = 0;

  add(point: HistoryPoint): void {
    this.#at[this.#next] = point.t;
    this.#depth[this.#next] = point.depth ?? Number.NaN;
    this.#in[this.#next] = point.in;
    this.#out[this.#next] = point.out;
    this.#next = (this.#next + 1) % POINTS;
    this.#size = Math.min(POINTS, this.#size + 1);
  }

  /** Points that are no older than `since` (epoch ms), the oldest first. */
  points(since: number): HistoryPoint[] {
    const found: HistoryPoint[] = [];
    for (let back = this.#size; back > 0; back -= 1) {
      const index = (this.#next - back + POINTS) % POINTS;
      const t = this.#at[index] ?? 0;
      if (t < since) continue;
      const depth = this.#depth[index] ?? Number.NaN;
      found.push({
        t,
        depth: Number.isNaN(depth) ? null : depth,
        in: this.#in[index] ?? 0,
        out: this.#out[index] ?? 0,
      });
    }
    return found;
  }
}
