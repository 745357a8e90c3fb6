import { pause } from '../scheduling/index.ts';
import type { Delivery, MessageStore, StoreConsumer } from '../stores/message-store.ts';
import { StoreError } from '../stores/message-store.ts';
import type { ProcessorServices } from './component.ts';

/** How long to wait before looking again for a store that is missing or was closed; a new configuration wakes up earlier, ms. */
const STORE_LOOK_MS = 1000;

/** `max.store.connection.attempts` and `store.connection.retry.interval` (spec stores 4.5). */
export interface StoreConnectionLimits {
  /** Looks at an unreachable store before giving up; 0 or less: never give up. */
  readonly attempts: number;
  readonly intervalMs: number;
}

/** A message, and the signal that tells that its store is not to be used any longer. */
export interface Received {
  readonly delivery: Delivery;
  /** Aborted when the worker is to stop, or when the store was replaced by another one. */
  readonly leave: AbortSignal;
}

/** The store stayed out of reach for as many looks as were allowed. */
export class StoreUnreachableError extends Error {
  override readonly name = 'StoreUnreachableError';
}

export interface StoreLinkOptions {
  readonly storeName: string;
  readonly services: ProcessorServices;
  readonly limits: StoreConnectionLimits;
  /** Hears whether there is a store to wait at. */
  readonly missing: (missing: boolean) => void;
  /** Hears that a message was discarded instead of being handed over (OP-04). */
  readonly discarded: () => void;
  /** One of many that one worker has. */
  readonly shared?: boolean;
}

/** Where a worker gets its messages from. */
export type DeliverySource = Pick<StoreLink, 'receive' | 'close'>;

interface OpenConsumer {
  readonly store: MessageStore;
  readonly consumer: StoreConsumer;
  /** Aborted when the worker is to stop or the configuration has another store of that name. */
  readonly leave: AbortController;
  readonly detach: () => void;
}

/**
 * One worker's consumer (REQ-44). The store is looked up by name in the configuration of the moment: it may be missing, be
 * replaced while a receive waits, or be closed; the link then waits for the one that comes (OP-33, REQ-28).
 */
export class StoreLink {
  readonly #storeName: string;
  readonly #services: ProcessorServices;
  readonly #limits: StoreConnectionLimits;
  readonly #missing: (missing: boolean) => void;
  readonly #shared: boolean;
  #open: OpenConsumer | undefined;

  constructor(options: StoreLinkOptions) {
    this.#storeName = options.storeName;
    this.#services = options.services;
    this.#limits = options.limits;
    this.#missing = options.missing;
    this.#shared = options.shared ?? false;
  }

  /**
   * The next message. Undefined when the signal was aborted, when none came within `waitMs`, or when `interrupt` was aborted, which
   * leaves the consumer open.
   * @throws StoreUnreachableError when the limits are reached
   */
  async receive(signal: AbortSignal, waitMs?: number, interrupt?: AbortSignal): Promise<Received | undefined> {
    let failures = 0;
    while (!signal.aborted && !interrupt?.aborted) {
      const open = await this.#consumer(signal);
      if (!open) return undefined;
      const received = await this.#receiveFrom(open, waitMs, interrupt);
      if (received === 'closed') {
        await this.close();
        await this.#configurationChange(signal);
        continue;
      }
      if (received) return { delivery: received, leave: open.leave.signal };
      if (waitMs !== undefined && !open.leave.signal.aborted) return undefined;
      failures = await this.#checkConnection(open.store, failures, signal);
    }
    return undefined;
  }

  /** Closes the consumer, if there is one; an unsettled message goes back to its store. Never throws. */
  async close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    open.detach();
    try {
      await open.consumer.close();
    } catch {
      // A consumer whose store went away first has nothing left to release.
    }
  }

  async #receiveFrom(
    { consumer, leave }: OpenConsumer,
    waitMs: number | undefined,
    interrupt: AbortSignal | undefined,
  ): Promise<Delivery | undefined | 'closed'> {
    const limit = waitMs ?? (this.#limits.attempts > 0 ? Math.max(this.#limits.intervalMs, 1) : undefined);
    const either = interrupt && eitherOf(leave.signal, interrupt);
    const signal = either?.signal ?? leave.signal;
    try {
      return await consumer.receive({ signal, ...(limit !== undefined && { waitMs: limit }) });
    } catch (error) {
      if (error instanceof StoreError) return 'closed';
      throw error;
    } finally {
      either?.detach();
    }
  }

  /** The consumer of the store that the configuration has now; waits while it has none. */
  async #consumer(signal: AbortSignal): Promise<OpenConsumer | undefined> {
    for (;;) {
      const store = this.#lookUp();
      if (this.#open && (this.#open.store !== store || this.#open.leave.signal.aborted)) await this.close();
      if (signal.aborted) return undefined;
      if (store) this.#open ??= this.#openConsumer(store, signal);
      this.#missing(this.#open === undefined);
      if (this.#open) return this.#open;
      await this.#configurationChange(signal);
    }
  }

  /** Undefined when the store is closed: its successor is on its way. */
  #openConsumer(store: MessageStore, signal: AbortSignal): OpenConsumer | undefined {
    let consumer: StoreConsumer;
    try {
      consumer = store.consumer({ shared: this.#shared });
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
    const leave = new AbortController();
    const stop = () => leave.abort();
    signal.addEventListener('abort', stop);
    const unsubscribe = this.#services.onConfigurationChange(() => {
      if (this.#lookUp() !== store) leave.abort();
    });
    const detach = () => {
      signal.removeEventListener('abort', stop);
      unsubscribe();
    };
    return { store, consumer, leave, detach };
  }

  /** Counts looks at a store that is out of reach. */
  async #checkConnection(store: MessageStore, failures: number, signal: AbortSignal): Promise<number> {
    if (this.#limits.attempts <= 0) return 0;
    const { state, lastError } = store.status();
    if (state === 'READY' || state === 'DEGRADED') return 0;
    if (failures + 1 >= this.#limits.attempts) {
      const cause = lastError === undefined ? undefined : new Error(lastError);
      throw new StoreUnreachableError(`the store ${this.#storeName} is out of reach`, cause && { cause });
    }
    if (state === 'CLOSED') await pause(this.#limits.intervalMs, signal);
    return failures + 1;
  }

  #lookUp(): MessageStore | undefined {
    return this.#services.configuration().find('messageStore', this.#storeName);
  }

  async #configurationChange(signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const wake = () => waiting.abort();
    const unsubscribe = this.#services.onConfigurationChange(wake);
    signal.addEventListener('abort', wake);
    await pause(signal.aborted ? 0 : STORE_LOOK_MS, waiting.signal);
    signal.removeEventListener('abort', wake);
    unsubscribe();
  }
}

/** Aborted with the first of two signals, as long as it is not detached. */
function eitherOf(one: AbortSignal, other: AbortSignal): { readonly signal: AbortSignal; detach(): void } {
  const both = new AbortController();
  const abort = () => both.abort();
  for (const signal of [one, other]) {
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
  }
  return {
    signal: both.signal,
    detach: () => {
      for (const signal of [one, other]) signal.removeEventListener('abort', abort);
    },
  };
}
