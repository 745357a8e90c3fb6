/** So many puts are remembered; the copies of one lie next to each other on a queue, or nearly so. */
const MAX_REMEMBERED = 5_000;
/**
 * RabbitMQ writes acknowledgements a moment after it has read them: what was removed within this time before a connection was lost
 * may come back when the broker was killed (seen: up to 80 ms), ms.
 */
const FORGOTTEN_WITHIN_MS = 2_000;
/** What comes back lies at the head of its queue, so that it comes soon after the broker is there again, ms. */
const COMES_BACK_WITHIN_MS = 10 * 60_000;

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
 * The same holds for what the broker has brought back although it was told to remove it: it was killed before it had written that.
 * Only what was removed right before a connection was lost is taken for that: somebody may put a copy of a message, headers included,
 * on the queue again on purpose.
 *
 * Nothing can be lost by it: what is removed unseen is a copy of the very same put, and this process has heard from the broker that
 * the other copy is gone, after it was delivered or moved on. A message that is put anew, also with the id that it had, is another
 * put. What another process has removed is not known here: such a copy is delivered.
 */
export class RepeatedPuts {
  readonly #inHand = new Map<string, { readonly ended: Promise<void>; readonly end: () => void }>();
  /** With the time of it, as of performance.now(); oldest first. */
  readonly #removed = new Map<string, number>();
  /** What may come back, and until when it is taken for that, as of performance.now(). */
  readonly #unsure = new Map<string, number>();

  /** A message of this put is in hand. @returns what to call at its end */
  take(put: string): (removed: boolean) => void {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const entry = { ended, end };
    this.#inHand.set(put, entry);
    return (removed) => {
      if (removed) remember(this.#removed, put, performance.now());
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

  /** Whether it was removed so shortly before a connection was lost that the broker may have forgotten it. */
  mayBeBack(put: string): boolean {
    return (this.#unsure.get(put) ?? 0) > performance.now();
  }

  /** The connection of the store has ended, without our doing. */
  connectionLost(): void {
    const now = performance.now();
    for (const [put, until] of this.#unsure) if (until <= now) this.#unsure.delete(put);
    for (const [put, at] of this.#removed) {
      if (now - at <= FORGOTTEN_WITHIN_MS) remember(this.#unsure, put, now + COMES_BACK_WITHIN_MS);
    }
  }
}

function remember(puts: Map<string, number>, put: string, time: number): void {
  puts.delete(put);
  puts.set(put, time);
  if (puts.size <= MAX_REMEMBERED) return;
  for (const oldest of puts.keys()) {
    puts.delete(oldest);
    return;
  }
}
