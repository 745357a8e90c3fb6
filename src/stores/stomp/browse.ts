import { within } from '../broker/deadline.ts';
import type { RepeatedPuts } from '../broker/repeated-puts.ts';
import { type StoreDepth, StoreError } from '../message-store.ts';
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
import type { StompConnection, StompHeaders, StompMessage } from './connection.ts';
import { type JmsDeliveryHost, poisonId } from './delivery.ts';
import { decodeJmsMessage } from './jms-message.ts';
import { isArtemis, subscribedQueue } from './queue-name.ts';
import { selectorFor } from './selector.ts';
import { StompTaker } from './taker.ts';

/** ActiveMQ ends a browse after what it holds in memory and so many messages more, and says nothing of it. */
const BROWSE_PAGE = 400;
/** A browse shows every message from the first one on, body included: no more of them are looked at. */
const MAX_LOOKED_AT = 10_000;
/** What is kept of a frame beside the wanted part of its body: a long head is in there. */
const HEAD_BYTES = 1024 * 1024;
/** The age of the oldest message is looked at so often at most, ms. */
const OLDEST_FRESH_MS = 5_000;

/** What a browser needs of its store. */
export interface StompBrowserHost extends JmsDeliveryHost {
  readonly queue: string;
  readonly repeatedPuts: RepeatedPuts | undefined;
  /** One more connection; undefined while the broker is out of reach. @throws StompConnectError */
  open(signal: AbortSignal): Promise<StompConnection | undefined>;
  lastError(): string | undefined;
  /** From what is known about the depth. */
  estimate(): StoreDepth;
}

/**
 * Looks into a queue of ActiveMQ with its browsers, each on a connection of its own. They show every message, also those in somebody's
 * hands, and change nothing. A page begins anew at the first message and skips what earlier pages had.
 */
export class StompBrowser implements StoreBrowser {
  readonly placesStay = false;
  readonly #host: StompBrowserHost;
  readonly #takers = new Set<StompTaker>();
  #oldest: { readonly at: number | undefined; readonly lookedAt: number } | undefined;
  #looking: Promise<number | undefined> | undefined;

  constructor(host: StompBrowserHost) {
    this.#host = host;
  }

  async page({ after, limit, bodyBytes = PREVIEW_BYTES, signal }: PageRequest): Promise<BrowsePage> {
    const page = new BehindCursor(limit, after);
    const { seen, ended } = await this.#browse(signal, {
      maxBodyBytes: bodyBytes + HEAD_BYTES,
      onMessage: (frame) => page.add(lookAt(frame, bodyBytes), frame.headers),
    });
    const { messages, last } = page.result();
    if (!ended) return { messages, next: last, complete: true };
    const { count } = this.#host.estimate();
    const complete = seen < BROWSE_PAGE || (count !== 'unknown' && seen >= count);
    if (complete) return { messages, next: undefined, complete };
    const note =
      'ActiveMQ shows what it holds in memory and one page more (maxBrowsePageSize): there may be more messages';
    return { messages, next: undefined, complete, note };
  }

  async read(id: string, { signal }: Look): Promise<BrowsedMessage | undefined> {
    let found: BrowsedMessage | undefined;
    await this.#browse(signal, {
      selector: selectorFor([id]),
      onMessage: (frame) => {
        const message = lookAt(frame, Number.MAX_SAFE_INTEGER);
        if (message.id === id) found = message;
        return found === undefined;
      },
    });
    return found;
  }

  take(ids: readonly string[], { signal }: Look): MessageTaker {
    const taker = new StompTaker({
      ids,
      signal,
      host: this.#host,
      connect: () => this.#connect(signal),
      shown: (selector) => this.#shown(selector, signal),
      onClose: () => this.#takers.delete(taker),
    });
    this.#takers.add(taker);
    return taker;
  }

  async oldestAt(): Promise<number | undefined> {
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
      await this.#browse(AbortSignal.timeout(BROWSE_DEADLINE_MS), {
        maxBodyBytes: HEAD_BYTES,
        onMessage: (frame) => {
          at = lookAt(frame, 0).message?.storedAt ?? (Number(frame.headers.timestamp) || undefined);
          return false;
        },
      });
    } catch {
      // Nobody can tell for now.
    }
    this.#oldest = { at, lookedAt: performance.now() };
    return at;
  }

  /** The broker's ids of what a browse shows, the oldest one for each of our ids; undefined where there are no browses. */
  async #shown(selector: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const found = new Map<string, string>();
    const onMessage = ({ headers }: StompMessage) => {
      const messageId = headers['message-id'] ?? '';
      const id = headers.StoredMessageID ?? messageId;
      if (!found.has(id)) found.set(id, messageId);
      return true;
    };
    try {
      await this.#browse(signal, { selector, maxBodyBytes: 0, onMessage });
      return [...found.values()];
    } catch (error) {
      if (error instanceof BrowseRefusedError) return undefined;
      throw error;
    }
  }

  /** Shows message after message as long as they are wanted. @throws StoreError */
  async #browse(signal: AbortSignal, browse: Browse): Promise<{ readonly seen: number; readonly ended: boolean }> {
    const connection = await this.#connect(signal);
    const over = Promise.withResolvers<'ended' | 'enough'>();
    const giveUp = () => over.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    let seen = 0;
    let enough = false;
    try {
      if (isArtemis(connection.server)) throw noBrowsers(this.#host.name);
      const headers = {
        ...subscribedQueue(this.#host.queue, connection.server),
        browser: 'true',
        ack: 'auto',
        ...(browse.selector !== undefined && { selector: browse.selector }),
      };
      const onMessage = (frame: StompMessage) => {
        // Others may have come with the last one.
        if (enough) return;
        if (frame.headers.browser === 'end') return over.resolve('ended');
        seen += 1;
        enough = !browse.onMessage(frame) || seen >= MAX_LOOKED_AT;
        if (enough) over.resolve('enough');
      };
      connection.subscribe(headers, onMessage, browse).confirmed.catch(over.reject);
      void connection.ended.then(over.reject);
      const how = await within(over.promise, BROWSE_DEADLINE_MS, 'the end of the browse');
      if (how === 'ended') await connection.close();
      return { seen, ended: how === 'ended' };
    } catch (cause) {
      throw this.#failed(cause, signal);
    } finally {
      signal.removeEventListener('abort', giveUp);
      over.promise.catch(() => undefined);
      // Also when the broker has more to show.
      connection.destroy('enough was browsed');
    }
  }

  async #connect(signal: AbortSignal): Promise<StompConnection> {
    let connection: StompConnection | undefined;
    try {
      connection = await this.#host.open(signal);
    } catch (cause) {
      throw this.#failed(cause, signal);
    }
    if (connection) return connection;
    throw this.#failed(new Error(this.#host.lastError() ?? 'the broker is not reachable'), signal);
  }

  #failed(cause: unknown, signal: AbortSignal): unknown {
    if (signal.aborted || cause instanceof StoreError) return cause;
    const { name } = this.#host;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StoreError(name, `Store [${name}] could not be looked at: ${reason}`, { cause });
  }
}

