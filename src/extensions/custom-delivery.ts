import { logger } from '../logging/index.ts';
import type { Delivery, MessageStore, PoisonMessage, StoreError } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { StoreDelivery } from './api.ts';
import { contained, describe, reasonOf } from './containment.ts';

const log = logger('CustomMessageStore');
/** Times that the removal of a message which was moved away is tried. */
const REMOVALS = 3;

/** What a delivery needs of its store. */
export interface DeliveryOwner {
  readonly name: string;
  readonly deadlineMs: number;
  settled(): void;
  failed(error: unknown): void;
  error(reason: string, cause?: unknown): StoreError;
}

/**
 * A delivery that a module gave.
 *
 *     open ──done()──▶ settling ──confirmed──▶ settled        settling ──failed──▶ open
 *     open ──release()──▶ settled                             open ──moveTo()──▶ settling
 *     open ──consumer closed──▶ abandoned: given back, settling fails
 */
export class ContainedDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  readonly #given: StoreDelivery;
  readonly #owner: DeliveryOwner;
  #state: 'open' | 'settling' | 'settled' | 'abandoned' = 'open';
  #settling: Promise<void> = Promise.resolve();

  /** `given` is known to have what a delivery must have. */
  constructor(given: StoreDelivery, owner: DeliveryOwner) {
    this.#given = given;
    this.#owner = owner;
    const problem = given.message === undefined ? undefined : storedMessageProblem(given.message);
    this.message = problem === undefined ? given.message : undefined;
    this.poison = this.message ? undefined : poisonOf(given, problem);
    this.redelivered = given.redelivered === true;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'abandoned';
  }

  async done(): Promise<void> {
    this.#requireOpen();
    await this.#settle(() => this.#remove());
  }

  async release(): Promise<void> {
    // "Never throws": a delivery whose consumer was closed is released already.
    if (this.#state === 'abandoned') return;
    this.#requireOpen();
    this.#state = 'settled';
    await this.#giveBack();
  }

  async moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    this.#requireOpen();
    await this.#settle(async () => {
      await store.put(message);
      await this.#removeMoved(store);
    });
  }

  /** The consumer closes: waits for what is under way, and gives back what is still unsettled. */
  async abandon(): Promise<void> {
    await this.#settling.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    await this.#giveBack();
  }

  async #settle(work: () => Promise<void>): Promise<void> {
    this.#state = 'settling';
    this.#settling = work();
    try {
      await this.#settling;
      this.#state = 'settled';
      this.#owner.settled();
    } catch (error) {
      this.#state = 'open';
      throw error;
    }
  }

  async #remove(): Promise<void> {
    try {
      await contained('done()', this.#owner.deadlineMs, () => this.#given.done());
    } catch (error) {
      this.#owner.failed(error);
      throw this.#owner.error(`did not confirm the removal of a message: ${reasonOf(error)}`, error);
    }
  }

  /** It is stored there: here it can only be in the way. */
  async #removeMoved(target: MessageStore): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#remove();
      } catch (error) {
        if (tries < REMOVALS) continue;
        log.warn(
          `Store [${this.#owner.name}] has moved a message to [${target.name}] and did not remove it; it comes again: ${reasonOf(error)}`,
        );
        return await this.#giveBack();
      }
    }
  }

  async #giveBack(): Promise<void> {
    try {
      await contained('release()', this.#owner.deadlineMs, () => this.#given.release());
    } catch (error) {
      this.#owner.failed(error);
      log.warn(`Store [${this.#owner.name}] did not take a message back: ${reasonOf(error)}`);
    }
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    const id = this.message?.id ?? this.poison?.id;
    if (this.#state !== 'abandoned') throw new Error(`the delivery of message [${id}] was settled already`);
    throw this.#owner.error(`gave message [${id}] back when its consumer was closed`);
  }
}

/** What is wrong with something that a module gave for a delivery; undefined: nothing. */
export function deliveryProblem(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return `${describe(given)}, expected a delivery or undefined`;
  const { done, release, message, poison } = given as Record<string, unknown>;
  if (typeof done !== 'function') return `a delivery whose 'done' is ${describe(done)}, expected a function`;
  if (typeof release !== 'function') return `a delivery whose 'release' is ${describe(release)}, expected a function`;
  if (message === undefined && poison === undefined) return "a delivery with neither 'message' nor 'poison'";
  return undefined;
}

/** What is wrong with a stored message that a module gave; undefined: nothing. */
export function storedMessageProblem(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return `the message is ${describe(given)}, expected an object`;
  const message = given as Record<string, unknown>;
  const wrong = (name: string, value: unknown, expected: string) =>
    `'${name}' of the message is ${describe(value)}, expected ${expected}`;
  if (message.v !== 1) return wrong('v', message.v, '1');
  for (const name of ['id', 'originalId', 'direction']) {
    if (typeof message[name] !== 'string') return wrong(name, message[name], 'a text');
  }
  const { bytes } = (message.body ?? {}) as Record<string, unknown>;
  if (!(bytes instanceof Uint8Array)) return wrong('body.bytes', bytes, 'a Uint8Array');
  for (const name of ['headers', 'history']) {
    if (!Array.isArray(message[name])) return wrong(name, message[name], 'an array');
  }
  for (const name of ['axis2', 'properties', 'variables']) {
    if (!(message[name] instanceof Map)) return wrong(name, message[name], 'a Map');
  }
  if (typeof message.addressing !== 'object') return wrong('addressing', message.addressing, 'an object');
  return undefined;
}

function poisonOf({ poison, message }: StoreDelivery, problem: string | undefined): PoisonMessage {
  const { id, reason, bytes } = (poison ?? {}) as Partial<PoisonMessage>;
  const known: unknown = (message as Partial<StoredMessage> | undefined)?.id;
  const body: unknown = (message as Partial<StoredMessage> | undefined)?.body?.bytes;
  return {
    id: typeof id === 'string' ? id : typeof known === 'string' ? known : 'unknown',
    reason: problem ?? (typeof reason === 'string' ? reason : 'its store cannot decode it'),
    bytes: bytes instanceof Uint8Array ? bytes : body instanceof Uint8Array ? body : new Uint8Array(),
    headers: [],
  };
}
