import { integer } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { JsonValue, type PropertyValue } from '../message/property-value.ts';
import { isElement, isElementList } from './capture.ts';
import { messageStore } from './component.ts';
import { MessageQueue, type QueueBounds, type QueueEntry, type QueueWaiter } from './message-queue.ts';
import {
  type Delivery,
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreStatus,
} from './message-store.ts';
import type { StoredMessage } from './stored-message.ts';

const log = logger('InMemoryStore');

const TYPE = 'in-memory-message-store';
const DEFAULT_MAX_MESSAGES = 100_000;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** What a message costs besides its text and bytes: objects, maps, the queue's own entry. */
const BYTES_PER_MESSAGE = 1024;
/** Timers cannot be set for longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The store that is meant when no class is given: fast, and gone with the process (spec stores 2.2). */
export const inMemoryStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages in memory, in order. They are delivered only while the process lives.',
  classes: [
    'org.apache.synapse.message.store.impl.memory.InMemoryStore',
    'org.apache.synapse.message.store.InMemoryMessageStore',
  ],
  parameters: {
    'x.max.messages': integer({
      minimum: 1,
      default: DEFAULT_MAX_MESSAGES,
      doc: 'The most messages that it holds; storing one more fails.',
    }),
    'x.max.bytes': integer({
      minimum: 1,
      default: DEFAULT_MAX_BYTES,
      doc: 'The most bytes that its messages may take, roughly; storing more fails.',
    }),
  },
  open({ name, parameters, written, previous }) {
    const bounds = { maxMessages: parameters['x.max.messages'], maxBytes: parameters['x.max.bytes'] };
    return new InMemoryStore(name, written, bounds, previous instanceof InMemoryStore ? previous : undefined);
  },
});

/**
 * A message store in memory. Redeployed, it serves the very queue of the store that it replaces, leased messages included
 * (REQ-28, OP-34); messages that are still stored through the old one arrive there as well.
 */
class InMemoryStore implements MessageStore {
  readonly name: string;
  readonly type = TYPE;
  readonly parameters: ReadonlyMap<string, string>;
  readonly durable = false;
  readonly #queue: MessageQueue;
  readonly #consumers = new Set<InMemoryConsumer>();
  #closedAt: number | undefined;
  readonly #openedAt = Date.now();

  constructor(
    name: string,
    parameters: ReadonlyMap<string, string>,
    bounds: QueueBounds,
    previous: InMemoryStore | undefined,
  ) {
    this.name = name;
    this.parameters = parameters;
    this.#queue = previous ? previous.#queue : new MessageQueue(bounds);
    this.#queue.bounds = bounds;
    this.#queue.owners += 1;
    log.info(`Initialized Store [${name}]...`, { store: name });
    const held = this.#queue.count > 0 ? ` It takes over ${this.#queue.count} messages.` : '';
    log.info(
      `Store [${name}] keeps messages in memory: they are delivered only while this process lives. ` +
        `It holds at most ${bounds.maxMessages} messages or ${bounds.maxBytes} bytes.${held}`,
      { store: name },
    );
  }

