import type { Delivery, PoisonMessage, StoreError } from '../message-store.ts';
import {
  BROWSE_DEADLINE_MS,
  type BrowsedMessage,
  type BrowsePage,
  browsed,
  type Look,
  MAX_PAGE_BODY_BYTES,
  type MessageTaker,
  PageCollector,
  type PageRequest,
  PREVIEW_BYTES,
  readCursor,
  type StoreBrowser,
  writeCursor,
} from '../store-browser.ts';
import type { StoredMessage } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';
import { BrowseStatements, type RowPlace, type SeenRow } from './browse-statements.ts';
import { type ConsumerHost, rowName, SqlDelivery } from './consumer.ts';
import { type SqlConnection, within } from './driver.ts';
import type { ClaimedMessage, MessageTable } from './message-table.ts';
import { readStoredMessageBytes, readStoredMessageStart } from './stored-message-bytes.ts';

/** What of a message is read beside the wanted part of its body: enough for nearly every head. */
const HEAD_BYTES = 16 * 1024;
/** Rows of one question, and bytes. */
const ROWS_AT_ONCE = 100;
const BYTES_AT_ONCE = MAX_PAGE_BODY_BYTES;
/** Databases count in 32 bits. */
const MOST_BYTES = 2 ** 30;
/** Messages that are taken at once, and unsettled at a time. */
const TAKEN_AT_ONCE = 16;

/** What a browser needs of its store. */
export interface SqlBrowserHost {
  readonly table: MessageTable;
  use<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T>;
  error(reason: string, cause?: unknown): StoreError;
  /** Claims those of these rows that nobody has. */
  take(rows: readonly number[]): Promise<readonly ClaimedMessage[]>;
  readonly deliveries: ConsumerHost;
}

/** Looks into a table with plain SELECTs: nobody's claim is touched, and nobody waits. */
export class SqlBrowser implements StoreBrowser {
  readonly placesStay = true;
  readonly #host: SqlBrowserHost;
  readonly #statements: BrowseStatements;
  readonly #takers = new Set<SqlTaker>();

  constructor(host: SqlBrowserHost) {
    this.#host = host;
    this.#statements = new BrowseStatements(host.table);
  }

