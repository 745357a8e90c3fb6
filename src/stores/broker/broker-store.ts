import { randomUUID } from 'node:crypto';
import type { Logger } from '../../logging/index.ts';
import type { StoreOpening } from '../component.ts';
import type { DedupRules } from '../dedup/parameters.ts';
import type { PutsOnce } from '../dedup/puts-once.ts';
import type { RememberedIds } from '../dedup/remembered-ids.ts';
import { borrowIds, releaseIds } from '../dedup/shared-ids.ts';
import { WindowedPuts } from '../dedup/windowed-puts.ts';
import {
  type ConsumerOptions,
  type DepthOptions,
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreStatus,
} from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { PutWindow } from './put-window.ts';
import { RepeatedPuts } from './repeated-puts.ts';
import { ConnectionSupervisor, type SupervisedConnection } from './supervisor.ts';

/** How long close() waits for puts that are under way, ms. */
const CLOSE_PATIENCE_MS = 5_000;

/** What a store on a broker has been told about itself. */
export type BrokerOpening = Pick<StoreOpening<never>, 'name' | 'written' | 'services' | 'previous'>;

/** A message as it goes to a broker. */
export interface BrokerMessage {
  readonly body: Uint8Array;
  /** Of one put, however often it is sent; see repeated-puts.ts. */
  readonly put?: string;
}

/** What differs from protocol to protocol and does not change. */
export interface BrokerSettings<E> {
  readonly type: string;
  readonly log: Logger;
  /** To be tried in turn. */
  readonly endpoints: readonly E[];
  readonly heartBeatMs: number;
  /** Whether the second copy of a message that was sent twice is to be recognised. */
  readonly recognisesRepeatedPuts: boolean;
  /** Undefined: messages with the same client-supplied id are all stored. */
  readonly dedup: DedupRules | undefined;
}

/**
 * What stores on brokers have in common: a supervised connection (OP-10), confirmed puts in a window (OP-02, OP-11), consumers of
 * their own, counters, the hand-over at a redeployment, and an orderly end. `E` is an address, `C` a connection, `M` a message as it
 * goes to the broker.
 */
export abstract class BrokerStore<E, C extends SupervisedConnection, M extends BrokerMessage> implements MessageStore {
  readonly name: string;
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly durable = true;
  readonly once: PutsOnce | undefined;
  protected readonly deadlineMs: number;
  protected readonly supervisor: ConnectionSupervisor<E, C>;
  protected readonly window: PutWindow<M>;
  readonly #log: Logger;
  readonly #consumers = new Set<StoreConsumer>();
  #repeatedPuts: RepeatedPuts | undefined;
  /** Client-supplied ids, which a broker has no place for. */
  readonly #ids: RememberedIds | undefined;
  #consumersMade = 0;
  #generation = 0;
  #enqueued = 0;
  #dequeued = 0;
  #successor: BrokerStore<E, C, M> | undefined;
  #closing: Promise<void> | undefined;
  #closedAt: number | undefined;

