import { logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import { BackOff, type ConnectionFailure, failureOf, HEALTHY_AFTER_MS } from '../broker/back-off.ts';
import { within } from '../broker/deadline.ts';
import type { ConnectionSupervisor } from '../broker/supervisor.ts';
import { type Delivery, type MessageStore, type StoreConsumer, StoreError } from '../message-store.ts';
import type { StompEndpoint } from './address.ts';
import { type StompConnection, StompLostError, type StompMessage, type StompSubscription } from './connection.ts';
import { JmsDelivery } from './delivery.ts';
import { type QueueHeaders, queueHeaders } from './queue-name.ts';

const log = logger('JmsConsumer');

/**
 * How long a subscription outlives the last wish for a message, ms. A consumer that pauses for longer must not sit on a message
 * that the broker has pushed to it while others wait.
 */
const IDLE_SUBSCRIPTION_MS = 50;
/** A broker needs a moment to push the first message to a new subscription; nobody is served by a shorter wait, ms. */
const SHORTEST_WAIT_MS = 100;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a consumer knows of its store. */
export interface ConsumerHost {
  readonly name: string;
  readonly queue: string;
  readonly supervisor: ConnectionSupervisor<StompEndpoint, StompConnection>;
  /** For acknowledgements and moves, ms. */
  readonly deadlineMs: number;
  /** One more connection to the broker that `beside` leads to. @throws StompConnectError */
  openBeside(beside: StompConnection, signal: AbortSignal): Promise<StompConnection>;
  /** How to store in another store in one transaction with an acknowledgement here; undefined when it is on another broker. */
  sameBroker(store: MessageStore): TransactionTarget | undefined;
  noteSettled(): void;
  noteClosed(consumer: JmsConsumer): void;
}

export interface TransactionTarget {
  readonly queue: string;
  noteStored(): void;
}

/** What a consumer was handed by the broker, and where. Only this subscription can acknowledge it (OP-10). */
export interface Arrival {
  readonly message: StompMessage;
  readonly connection: StompConnection;
  readonly subscription: StompSubscription;
}

/**
 * The receiving side of a store: its own connection, and while messages are wanted a subscription with a prefetch of one, so that
 * the broker never hands over more than one message and consumers share evenly (REQ-08).
 *
 *     APART ──receive(), connected──► LINKED ──subscribed──► LISTENING ──message──► HOLDING ──done()──► LISTENING
 *       ▲                               ▲                        │                     │
 *       │                               └──nobody wants any──────┴──────release()──────┘
 *       └──connection lost, from everywhere: what was held is the broker's again
 *
 * A given up subscription is never used again: acknowledgements through another one are confirmed, but not counted.
 */
export class JmsConsumer implements StoreConsumer {
  readonly id: string;
  readonly #host: ConsumerHost;
  readonly #life = new AbortController();
  readonly #backOff = new BackOff();
  #connection: StompConnection | undefined;
  #connectedAt = 0;
  #subscription: StompSubscription | undefined;
  /** Came in, and nobody has asked yet. */
  #arrived: Arrival | undefined;
  #waiter: ((arrival: Arrival | undefined) => void) | undefined;
  #delivery: JmsDelivery | undefined;
  #linking = false;
  #idle: NodeJS.Timeout | undefined;
  #lostOnce = false;

  constructor(id: string, host: ConsumerHost) {
    this.id = id;
    this.#host = host;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.#life.signal.aborted) throw this.#error('is closed');
    if (this.#waiter) throw new Error(`${this.id} is receiving already`);
    if (this.#delivery && !this.#delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    if (signal.aborted) return undefined;
    clearTimeout(this.#idle);
    const arrival = this.#takeArrived() ?? (await this.#wait(signal, waitMs));
    if (this.#life.signal.aborted) return undefined;
    if (!arrival) {
      this.#restWhenIdle();
      return undefined;
    }
    this.#delivery = new JmsDelivery(arrival, this.#host, {
      settled: () => this.#restWhenIdle(),
      giveBack: () => this.#giveBack(arrival),
    });
    return this.#delivery;
  }

  async close(): Promise<void> {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    clearTimeout(this.#idle);
    this.#waiter?.(undefined);
    const connection = this.#connection;
    // What is being confirmed right now still gets its answer: the goodbye comes after it.
    await connection?.close();
    this.#unlink();
    this.#host.supervisor.troubleOver(this.id);
    this.#host.noteClosed(this);
  }

  #takeArrived(): Arrival | undefined {
    const arrival = this.#arrived;
    this.#arrived = undefined;
    return arrival;
  }

  #wait(signal: AbortSignal, waitMs: number | undefined): Promise<Arrival | undefined> {
    return new Promise((resolve) => {
      const end = (arrival: Arrival | undefined) => {
        this.#waiter = undefined;
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        resolve(arrival);
      };
      const stop = () => end(undefined);
      const limit = waitMs === undefined ? undefined : Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), LONGEST_TIMER_MS);
      const timer = limit === undefined ? undefined : setTimeout(stop, limit);
      signal.addEventListener('abort', stop, { once: true });
      this.#waiter = end;
      void this.#link();
    });
  }

  /** Brings a connection and a subscription about for as long as somebody waits. Never rejects. */
  async #link(): Promise<void> {
    if (this.#linking) return;
    this.#linking = true;
    while (this.#wanted() && !this.#subscription) {
      const connection = this.#connection ?? (await this.#connect());
      if (connection && this.#wanted()) await this.#subscribe(connection);
    }
    this.#linking = false;
  }

  #wanted(): boolean {
    return this.#waiter !== undefined && !this.#life.signal.aborted;
  }

  async #connect(): Promise<StompConnection | undefined> {
    const { supervisor, openBeside } = this.#host;
    const main = await supervisor.connected(this.#life.signal);
    if (!main) return undefined;
    try {
      const connection = await openBeside(main, this.#life.signal);
      if (this.#life.signal.aborted) {
        await connection.close();
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
    const headers = subscriptionHeaders(queueHeaders(this.#host.queue, connection.server));
    const subscription = connection.subscribe(headers, (message) => {
      this.#onMessage({ message, connection, subscription });
    });
    this.#subscription = subscription;
    try {
      await within(subscription.confirmed, this.#host.deadlineMs, 'the subscription to be confirmed');
      this.#onLinked();
    } catch (error) {
      if (this.#subscription === subscription) this.#subscription = undefined;
      // A lost connection is dealt with by #onLost.
      if (!(error instanceof StompLostError)) connection.destroy((error as Error).message);
      await this.#failed(error, 'dropped');
    }
  }

  #onLinked(): void {
    this.#host.supervisor.troubleOver(this.id);
    if (!this.#lostOnce) return;
    this.#lostOnce = false;
    log.info(`Successfully connected to JMS store ${this.#host.name}`, { consumer: this.id });
  }

  #onMessage(arrival: Arrival): void {
    if (arrival.subscription !== this.#subscription) return;
    if (this.#waiter) this.#waiter(arrival);
    else this.#arrived = arrival;
  }

  #onLost(connection: StompConnection, reason: Error): void {
    if (this.#connection !== connection) return;
    this.#unlink();
    if (this.#life.signal.aborted) return;
    if (performance.now() - this.#connectedAt >= HEALTHY_AFTER_MS) this.#backOff.reset();
    this.#report(reason);
    void this.#link();
  }

  /** The connection is gone, and with it what was held. */
  #unlink(): void {
    this.#connection = undefined;
    this.#subscription = undefined;
    this.#arrived = undefined;
    this.#delivery?.lose();
  }

  async #failed(error: unknown, failure: ConnectionFailure): Promise<void> {
    if (this.#life.signal.aborted) return;
    this.#report(error as Error);
    await pause(this.#backOff.failed(failure), this.#life.signal);
  }

  #report(reason: Error): void {
    const { supervisor, name } = this.#host;
    if (this.#waiter || this.#delivery?.settled === false) supervisor.trouble(this.id, reason.message);
    if (this.#lostOnce) return;
    this.#lostOnce = true;
    log.error(`Cannot fetch messages from Store ${name}`, { consumer: this.id, cause: reason.message });
    log.info(`Trying to reconnect to JMS store ${name}`, { consumer: this.id });
  }

  #restWhenIdle(): void {
    if (this.#life.signal.aborted) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (!this.#waiter && this.#delivery?.settled !== false) void this.#unsubscribe();
    }, IDLE_SUBSCRIPTION_MS);
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
      await within(subscription.unsubscribe(), this.#host.deadlineMs, 'a message to be released');
    } catch (error) {
      connection.destroy((error as Error).message);
    }
  }

  #error(problem: string): StoreError {
    return new StoreError(this.#host.name, `Store [${this.#host.name}]: ${this.id} ${problem}`);
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
