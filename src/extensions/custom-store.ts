import type { ParameterTypes } from '../grammar/parameters.ts';
import { logger } from '../logging/index.ts';
import type { StoreKind, StoreOpening } from '../stores/component.ts';
import {
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreState,
  type StoreStatus,
} from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { decodeStoredMessage, encodeStoredMessage } from '../stores/stored-message-codec.ts';
import type * as api from './api.ts';
import {
  contained,
  describe,
  ExtensionError,
  exportedFunction,
  extensionLog,
  opened,
  reasonOf,
} from './containment.ts';
import { ContainedConsumer } from './custom-consumer.ts';
import type { DeliveryOwner } from './custom-delivery.ts';
import type { LoadedModule } from './loaded-module.ts';

const log = logger('CustomMessageStore');
/** The management API's word (spec stores 7.1). */
const TYPE = 'custom-message-store';
const MEMBERS = {
  durable: 'boolean',
  put: 'function',
  consumer: 'function',
  depth: 'function',
  close: 'function',
} as const;
const STATES: readonly StoreState[] = ['CONNECTING', 'READY', 'DEGRADED', 'DOWN'];

/**
 * The kind of store that a module is; without a module, one that can be read but not opened (see {@link ModuleAnswer}).
 * @throws ExtensionError when the module is no store
 */
export function customStoreKind(module: LoadedModule | undefined): StoreKind {
  if (module) exportedFunction(module, 'openStore');
  return {
    type: TYPE,
    doc: 'A store of a module.',
    classes: [],
    parameters: {},
    open(opening) {
      if (!module) throw new ExtensionError('its module was not loaded');
      return openStore(module, opening);
    },
  };
}

/** @throws ExtensionError */
function openStore(
  module: LoadedModule,
  { name, written, services, previous }: StoreOpening<ParameterTypes>,
): MessageStore {
  const { className } = module;
  const former = previous instanceof ContainedStore && previous.className === className ? previous : undefined;
  const context: api.StoreContext = {
    name,
    className,
    log: extensionLog(className, name),
    parameters: written,
    dataDirectory: services.dataDirectory,
    format: { encode: encodeStoredMessage, decode: ({ head, body }) => decodeStoredMessage(head, body) },
    previous: former?.given,
  };
  const given = opened<api.Store>(module, 'openStore', context, MEMBERS);
  const store = new ContainedStore(given, module, {
    name,
    parameters: written,
    putDeadlineMs: services.putDeadlineMs,
  });
  if (former) former.successor = store;
  return store;
}

/** A module's store, whose failures end here: every call has a deadline, and what it gives is looked at before it is used. */
class ContainedStore implements MessageStore, DeliveryOwner {
  readonly name: string;
  readonly type = TYPE;
  readonly className: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly durable: boolean;
  readonly deadlineMs: number;
  /** The module's own. */
  readonly given: api.Store;
  /** The one that has replaced it. */
  successor: MessageStore | undefined;
  readonly #putDeadlineMs: number;
  readonly #consumers = new Set<ContainedConsumer>();
  #consumersMade = 0;
  #enqueued = 0;
  #dequeued = 0;
  #since = Date.now();
  #problem: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    given: api.Store,
    module: LoadedModule,
    options: { name: string; parameters: ReadonlyMap<string, string>; putDeadlineMs: number },
  ) {
    this.given = given;
    this.className = module.className;
    this.deadlineMs = module.deadlineMs;
    this.name = options.name;
    this.parameters = options.parameters;
    this.durable = given.durable;
    this.#putDeadlineMs = options.putDeadlineMs;
  }

  async put(message: StoredMessage): Promise<void> {
    if (this.#closing) {
      // Messages in flight may still know the store that was replaced.
      if (this.successor) return this.successor.put(message);
      throw this.error('is closed');
    }
    try {
      await contained('put()', this.#putDeadlineMs, () => this.given.put(message));
    } catch (error) {
      this.failed(error);
      throw this.error(`did not take message [${message.id}]: ${reasonOf(error)}`, error);
    }
    this.#enqueued += 1;
    this.#works();
  }

  consumer(): StoreConsumer {
    if (this.#closing) throw this.error('is closed');
    this.#consumersMade += 1;
    const id = `[${this.name}-C-${this.#consumersMade}]`;
    const consumer = new ContainedConsumer(id, this.#givenConsumer(), this, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): StoreStatus {
    const counts = { enqueued: this.#enqueued, dequeued: this.#dequeued, since: this.#since };
    if (this.#closing) return { ...counts, state: 'CLOSED', lastError: this.#problem };
    const { state, lastError } = this.#reported();
    return { ...counts, state: state ?? (this.#problem === undefined ? 'READY' : 'DEGRADED'), lastError };
  }

  async depth(): Promise<StoreDepth> {
    try {
      const depth: unknown = await contained('depth()', this.deadlineMs, () => this.given.depth());
      const { count, estimated } = (depth ?? {}) as Record<string, unknown>;
      const known = typeof count === 'number' && Number.isInteger(count) && count >= 0;
      if (known || count === 'unknown')
        return { count: known ? (count as number) : 'unknown', estimated: estimated === true };
      throw new ExtensionError(`depth() gave a count of ${describe(count)}, expected a number or 'unknown'`);
    } catch (error) {
      this.failed(error);
      return { count: 'unknown', estimated: true };
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  settled(): void {
    this.#dequeued += 1;
    this.#works();
  }

  failed(error: unknown): void {
    const problem = reasonOf(error);
    if (this.#problem === undefined) this.#since = Date.now();
    this.#problem = problem;
    log.error(`Store [${this.name}] (${this.className}): ${problem}`, { store: this.name });
  }

  error(reason: string, cause?: unknown): StoreError {
    return new StoreError(this.name, `Store [${this.name}] ${reason}`, cause === undefined ? undefined : { cause });
  }

  #works(): void {
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#since = Date.now();
  }

  /** @throws StoreError: who asks comes again */
  #givenConsumer(): api.StoreConsumer {
    try {
      const given: unknown = this.given.consumer();
      const { receive, close } = (given ?? {}) as Record<string, unknown>;
      if (typeof receive === 'function' && typeof close === 'function') return given as api.StoreConsumer;
      throw new ExtensionError("consumer() gave something without the functions 'receive' and 'close'");
    } catch (error) {
      this.failed(error);
      throw this.error(`has no consumer: ${reasonOf(error)}`, error);
    }
  }

  /** What the module says itself; it is asked often, so it must not be believed to be careful. */
  #reported(): { readonly state: StoreState | undefined; readonly lastError: string | undefined } {
    try {
      const told = this.given.status?.();
      if (told === undefined) return { state: undefined, lastError: this.#problem };
      if (!STATES.includes(told.state)) {
        throw new ExtensionError(
          `status() gave the state ${describe(told.state)}, expected one of: ${STATES.join(', ')}`,
        );
      }
      return { state: told.state, lastError: told.lastError === undefined ? this.#problem : String(told.lastError) };
    } catch (error) {
      return { state: 'DEGRADED', lastError: reasonOf(error) };
    }
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    try {
      await contained('close()', this.deadlineMs, () => this.given.close());
    } catch (error) {
      log.error(`Store [${this.name}] (${this.className}): ${reasonOf(error)}`, { store: this.name });
    }
  }
}