  constructor({ name, written, services, previous }: BrokerOpening, settings: BrokerSettings<E>) {
    this.name = name;
    this.type = settings.type;
    this.parameters = written;
    this.deadlineMs = services.putDeadlineMs;
    this.#log = settings.log;
    if (settings.recognisesRepeatedPuts) this.#repeatedPuts = new RepeatedPuts();
    this.supervisor = new ConnectionSupervisor<E, C>({
      endpoints: settings.endpoints,
      open: (endpoint, signal) => this.connect(endpoint, signal),
      onConnected: (connection, generation) => {
        const again = this.#generation > 0;
        this.#generation = generation;
        this.onConnected(connection, again);
      },
      onFailure: (error, phase) => this.#onFailure(error, phase),
    });
    this.window = new PutWindow({
      supervisor: this.supervisor,
      deadlineMs: this.deadlineMs,
      heartBeatMs: settings.heartBeatMs,
    });
    if (settings.dedup) {
      const { dedup: rules, log } = settings;
      const { dataDirectory, putDeadlineMs: deadlineMs } = services;
      this.#ids = borrowIds({ store: name, dataDirectory, durable: true, rules, deadlineMs, log });
      this.once = new WindowedPuts({ store: this, rules, ids: this.#ids, deadlineMs });
    }
    // Of one type are stores of one class only.
    if (previous instanceof BrokerStore && previous.type === this.type) this.#takeOver(previous);
  }

  async put(message: StoredMessage): Promise<void> {
    if (this.#closedAt !== undefined) {
      // Messages in flight may still know the store that was replaced.
      if (this.#successor) return this.#successor.put(message);
      throw new StoreError(this.name, `Store [${this.name}] is closed`);
    }
    try {
      const encoded: M = { ...this.encode(message), put: randomUUID() };
      await this.window.put(encoded, encoded.body.length);
    } catch (cause) {
      throw new StoreError(this.name, `Store [${this.name}]: ${this.onNotStored(message, cause)}`, { cause });
    }
    this.noteStored();
  }

  consumer(options: ConsumerOptions = {}): StoreConsumer {
    if (this.#closedAt !== undefined) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    this.#consumersMade += 1;
    const consumer = this.newConsumer(`[${this.name}-C-${this.#consumersMade}]`, options);
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): StoreStatus {
    const { state, since } = this.supervisor;
    return {
      state: this.#closedAt === undefined ? state : 'CLOSED',
      since: this.#closedAt ?? since,
      lastError: this.lastError,
      enqueued: this.#enqueued,
      dequeued: this.#dequeued,
    };
  }

  abstract depth(options?: DepthOptions): Promise<StoreDepth>;

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A connection that can be used. @throws ConnectError */
  protected abstract connect(endpoint: E, signal: AbortSignal): Promise<C>;
  /** A connection stands; `again` when it is not the first one of this store. */
  protected abstract onConnected(connection: C, again: boolean): void;
  /** The reference's words for a connection that did not come about; `again` when there was one before. */
  protected abstract notConnected(reason: string, again: boolean): string;
  /** @throws an error when the message cannot be sent as it is */
  protected abstract encode(message: StoredMessage): M;
  /** Logs that a message was not stored. @returns the reason, for whoever wanted to store it */
  protected abstract onNotStored(message: StoredMessage, cause: unknown): string;
  protected abstract newConsumer(id: string, options: ConsumerOptions): StoreConsumer;

  protected get lastError(): string | undefined {
    return this.supervisor.lastError;
  }

  protected get closed(): boolean {
    return this.#closedAt !== undefined;
  }

  /** Consumers that are open. */
  protected get consumers(): number {
    return this.#consumers.size;
  }

  /** `[STORE-P-n]`, as logs name what sends. */
  protected get producerId(): string {
    return `[${this.name}-P-${Math.max(1, this.#generation)}]`;
  }

  protected get counters(): { readonly enqueued: number; readonly dequeued: number } {
    return { enqueued: this.#enqueued, dequeued: this.#dequeued };
  }

  /** What every consumer knows of its store. */
  protected get consumerHost() {
    return {
      name: this.name,
      supervisor: this.supervisor,
      deadlineMs: this.deadlineMs,
      repeatedPuts: this.#repeatedPuts,
      noteSettled: () => {
        this.#dequeued += 1;
      },
      noteClosed: (consumer: StoreConsumer) => void this.#consumers.delete(consumer),
    };
  }

  protected noteStored(): void {
    this.#enqueued += 1;
  }

  /** Ends what was connected; nothing is under way any more. */
  protected disconnect(): Promise<unknown> {
    return this.supervisor.close();
  }

  async #close(): Promise<void> {
    this.#closedAt = Date.now();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await this.window.close(Math.min(CLOSE_PATIENCE_MS, this.deadlineMs));
    await this.disconnect();
    if (this.#ids) await releaseIds(this.#ids);
  }

  #takeOver(previous: BrokerStore<E, C, M>): void {
    previous.#successor = this;
    this.#enqueued = previous.#enqueued;
    this.#dequeued = previous.#dequeued;
    this.#consumersMade = previous.#consumersMade;
    if (this.#repeatedPuts) this.#repeatedPuts = previous.#repeatedPuts ?? this.#repeatedPuts;
  }

  #onFailure({ message }: Error, phase: 'connecting' | 'connected'): void {
    const details = { store: this.name, cause: message };
    const again = this.#generation > 0;
    if (phase === 'connected') {
      this.#repeatedPuts?.connectionLost();
      this.#log.warn(`Store [${this.name}] has lost its connection and reconnects by itself: ${message}`, details);
    } else if (again) this.#log.debug(this.notConnected(message, again), details);
    else this.#log.error(this.notConnected(message, again), details);
  }
}

/**
 * What is read from the parameters of a store.
 * @throws StoreError when they cannot be used (REQ-03)
 */
export function readSettings<T>(store: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new StoreError(store, `Store [${store}]: ${(cause as Error).message}`, { cause });
  }
}