interface Browse {
  readonly selector?: string;
  readonly maxBodyBytes?: number;
  /** False: no more of them. */
  onMessage(frame: StompMessage): boolean;
}

/** Artemis discards the header `browser` and would hand the messages over. */
function noBrowsers(store: string): BrowseRefusedError {
  return new BrowseRefusedError(
    store,
    `Store [${store}] is on Artemis, whose queues cannot be browsed over STOMP: use its own console`,
  );
}

/**
 * The messages behind a cursor. Should the message of the cursor be gone, those that were sent later than it stand in: some may
 * be shown once more, none is left out.
 */
class BehindCursor {
  readonly #cursor: readonly [id: string, timestamp: number] | undefined;
  readonly #behind: PageCollector;
  readonly #later: PageCollector;
  #passed: boolean;

  constructor(limit: number, after: string | undefined) {
    this.#cursor = after === undefined ? undefined : readCursor(after, ['string', 'number']);
    this.#passed = this.#cursor === undefined;
    this.#behind = new PageCollector(limit);
    this.#later = new PageCollector(limit);
  }

  /** False: no other one is wanted. */
  add(message: BrowsedMessage, headers: StompHeaders): boolean {
    if (this.#passed) return this.#behind.add(message);
    const [id, timestamp] = this.#cursor ?? ['', 0];
    if (headers['message-id'] === id) this.#passed = true;
    else if (timestampOf(headers) >= timestamp) this.#later.add(message);
    return true;
  }

  result(): { readonly messages: readonly BrowsedMessage[]; readonly last: string | undefined } {
    return this.#passed ? this.#behind : this.#later;
  }
}

function lookAt(frame: StompMessage, bodyBytes: number): BrowsedMessage {
  const { headers, body, length } = frame;
  const cursor = writeCursor([headers['message-id'] ?? '', timestampOf(headers)]);
  const { message, reason = '' } = decodeJmsMessage({ headers, body, truncated: false });
  // A head that is in the body is not of the body.
  if (message)
    return browsed(
      { message, poison: undefined },
      { bodyBytes, cursor, bytes: length - (body.length - message.body.bytes.length) },
    );
  const poison = { id: poisonId(headers), reason, bytes: body, headers: Object.entries(headers) };
  return browsed({ message: undefined, poison }, { bodyBytes, cursor, bytes: length });
}

function timestampOf(headers: StompHeaders): number {
  return Number(headers.timestamp) || 0;
}
