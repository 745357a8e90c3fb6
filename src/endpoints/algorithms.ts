/** May the child with this index be tried for this message now? Asked as seldom as possible. */
export type IsCandidate = (child: number) => boolean;

/** Decides which child of a group is tried next. Has a position of its own, shared by all messages; is never interrupted. */
export interface ChildSelection {
  /** The index of a candidate; undefined, and no step forward, when there is none. */
  next(isCandidate: IsCandidate): number | undefined;
}

/** One child after the other; those that cannot be tried are skipped. */
export class RoundRobin implements ChildSelection {
  readonly #count: number;
  #position = 0;

  constructor(count: number) {
    this.#count = count;
  }

  next(isCandidate: IsCandidate): number | undefined {
    const child = firstFrom(this.#position, this.#count, isCandidate);
    if (child !== undefined) this.#position = (child + 1) % this.#count;
    return child;
  }
}

/**
 * As many messages in a row for a child as its weight says, then the next child. A child that cannot be tried loses the rest of its
 * turn; the reference would send to it all the same (REQ-18).
 */
export class WeightedRoundRobin implements ChildSelection {
  readonly #weights: readonly number[];
  #position = 0;
  /** Messages that the child at the position may still take in this turn. */
  #left: number;

  /** @param weights of the children, all at least 1 */
  constructor(weights: readonly number[]) {
    this.#weights = weights;
    this.#left = weights[0] ?? 0;
  }

  next(isCandidate: IsCandidate): number | undefined {
    const count = this.#weights.length;
    const goesOn = this.#left > 0 && isCandidate(this.#position);
    const child = goesOn ? this.#position : firstFrom((this.#position + 1) % count, count, isCandidate);
    if (child === undefined) return undefined;
    this.#left = (goesOn ? this.#left : (this.#weights[child] ?? 1)) - 1;
    this.#position = child;
    return child;
  }
}

/** The first child in document order that can be tried: a failover group's way by default (`dynamic="true"`). */
export class FirstReady implements ChildSelection {
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  next(isCandidate: IsCandidate): number | undefined {
    return firstFrom(0, this.#count, isCandidate);
  }
}

/** Stays with one child until it cannot be tried, then with the next one (`dynamic="false"`). */
export class StayWithOne implements ChildSelection {
  readonly #count: number;
  #position = 0;

  constructor(count: number) {
    this.#count = count;
  }

  next(isCandidate: IsCandidate): number | undefined {
    const child = firstFrom(this.#position, this.#count, isCandidate);
    if (child !== undefined) this.#position = child;
    return child;
  }
}

function firstFrom(start: number, count: number, isCandidate: IsCandidate): number | undefined {
  for (let step = 0; step < count; step += 1) {
    const child = (start + step) % count;
    if (isCandidate(child)) return child;
  }
  return undefined;
}
