import type { StoredMessage } from './stored-message.ts';

/** The most that a queue in memory may hold (REQ-33, OP-100). */
export interface QueueBounds {
  readonly maxMessages: number;
  /** Bytes of bodies, headers and properties, roughly. */
  readonly maxBytes: number;
}

/**
 * A message in the queue.
 *
 *     available ──lease()──▶ leased ──remove()──▶ gone
 *         ▲                    │
 *         └─────putBack()──────┘      keeps its place in the order
 */
export interface QueueEntry {
  readonly message: StoredMessage;
  /** Its place in the order. */
  readonly sequence: number;
  /** What it counts against the bound, bytes. */
  readonly size: number;
  state: 'available' | 'leased' | 'gone';
  /** Leases that ended in putBack. */
  returns: number;
}

/** Someone waiting for a message; called at most once, with a lease. */
export type QueueWaiter = (entry: QueueEntry) => void;

/**
 * A bounded queue in memory with leases: first in, first out; what is put back goes before everything that was put later. Waiters
 * are served in the order in which they came, so that consumers who always come back take turns. Every operation takes constant
 * time, but for putting back, which looks at what other consumers have put back.
 */
export class MessageQueue {
  bounds: QueueBounds;
  /** Stores that serve this queue; it lives as long as one of them is open (OP-34). */
  owners = 0;
  enqueued = 0;
  dequeued = 0;
  /** Consumers that were ever made, for their numbers. */
  consumers = 0;
  #sequence = 0;
  #held = 0;
  #heldBytes = 0;
  /** Never leased yet; in order because new ones come to the end. */
  readonly #fresh = new EntryList();
  /** Put back, in order; all of them stood before everything fresh. At most one per consumer. */
  readonly #returned: QueueEntry[] = [];
  readonly #waiters = new Set<QueueWaiter>();

  constructor(bounds: QueueBounds) {
    this.bounds = bounds;
  }

  /** Messages held, leased ones included. */
  get count(): number {
    return this.#held;
  }

  /** Why a message of this size does not fit; undefined when it does. */
  refusal(size: number): string | undefined {
    const { maxMessages, maxBytes } = this.bounds;
    if (this.#held >= maxMessages) return `it holds ${this.#held} messages and x.max.messages is ${maxMessages}`;
    if (this.#heldBytes + size <= maxBytes) return undefined;
    return `it holds ${this.#heldBytes} bytes, the message has ${size} more and x.max.bytes is ${maxBytes}`;
  }

  /** Appends a message; whoever waits longest gets it at once. */
  add(message: StoredMessage, size: number): void {
    this.#sequence += 1;
    this.#held += 1;
    this.#heldBytes += size;
    this.enqueued += 1;
    const entry: QueueEntry = { message, sequence: this.#sequence, size, state: 'available', returns: 0 };
    if (!this.#serve(entry)) this.#fresh.push(entry);
  }

  /** The oldest available message, leased to the caller. */
  lease(): QueueEntry | undefined {
    const entry = this.#returned.shift() ?? this.#fresh.shift();
    if (entry) entry.state = 'leased';
    return entry;
  }

  /** Ends a lease: the message was dealt with. */
  remove(entry: QueueEntry): void {
    entry.state = 'gone';
    this.#held -= 1;
    this.#heldBytes -= entry.size;
    this.dequeued += 1;
  }

  /** Ends a lease: the message is available again, at its place. */
  putBack(entry: QueueEntry): void {
    entry.state = 'available';
    entry.returns += 1;
    if (this.#serve(entry)) return;
    const at = this.#returned.findIndex((other) => other.sequence > entry.sequence);
    this.#returned.splice(at < 0 ? this.#returned.length : at, 0, entry);
  }

  /** Waits for a message. Only when {@link lease} gave none, so that nobody is overtaken. */
  wait(waiter: QueueWaiter): void {
    this.#waiters.add(waiter);
  }

  stopWaiting(waiter: QueueWaiter): void {
    this.#waiters.delete(waiter);
  }

  #serve(entry: QueueEntry): boolean {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      entry.state = 'leased';
      waiter(entry);
      return true;
    }
    return false;
  }
}

const COMPACT_AT = 1024;

/** A queue on an array: taking moves a head, and the array is cut when half of it is behind the head. */
class EntryList {
  #entries: Array<QueueEntry | undefined> = [];
  #head = 0;

  push(entry: QueueEntry): void {
    this.#entries.push(entry);
  }

  shift(): QueueEntry | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }
}
