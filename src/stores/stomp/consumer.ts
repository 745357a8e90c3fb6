import { logger } from '../../logging/index.ts';
import { type ConnectionFailure, failureOf, HEALTHY_AFTER_MS } from '../broker/back-off.ts';
import { BrokerConsumer, type ConsumerHost } from '../broker/broker-consumer.ts';
import { within } from '../broker/deadline.ts';
import type { ConnectionSupervisor } from '../broker/supervisor.ts';
import type { StompEndpoint } from './address.ts';
import { type StompConnection, StompLostError, type StompMessage, type StompSubscription } from './connection.ts';
import { type Arrival, JmsDelivery, type JmsDeliveryHost } from './delivery.ts';
import { type QueueHeaders, subscribedQueue } from './queue-name.ts';
import type { OpenBeside } from './shared-connection.ts';

const log = logger('JmsConsumer');

/**
 * How long a subscription outlives the last wish for a message, ms. A consumer that pauses for longer must not sit on a message
 * that the broker has pushed to it while others wait.
 */
const IDLE_SUBSCRIPTION_MS = 50;

/** What a consumer knows of its store. */
export interface JmsConsumerHost extends ConsumerHost, JmsDeliveryHost {
  readonly queue: string;
  readonly supervisor: ConnectionSupervisor<StompEndpoint, StompConnection>;
  /** Whether other consumers use the connection too. */
  readonly shared: boolean;
  readonly openBeside: OpenBeside;
  /** Lets a connection go that {@link openBeside} has brought. Never throws. */
  leaveBeside(connection: StompConnection): Promise<void>;
}

/**
 * The receiving side of a store: its own connection, or one that it shares, and while messages are wanted a subscription with a prefetch of one, so that
 * the broker never hands over more than one message and consumers share evenly (REQ-08).
 *
 *     APART ──receive(), connected──► LINKED ──subscribed──► LISTENING ──message──► HOLDING ──done()──► LISTENING
 *       ▲                               ▲                        │                     │
 *       │                               └──nobody wants any──────┴──────release()──────┘
 *       └──connection lost, from everywhere: what was held is the broker's again
 *
 * A given up subscription is never used again: acknowledgements through another one are confirmed, but not counted.
 */
export class JmsConsumer extends BrokerConsumer<Arrival, JmsDelivery, JmsConsumerHost> {
  #connection: StompConnection | undefined;
  #connectedAt = 0;
  #subscription: StompSubscription | undefined;
  /** Came in, and nobody has asked yet. */
  #arrived: Arrival | undefined;
  #idle: NodeJS.Timeout | undefined;

  protected override takeArrived(): Arrival | undefined {
    clearTimeout(this.#idle);
    const arrival = this.#arrived;
    this.#arrived = undefined;
    return arrival;
  }

  protected override newDelivery(arrival: Arrival): JmsDelivery {
    return new JmsDelivery(arrival, this.host, {
      settled: () => this.onIdle(),
      giveBack: () => this.#giveBack(arrival),
    });
  }

  protected override async leave(): Promise<void> {
    clearTimeout(this.#idle);
    const connection = this.#connection;
    // Nobody else may have to wait for the message that goes back.
    if (this.host.shared) await this.#unsubscribe();
    // What is being confirmed right now still gets its answer: the goodbye comes after it.
    if (connection) await this.host.leaveBeside(connection);
    this.#unlink('its consumer was closed');
  }

  protected override get hasWork(): boolean {
    return this.wanted && !this.#subscription;
  }

  /** Brings a connection and a subscription about. */
  protected override async work(): Promise<void> {
    const connection = this.#connection ?? (await this.#connect());
    if (connection && this.wanted) await this.#subscribe(connection);
  }

  protected override logTrouble(reason: Error): void {
    const about = { store: this.host.name, consumer: this.id };
    log.error(`Cannot fetch messages from Store ${this.host.name}`, { ...about, cause: reason.message });
    log.info(`Trying to reconnect to JMS store ${this.host.name}`, about);
  }

  protected override logRecovery(): void {
    log.info(`Successfully connected to JMS store ${this.host.name}`, { store: this.host.name, consumer: this.id });
  }

  /** Nobody wants a message for now. */
  protected override onIdle(): void {
    if (this.closed.aborted) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (!this.waiter && this.delivery?.settled !== false) void this.#unsubscribe();
    }, IDLE_SUBSCRIPTION_MS);
  }

