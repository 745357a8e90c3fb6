import type { MessageContext } from '../message/message-context.ts';
import type { DedupRules } from '../stores/dedup/parameters.ts';
import { dedupKey, type PutsOnce } from '../stores/dedup/puts-once.ts';
import { FAILOVER_PARAMETERS } from '../stores/failover-parameters.ts';
import {
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreStatus,
} from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { encodeStoredMessage } from '../stores/stored-message-codec.ts';
import { HandOverError, type OwnerLink } from './owner-link.ts';

/** The owner's own deadline passes first, with a better reason. */
const MARGIN_MS = 500;

export interface RemoteStoreOptions {
  readonly name: string;
  /** The management API's word for its kind. */
  readonly type: string;
  /** As written. */
  readonly parameters: ReadonlyMap<string, string>;
  /** How it recognises repetitions; undefined: it does not. */
  readonly dedup: DedupRules | undefined;
  /** ms that a put may take. */
  readonly putDeadlineMs: number;
  readonly link: Pick<OwnerLink, 'put' | 'isOpen'>;
}

/**
 * A message store as takers have it: whatever is put into it is put into the owner's store of this name, with the same promise (OP-02).
 * Where a store fails over to another one, the owner does that: it knows what waits where.
 */
export class RemoteStore implements MessageStore {
  readonly name: string;
  readonly type: string;
  /** Nobody here looks at it: the owner's store knows. */
  readonly durable = true;
  readonly once: PutsOnce | undefined;
  /** Without those of the failover. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly #link: RemoteStoreOptions['link'];
  readonly #deadlineMs: number;
  #since = Date.now();
  #wasOpen = false;
  #closed = false;
  #stored = 0;

  constructor({ name, type, dedup, parameters, putDeadlineMs, link }: RemoteStoreOptions) {
    this.name = name;
    this.type = type;
    this.parameters = new Map([...parameters].filter(([key]) => !Object.hasOwn(FAILOVER_PARAMETERS, key)));
    this.#link = link;
    this.once = dedup && this.#recognising(dedup);
    // With a failover store there are two puts, one after the other.
    const puts = parameters.size > this.parameters.size ? 2 : 1;
    this.#deadlineMs = puts * putDeadlineMs + MARGIN_MS;
  }

  async put(message: StoredMessage): Promise<void> {
    await this.#put(message, undefined);
  }

  /** The id is looked for here, where the message is whole; whether it was there before is the owner's to say. */
  #recognising(rules: DedupRules): PutsOnce {
    return {
      duplicates: 0,
      keyOf: (message: MessageContext) => dedupKey(this.name, rules, message),
      put: (message, key) => this.#put(message, key),
    };
  }

  async #put(message: StoredMessage, key: string | undefined): Promise<string | undefined> {
    if (this.#closed) throw new StoreError(this.name, 'the store is closed');
    const { head, body } = encodeStoredMessage(message);
    try {
      const first = await this.#link.put({ store: this.name, key, head, body }, this.#deadlineMs);
      if (first === undefined) this.#stored += 1;
      return first;
    } catch (cause) {
      if (!(cause instanceof HandOverError)) throw cause;
      throw new StoreError(this.name, cause.message, { cause });
    }
  }

  consumer(): StoreConsumer {
    throw new StoreError(this.name, 'messages are taken out by the worker that has the stores only');
  }

  status(): StoreStatus {
    const { isOpen } = this.#link;
    if (isOpen !== this.#wasOpen) this.#since = Date.now();
    this.#wasOpen = isOpen;
    return {
      state: this.#closed ? 'CLOSED' : isOpen ? 'READY' : 'DOWN',
      since: this.#since,
      lastError: isOpen ? undefined : 'the worker that has the stores is away',
      enqueued: this.#stored,
      dequeued: 0,
    };
  }

  async depth(): Promise<StoreDepth> {
    return { count: 'unknown', estimated: true };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
