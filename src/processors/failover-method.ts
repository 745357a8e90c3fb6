import { POINTS, reach } from '../fault-points.ts';
import { logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import type { Configuration } from '../message/configuration.ts';
import type { MessageContext } from '../message/message-context.ts';
import { knownFailoverOrder } from '../stores/failover-order.ts';
import { type Delivery, type MessageStore, StoreError } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { DeliveryFlow } from './delivery-flow.ts';
import type { DeliveryAttempt, DeliveryMethod, DeliveryTexts, Hindrance } from './delivery-method.ts';
import { wasTakenBack } from './hold.ts';
import type { Outcome } from './outcome.ts';

const SERVICE = 'FailoverForwardingService';
const log = logger(SERVICE);
/** How often a target store that is out of reach is looked at, ms; looking costs nothing. */
const TARGET_LOOK_MS = 250;

export interface FailoverOptions {
  readonly processor: string;
  readonly sourceStore: string;
  /** `message.target.store.name`. */
  readonly targetStore: string;
}

/**
 * Delivers by moving the message into another store, as it is: with its id and its history, in one transaction where one medium
 * holds both stores, else by storing it there and then removing it here (spec stores 5.1, REQ-23, OP-15). While the target store is
 * missing or out of reach nothing is attempted and nothing is counted.
 */
export class FailoverMethod implements DeliveryMethod {
  readonly service = SERVICE;
  readonly acknowledge = 'after';
  readonly texts: DeliveryTexts;
  readonly #options: FailoverOptions;
  /** It has been said that the target store is waited for. */
  #waiting = false;

  constructor(options: FailoverOptions) {
    this.#options = options;
    this.texts = failoverTexts(options.processor);
  }

  /** The target store may come at any time. */
  obstacle(): undefined {
    return undefined;
  }

  waitsFor(configuration: Configuration): Hindrance | undefined {
    const target = this.#target(configuration);
    if (target && isReachable(target)) return undefined;
    const { since, lastError } = target?.status() ?? {};
    return { reason: this.#notReady(target), since, lastError };
  }

  async deliver({ stored, delivery, configuration }: DeliveryAttempt): Promise<Outcome> {
    const target = this.#target(configuration);
    if (!target || !isReachable(target)) return this.#later(target);
    const began = Date.now();
    try {
      await delivery.moveTo(target, stored);
      reach(POINTS.failoverMoved, this.#options.processor, stored);
      knownFailoverOrder(configuration.services, target.name, this.#options.sourceStore)?.moved();
      this.#arrived();
      return { kind: 'settled' };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return this.#notMoved({ error, target, stored, delivery, configuration, began });
    }
  }

  #notMoved(move: FailedMove): Outcome {
    const { error, target, stored, configuration } = move;
    // Put like this, the failure of a medium is never counted against a message.
    if (target.status().state !== 'READY') return this.#later(target);
    if (error.store === this.#options.sourceStore && this.#sourceWasLost(move)) {
      return { kind: 'lost', reason: `the delivery of message ${stored.id} was lost: ${causeChain(error)}` };
    }
    let message: MessageContext;
    try {
      message = new DeliveryFlow().restore(stored, configuration);
    } catch (problem) {
      return { kind: 'poison', reason: causeChain(problem) };
    }
    const failure = {
      message,
      cause: causeChain(error),
      status: undefined,
      endpoint: undefined,
      recovered: cameBack(target),
    };
    return { kind: 'failed', failure };
  }

  /** Then the message is in the source store's hands again, and every other attempt on this delivery would fail. */
  #sourceWasLost({ configuration, began, delivery }: FailedMove): boolean {
    if (wasTakenBack(delivery)) return true;
    const source = configuration.find('messageStore', this.#options.sourceStore)?.status();
    return source === undefined || source.state !== 'READY' || source.since >= began;
  }

  #target(configuration: Configuration): MessageStore | undefined {
    return configuration.find('messageStore', this.#options.targetStore);
  }

  #later(target: MessageStore | undefined): Outcome {
    const reason = this.#notReady(target);
    if (!this.#waiting) log.warn(`[${this.#options.processor}] Messages wait in their store: ${reason}`);
    this.#waiting = true;
    return { kind: 'not-ready', readyAt: Date.now() + TARGET_LOOK_MS, reason };
  }

  #arrived(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    const { processor, targetStore } = this.#options;
    log.info(`[${processor}] The target store '${targetStore}' takes messages again`);
  }

  #notReady(target: MessageStore | undefined): string {
    const { targetStore } = this.#options;
    if (!target) return `there is no target store named '${targetStore}'`;
    return `the target store '${targetStore}' is ${target.status().state}`;
  }
}

interface FailedMove {
  readonly error: StoreError;
  readonly target: MessageStore;
  readonly stored: StoredMessage;
  readonly delivery: Delivery;
  readonly configuration: Configuration;
  /** Epoch ms. */
  readonly began: number;
}

/** A store that is DEGRADED has to be tried: that is how it finds out that it is well again. */
function isReachable(store: MessageStore): boolean {
  const { state } = store.status();
  return state === 'READY' || state === 'DEGRADED';
}

/** Whether a store has been away since now and is back, which makes another attempt worth while at once. */
function cameBack(store: MessageStore): () => boolean {
  const { since } = store.status();
  return () => {
    const now = store.status();
    return now.state === 'READY' && now.since !== since;
  };
}

function failoverTexts(processor: string): DeliveryTexts {
  const failed = (attempts: number) => `Message processor [${processor}] failed to forward message ${attempts} times`;
  return {
    failed: () =>
      `Message store messageSender of message processor [${processor}] failed to send message to the target message store`,
    dropped: () => `Removed failed message and continue the message processor [${processor}]`,
    moved: (attempts) => `${failed(attempts)}. Moved failed message to fail-messages-store and continue`,
    notMoved: (attempts) =>
      `${failed(attempts)} but failed to store message in fail-messages-store and continue. Hence deactivating message processor.`,
  };
}
