import { HeldDelivery, type HeldMessage } from '../held-delivery.ts';
import type { Delivery, MessageStore, PoisonMessage, StoreConsumer, StoreError } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';
import type { ClaimedMessage, Lease } from './message-table.ts';
import { readStoredMessageBytes } from './stored-message-bytes.ts';

/** What a consumer needs of its store. */
export interface ConsumerHost {
  readonly tableName: string;
  isClosed(): boolean;
  error(reason: string): StoreError;
  next(signal: AbortSignal, waitMs: number | undefined): Promise<ClaimedMessage | undefined>;
  /** @throws StoreError */
  settle(lease: Lease): Promise<void>;
  /** @throws StoreError */
  move(lease: Lease, store: MessageStore, message: StoredMessage): Promise<void>;
  /** Whether the lease is ours, as far as is known. */
  holds(lease: Lease): boolean;
  /** Never throws. */
  release(lease: Lease, unseen: boolean): Promise<void>;
  noteClosed(consumer: SqlConsumer): void;
}

/**
 *     idle ──receive()──▶ waiting ──message──▶ delivering ──settled──▶ idle
 *       ▲                    │
 *       └──time, abort───────┘            any ──close()──▶ closed, with everything released
 */
export class SqlConsumer implements StoreConsumer {
  readonly id: string;
  readonly #host: ConsumerHost;
  readonly #life = new AbortController();
  #waiting = false;
  #delivery: SqlDelivery | undefined;

  constructor(id: string, host: ConsumerHost) {
    this.id = id;
    this.#host = host;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.#life.signal.aborted || this.#host.isClosed()) throw this.#host.error(`${this.id} is closed`);
    if (this.#waiting) throw new Error(`${this.id} is receiving already`);
    if (this.#delivery && !this.#delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    if (signal.aborted) return undefined;
    this.#waiting = true;
    // Not AbortSignal.any: it would cost more than the rest for a signal that lives long.
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#life.signal.addEventListener('abort', abort, { once: true });
    try {
      const claimed = await this.#host.next(stop.signal, waitMs);
      if (!claimed) return undefined;
      if (this.#life.signal.aborted) {
        // Closed in the moment in which a message came.
        await this.#host.release(claimed.lease, true);
        return undefined;
      }
      this.#delivery = new SqlDelivery(claimed, this.#host);
      return this.#delivery;
    } finally {
      this.#waiting = false;
      signal.removeEventListener('abort', abort);
      this.#life.signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    await this.#delivery?.abandon();
    this.#host.noteClosed(this);
  }
}

/** A message of a table in a consumer's hands, by a lease; when another node has that, the message is lost here. */
export class SqlDelivery extends HeldDelivery {
  readonly #lease: Lease;
  readonly #host: ConsumerHost;

  constructor(claimed: ClaimedMessage, host: ConsumerHost) {
    super({ ...decode(claimed, host.tableName), redelivered: claimed.lease.deliveries > 1 });
    this.#lease = claimed.lease;
    this.#host = host;
  }

  override get settled(): boolean {
    return super.settled || !this.#host.holds(this.#lease);
  }

  override done(): Promise<void> {
    return this.settleBy(() => this.#host.settle(this.#lease));
  }

  override moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    return this.settleBy(() => this.#host.move(this.#lease, store, message));
  }

  protected override giveBack(): Promise<void> {
    return this.#host.release(this.#lease, false);
  }

  protected override error(reason: string): StoreError {
    return this.#host.error(reason);
  }
}

/** A row that is no message of ours is a poison message, never an empty store (REQ-26). */
function decode(claimed: ClaimedMessage, table: string): Pick<HeldMessage, 'message' | 'poison'> {
  const { lease, msgId, bytes, unwanted } = claimed;
  try {
    const message = readStoredMessageBytes(bytes);
    if (!unwanted) return { message, poison: undefined };
    return { message: undefined, poison: unwantedMessage(message, unwanted.reason) };
  } catch (error) {
    if (!(error instanceof StoredMessageError)) throw error;
    const row = rowName(lease.indexId, table);
    const reason = `${row} cannot be read: ${error.message}`;
    return { message: undefined, poison: { id: msgId || row, reason, bytes, headers: [] } };
  }
}

/** What a message is called that has no id. */
export function rowName(indexId: number, table: string): string {
  return `row ${indexId} of table ${table}`;
}

/** Its payload as it is. */
function unwantedMessage({ id, body, headers }: StoredMessage, reason: string): PoisonMessage {
  const others = headers.filter(([name]) => name.toLowerCase() !== 'content-type');
  const type = body.contentType === undefined ? [] : [['Content-Type', body.contentType] as const];
  return { id, reason, bytes: body.bytes, headers: [...others, ...type] };
}
