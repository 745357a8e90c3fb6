import type { Logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import { BackOff } from '../broker/back-off.ts';
import { DeadlineError, within } from '../broker/deadline.ts';
import { StoreFullError } from '../busy.ts';
import type { JournalListener } from '../dedup/journaled-keys.ts';
import { Journal, JournalError } from '../journal/journal.ts';
import type { JournalPlace } from '../journal/segment.ts';
import { MessageQueue, type QueueBounds, type QueueEntry } from '../message-queue.ts';
import { type StoreDepth, StoreError } from '../message-store.ts';
import { storedMessageBytes } from '../sql/stored-message-bytes.ts';
import type { StoredMessage } from '../stored-message.ts';
import { MessagePacker, type PackedMessage, PLACE_BYTES } from './packed-messages.ts';

export interface HoldingOptions {
  readonly store: string;
  readonly bounds: QueueBounds;
  /** Where its journal is; undefined for messages that are in memory only. */
  readonly journalFolder: string | undefined;
  readonly putDeadlineMs: number;
  readonly log: Logger;
}

/** Journals that are being closed, by their folders: the next one to use a folder waits for that. */
const closing = new Map<string, Promise<void>>();

/**
 * What the stores of one name hold, from one redeployment to the next: the queue, and the journal that knows what is in it.
 *
 *     opening ──journal read (or there is none)──▶ ready
 *        ▲  └──failed──▶ waiting ──┐
 *        └──────────────────────── ┘            any ──the last owner closes──▶ closed
 */
export class Holding {
  readonly queue: MessageQueue;
  /** Stores that serve it; it lives as long as one of them is open (OP-34). */
  owners = 0;
  /** Consumers that were ever made, for their numbers. */
  consumers = 0;
  readonly journaled: boolean;
  /** Hears of what is in the journal; to be set at once. */
  listener: JournalListener | undefined;
  /** Why the journal could not be opened or written the last time; undefined when it works. */
  lastError: string | undefined;
  readonly #options: HoldingOptions;
  readonly #packer: MessagePacker;
  /** Puts on their way to the journal, also those whose time was over before the disk had answered. */
  readonly #reserved = { messages: 0, bytes: 0 };
  readonly #stop = new AbortController();
  #journal: Journal | undefined;
  /** Resolves when it is ready, or closed. */
  readonly #opening: Promise<void> | undefined;

  constructor(options: HoldingOptions) {
    this.#options = options;
    this.journaled = options.journalFolder !== undefined;
    this.queue = new MessageQueue(options.bounds);
    this.#packer = new MessagePacker(this.journaled ? PLACE_BYTES : 0);
    if (options.journalFolder !== undefined) this.#opening = this.#open(options.journalFolder);
  }

  /** False while its journal is being read. */
  get ready(): boolean {
    return !this.journaled || this.#journal !== undefined;
  }

  get depth(): StoreDepth {
    return { count: this.ready ? this.queue.count : 'unknown', estimated: false };
  }

  /**
   * Takes a message; resolves when it is in the journal, too. Undefined: there is none, and the message is kept.
   * @throws StoreError, or rejects with it, when there is no room, or the journal cannot be written; then nothing is kept
   */
  put(message: StoredMessage): Promise<void> | undefined {
    if (this.journaled) return this.#putDurably(message);
    this.queue.add(this.#pack(message), undefined, message);
    return undefined;
  }

  /** @throws StoreError when the journal could not be written, or not in time: the message is still there */
  async remove(entry: QueueEntry): Promise<void> {
    if (entry.place && this.#journal) await this.#tell(this.#answered(this.#journal.remove(entry.place)));
    this.queue.remove(entry);
    this.#packer.release(entry.packed);
  }

  /** The id of an entry; undefined when it cannot be read. */
  idOf(entry: QueueEntry): string | undefined {
    return this.#packer.idOf(entry.packed);
  }

  /** The message of an entry; undefined when it cannot be read. */
  messageOf(entry: QueueEntry): StoredMessage | undefined {
    return this.#packer.unpack(entry.packed);
  }

  /** Lets the journal go, which keeps the messages. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#opening;
    await this.#packer.settled();
    const { journalFolder } = this.#options;
    if (!this.#journal || journalFolder === undefined) return;
    const closed = this.#journal.close();
    closing.set(journalFolder, closed);
    await closed;
    if (closing.get(journalFolder) === closed) closing.delete(journalFolder);
  }

  error(reason: string, options?: ErrorOptions): StoreError {
    const { store } = this.#options;
    return new StoreError(store, `Store [${store}] ${reason}`, options);
  }

  /** @throws StoreError when its journal is not read in time */
  async untilReady(): Promise<void> {
    if (!this.ready) await this.#untilOpen();
  }

  async #putDurably(message: StoredMessage): Promise<void> {
    const packed = this.#pack(message);
    const leave = this.#reserve(packed.size);
    let appended: Promise<JournalPlace> | undefined;
    try {
      const bytes = storedMessageBytes(message);
      const journal = this.#journal ?? (await this.#untilOpen());
      appended = journal.append(bytes);
      const place = await this.#tell(this.#answered(appended));
      if (this.listener) await this.listener.written(message);
      this.queue.add(packed, place, message);
      leave();
    } catch (error) {
      this.#packer.release(packed);
      if (appended && (error as StoreError).cause instanceof DeadlineError) this.#takeBack(appended, leave);
      else leave();
      throw error;
    }
  }

  /** Room for a message on its way to the journal. @returns what to call when it has arrived, or never will */
  #reserve(bytes: number): () => void {
    this.#reserved.messages += 1;
    this.#reserved.bytes += bytes;
    return () => {
      this.#reserved.messages -= 1;
      this.#reserved.bytes -= bytes;
    };
  }

  /** It was refused, so it must not come all the same. Until the disk has answered it takes room. */
  #takeBack(appended: Promise<JournalPlace>, leave: () => void): void {
    appended
      .then((late) => this.#journal?.remove(late))
      .catch((failure: unknown) => {
        const { log, store } = this.#options;
        log.debug(`a late message is not in the journal: ${String(failure)}`, { store });
      })
      .finally(leave);
  }

  #pack(message: StoredMessage): PackedMessage {
    return this.#packer.pack(message, (size) => {
      const refusal = this.queue.refusal(size, this.#reserved);
      if (refusal === undefined) return;
      const { store } = this.#options;
      const busy = size <= this.queue.bounds.maxBytes;
      throw new StoreFullError(store, `Store [${store}] is full: ${refusal}`, { busy });
    });
  }

  #answered<T>(writing: Promise<T>): Promise<T> {
    return within(writing, this.#options.putDeadlineMs, 'the disk');
  }

  async #untilOpen(): Promise<Journal> {
    if (this.#opening) await this.#tell(within(this.#opening, this.#options.putDeadlineMs, 'its journal to be read'));
    if (!this.#journal) throw this.error('is closed');
    return this.#journal;
  }

  /** Remembers how it ended, for the status. */
  async #tell<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.lastError = undefined;
      return result;
    } catch (error) {
      const known = error instanceof JournalError || error instanceof DeadlineError;
      const reason = known ? error.message : String(error);
      this.lastError = this.lastError !== undefined && error instanceof DeadlineError ? this.lastError : reason;
      throw this.error(`could not write its journal: ${this.lastError}`, { cause: error });
    }
  }

  async #open(folder: string): Promise<void> {
    const backOff = new BackOff();
    while (!this.#stop.signal.aborted) {
      try {
        await closing.get(folder);
        await this.#read(folder);
        return;
      } catch (error) {
        this.#complain(folder, error);
        await pause(backOff.failed('unreachable'), this.#stop.signal);
      }
    }
  }

  async #read(folder: string): Promise<void> {
    const found: Array<{ place: JournalPlace; packed: PackedMessage }> = [];
    const journal = await Journal.open({
      folder,
      store: this.#options.store,
      onMessage: (place, bytes) => {
        this.listener?.found(bytes);
        found.push({ place, packed: this.#packer.keepWritten(bytes) });
      },
      onSegment: () => this.#packer.room(),
    });
    // Compaction copies old messages behind newer ones.
    found.sort((one, other) => one.place.sequence - other.place.sequence);
    for (const { place, packed } of found) this.queue.restore(packed, place);
    this.#journal = journal;
    this.lastError = undefined;
    this.#report(folder, journal, found.length);
  }

  #report(folder: string, { report }: Journal, messages: number): void {
    const { log, store } = this.#options;
    log.info(`Store [${store}] has read its journal ${folder}: ${messages} messages.`, { store });
    if (report.tornBytes > 0) {
      log.warn(
        `Store [${store}] found ${report.tornBytes} bytes of an unfinished write in its journal and cut them off; ` +
          'nobody was told that they are stored.',
        { store },
      );
    }
    for (const { file, offset, length } of report.damage) {
      log.error(
        `Store [${store}]: ${length} bytes of its journal ${file} from ${offset} on are damaged. ` +
          'Messages may be missing; the file will be kept aside.',
        { store },
      );
    }
  }

  #complain(folder: string, error: unknown): void {
    const { log, store } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    if (reason !== this.lastError) {
      log.error(`Store [${store}] cannot use its journal ${folder}, and goes on trying: ${reason}`, { store });
    }
    this.lastError = reason;
  }
}
