import { LONGEST_INTERVAL } from '../../scheduling/index.ts';
import type { QueueEntry, QueueWaiter } from '../message-queue.ts';
import type { Delivery, StoreConsumer } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { deliver, type InMemoryDelivery } from './delivery.ts';
import type { Holding } from './holding.ts';

interface Taken {
  readonly entry: QueueEntry;
  readonly message: StoredMessage | undefined;
}

/**
 *     idle ──receive()──▶ waiting ──message──▶ delivering ──settled──▶ idle
 *       ▲                    │
 *       └──time, abort───────┘            any ──close()──▶ closed, with everything released
 */
export class InMemoryConsumer implements StoreConsumer {
  readonly id: string;
  readonly #holding: Holding;
  readonly #onClose: () => void;
  #delivery: InMemoryDelivery | undefined;
  /** Ends the wait that is going on. */
  #stopWaiting: (() => void) | undefined;
  #closed = false;

  constructor(id: string, holding: Holding, onClose: () => void) {
    this.id = id;
    this.#holding = holding;
    this.#onClose = onClose;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.#closed) throw this.#holding.error(`${this.id} is closed`);
    if (this.#stopWaiting) throw new Error(`${this.id} is receiving already`);
    if (this.#delivery && !this.#delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    if (signal.aborted) return undefined;
    const { queue } = this.#holding;
    const leased = queue.lease();
    const taken = leased ? { entry: leased, message: undefined } : await this.#wait(signal, waitMs);
    if (!taken) return undefined;
    if (this.#closed) {
      // Closed in the moment in which a message came.
      queue.putBack(taken.entry);
      return undefined;
    }
    this.#delivery = deliver(taken.entry, taken.message, this.#holding);
    return this.#delivery;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWaiting?.();
    await this.#delivery?.abandon();
    this.#onClose();
  }

  #wait(signal: AbortSignal, waitMs: number | undefined): Promise<Taken | undefined> {
    if (waitMs !== undefined && waitMs <= 0) return Promise.resolve(undefined);
    const { queue } = this.#holding;
    return new Promise((resolve) => {
      const end = (taken: Taken | undefined) => {
        this.#stopWaiting = undefined;
        queue.stopWaiting(waiter);
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        resolve(taken);
      };
      const stop = () => end(undefined);
      const waiter: QueueWaiter = (entry, message) => end({ entry, message });
      const timer = waitMs === undefined ? undefined : setTimeout(stop, Math.min(waitMs, LONGEST_INTERVAL));
      this.#stopWaiting = stop;
      signal.addEventListener('abort', stop, { once: true });
      queue.wait(waiter);
    });
  }
}