  async put(message: StoredMessage): Promise<void> {
    // A store that was replaced has closed, but messages in flight may still know it: its successor has the queue.
    if (this.#closedAt !== undefined && this.#queue.owners === 0) throw this.error('is closed');
    const size = sizeOf(message);
    const refusal = this.#queue.refusal(size);
    if (refusal !== undefined) throw this.error(`is full: ${refusal}`);
    this.#queue.add(message, size);
  }

  consumer(): StoreConsumer {
    if (this.#closedAt !== undefined) throw this.error('is closed');
    this.#queue.consumers += 1;
    const id = `[${this.name}-C-${this.#queue.consumers}]`;
    const consumer = new InMemoryConsumer(id, this, this.#queue, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): StoreStatus {
    const { enqueued, dequeued } = this.#queue;
    const closed = this.#closedAt !== undefined;
    return {
      state: closed ? 'CLOSED' : 'READY',
      since: this.#closedAt ?? this.#openedAt,
      lastError: undefined,
      enqueued,
      dequeued,
    };
  }

  async depth(): Promise<StoreDepth> {
    return { count: this.#queue.count, estimated: false };
  }

  async close(): Promise<void> {
    if (this.#closedAt !== undefined) return;
    this.#closedAt = Date.now();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    this.#queue.owners -= 1;
    const left = this.#queue.count;
    if (this.#queue.owners === 0 && left > 0) {
      log.warn(`Store [${this.name}] was closed with ${left} messages in memory, which are gone.`, {
        store: this.name,
      });
    }
  }

  error(reason: string): StoreError {
    return new StoreError(this.name, `Store [${this.name}] ${reason}`);
  }
}

/**
 *     idle ──receive()──▶ waiting ──message──▶ delivering ──settled──▶ idle
 *       ▲                    │
 *       └──time, abort───────┘            any ──close()──▶ closed, with everything released
 */
class InMemoryConsumer implements StoreConsumer {
  readonly id: string;
  readonly #store: InMemoryStore;
  readonly #queue: MessageQueue;
  readonly #onClose: () => void;
  #delivery: InMemoryDelivery | undefined;
  /** Ends the wait that is going on. */
  #stopWaiting: (() => void) | undefined;
  #closed = false;

  constructor(id: string, store: InMemoryStore, queue: MessageQueue, onClose: () => void) {
    this.id = id;
    this.#store = store;
    this.#queue = queue;
    this.#onClose = onClose;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.#closed) throw this.#store.error(`${this.id} is closed`);
    if (this.#stopWaiting) throw new Error(`${this.id} is receiving already`);
    if (this.#delivery && !this.#delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    if (signal.aborted) return undefined;
    const entry = this.#queue.lease() ?? (await this.#wait(signal, waitMs));
    if (!entry) return undefined;
    if (this.#closed) {
      // Closed in the moment in which a message came.
      this.#queue.putBack(entry);
      return undefined;
    }
    this.#delivery = new InMemoryDelivery(entry, this.#store, this.#queue);
    return this.#delivery;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWaiting?.();
    await this.#delivery?.abandon();
    this.#onClose();
  }

  #wait(signal: AbortSignal, waitMs: number | undefined): Promise<QueueEntry | undefined> {
    if (waitMs !== undefined && waitMs <= 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (entry: QueueEntry | undefined) => {
        this.#stopWaiting = undefined;
        this.#queue.stopWaiting(waiter);
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        resolve(entry);
      };
      const stop = () => end(undefined);
      const waiter: QueueWaiter = end;
      const timer = waitMs === undefined ? undefined : setTimeout(stop, Math.min(waitMs, LONGEST_TIMER_MS));
      this.#stopWaiting = stop;
      signal.addEventListener('abort', stop, { once: true });
      this.#queue.wait(waiter);
    });
  }
}

/**
 *     open ──done()──▶ settled          open ──moveTo()──▶ moving ──stored there──▶ settled
 *     open ──release()──▶ settled                            └──not stored──▶ open
 *     open ──consumer closed──▶ abandoned: the message is available again, settling fails
 */
class InMemoryDelivery implements Delivery {
  readonly message: StoredMessage;
  readonly poison = undefined;
  readonly redelivered: boolean;
  readonly #entry: QueueEntry;
  readonly #store: InMemoryStore;
  readonly #queue: MessageQueue;
  #state: 'open' | 'moving' | 'settled' | 'abandoned' = 'open';
  #move: Promise<void> | undefined;

  constructor(entry: QueueEntry, store: InMemoryStore, queue: MessageQueue) {
    this.message = entry.message;
    this.redelivered = entry.returns > 0;
    this.#entry = entry;
    this.#store = store;
    this.#queue = queue;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'abandoned';
  }

  async done(): Promise<void> {
    this.#requireOpen();
    this.#state = 'settled';
    this.#queue.remove(this.#entry);
  }

  async release(): Promise<void> {
    // "Never throws": a delivery whose consumer was closed is released already.
    if (this.#state === 'abandoned') return;
    this.#requireOpen();
    this.#state = 'settled';
    this.#queue.putBack(this.#entry);
  }

  async moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    this.#requireOpen();
    this.#state = 'moving';
    this.#move = store.put(message).then(
      () => {
        this.#state = 'settled';
        this.#queue.remove(this.#entry);
      },
      (error: unknown) => {
        this.#state = 'open';
        throw error;
      },
    );
    await this.#move;
  }

  /** The consumer closes: waits for a move that has begun, and gives back what is still unsettled. */
  async abandon(): Promise<void> {
    if (this.#state === 'moving') await this.#move?.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    this.#queue.putBack(this.#entry);
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    const { id } = this.message;
    if (this.#state !== 'abandoned') throw new Error(`the delivery of message [${id}] was settled already`);
    throw this.#store.error(`gave message [${id}] back when its consumer was closed`);
  }
}

/** What a message takes, roughly, bytes; strings count two bytes a character. */
function sizeOf(message: StoredMessage): number {
  let characters = 0;
  for (const [name, value] of message.headers) characters += name.length + value.length;
  for (const values of [message.properties, message.axis2, message.variables]) {
    for (const [name, value] of values) characters += name.length + sizeOfValue(value);
  }
  return BYTES_PER_MESSAGE + message.body.bytes.length + 2 * characters;
}

const CHARACTERS_PER_NODE = 100;

function sizeOfValue(value: PropertyValue): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof JsonValue) return value.text.length;
  if (isElementList(value)) return value.reduce((sum, element) => sum + sizeOfTree(element), 0);
  return isElement(value) ? sizeOfTree(value) : 8;
}

interface Tree {
  readonly nodeValue: string | null;
  readonly firstChild: Tree | null;
  readonly nextSibling: Tree | null;
  readonly parentNode: Tree | null;
}

/** Goes through a tree without recursion. */
function sizeOfTree(root: Tree): number {
  let size = 0;
  let node: Tree | null = root;
  while (node) {
    size += CHARACTERS_PER_NODE + (node.nodeValue?.length ?? 0);
    let next: Tree | null = node.firstChild;
    while (!next && node && node !== root) {
      next = node.nextSibling;
      if (!next) node = node.parentNode;
    }
    node = next;
  }
  return size;
}
