/**
 * Messages that are held until it is their turn, by their sequence numbers. What is `next` decides about each of them:
 *
 *     number > next: held        number = next: the next one out        number < next: late
 *
 * A number that is held twice goes out twice: the second one is late by then.
 */
export class SequenceOrder<T> {
  readonly #held = new Map<bigint, T[]>();
  #size = 0;
  /** The number that is waited for; undefined until the first one is known. */
  next: bigint | undefined;

  /** How many are held. */
  get size(): number {
    return this.#size;
  }

  isLate(number: bigint): boolean {
    return this.next !== undefined && number < this.next;
  }

  hold(number: bigint, item: T): void {
    const same = this.#held.get(number);
    if (same) same.push(item);
    else this.#held.set(number, [item]);
    this.#size += 1;
  }

  /** Takes out the one whose turn it is, or one that became late while it was held. */
  take(): { readonly number: bigint; readonly item: T } | undefined {
    const { next } = this;
    if (next === undefined || this.#size === 0) return undefined;
    // Numbers are passed one at a time, so what became late has the one before.
    const number = this.#held.has(next - 1n) ? next - 1n : next;
    const item = this.#held.get(number)?.shift();
    if (item === undefined) return undefined;
    this.#size -= 1;
    if (this.#held.get(number)?.length === 0) this.#held.delete(number);
    return { number, item };
  }

  /** The smallest number that is held. */
  smallest(): bigint | undefined {
    let smallest: bigint | undefined;
    for (const number of this.#held.keys()) if (smallest === undefined || number < smallest) smallest = number;
    return smallest;
  }

  /** Takes out those that are to go; what is left keeps its order. */
  remove(goes: (item: T) => boolean): T[] {
    const gone: T[] = [];
    for (const [number, items] of this.#held) {
      const left = items.filter((item) => !goes(item));
      gone.push(...items.filter(goes));
      if (left.length === 0) this.#held.delete(number);
      else this.#held.set(number, left);
    }
    this.#size -= gone.length;
    return gone;
  }
}
