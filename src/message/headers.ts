/**
 * HTTP headers as a message carries them: names compare without regard to case, the case of the first occurrence is kept, and a
 * repeated header keeps all of its values (spec proxies 2.3: the first value is the primary one, the rest are "excess").
 */
export class TransportHeaders {
  readonly #entries = new Map<string, { name: string; values: string[] }>();
  #revision = 0;

  static from(pairs: Iterable<readonly [string, string]>): TransportHeaders {
    const headers = new TransportHeaders();
    for (const [name, value] of pairs) headers.add(name, value);
    return headers;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Another number after every change; for those who compare what they were with what they are. */
  get revision(): number {
    return this.#revision;
  }

  /** The primary value. */
  get(name: string): string | undefined {
    return this.#entries.get(name.toLowerCase())?.values[0];
  }

  has(name: string): boolean {
    return this.#entries.has(name.toLowerCase());
  }

  /** Replaces all values of a header. */
  set(name: string, value: string): void {
    this.#revision += 1;
    const entry = this.#entries.get(name.toLowerCase());
    if (entry) entry.values = [value];
    else this.#entries.set(name.toLowerCase(), { name, values: [value] });
  }

  add(name: string, value: string): void {
    this.#revision += 1;
    const entry = this.#entries.get(name.toLowerCase());
    if (entry) entry.values.push(value);
    else this.#entries.set(name.toLowerCase(), { name, values: [value] });
  }

  /** Removes the primary and all excess values. */
  delete(name: string): void {
    this.#revision += 1;
    this.#entries.delete(name.toLowerCase());
  }

  clear(): void {
    this.#revision += 1;
    this.#entries.clear();
  }

  clone(): TransportHeaders {
    return TransportHeaders.from(this.pairs());
  }

  /** Every name with every value, in order. */
  *pairs(): Generator<readonly [string, string]> {
    for (const { name, values } of this.#entries.values()) {
      for (const value of values) yield [name, value];
    }
  }
}
