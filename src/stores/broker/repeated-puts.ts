/** So many puts are remembered; the copies of one lie next to each other on a queue, or nearly so. */
const MAX_REMEMBERED = 5_000;

/** The headers of a message that say so. */
export const PUT_HEADER = 'SynapsePut';
export const AGAIN_HEADER = 'SynapseSentAgain';

/** Which put a message on a queue comes from. */
export interface PutMark {
  /** Of one put, and of no other one of the same message. */
  readonly id: string;
  /** The connection was lost before the broker confirmed it, and it was sent again: there may be another copy. */
  readonly again: boolean;
}

/** Of the headers of a message; undefined when they do not tell. */
export function putMark(headers: Readonly<Record<string, unknown>>): PutMark | undefined {
  const id = headers[PUT_HEADER];
  if (typeof id !== 'string' || id === '') return undefined;
  return { id, again: String(headers[AGAIN_HEADER]) === 'true' };
}

/**
 * Recognises the second copy of a message whose confirmation was lost with the connection, so that it is not delivered twice:
 *
 *     copy ──sent for the first time──► IN HAND ──removed, confirmed──► REMEMBERED (the last 5,000 puts)
 *              ▲                           └──released, lost──► nothing
 *     copy that was sent again ──the other one in hand?──► waits for its end
 *              │                    └──remembered──► removed without a delivery
 *              └──────────────────── not remembered: delivered like any other
 *
 * Nothing can be lost by it: what is removed unseen is a copy of the very same put, and this process has heard from the broker that
 * the other copy is gone, after it was delivered or moved on. A message that is put anew, also with the id that it had, is another
 * put. What another process has removed is not known here: such a copy is delivered.
 */
export class RepeatedPuts {
  readonly #inHand = new Map<string, { readonly ended: Promise<void>; readonly end: () => void }>();
  /** Oldest first. */
  readonly #removed = new Set<string>();

  /** A message of this put is in hand. @returns what to call at its end */
  take(put: string): (removed: boolean) => void {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const entry = { ended, end };
    this.#inHand.set(put, entry);
    return (removed) => {
      if (removed) this.#remember(put);
      if (this.#inHand.get(put) === entry) this.#inHand.delete(put);
      end();
    };
  }

  /** The end of the message of this put that is in hand; undefined when none is. */
  inHand(put: string): Promise<void> | undefined {
    return this.#inHand.get(put)?.ended;
  }

  wasRemoved(put: string): boolean {
    return this.#removed.has(put);
  }

  #remember(put: string): void {
    this.#removed.add(put);
    if (this.#removed.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#removed) {
      this.#removed.delete(oldest);
      return;
    }
  }
}
