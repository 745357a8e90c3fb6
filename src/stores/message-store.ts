import type { Cluster } from '../coordination/cluster.ts';
import type { LeaseMedium } from '../coordination/lease-medium.ts';
import type { PutsOnce } from './dedup/puts-once.ts';
import type { StoreBrowser } from './store-browser.ts';
import type { StoredMessage } from './stored-message.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    messageStore: MessageStore;
  }
}

/**
 * The delivery contract that every store kind obeys (design.md 3, spec stores 2.0, OP-01, OP-02, OP-10 to OP-17).
 * `test/stores/contract.ts` runs the same cases against every kind and its real server.
 */
export interface MessageStore {
  readonly name: string;
  /** The management API's word: in-memory-message-store, jms-message-store, … */
  readonly type: string;
  /** The parameters as configured, for the store mediator and the management API. */
  readonly parameters: ReadonlyMap<string, string>;
  /** False for a store that promises delivery only while the process lives. */
  readonly durable: boolean;
  /**
   * Appends a message. Resolves only when the medium has it (receipt, commit, or accepted within the bound); may be called
   * concurrently. Never takes longer than the store's deadline (default 10 s, OP-11).
   * @throws StoreError when it is not stored
   */
  put(message: StoredMessage): Promise<void>;
  /** How repetitions of a message are recognised when it is stored (OP-07). Absent: they are not. */
  readonly once?: PutsOnce | undefined;
  /** A new consumer, identified in logs as `[<store>-C-<n>]`. */
  consumer(options?: ConsumerOptions): StoreConsumer;
  /** What operators see; never waits for the medium. */
  status(): StoreStatus;
  /** Number of messages, those in somebody's hands included; `unknown` when the medium cannot tell (OP-17). */
  depth(options?: DepthOptions): Promise<StoreDepth>;
  /**
   * Where the nodes that share the medium agree on who does what (REQ-25), always the same until {@link close}. Absent: no other node
   * can have this store.
   * @throws StoreError after close
   */
  leases?(cluster: Cluster): LeaseMedium;
  /**
   * How to look at its messages and to take certain ones (REQ-27, OP-42), always the same until {@link close}. Absent: its kind has no
   * way to do that.
   * @throws StoreError after close
   */
  browser?(): StoreBrowser;
  /**
   * Stops consumers and producers and lets the medium go. Unsettled deliveries become available again. A store that is replaced by
   * another deployment of itself hands over through {@link StoreKind.open}'s `previous` before it is closed.
   */
  close(): Promise<void>;
}

/** What is special about a consumer. */
export interface ConsumerOptions {
  /** One of many that one worker has: where consumers have connections of their own, these have one for all of them. Default: false. */
  readonly shared?: boolean;
}

/**
 * Takes messages one at a time, oldest first. At most one delivery of a consumer is unsettled. Competing consumers are safe on
 * every store: a message is with one consumer at a time (REQ-31).
 */
export interface StoreConsumer {
  readonly id: string;
  /**
   * Waits for the next message. Resolves undefined when `waitMs` (default: for ever) has passed or the signal is aborted. A store
   * that is unreachable just keeps waiting and reconnecting (OP-12, OP-14); its status tells.
   * @throws StoreError only after close
   */
  receive(options: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined>;
  /** Releases what is unsettled and everything it holds. Idempotent. */
  close(): Promise<void>;
}

/**
 * One message in one consumer's hands. Settled exactly once, as the last step of its processing (OP-01): by `done`, `release` or
 * `moveTo`. A second settle is a programming error and throws.
 */
export interface Delivery {
  /** Undefined when what the medium holds cannot be decoded; see {@link poison} (REQ-26). */
  readonly message: StoredMessage | undefined;
  /** Why it cannot be decoded, and its raw bytes for the dead-letter area. */
  readonly poison: PoisonMessage | undefined;
  /** True when the medium says that it may have been delivered before. */
  readonly redelivered: boolean;
  /**
   * True when it is in nobody's hands here any more: it was settled, or the medium is known to have it back, as the connection or the
   * lease was lost; it comes again then. Absent: that cannot be known.
   */
  readonly settled?: boolean;
  /**
   * Removes the message from the store; resolves when the medium confirmed it.
   * @throws StoreError when that is not known: it may come again, with the same id (REQ-32)
   */
  done(): Promise<void>;
  /** Gives it back, to be delivered again, as soon as the medium allows. Never throws. */
  release(): Promise<void>;
  /**
   * Stores `message` (the same or with a failure record) in another store and then removes it here, atomically where one medium
   * holds both.
   * @throws StoreError when it was not stored there; it is still unsettled then
   */
  moveTo(store: MessageStore, message: StoredMessage): Promise<void>;
}

export interface PoisonMessage {
  readonly id: string;
  readonly reason: string;
  readonly bytes: Uint8Array;
  readonly headers: ReadonlyArray<readonly [string, string]>;
}

/** OP-10: the states of a store's connection supervisor; READY for embedded stores. */
export type StoreState = 'CONNECTING' | 'READY' | 'DEGRADED' | 'DOWN' | 'CLOSED';

export interface StoreStatus {
  readonly state: StoreState;
  /** Epoch ms. */
  readonly since: number;
  /** The last error, without secrets. */
  readonly lastError: string | undefined;
  /** Messages stored and settled by this process. */
  readonly enqueued: number;
  readonly dequeued: number;
}

export interface DepthOptions {
  /** The medium is asked again, however lately it was: what was stored and removed before the call is seen. Default: false. */
  readonly fresh?: boolean;
}

export interface StoreDepth {
  readonly count: number | 'unknown';
  readonly estimated: boolean;
}

/** A store could not do what was asked; `store` and the reason are for operators, never with secrets. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly store: string;

  constructor(store: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.store = store;
  }
}
