import { logger } from '../../logging/index.ts';
import { within } from '../broker/deadline.ts';
import type { DepthOptions } from '../message-store.ts';
import type { AmqpConnection } from './connection.ts';
import { inspectQueue, limitOf, type QueueInspection } from './queue-inspection.ts';
import type { Preparation, Topology } from './topology.ts';

const log = logger('RabbitMQStore');
const DEADLINE_MS = 2_000;

/** Keeps an eye on the queue of a store: how many messages wait there, and what may happen to them there. */
export class QueueWatch {
  readonly #store: string;
  readonly #topology: Topology;
  #looking: Promise<number | undefined> | undefined;
  #inspected = false;
  #warnedOfBinding = false;

  constructor(store: string, topology: Topology) {
    this.#store = store;
    this.#topology = topology;
  }

  /** The messages that wait and that nobody has in hand; undefined when the broker does not tell in time. Never rejects. */
  async waiting(connection: AmqpConnection, { fresh = false }: DepthOptions = {}): Promise<number | undefined> {
    // A look that has begun may have passed what is asked about.
    if (fresh) await this.#looking;
    this.#looking ??= within(this.#count(connection), DEADLINE_MS, 'the depth')
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** The queue is there; warns, once, of what makes it lose messages. Does not wait. */
  prepared(connection: AmqpConnection, { queue, notBound }: Preparation): void {
    if (notBound !== undefined && !this.#warnedOfBinding) {
      this.#warnedOfBinding = true;
      this.#warn(
        `could not bind its queue to exchange [${this.#topology.exchange}] and relies on what is bound: ${notBound}`,
      );
    }
    if (this.#inspected) return;
    this.#inspected = true;
    if (queue === 'declared') this.#judge(this.#declared(connection));
    else void this.#inspect(connection);
  }

  /** Never rejects. */
  async #inspect(connection: AmqpConnection): Promise<void> {
    try {
      const inspection = await inspectQueue(connection, this.#topology.queue);
      if (inspection) this.#judge(inspection);
    } catch (error) {
      // The connection is gone: the next one looks.
      this.#inspected = false;
      log.debug(`Store [${this.#store}]: its queue could not be inspected: ${String(error)}`, { store: this.#store });
    }
  }

  #declared({ serverVersion }: AmqpConnection): QueueInspection {
    const quorum = this.#topology.queueType === 'quorum';
    const deliveryLimit = quorum ? limitOf(undefined, serverVersion) : undefined;
    return { durable: true, quorum, deliveryLimit, deadLetterExchange: undefined };
  }

  #judge({ durable, deliveryLimit, deadLetterExchange }: QueueInspection): void {
    const { queue } = this.#topology;
    if (!durable) {
      this.#warn(`uses queue [${queue}], which is not durable: its messages do not survive a restart of the broker`);
    }
    if (deliveryLimit !== undefined && deadLetterExchange === undefined) {
      this.#warn(
        `uses queue [${queue}], which has a delivery limit of ${deliveryLimit} and no dead-letter exchange among its arguments: unless a ` +
          `policy names one, the broker throws a message away that was given back ${deliveryLimit} times`,
      );
    }
  }

  async #count(connection: AmqpConnection): Promise<number> {
    const channel = await connection.channel();
    const { messageCount } = await channel.checkQueue(this.#topology.queue);
    await channel.close();
    return messageCount;
  }

  #warn(what: string): void {
    log.warn(`Store [${this.#store}] ${what}`, { store: this.#store });
  }
}