  async page({ after, limit, bodyBytes = PREVIEW_BYTES, signal }: PageRequest): Promise<BrowsePage> {
    const page = new PageCollector(limit);
    let place = after === undefined ? undefined : placeOf(after);
    while (page.room > 0) {
      signal.throwIfAborted();
      const bytes = Math.min(MOST_BYTES, HEAD_BYTES + bodyBytes);
      const count = Math.max(1, Math.min(ROWS_AT_ONCE, page.room + 1, Math.floor(BYTES_AT_ONCE / bytes)));
      const rows = await this.#ask((connection) => this.#statements.after(connection, place, count, bytes));
      for (const row of rows) {
        if (!page.add(await this.#look(row, bodyBytes)))
          return { messages: page.messages, next: page.last, complete: true };
        place = row;
      }
      if (rows.length < count) return { messages: page.messages, next: undefined, complete: true };
    }
    return { messages: page.messages, next: page.last, complete: true };
  }

  async read(id: string, { signal }: Look): Promise<BrowsedMessage | undefined> {
    signal.throwIfAborted();
    const [first] = await this.#ask((connection) => this.#find(connection, [id]));
    if (!first) return undefined;
    const [row] = await this.#ask((connection) => this.#statements.rows(connection, [first.indexId]));
    return row && this.#look(row, Number.MAX_SAFE_INTEGER);
  }

  take(ids: readonly string[], { signal }: Look): MessageTaker {
    const taker = new SqlTaker({
      find: () => this.#ask((connection) => this.#find(connection, ids)),
      take: async (rows) => {
        try {
          return await this.#host.take(rows);
        } catch (cause) {
          throw this.#failed(cause);
        }
      },
      // Whoever has it next is the first one to work on it.
      deliveries: { ...this.#host.deliveries, release: (lease) => this.#host.deliveries.release(lease, true) },
      signal,
      onClose: () => this.#takers.delete(taker),
    });
    this.#takers.add(taker);
    return taker;
  }

  async oldestAt(): Promise<number | undefined> {
    try {
      const [row] = await this.#ask((connection) => this.#statements.after(connection, undefined, 1, HEAD_BYTES));
      return row && (await this.#look(row, 0)).message?.storedAt;
    } catch {
      return undefined;
    }
  }

  /** Claims that are still held become free. */
  async close(): Promise<void> {
    await Promise.all([...this.#takers].map((taker) => taker.close()));
  }

  /** Also by the name that a row without an id has. */
  async #find(connection: SqlConnection, ids: readonly string[]) {
    const { table } = this.#host;
    const found = await this.#statements.find(connection, ids);
    const nameless = ids.flatMap((id) => {
      const [, number = ''] = /^row (\d{1,15}) of table /.exec(id) ?? [];
      return number !== '' && id === rowName(Number(number), table.name) ? [Number(number)] : [];
    });
    const rows = await this.#statements.rows(connection, nameless);
    return [...found, ...rows];
  }

  async #look(row: SeenRow, bodyBytes: number): Promise<BrowsedMessage> {
    const cursor = writeCursor([row.indexId, row.sequence]);
    const options = { bodyBytes, cursor, inDelivery: row.held };
    try {
      if (row.bytes.length >= row.length) {
        const message = readStoredMessageBytes(row.bytes);
        return browsed({ message, poison: undefined }, options);
      }
      const start = readStoredMessageStart(row.bytes);
      if (start) return browsed({ message: start.message, poison: undefined }, { ...options, bytes: start.bodyBytes });
    } catch (error) {
      if (!(error instanceof StoredMessageError)) throw error;
      return browsed(
        { message: undefined, poison: this.#poison(row, error.message) },
        { ...options, bytes: row.length },
      );
    }
    // Its head is longer than what was read.
    const [whole] = await this.#ask((connection) => this.#statements.rows(connection, [row.indexId]));
    return this.#look(whole ?? { ...row, length: row.bytes.length }, bodyBytes);
  }

  #poison({ indexId, msgId, bytes }: SeenRow, problem: string): PoisonMessage {
    const name = rowName(indexId, this.#host.table.name);
    return { id: msgId || name, reason: `${name} cannot be read: ${problem}`, bytes, headers: [] };
  }

  /** @throws StoreError */
  async #ask<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    const late = () => new Error(`the database does not answer within ${BROWSE_DEADLINE_MS} ms`);
    try {
      return await within(this.#host.use(work), BROWSE_DEADLINE_MS, late);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): StoreError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return this.#host.error(`could not be looked at: ${reason}`, cause);
  }
}

interface SqlTakerOptions {
  find(): Promise<ReadonlyArray<{ readonly indexId: number }>>;
  take(rows: readonly number[]): Promise<readonly ClaimedMessage[]>;
  readonly deliveries: ConsumerHost;
  readonly signal: AbortSignal;
  onClose(): void;
}

/** Claims the wanted rows, some at a time; those that are claimed already are left out. */
class SqlTaker implements MessageTaker {
  readonly #options: SqlTakerOptions;
  readonly #taken = new Set<SqlDelivery>();
  #rows: number[] | undefined;
  #claimed: SqlDelivery[] = [];
  #seen = new Set<string>();
  #closed = false;

  constructor(options: SqlTakerOptions) {
    this.#options = options;
  }

  async next(): Promise<Delivery | undefined> {
    this.#rows ??= (await this.#options.find()).map(({ indexId }) => indexId);
    for (;;) {
      const ready = this.#claimed.shift();
      if (ready) return ready;
      if (this.#closed || this.#rows.length === 0) return undefined;
      this.#options.signal.throwIfAborted();
      await this.#claim(this.#rows.splice(0, TAKEN_AT_ONCE));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#taken].map((delivery) => delivery.abandon()));
    this.#options.onClose();
  }

  async #claim(rows: readonly number[]): Promise<void> {
    for (const delivery of this.#taken) if (delivery.settled) this.#taken.delete(delivery);
    for (const claimed of await this.#options.take(rows)) {
      const delivery = new SqlDelivery(claimed, this.#options.deliveries);
      this.#taken.add(delivery);
      const id = idOf(delivery);
      // Of several messages with one id the oldest one is meant.
      if (this.#seen.has(id)) await delivery.release();
      else this.#claimed.push(delivery);
      this.#seen.add(id);
    }
    if (this.#closed) await Promise.all([...this.#taken].map((delivery) => delivery.abandon()));
  }
}

function idOf({ message, poison }: { message: StoredMessage | undefined; poison: PoisonMessage | undefined }): string {
  return message?.id ?? poison?.id ?? '';
}

function placeOf(cursor: string): RowPlace {
  const [indexId, sequence] = readCursor(cursor, ['number', 'string']);
  return { indexId, sequence };
}