  async #connect(): Promise<StompConnection | undefined> {
    const { supervisor, openBeside, leaveBeside } = this.host;
    const main = await supervisor.connected(this.closed);
    if (!main) return undefined;
    try {
      const connection = await openBeside(main, this.closed);
      if (this.closed.aborted) {
        await leaveBeside(connection);
        return undefined;
      }
      this.#connection = connection;
      this.#connectedAt = performance.now();
      void connection.ended.then((reason) => this.#onLost(connection, reason));
      return connection;
    } catch (error) {
      await this.#failed(error, failureOf(error));
      return undefined;
    }
  }

  async #subscribe(connection: StompConnection): Promise<void> {
    const headers = subscriptionHeaders(subscribedQueue(this.host.queue, connection.server));
    const onMessage = (message: StompMessage) => this.#onMessage({ message, connection, subscription });
    const subscription = connection.subscribe(headers, onMessage, { oneByOne: true });
    this.#subscription = subscription;
    try {
      await within(subscription.confirmed, this.host.deadlineMs, 'the subscription to be confirmed');
      this.onHealthy();
    } catch (error) {
      if (this.#subscription === subscription) this.#subscription = undefined;
      // A lost connection is dealt with by #onLost.
      if (!(error instanceof StompLostError)) connection.destroy((error as Error).message);
      await this.#failed(error, 'dropped');
    }
  }

  #onMessage(arrival: Arrival): void {
    if (arrival.subscription !== this.#subscription) return;
    if (this.waiter) this.waiter.end(arrival);
    else this.#arrived = arrival;
  }

  #onLost(connection: StompConnection, reason: Error): void {
    if (this.#connection !== connection) return;
    this.#unlink('the connection that delivered it has ended');
    if (this.closed.aborted) return;
    if (performance.now() - this.#connectedAt >= HEALTHY_AFTER_MS) this.backOff.reset();
    this.report(reason, true);
    void this.begin();
  }

  /** The connection is gone, and with it what was held. */
  #unlink(because: string): void {
    this.#connection = undefined;
    this.#subscription = undefined;
    this.#arrived = undefined;
    this.delivery?.lose(because);
  }

  async #failed(error: unknown, failure: ConnectionFailure): Promise<void> {
    if (this.closed.aborted) return;
    this.report(error as Error, true);
    await this.backOffAfter(failure);
  }

  /** Releases a held message. The broker puts it before everything that it has not handed out yet. */
  async #giveBack(arrival: Arrival): Promise<void> {
    if (this.#subscription === arrival.subscription) await this.#unsubscribe();
  }

  /** Never rejects: a connection on which it does not work is given up, which has the same effect. */
  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    const connection = this.#connection;
    if (!subscription || !connection) return;
    this.#subscription = undefined;
    this.#arrived = undefined;
    try {
      await within(subscription.unsubscribe(), this.host.deadlineMs, 'a message to be released');
    } catch (error) {
      connection.destroy((error as Error).message);
    }
  }
}

function subscriptionHeaders(queue: QueueHeaders): Record<string, string> {
  return {
    ...queue,
    ack: 'client-individual',
    // ActiveMQ; its default is 1,000.
    'activemq.prefetchSize': '1',
    // Artemis, bytes: one message exceeds them, so that the next one waits for the acknowledgement.
    'consumer-window-size': '1',
  };
}
