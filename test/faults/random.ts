import { createHash } from 'node:crypto';

/** The seed of this run: `FAULT_SEED`, or another one each time. The fault runs print it. */
export const SEED: number = seedOf(process.env.FAULT_SEED);

function seedOf(text: string | undefined): number {
  if (text === undefined || text === '') return Math.floor(Math.random() * 1_000_000);
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`FAULT_SEED=${text} is not a natural number`);
  return seed;
}

/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number;

  /** Each scenario has its own sequence, so that it is repeated whether or not others run before it. */
  constructor(scenario: string, seed: number = SEED) {
    this.#state = createHash('sha256').update(`${seed} ${scenario}`).digest().readUInt32LE(0);
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number, both bounds included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, key: this.next() }))
      .sort((left, right) => left.key - right.key)
      .map(({ item }) => item);
  }
}
