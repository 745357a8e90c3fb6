import { createHash } from 'node:crypto';
import { SecurityFailure } from './security-failure.ts';

/** As many as a server sees that takes 400 secured messages a second, each remembered for ten minutes; about 30 MB. */
const DEFAULT_ENTRIES = 250_000;

interface Entry {
  readonly created: number;
  readonly expires: number;
}

/**
 * What must not come twice: nonces and signatures, each remembered until its message would be refused as too old anyway. Bounded
 * without forgetting: when it is full, the oldest entry goes, and whatever was created before that is refused from then on.
 */
export class ReplayCache {
  readonly #entries = new Map<string, Entry>();
  readonly #maxEntries: number;
  /** Nothing created at that time or before is taken any more, epoch ms. */
  #horizon = 0;

  constructor(maxEntries: number = DEFAULT_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Remembers something that this side sent itself: it must not come back. */
  remember(what: string, entry: Entry, now: number): void {
    this.#makeRoom(now);
    this.#entries.set(digest(what), entry);
  }

  /**
   * Remembers what came.
   * @param entry when it was created and until when it could be sent again, epoch ms
   * @throws SecurityFailure when it has come before, or is so old that this cannot be said
   */
  accept(what: string, entry: Entry, now: number): void {
    this.refuseKnown(what, entry.created);
    this.remember(what, entry, now);
  }

  /** @throws SecurityFailure as {@link accept}, which it prepares: all that a message brings is looked at before any of it counts */
  refuseKnown(what: string, created: number): void {
    if (this.#entries.has(digest(what))) throw new SecurityFailure('InvalidSecurity', 'the message has come before');
    if (created <= this.#horizon) {
      throw new SecurityFailure('MessageExpired', 'so many messages came since that a replay could not be told');
    }
  }

  #makeRoom(now: number): void {
    for (const [key, { expires, created }] of this.#entries) {
      const full = this.#entries.size >= this.#maxEntries;
      if (expires >= now && !full) return;
      this.#entries.delete(key);
      if (expires >= now) this.#horizon = Math.max(this.#horizon, created);
    }
  }
}

function digest(what: string): string {
  return createHash('sha256').update(what).digest('base64url').slice(0, 22);
}
