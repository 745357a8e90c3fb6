import { type PutMark, putMark } from '../broker/repeated-puts.ts';
import type { Arrival } from './consumer-channel.ts';

/**
 * Messages that are given back only to be taken again at once. Who is subscribed to the queue may be handed such a message first: a
 * consumer of the same store hands it over then, with the channel that it came through, to the delivery that had it.
 */
export class Renewals {
  /** By the put that a message comes from, and which copy of it this is. */
  readonly #wanted = new Map<string, (arrival: Arrival) => void>();

  /** Whether a delivery of this process wants it back; it has it then. */
  offer(arrival: Arrival): boolean {
    const copy = copyOf(arrival);
    const take = copy === undefined ? undefined : this.#wanted.get(copy);
    take?.(arrival);
    return take !== undefined;
  }

  /** @returns how to want it no more */
  want(mark: PutMark, take: (arrival: Arrival) => void): () => void {
    const copy = copyName(mark);
    this.#wanted.set(copy, take);
    return () => void this.#wanted.delete(copy);
  }
}

/** Undefined for messages of other applications. */
function copyOf({ message }: Arrival): string | undefined {
  const mark = putMark(message.properties.headers ?? {});
  return mark && copyName(mark);
}

/** The copies of one put are different messages. */
function copyName({ id, again }: PutMark): string {
  return again ? `${id} again` : id;
}

/** Whether an arrival is that message. */
export function isCopy(arrival: Arrival, mark: PutMark): boolean {
  return copyOf(arrival) === copyName(mark);
}
