import { approximateBytes } from '../../message/approximate-bytes.ts';
import type { TransportHeaders } from '../../message/headers.ts';
import type { Payload } from '../../message/payload.ts';
import type { PropertyValue } from '../../message/property-value.ts';

/** A response as it is kept; nobody changes it any more. */
export interface CachedResponse {
  readonly payload: Payload;
  readonly headers: TransportHeaders;
  /** Status, reason and types, from the axis2 scope. */
  readonly axis2: ReadonlyMap<string, PropertyValue>;
  readonly doingRest: boolean;
  /** ms of {@link CacheStore}'s clock. */
  readonly storedAt: number;
}

interface Entry {
  readonly response: CachedResponse;
  readonly expiresAt: number;
  readonly bytes: number;
}

export interface CacheLimits {
  /** ms that a response is good for. */
  readonly timeoutMs: number;
  /** Responses; the one unused for longest goes first. */
  readonly entries: number;
  /** Bytes of all responses, about. */
  readonly bytes: number;
}

/** Where a cache mediator keeps responses: bounded in number, size and time (MREQ-37). Old ones go when new ones come; there is no timer. */
export class CacheStore {
  readonly #limits: CacheLimits;
  readonly #now: () => number;
  /** The one unused for longest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** @param now ms of a clock that does not go back */
  constructor(limits: CacheLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get now(): number {
    return this.#now();
  }

  get(key: string): CachedResponse | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#delete(key, entry);
    if (entry.expiresAt <= this.#now()) return undefined;
    this.#put(key, entry);
    return entry.response;
  }

  /** Keeps a response, unless it is larger than everything that may be kept. */
  put(key: string, response: CachedResponse): void {
    const bytes = approximateBytes(response.payload) + 1024;
    const former = this.#entries.get(key);
    if (former) this.#delete(key, former);
    if (bytes > this.#limits.bytes) return;
    this.#put(key, { response, bytes, expiresAt: this.#now() + this.#limits.timeoutMs });
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break;
      this.#delete(oldest, entry);
    }
  }

  #put(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #delete(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
