/** Up to so many names a look along the list is as quick as an index, which a message then never makes. */
const MOST_WITHOUT_INDEX = 32;

/** One name with its values. Copies share those without excess values. */
interface Entry {
  /** In lower case. */
  readonly key: string;
  /** As it was first written. */
  readonly name: string;
  /** The primary value. */
  readonly value: string;
  /** The values after it; of this entry alone. */
  readonly excess: string[] | undefined;
}

/**
 * HTTP headers as a message carries them: names compare without regard to case, the case of the first occurrence is kept, and a
 * repeated header keeps all of its values (spec proxies 2.3: the first value is the primary one, the rest are "excess").
 */
export class TransportHeaders {
  #entries: Entry[] = [];
  /** Key -> place, where there are many: its place when the index was made, or that of what was added since. */
  #index: Map<string, number> | undefined;
  /** So many were deleted since: each may stand up to so many places before the one that the index says. */
  #deleted = 0;
  #revision = 0;

  static from(pairs: Iterable<readonly [string, string]>): TransportHeaders {
    const headers = new TransportHeaders();
    for (const [name, value] of pairs) headers.add(name, value);
    return headers;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Another number after every change; for those who compare what they were with what they are. */
  get revision(): number {
    return this.#revision;
  }

  /** The primary value. */
  get(name: string): string | undefined {
    return this.#entries[this.#place(name.toLowerCase())]?.value;
  }

  has(name: string): boolean {
    return this.#place(name.toLowerCase()) >= 0;
  }

  /** Replaces all values of a header. */
  set(name: string, value: string): void {
    this.#revision += 1;
    const key = name.toLowerCase();
    const place = this.#place(key);
    const entry = this.#entries[place];
    if (entry) this.#entries[place] = { key, name: entry.name, value, excess: undefined };
    else this.#append({ key, name, value, excess: undefined });
  }

  add(name: string, value: string): void {
    this.#revision += 1;
    const key = name.toLowerCase();
    const place = this.#place(key);
    const entry = this.#entries[place];
    if (entry?.excess) entry.excess.push(value);
    else if (entry) this.#entries[place] = { ...entry, excess: [value] };
    else this.#append({ key, name, value, excess: undefined });
  }

  /** Removes the primary and all excess values. */
  delete(name: string): void {
    this.#revision += 1;
    const key = name.toLowerCase();
    const place = this.#place(key);
    if (place < 0) return;
    this.#entries.splice(place, 1);
    this.#index?.delete(key);
    this.#deleted += 1;
    if (this.#deleted > MOST_WITHOUT_INDEX) this.#index = undefined;
  }

  clear(): void {
    this.#revision += 1;
    this.#entries = [];
    this.#index = undefined;
  }

  clone(): TransportHeaders {
    return this.without(() => false);
  }

  /** A copy without the headers whose lower-case name is left out. */
  without(leftOut: (key: string) => boolean): TransportHeaders {
    const copy = new TransportHeaders();
    for (const entry of this.#entries) {
      if (leftOut(entry.key)) continue;
      copy.#entries.push(entry.excess ? { ...entry, excess: [...entry.excess] } : entry);
    }
    return copy;
  }

  /** Calls back for every name with every value, in order; without a pair for each. */
  forEach(visit: (name: string, value: string, key: string) => void): void {
    for (const { name, value, key, excess } of this.#entries) {
      visit(name, value, key);
      if (excess) for (const further of excess) visit(name, further, key);
    }
  }

  /** Every name with every value, in order. */
  *pairs(): Generator<readonly [string, string]> {
    for (const { name, value, excess } of this.#entries) {
      yield [name, value];
      if (excess) for (const further of excess) yield [name, further];
    }
  }

  /** Where a name is; -1 when it is not there. */
  #place(key: string): number {
    const entries = this.#entries;
    if (entries.length > MOST_WITHOUT_INDEX) return this.#indexedPlace(key);
    for (let place = 0; place < entries.length; place += 1) if (entries[place]?.key === key) return place;
    return -1;
  }

  #indexedPlace(key: string): number {
    const last = this.#indexed().get(key);
    if (last === undefined) return -1;
    const entries = this.#entries;
    for (let place = last; place >= 0 && place >= last - this.#deleted; place -= 1)
      if (entries[place]?.key === key) return place;
    return -1;
  }

  #indexed(): Map<string, number> {
    if (this.#index) return this.#index;
    this.#deleted = 0;
    this.#index = new Map(this.#entries.map(({ key }, place) => [key, place]));
    return this.#index;
  }

  #append(entry: Entry): void {
    this.#index?.set(entry.key, this.#entries.length);
    this.#entries.push(entry);
  }
}
