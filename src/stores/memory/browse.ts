import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueueEntry } from '../message-queue.ts';
import type { Delivery } from '../message-store.ts';
import {
  type BrowsedMessage,
  type BrowsePage,
  browsed,
  type Look,
  type MessageTaker,
  PageCollector,
  type PageRequest,
  PREVIEW_BYTES,
  readCursor,
  type StoreBrowser,
  writeCursor,
} from '../store-browser.ts';
import { deliver, type InMemoryDelivery, poisonIdOf, poisonOf } from './delivery.ts';
import type { Holding } from './holding.ts';

/** So many messages are looked at before others get their turn. */
const SLICE = 500;

/** Looks into a queue in memory; the places of its messages never change, so they are the cursors. */
export class InMemoryBrowser implements StoreBrowser {
  readonly placesStay = true;
  readonly #holding: Holding;
  readonly #takers = new Set<InMemoryTaker>();

  constructor(holding: Holding) {
    this.#holding = holding;
  }

  async page({ after, limit, bodyBytes = PREVIEW_BYTES, signal }: PageRequest): Promise<BrowsePage> {
    const page = new PageCollector(limit);
    const begin = after === undefined ? 0 : readCursor(after, ['number'])[0];
    for (let from = begin; page.room > 0; await nextTurn()) {
      signal.throwIfAborted();
      const entries = this.#holding.queue.after(from, Math.min(SLICE, page.room));
      for (const entry of entries) {
        if (!page.add(this.#look(entry, bodyBytes))) break;
        from = entry.sequence;
      }
      if (entries.length === 0) return { messages: page.messages, next: undefined, complete: true };
    }
    const more = this.#holding.queue.after(readCursor(page.last ?? '', ['number'])[0], 1).length > 0;
    return { messages: page.messages, next: more ? page.last : undefined, complete: true };
  }

  async read(id: string, { signal }: Look): Promise<BrowsedMessage | undefined> {
    const entry = await findEntry(this.#holding, 0, signal, (candidate) => this.#idOf(candidate) === id);
    return entry && this.#look(entry, Number.POSITIVE_INFINITY);
  }

  take(ids: readonly string[], { signal }: Look): MessageTaker {
    const taker = new InMemoryTaker(this.#holding, new Set(ids), signal, () => this.#takers.delete(taker));
    this.#takers.add(taker);
    return taker;
  }

  async oldestAt(): Promise<number | undefined> {
    const [first] = this.#holding.queue.after(0, 1);
    return first && this.#holding.messageOf(first)?.storedAt;
  }

  /** What was taken and is unsettled becomes available again. */
  async close(): Promise<void> {
    await Promise.all([...this.#takers].map((taker) => taker.close()));
  }

  #look(entry: QueueEntry, bodyBytes: number): BrowsedMessage {
    const message = this.#holding.messageOf(entry);
    const poison = message ? undefined : poisonOf(entry);
    const inDelivery = entry.state === 'leased';
    return browsed({ message, poison }, { bodyBytes, inDelivery, cursor: writeCursor([entry.sequence]) });
  }

  #idOf(entry: QueueEntry): string {
    return this.#holding.idOf(entry) ?? poisonIdOf(entry);
  }
}

/** Goes through the queue once, whatever is put back or stored meanwhile. */
class InMemoryTaker implements MessageTaker {
  readonly #holding: Holding;
  readonly #wanted: Set<string>;
  readonly #signal: AbortSignal;
  readonly #onClose: () => void;
  readonly #taken = new Set<InMemoryDelivery>();
  /** What has been looked up of the queue; what was looked at is not held any more. */
  #slice: Array<QueueEntry | undefined> = [];
  #at = 0;
  /** The place of what was looked at last. */
  #from = 0;
  #closed = false;

  constructor(holding: Holding, wanted: Set<string>, signal: AbortSignal, onClose: () => void) {
    this.#holding = holding;
    this.#wanted = wanted;
    this.#signal = signal;
    this.#onClose = onClose;
  }

  async next(): Promise<Delivery | undefined> {
    while (!this.#closed && this.#wanted.size > 0) {
      this.#signal.throwIfAborted();
      const entry = this.#takeNext();
      if (entry) return this.#hand(entry);
      if (!(await this.#lookFurther())) return undefined;
    }
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#slice = [];
    await Promise.all([...this.#taken].map((delivery) => delivery.abandon()));
    this.#onClose();
  }

  /** Takes the next one of the slice that is wanted and available. */
  #takeNext(): QueueEntry | undefined {
    while (this.#at < this.#slice.length) {
      const entry = this.#slice[this.#at] as QueueEntry;
      this.#slice[this.#at] = undefined;
      this.#at += 1;
      this.#from = entry.sequence;
      // Of what is gone or in somebody's hands nothing is read: its memory may be compressed already.
      if (entry.state !== 'available') continue;
      const id = this.#idOf(entry);
      if (!this.#wanted.has(id) || !this.#holding.queue.take(entry)) continue;
      this.#wanted.delete(id);
      return entry;
    }
    return undefined;
  }

  /** The next slice; others get their turn before it. False: the queue ends here. */
  async #lookFurther(): Promise<boolean> {
    if (this.#from > 0) await nextTurn();
    this.#slice = this.#holding.queue.after(this.#from, SLICE);
    this.#at = 0;
    return this.#slice.length > 0;
  }

  #hand(entry: QueueEntry): Delivery {
    for (const delivery of this.#taken) if (delivery.settled) this.#taken.delete(delivery);
    const delivery = deliver(entry, undefined, this.#holding);
    this.#taken.add(delivery);
    return delivery;
  }

  #idOf(entry: QueueEntry): string {
    return this.#holding.idOf(entry) ?? poisonIdOf(entry);
  }
}

/** The first one behind a place that is meant; others get their turn meanwhile. */
async function findEntry(
  holding: Holding,
  after: number,
  signal: AbortSignal,
  isMeant: (entry: QueueEntry) => boolean,
): Promise<QueueEntry | undefined> {
  for (let from = after; ; await nextTurn()) {
    signal.throwIfAborted();
    const entries = holding.queue.after(from, SLICE);
    const found = entries.find(isMeant);
    if (found) return found;
    const last = entries.at(-1);
    if (!last) return undefined;
    from = last.sequence;
  }
}
