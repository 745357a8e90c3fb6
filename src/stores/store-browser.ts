import type { Delivery, MessageStore, PoisonMessage } from './message-store.ts';
import { StoreError } from './message-store.ts';
import type { StoredMessage } from './stored-message.ts';

/*
 * Looking into a store, and taking certain messages out of it (REQ-27, OP-42, OP-61). Looking changes nothing: no order, no number
 * of attempts, nobody who waits for a message gets it later. What media cannot show without a trace is said at their browsers
 * (RabbitMQ: the mark that a message was handed over before).
 */

/** The most messages of one page, and the most bytes of their bodies. */
export const MAX_PAGE_MESSAGES = 500;
export const MAX_PAGE_BODY_BYTES = 8 * 1024 * 1024;
/** How long one look may take, ms. */
export const BROWSE_DEADLINE_MS = 10_000;
/** Of a body, unless more is asked for, bytes. */
export const PREVIEW_BYTES = 4096;

/** How to look at the messages of one store, and to take certain ones. */
export interface StoreBrowser {
  /** Whether a cursor means the same place, whatever is removed before it. */
  readonly placesStay: boolean;
  /** Looking leaves a mark on the messages: it is done when somebody asks for it, and not again and again. Default: false. */
  readonly leavesMarks?: boolean;
  /**
   * A part of the messages, oldest first, those in somebody's hands included where the medium shows them.
   * @throws StoreError when the medium cannot be reached, {@link BrowseRefusedError} when it cannot be looked at
   */
  page(request: PageRequest): Promise<BrowsePage>;
  /**
   * One message with its whole body; undefined when it is not there (or, on RabbitMQ, in somebody's hands).
   * @throws StoreError, BrowseRefusedError
   */
  read(id: string, look: Look): Promise<BrowsedMessage | undefined>;
  /** Takes messages exclusively, as a consumer takes them; those in somebody's hands are left out. */
  take(ids: readonly string[], look: Look): MessageTaker;
  /** When its oldest message was stored, epoch ms; undefined: there is none, or nobody can tell cheaply. Never throws. */
  oldestAt(): Promise<number | undefined>;
}

/** One look into a store. */
export interface Look {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Looks all the same where the medium counts that against its messages (quorum queues with a delivery limit). */
  readonly force?: boolean | undefined;
}

export interface PageRequest extends Look {
  /** Goes on behind this cursor, which a page or one of its messages has given; absent: from the oldest one. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** How much of each body is wanted; default {@link PREVIEW_BYTES}. */
  readonly bodyBytes?: number | undefined;
}

/** A message as it lies in its store. */
export interface BrowsedMessage {
  readonly id: string;
  /** Undefined when it cannot be decoded; its body may be cut off, see {@link truncated}. */
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  /** Of the whole body. */
  readonly bytes: number;
  readonly truncated: boolean;
  /** Whether somebody has it in hand right now; undefined when the medium does not tell. */
  readonly inDelivery: boolean | undefined;
  /** Its place; opaque. */
  readonly cursor: string;
}

export interface BrowsePage {
  readonly messages: readonly BrowsedMessage[];
  /** Where the next page begins; undefined when there is none. */
  readonly next: string | undefined;
  /** False: there are messages that the medium does not show. */
  readonly complete: boolean;
  /** What operators should know about it. */
  readonly note?: string;
}

/**
 * Takes the wanted messages one after the other, in the order of the store. Several may be unsettled at a time; all of them are
 * settled before {@link close}, which gives back the others. A message is taken at most once, whoever else takes messages.
 */
export interface MessageTaker {
  /**
   * The next one that can be had; undefined when there are no more.
   * @throws StoreError, BrowseRefusedError
   */
  next(): Promise<Delivery | undefined>;
  /** Lets everything go that is unsettled. Never throws. */
  close(): Promise<void>;
}

/** The medium cannot be looked at, or not without harm; the message says why, and what helps. */
export class BrowseRefusedError extends StoreError {}

/** A cursor that no page has given. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
}

/** Why a store of a kind without a browser cannot be looked at. */
export function notBrowsable(store: MessageStore): BrowseRefusedError {
  return new BrowseRefusedError(
    store.name,
    `Store [${store.name}] is of the kind ${store.type}, whose messages cannot be looked at`,
  );
}

/** What was looked at, with no more of its body than is wanted. */
export function browsed(
  found: { readonly message: StoredMessage | undefined; readonly poison: PoisonMessage | undefined },
  options: {
    readonly bodyBytes: number;
    readonly cursor: string;
    readonly inDelivery?: boolean | undefined;
    /** Of the whole body, when only a part of it is at hand. */
    readonly bytes?: number;
  },
): BrowsedMessage {
  const { message, poison } = found;
  const { bodyBytes, cursor, inDelivery } = options;
  const bytes = options.bytes ?? message?.body.bytes.length ?? poison?.bytes.length ?? 0;
  return {
    id: message?.id ?? poison?.id ?? '',
    message: message && { ...message, body: { ...message.body, bytes: cut(message.body.bytes, bodyBytes) } },
    poison: message ? undefined : poison && { ...poison, bytes: cut(poison.bytes, bodyBytes) },
    bytes,
    truncated: Math.min(bodyBytes, message?.body.bytes.length ?? poison?.bytes.length ?? 0) < bytes,
    inDelivery,
    cursor,
  };
}

/** A copy, so that a preview does not keep what it was cut from. */
function cut(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length <= length ? bytes : Buffer.from(bytes.subarray(0, length));
}

/** Collects a page within its bounds. */
export class PageCollector {
  readonly messages: BrowsedMessage[] = [];
  readonly #limit: number;
  #bytes = 0;
  #refused = false;

  constructor(limit: number) {
    this.#limit = Math.max(1, Math.min(limit, MAX_PAGE_MESSAGES));
  }

  /** No other one fits. */
  get full(): boolean {
    return this.#refused || this.messages.length >= this.#limit || this.#bytes >= MAX_PAGE_BODY_BYTES;
  }

  /** How many more may come, but for their sizes. */
  get room(): number {
    return this.full ? 0 : this.#limit - this.messages.length;
  }

  /** False: it did not fit. The first one always does. */
  add(message: BrowsedMessage): boolean {
    const size = message.message?.body.bytes.length ?? message.poison?.bytes.length ?? 0;
    if (this.full) return false;
    this.#refused = this.messages.length > 0 && this.#bytes + size > MAX_PAGE_BODY_BYTES;
    if (this.#refused) return false;
    this.#bytes += size;
    this.messages.push(message);
    return true;
  }

  /** Where the next page begins. */
  get last(): string | undefined {
    return this.messages.at(-1)?.cursor;
  }
}

/** A cursor of numbers and texts: opaque, and safe in a URL. */
export function writeCursor(parts: ReadonlyArray<string | number>): string {
  return Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url');
}

/** @throws CursorError when it is not one with parts of these types */
export function readCursor<const T extends ReadonlyArray<'string' | 'number'>>(
  cursor: string,
  types: T,
): { readonly [K in keyof T]: T[K] extends 'string' ? string : number } {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new CursorError(`'${cursor}' is no cursor of a page`, { cause });
  }
  const fits =
    Array.isArray(parts) && parts.length === types.length && types.every((type, at) => typeof parts[at] === type);
  if (!fits) throw new CursorError(`'${cursor}' is no cursor of a page of this store`);
  return parts as { readonly [K in keyof T]: T[K] extends 'string' ? string : number };
}
