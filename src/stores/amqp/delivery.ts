import { logger } from '../../logging/index.ts';
import { BrokerDelivery, type DeliveryHost } from '../broker/broker-delivery.ts';
import { within } from '../broker/deadline.ts';
import { putMark } from '../broker/repeated-puts.ts';
import { decodeAmqpMessage, poisonId, shownHeaders } from './amqp-message.ts';
import type { Arrival, ConsumerChannel } from './consumer-channel.ts';
import { isCopy, type Renewals } from './renewals.ts';

const log = logger('RabbitMQConsumer');

/** How long a message that was given back may take to come again, ms. */
const RENEWAL_MS = 2_000;

/** What a delivery knows of its store. */
export interface AmqpDeliveryHost extends DeliveryHost {
  /**
   * How long a message may be held on one channel, ms. A broker closes the channel of a consumer that holds one for too long
   * (30 minutes by default), which would look like a failure.
   */
  readonly longestHoldMs: number;
  readonly renewals: Renewals;
  /** One more channel to the queue. @throws when there is no connection */
  openChannel(): Promise<ConsumerChannel>;
  noteHeld(change: 1 | -1): void;
}

/**
 * A message of RabbitMQ in a consumer's hands. One that is held for long is renewed before the broker takes it away, which whoever
 * has it in hand does not notice:
 *
 *     HELD ──longestHoldMs──► given back ──comes again, to us or to another consumer of this process──► HELD, on another channel
 *                                  └──comes to another process, or not in time──► LOST
 */
export class AmqpDelivery extends BrokerDelivery {
  readonly #host: AmqpDeliveryHost;
  #arrival: Arrival;
  #hold: NodeJS.Timeout;
  /** While it is given back and taken again. Never rejects. */
  #renewal: Promise<void> | undefined;
  #renewed = false;

  constructor(arrival: Arrival, host: AmqpDeliveryHost) {
    const { content, fields, properties } = arrival.message;
    const { message, reason = '' } = decodeAmqpMessage(arrival.message);
    const poison = { id: poisonId(properties), reason, bytes: content, headers: shownHeaders(properties) };
    super(
      {
        message,
        poison: message ? undefined : poison,
        redelivered: fields.redelivered,
        put: putMark(properties.headers ?? {}),
      },
      host,
    );
    this.#arrival = arrival;
    this.#host = host;
    host.noteHeld(1);
    this.#hold = this.#holdFor();
  }

  /** The consumer closes: what is under way may end, what is still unsettled goes back. Never throws. */
  async abandon(): Promise<void> {
    await this.quiet();
    if (!this.open) return;
    this.lose('its consumer was closed');
    await this.giveBack();
  }

  /** Of any channel, or only when it came through this one. */
  override lose(because: string, channel?: ConsumerChannel): void {
    // The end of the channel that it is leaving says nothing.
    const other = channel !== undefined && (channel !== this.#arrival.channel || this.#renewal !== undefined);
    if (!other) super.lose(because);
  }

  protected override get carrierLost(): boolean {
    return this.#renewal === undefined && this.#arrival.channel.lost !== undefined;
  }

  protected override async sendAcknowledgement(): Promise<void> {
    await this.#renewal;
    const { message, channel } = this.#arrival;
    await channel.acknowledge(message);
  }

  /** A channel that does not end in time ends with its connection, which has the same effect. */
  protected override async giveBack(): Promise<void> {
    await this.#renewal;
    const closing = this.#arrival.channel.close();
    await within(closing, this.#host.deadlineMs, 'a message to be released').catch(() => undefined);
  }

  protected override onEnd(): void {
    clearTimeout(this.#hold);
    this.#host.noteHeld(-1);
  }

  /** A channel that it was renewed on is nobody else's. */
  protected override onRemoved(): void {
    if (this.#renewed) void this.#arrival.channel.close();
  }

  #holdFor(): NodeJS.Timeout {
    const { longestHoldMs } = this.#host;
    return setTimeout(() => this.#heldForLong(), longestHoldMs);
  }

  #heldForLong(): void {
    if (this.settled) return;
    if (!this.open) {
      // On its way out: that has deadlines of its own.
      this.#hold = this.#holdFor();
      return;
    }
    this.#renewal = this.#renew().finally(() => {
      this.#renewal = undefined;
    });
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    const again = await this.#giveBackAndTake();
    if (again) {
      this.#arrival = again;
      this.#renewed = true;
      void again.channel.ended.then(() => this.lose('the connection that delivered it has ended', again.channel));
      if (!this.settled) this.#hold = this.#holdFor();
      return;
    }
    if (this.settled) return;
    const { name, longestHoldMs } = this.#host;
    const minutes = Math.round(longestHoldMs / 6_000) / 10;
    log.warn(
      `Store [${name}]: message ${this.shownId} was held for ${minutes} minutes and was given back to the broker, which would take it ` +
        'away at its own time limit; it did not come again here and will be delivered to somebody else',
      { store: name },
    );
    this.lose(`it was given back after ${minutes} minutes`);
  }

  /** Never rejects. */
  async #giveBackAndTake(): Promise<Arrival | undefined> {
    const { renewals, openChannel, deadlineMs } = this.#host;
    const { put } = this;
    const { channel: old } = this.#arrival;
    const handedOver = Promise.withResolvers<Arrival>();
    const forget = put ? renewals.want(put, handedOver.resolve) : undefined;
    let channel: ConsumerChannel | undefined;
    try {
      // Messages of other applications have nothing by which they could be told apart.
      if (put) channel = await within(openChannel(), deadlineMs, 'a channel');
      await within(old.close(), deadlineMs, 'a message to be released');
      if (!put || !channel) return undefined;
      const first = await within(channel.get(), deadlineMs, 'a message to come again');
      if (first && isCopy(first, put)) return first;
      void channel.close();
      return await within(handedOver.promise, RENEWAL_MS, 'a message to come again');
    } catch {
      void channel?.close();
      return undefined;
    } finally {
      forget?.();
    }
  }
}
