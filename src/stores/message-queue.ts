import type { JournalPlace } from './journal/segment.ts';
import type { PackedMessage } from './memory/packed-messages.ts';
import type { StoredMessage } from './stored-message.ts';

/** The most that a queue in memory may hold (REQ-33, OP-100). */
export interface QueueBounds {
  readonly maxMessages: number;
  /** Bytes of memory that its messages take. */
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
  readonly packed: PackedMessage;
  /** Its place in the order. */
  readonly sequence: number;
  /** Where it is in the journal, when there is one. */
  readonly place: JournalPlace | undefined;
  state: 'available' | 'leased' | 'gone';
  /** Leases that ended in putBack, or with the process. */
  returns: number;
}

/** Someone waiting for a message; called at most once, with a lease, and with the message itself when it is at hand. */
export type QueueWaiter = (entry: QueueEntry, message: StoredMessage | undefined) => void;

/**
 * A bounded queue in memory with leases: first in, first out; what is put back goes before everything that was put later. Waiters
 * are served in the order in which they came, so that consumers who always come back take turns. Every operation takes constant
 * time, but for putting back, which looks at what other consumers have put back.
 */
export class MessageQueue {
  bounds: QueueBounds;
  enqueued = 0;
  dequeued = 0;
  #sequence = 0;
  #held = 0;
  #heldBytes = 0;
  /** Never leased yet; in order because new ones come to the end. */
  readonly #fresh = new EntryList();
  /** Put back, in order. At most one per consumer, and those that operators have put back. */
  readonly #returned: QueueEntry[] = [];
  /** In somebody's hands; few. */
  readonly #leased = new Set<QueueEntry>();
  readonly #waiters = new Set<QueueWaiter>();

  constructor(bounds: QueueBounds) {
    this.bounds = bounds;
  }

  /** Messages held, leased ones included. */
  get count(): number {
    return this.#held;
  }

  /** What its messages take, bytes. */
  get bytes(): number {
    return this.#heldBytes;
  }

  /** Why a message of this size does not fit besides those for whom there is a reservation; undefined when it does. */
  refusal(size: number, reserved: Readonly<{ messages: number; bytes: number }>): string | undefined {
    const { maxMessages, maxBytes } = this.bounds;
    const messages = this.#held + reserved.messages;
    const bytes = this.#heldBytes + reserved.bytes;
    if (messages >= maxMessages) return `it holds ${messages} messages and x.max.messages is ${maxMessages}`;
    if (bytes + size <= maxBytes) return undefined;
    return `it holds ${bytes} bytes, the message has ${size} more and x.max.bytes is ${maxBytes}`;
  }

  /** Appends a message; whoever waits longest gets it at once. */
  add(packed: PackedMessage, place: JournalPlace | undefined, message: StoredMessage): void {
    this.enqueued += 1;
    const entry = this.#hold(packed, place, 0);
    if (!this.#serve(entry, message)) this.#fresh.push(entry);
  }

  /** Appends a message that a process before this one had; it may have been delivered by that. */
  restore(packed: PackedMessage, place: JournalPlace): void {
    const entry = this.#hold(packed, place, 1);
    if (!this.#serve(entry, undefined)) this.#fresh.push(entry);
  }

  /** The oldest available message, leased to the caller. */
  lease(): QueueEntry | undefined {
    const returned = this.#returned[0];
    const fresh = this.#fresh.first();
    const fromReturned = returned !== undefined && (!fresh || returned.sequence < fresh.sequence);
    const entry = fromReturned ? this.#returned.shift() : this.#fresh.shift();
    if (entry) this.#hand(entry);
    return entry;
  }

  /** Leases a certain message; false when somebody has it, or had it. */
  take(entry: QueueEntry): boolean {
    if (entry.state !== 'available') return false;
    const at = this.#returned.indexOf(entry);
    if (at >= 0) this.#returned.splice(at, 1);
    else this.#fresh.remove(entry);
    this.#hand(entry);
    return true;
  }

  /** Up to `count` messages behind a place in the order, leased ones included. For looking only. */
  after(sequence: number, count: number): QueueEntry[] {
    const fresh = this.#fresh.after(sequence, count);
    const others = [...this.#returned, ...this.#leased].filter((entry) => entry.sequence > sequence);
    if (others.length === 0) return fresh;
    return [...fresh, ...others].sort((one, other) => one.sequence - other.sequence).slice(0, count);
  }

  /** Ends a lease: the message was dealt with. */
  remove(entry: QueueEntry): void {
    entry.state = 'gone';
    this.#leased.delete(entry);
    this.#held -= 1;
    this.#heldBytes -= entry.packed.size;
    this.dequeued += 1;
  }

  /** Ends a lease: the message is available again, at its place. */
  putBack(entry: QueueEntry): void {
    entry.state = 'available';
    entry.returns += 1;
    this.#leased.delete(entry);
    if (this.#serve(entry, undefined)) return;
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

  #hold(packed: PackedMessage, place: JournalPlace | undefined, returns: number): QueueEntry {
    this.#sequence += 1;
    this.#held += 1;
    this.#heldBytes += packed.size;
    return { packed, sequence: this.#sequence, place, state: 'available', returns };
  }

  #hand(entry: QueueEntry): void {
    entry.state = 'leased';
    this.#leased.add(entry);
  }

  #serve(entry: QueueEntry, message: StoredMessage | undefined): boolean {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      this.#hand(entry);
      waiter(entry, message);
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
  /** Taken out of the middle, and still in the array. */
  readonly #taken = new Set<QueueEntry>();

  push(entry: QueueEntry): void {
    this.#entries.push(entry);
  }

  first(): QueueEntry | undefined {
    return this.#entries[this.#head];
  }

  shift(): QueueEntry | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#advance();
    this.#skipTaken();
    return entry;
  }

  remove(entry: QueueEntry): void {
    this.#taken.add(entry);
    this.#skipTaken();
  }

  /** Up to `count` of those behind a place in the order. */
  after(sequence: number, count: number): QueueEntry[] {
    const found: QueueEntry[] = [];
    for (let at = this.#placeAfter(sequence); found.length < count; at += 1) {
      const entry = this.#entries[at];
      if (!entry) break;
      if (!this.#taken.has(entry)) found.push(entry);
    }
    return found;
  }

  /** The first index with a greater sequence; from the head on they are in order. */
  #placeAfter(sequence: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.sequence ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #advance(): void {
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** At the head is never one that was taken. */
  #skipTaken(): void {
    if (this.#taken.size === 0) return;
    for (let entry = this.#entries[this.#head]; entry && this.#taken.delete(entry); entry = this.first())
      this.#advance();
  }
}
