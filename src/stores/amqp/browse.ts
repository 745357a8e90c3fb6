import type { Message } from 'amqplib';
import type { DeliveryHost } from '../broker/broker-delivery.ts';
import type { RepeatedPuts } from '../broker/repeated-puts.ts';
import { StoreError } from '../message-store.ts';
import {
  BROWSE_DEADLINE_MS,
  type BrowsedMessage,
  type BrowsePage,
  BrowseRefusedError,
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
import { decodeAmqpMessage, poisonId, shownHeaders } from './amqp-message.ts';
import type { AmqpConnection } from './connection.ts';
import type { FetchGate } from './fetch-gate.ts';
import { ID_HEADER } from './publisher.ts';
import { inspectQueue, type QueueInspection } from './queue-inspection.ts';
import { MAX_LOOKED_AT, QueueReader } from './queue-reader.ts';
import { AmqpTaker } from './taker.ts';

/** How far from the oldest message is looked, bytes: all of them are fetched. */
const MAX_LOOKED_AT_BYTES = 64 * 1024 * 1024;
/** The age of the oldest message is looked at so often at most, ms. */
const OLDEST_FRESH_MS = 5_000;
const NOTE = 'RabbitMQ marks messages that were looked at as redelivered';

/** What a browser needs of its store. */
export interface AmqpBrowserHost extends DeliveryHost {
  readonly queue: string;
  readonly gate: FetchGate;
  readonly repeatedPuts: RepeatedPuts | undefined;
  connection(): AmqpConnection | undefined;
  lastError(): string | undefined;
  /** Consumers of this process that are open. */
  consumers(): number;
  noteHeld(change: 1 | -1): void;
}

/**
 * Looks into a queue of RabbitMQ, which has no browsers: takes up to a thousand messages on a channel of its own without
 * acknowledging them, and closes that; they return to their places, marked as redelivered. What others have in hand is not seen.
 * A quorum queue with a delivery limit counts every look, so it is looked into only when that is wanted all the same.
 */
export class AmqpBrowser implements StoreBrowser {
  readonly placesStay = false;
  readonly leavesMarks = true;
  readonly #host: AmqpBrowserHost;
  readonly #takers = new Set<AmqpTaker>();
  /** By connection, as the queue may be another one after a while. */
  readonly #inspections = new WeakMap<AmqpConnection, Promise<QueueInspection | undefined>>();
  #oldest: { readonly at: number | undefined; readonly lookedAt: number } | undefined;
  #looking: Promise<number | undefined> | undefined;

  constructor(host: AmqpBrowserHost) {
    this.#host = host;
  }

  async page({ after, limit, bodyBytes = PREVIEW_BYTES, ...look }: PageRequest): Promise<BrowsePage> {
    const page = new PageCollector(limit);
    const [skip, lastId] = after === undefined ? [0, ''] : readCursor(after, ['number', 'string']);
    let passed = after === undefined;
    const { left, enough } = await this.#look(look, (message, position) => {
      if (passed) return page.add(lookAt(message, bodyBytes, position));
      // What stood before it may be gone; and when it is gone itself its place tells.
      passed = lastId !== '' && idOf(message) === lastId ? true : position >= skip;
      if (position >= skip && idOf(message) !== lastId) return page.add(lookAt(message, bodyBytes, position));
      return true;
    });
    const next = enough && left && page.full ? page.last : undefined;
    const complete = next !== undefined || !left;
    const note = complete ? NOTE : `${NOTE}; no more than ${MAX_LOOKED_AT} are shown`;
    return { messages: page.messages, next, complete, ...(page.messages.length > 0 && { note }) };
  }

  async read(id: string, look: Look): Promise<BrowsedMessage | undefined> {
    let found: BrowsedMessage | undefined;
    await this.#look(look, (message, position) => {
      if (shownId(message) === id) found = lookAt(message, Number.MAX_SAFE_INTEGER, position);
      return found === undefined;
    });
    return found;
  }

  take(ids: readonly string[], look: Look): MessageTaker {
    const { gate, queue, deadlineMs } = this.#host;
    const taker = new AmqpTaker({
      ids,
      signal: look.signal,
      host: this.#host,
      open: async (onLost) => {
        const { connection, quorum } = await this.#ready(look);
        const end = await gate.look(look.signal);
        return { reader: new QueueReader({ connection, queue, quorum, deadlineMs, onLost }), end };
      },
      onClose: () => this.#takers.delete(taker),
    });
    this.#takers.add(taker);
    return taker;
  }

  /** Consumers that are at work empty the queue anyway; they are not held up for it. */
  async oldestAt(): Promise<number | undefined> {
    if (this.#host.consumers() > 0) return undefined;
    if (this.#oldest && performance.now() - this.#oldest.lookedAt < OLDEST_FRESH_MS) return this.#oldest.at;
    this.#looking ??= this.#lookAtOldest().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Lets go what was taken. */
  async close(): Promise<void> {
    await Promise.all([...this.#takers].map((taker) => taker.close()));
  }

  async #lookAtOldest(): Promise<number | undefined> {
    let at: number | undefined;
    try {
      await this.#look({ signal: AbortSignal.timeout(BROWSE_DEADLINE_MS) }, (message) => {
        at = decodeAmqpMessage(message).message?.storedAt;
        return false;
      });
    } catch {
      // Nobody can tell for now.
    }
    this.#oldest = { at, lookedAt: performance.now() };
    return at;
  }

  /** Shows message after message, the oldest one with position 1, as long as they are wanted. @throws StoreError */
  async #look(
    look: Look,
    onMessage: (message: Message, position: number) => boolean,
  ): Promise<{ readonly left: boolean; readonly enough: boolean }> {
    const { connection, quorum } = await this.#ready(look);
    const { gate, queue, deadlineMs } = this.#host;
    const deadline = AbortSignal.any([look.signal, AbortSignal.timeout(BROWSE_DEADLINE_MS)]);
    const reader = new QueueReader({ connection, queue, quorum, deadlineMs });
    let end: (() => void) | undefined;
    try {
      end = await gate.look(deadline);
      return await this.#read(reader, deadline, onMessage);
    } catch (cause) {
      throw this.#failed(cause, look.signal);
    } finally {
      // What was read is at its place again before others may fetch.
      await reader.close();
      end?.();
    }
  }

  async #read(
    reader: QueueReader,
    signal: AbortSignal,
    onMessage: (message: Message, position: number) => boolean,
  ): Promise<{ readonly left: boolean; readonly enough: boolean }> {
    let bytes = 0;
    for (let position = 1; ; position += 1) {
      signal.throwIfAborted();
      const arrival = await reader.next();
      if (!arrival) return { left: false, enough: true };
      bytes += arrival.message.content.length;
      if (!onMessage(arrival.message, position)) return { left: true, enough: true };
      if (position >= MAX_LOOKED_AT || bytes >= MAX_LOOKED_AT_BYTES) return { left: reader.left, enough: false };
    }
  }

  /** @throws StoreError, BrowseRefusedError when looking would cost messages a delivery */
  async #ready({ signal, force = false }: Look): Promise<{ connection: AmqpConnection; quorum: boolean }> {
    const connection = this.#host.connection();
    if (!connection) throw this.#failed(new Error(this.#host.lastError() ?? 'the broker is not reachable'), signal);
    const { name, queue } = this.#host;
    const inspecting = this.#inspections.get(connection) ?? this.#inspect(connection);
    this.#inspections.set(connection, inspecting);
    const found = await inspecting;
    // What cannot be found out about is treated as what needs more care.
    if (force || (found && found.deliveryLimit === undefined)) return { connection, quorum: found?.quorum ?? true };
    const limit = found
      ? `has a delivery limit of ${found.deliveryLimit}`
      : 'may have a delivery limit, which cannot be found out';
    throw new BrowseRefusedError(
      name,
      `Store [${name}]: queue [${queue}] ${limit}, and RabbitMQ would count a look as a delivery of every message ` +
        'that it shows; look all the same with force=true',
    );
  }

  /** Never rejects. What could not be found out is asked again the next time. */
  async #inspect(connection: AmqpConnection): Promise<QueueInspection | undefined> {
    const found = await inspectQueue(connection, this.#host.queue).catch(() => undefined);
    if (!found) this.#inspections.delete(connection);
    return found;
  }

  #failed(cause: unknown, signal: AbortSignal): unknown {
    if (signal.aborted || cause instanceof StoreError) return cause;
    const { name } = this.#host;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StoreError(name, `Store [${name}] could not be looked at: ${reason}`, { cause });
  }
}

function lookAt(message: Message, bodyBytes: number, position: number): BrowsedMessage {
  const cursor = writeCursor([position, idOf(message)]);
  const { message: stored, reason = '' } = decodeAmqpMessage(message);
  if (stored) return browsed({ message: stored, poison: undefined }, { bodyBytes, cursor, inDelivery: false });
  const { properties, content } = message;
  const poison = { id: poisonId(properties), reason, bytes: content, headers: shownHeaders(properties) };
  return browsed({ message: undefined, poison }, { bodyBytes, cursor, inDelivery: false });
}

/** By which a message is known again; empty when it has nothing of the kind. */
export function idOf({ properties }: Message): string {
  const id: unknown = properties.headers?.[ID_HEADER] ?? properties.messageId;
  return typeof id === 'string' ? id : '';
}

/** The id that it is shown with. */
export function shownId(message: Message): string {
  const { message: stored } = decodeAmqpMessage(message);
  return stored?.id ?? idOf(message);
}
