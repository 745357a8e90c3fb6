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

/**
 *     open ──done(), moveTo()──▶ settling ──confirmed──▶ settled
 *       ▲                           │
 *       └──────── not confirmed ────┘        open ──release()──▶ settled
 *     open ──consumer closed──▶ abandoned: the message is available again, settling fails
 */
class SqlDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  readonly #lease: Lease;
  readonly #host: ConsumerHost;
  #state: 'open' | 'settling' | 'settled' | 'abandoned' = 'open';
  #settling: Promise<void> | undefined;

  constructor(claimed: ClaimedMessage, host: ConsumerHost) {
    this.#lease = claimed.lease;
    this.#host = host;
    this.redelivered = claimed.lease.deliveries > 1;
    const read = decode(claimed, host.tableName);
    this.message = 'poison' in read ? undefined : read;
    this.poison = 'poison' in read ? read.poison : undefined;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'abandoned';
  }

  done(): Promise<void> {
    return this.#settle(() => this.#host.settle(this.#lease));
  }

  moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    return this.#settle(() => this.#host.move(this.#lease, store, message));
  }

  async release(): Promise<void> {
    // "Never throws": a delivery whose consumer was closed is released already.
    if (this.#state === 'abandoned') return;
    this.#requireOpen();
    this.#state = 'settled';
    await this.#host.release(this.#lease, false);
  }

  /** The consumer closes: waits for what has begun, and gives back what is still unsettled. */
  async abandon(): Promise<void> {
    if (this.#state === 'settling') await this.#settling?.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    await this.#host.release(this.#lease, false);
  }

  async #settle(settle: () => Promise<void>): Promise<void> {
    this.#requireOpen();
    this.#state = 'settling';
    this.#settling = settle().then(
      () => {
        this.#state = 'settled';
      },
      (error: unknown) => {
        this.#state = 'open';
        throw error;
      },
    );
    await this.#settling;
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    const id = this.message?.id ?? this.poison?.id;
    if (this.#state !== 'abandoned') throw new Error(`the delivery of message [${id}] was settled already`);
    throw this.#host.error(`gave message [${id}] back when its consumer was closed`);
  }
}

/** A row that is no message of ours is a poison message, never an empty store (REQ-26). */
function decode(claimed: ClaimedMessage, table: string): StoredMessage | { poison: PoisonMessage } {
  const { lease, msgId, bytes, unwanted } = claimed;
  try {
    const message = readStoredMessageBytes(bytes);
    return unwanted ? { poison: unwantedMessage(message, unwanted.reason) } : message;
  } catch (error) {
    if (!(error instanceof StoredMessageError)) throw error;
    const row = `row ${lease.indexId} of table ${table}`;
    return { poison: { id: msgId || row, reason: `${row} cannot be read: ${error.message}`, bytes, headers: [] } };
  }
}

/** Its payload as it is. */
function unwantedMessage({ id, body, headers }: StoredMessage, reason: string): PoisonMessage {
  const others = headers.filter(([name]) => name.toLowerCase() !== 'content-type');
  const type = body.contentType === undefined ? [] : [['Content-Type', body.contentType] as const];
  return { id, reason, bytes: body.bytes, headers: [...others, ...type] };
}
