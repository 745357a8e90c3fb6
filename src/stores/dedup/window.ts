/** An id that is remembered. */
export interface RememberedId {
  readonly key: string;
  /** The message that was stored with it. */
  readonly messageId: string;
  /** When it is forgotten, epoch ms. */
  readonly until: number;
}

/** The list is cut when so many of it, and half of it, are gone. */
const COMPACT_AT = 1_024;

/**
 * The ids of the last while, at most `maxIds`. They are forgotten in the order in which they came; one whose time is over counts as
 * forgotten, also when it is still behind another one (a redeployment may have made the window shorter).
 */
export class DedupWindow<T extends RememberedId> {
  maxIds: number;
  readonly #byKey = new Map<string, T>();
  /** In the order in which they came, from the head on. A Map would have to look for its first one behind those that were deleted. */
  #order: Array<T | undefined> = [];
  #head = 0;

  constructor(maxIds: number) {
    this.maxIds = maxIds;
  }

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string, now: number): T | undefined {
    const found = this.#byKey.get(key);
    return found && found.until > now ? found : undefined;
  }

  /**
   * Remembers an id. One that is there with the same key is replaced.
   * @returns those that are forgotten for it: whose time is over, the replaced one, and the oldest when there are too many
   */
  add(added: T, now: number): readonly T[] {
    const forgotten = this.expire(now);
    const replaced = this.#byKey.get(added.key);
    if (replaced) forgotten.push(replaced);
    this.#byKey.set(added.key, added);
    this.#order.push(added);
    // Replaced ones behind an older one that lives long.
    if (this.#order.length - this.#head > 2 * Math.max(this.#byKey.size, COMPACT_AT)) this.#compact();
    while (this.#byKey.size > this.maxIds) {
      const oldest = this.#shift();
      if (oldest) forgotten.push(oldest);
    }
    return forgotten;
  }

  /** Forgets the oldest ones as far as their time is over. */
  expire(now: number): T[] {
    const forgotten: T[] = [];
    for (let oldest = this.#order[this.#head]; oldest; oldest = this.#order[this.#head]) {
      const replaced = this.#byKey.get(oldest.key) !== oldest;
      if (!replaced && oldest.until > now) break;
      const gone = this.#shift();
      if (gone) forgotten.push(gone);
    }
    return forgotten;
  }

  #compact(): void {
    this.#order = this.#order.filter((each) => each !== undefined && this.#byKey.get(each.key) === each);
    this.#head = 0;
  }

  /** The oldest one leaves; undefined when it had been replaced. */
  #shift(): T | undefined {
    const oldest = this.#order[this.#head];
    if (!oldest) return undefined;
    this.#order[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
    if (this.#byKey.get(oldest.key) !== oldest) return undefined;
    this.#byKey.delete(oldest.key);
    return oldest;
  }
}
