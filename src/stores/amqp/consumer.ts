import { logger } from '../../logging/index.ts';
import { HEALTHY_AFTER_MS } from '../broker/back-off.ts';
import { BrokerConsumer, type ConsumerHost } from '../broker/broker-consumer.ts';
import { within } from '../broker/deadline.ts';
import type { ConnectionSupervisor } from '../broker/supervisor.ts';
import type { AmqpAddress } from './address.ts';
import { type AmqpConnection, AmqpLostError, messageOf } from './connection.ts';
import { type Arrival, ConsumerChannel } from './consumer-channel.ts';
import { AmqpDelivery, type AmqpDeliveryHost } from './delivery.ts';
import type { FetchGate } from './fetch-gate.ts';

const log = logger('RabbitMQConsumer');

const LEAVE_DEADLINE_MS = 1_000;

/** What a consumer knows of its store. */
export interface AmqpConsumerHost extends ConsumerHost, Omit<AmqpDeliveryHost, 'openChannel'> {
  readonly queue: string;
  readonly gate: FetchGate;
  readonly supervisor: ConnectionSupervisor<AmqpAddress, AmqpConnection>;
  /** Makes sure that the queue is there. @throws when the broker does not let us have it */
  prepare(connection: AmqpConnection): Promise<unknown>;
}

/**
 * The receiving side of a store: a channel of its own on the connection that does not publish.
 *
 *     APART ──receive(), connected──► OPEN ──asked, there is one──► HOLDING ──done(), release()──► OPEN
 *       ▲                              │ ▲                             ▲
 *       │                    there is  │ │ nobody waits                │
 *       │                    none      ▼ │ any more                    │
 *       │                           LISTENING ──message────────────────┘
 *       └──channel or connection lost, from everywhere: what was held is the broker's again
 */
export class AmqpConsumer extends BrokerConsumer<Arrival, AmqpDelivery, AmqpConsumerHost> {
  #channel: ConsumerChannel | undefined;
  #openedAt = 0;

  protected override newDelivery(arrival: Arrival): AmqpDelivery {
    return new AmqpDelivery(arrival, { ...this.host, openChannel: () => this.#anotherChannel() });
  }

  protected override async leave(): Promise<void> {
    const delivery = this.delivery;
    const channel = this.#channel;
    this.#channel = undefined;
    const leave = async () => {
      await delivery?.abandon();
      await channel?.close();
    };
    await within(leave(), LEAVE_DEADLINE_MS, 'the end of the channel').catch(() => undefined);
    delivery?.lose('its consumer was closed');
  }

  protected override get hasWork(): boolean {
    return this.wanted;
  }

  /** Opens a channel if there is none, and fetches from it. */
  protected override async work(): Promise<void> {
    const channel = this.#channel?.leaving === false ? this.#channel : await this.#open();
    if (!channel || !this.wanted) return;
    try {
      const arrival = await this.host.gate.fetch(this.closed, (interrupted) => this.#fetchFrom(channel, interrupted));
      this.onHealthy();
      if (arrival) await this.#hand(arrival);
    } catch (error) {
      await this.#failed(error);
    }
  }

  protected override logTrouble(reason: Error): void {
    log.warn('The connection and channel to the RabbitMQ broker are unhealthy.', {
      store: this.host.name,
      consumer: this.id,
      cause: messageOf(reason),
    });
    log.info(`Cleanup and Reinitializing connection and channel for ${this.id}`, { store: this.host.name });
  }

  protected override logRecovery(): void {
    log.info(`${this.id} receives from store [${this.host.name}] again`, { store: this.host.name });
  }

  async #fetchFrom(channel: ConsumerChannel, interrupted: AbortSignal): Promise<Arrival | undefined> {
    const arrival = await channel.get();
    if (arrival) return arrival;
    const { waiter } = this;
    if (!waiter || interrupted.aborted) return undefined;
    if (performance.now() >= waiter.until) {
      waiter.end(undefined);
      return undefined;
    }
    // Not AbortSignal.any: the second one lives long.
    const over = new AbortController();
    const stop = () => over.abort();
    const signals = [waiter.ended, interrupted];
    for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
    if (signals.some(({ aborted }) => aborted)) stop();
    try {
      return await channel.listen(over.signal);
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', stop);
    }
  }

  /** To who waits; else the message goes back at once, as nobody may sit on it. */
  async #hand(arrival: Arrival): Promise<void> {
    if (this.host.renewals.offer(arrival)) {
      // Its channel goes with it.
      this.#channel = undefined;
    } else if (this.waiter && !this.closed.aborted) this.waiter.end(arrival);
    else await arrival.channel.close();
  }

  async #open(): Promise<ConsumerChannel | undefined> {
    const { supervisor, queue, prepare, deadlineMs } = this.host;
    const connection = await supervisor.connected(this.closed);
    if (!connection) return undefined;
    try {
      // After a failure the queue may be gone.
      if (this.unhealthy) await prepare(connection);
      const channel = await within(ConsumerChannel.open(connection, queue), deadlineMs, 'a channel');
      if (this.closed.aborted) {
        await channel.close();
        return undefined;
      }
      this.#channel = channel;
      this.#openedAt = performance.now();
      void channel.ended.then((reason) => this.#onLost(channel, reason));
      return channel;
    } catch (error) {
      await this.#failed(error);
      return undefined;
    }
  }

  #anotherChannel(): Promise<ConsumerChannel> {
    const { supervisor, queue } = this.host;
    const { connection } = supervisor;
    if (!connection) return Promise.reject(new AmqpLostError('there is no connection'));
    return ConsumerChannel.open(connection, queue);
  }

  /** The channel is gone, and with it what was held. */
  #onLost(channel: ConsumerChannel, reason: Error): void {
    this.delivery?.lose('the connection that delivered it has ended', channel);
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    if (performance.now() - this.#openedAt >= HEALTHY_AFTER_MS) this.backOff.reset();
    if (!channel.leaving) this.#report(reason);
  }

  async #failed(error: unknown): Promise<void> {
    if (this.closed.aborted) return;
    // Without a connection there is nothing to be tried: whoever waits for the next one is told by the supervisor.
    if (!this.#connected) return;
    this.#report(error);
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel) void channel.close();
    await this.backOffAfter('lost');
  }

  #report(reason: unknown): void {
    this.report(reason instanceof Error ? reason : new Error(messageOf(reason)), this.#connected);
  }

  get #connected(): boolean {
    const { connection } = this.host.supervisor;
    return connection !== undefined && !connection.lost;
  }
}
