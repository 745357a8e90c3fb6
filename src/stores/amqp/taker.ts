import type { Message } from 'amqplib';
import { BrokerDelivery, type DeliveryHost } from '../broker/broker-delivery.ts';
import { putMark } from '../broker/repeated-puts.ts';
import { type Delivery, StoreError } from '../message-store.ts';
import type { MessageTaker } from '../store-browser.ts';
import { decodeAmqpMessage, poisonId, shownHeaders } from './amqp-message.ts';
import type { AmqpBrowserHost } from './browse.ts';
import type { Arrival, ConsumerChannel } from './consumer-channel.ts';
import { MAX_LOOKED_AT, type QueueReader } from './queue-reader.ts';

interface OpenQueue {
  readonly reader: QueueReader;
  readonly end: () => void;
}

export interface AmqpTakerOptions {
  readonly ids: readonly string[];
  readonly signal: AbortSignal;
  readonly host: AmqpBrowserHost;
  /** Alone at the queue, until `end` is called. @throws StoreError */
  open(onLost: (channel: ConsumerChannel) => void): Promise<OpenQueue>;
  onClose(): void;
}

/**
 * Takes messages by reading from the oldest one on. What is not wanted stays unacknowledged until the end,
 * which gives it back to its place; so no more than a thousand messages are passed over. Consumers of this process wait meanwhile.
 */
export class AmqpTaker implements MessageTaker {
  readonly #options: AmqpTakerOptions;
  readonly #wanted: Set<string>;
  readonly #taken = new Set<TakenMessage>();
  #open: Promise<OpenQueue> | undefined;
  #passedOver = 0;
  #closing: Promise<void> | undefined;

  constructor(options: AmqpTakerOptions) {
    this.#options = options;
    this.#wanted = new Set(options.ids);
  }

  async next(): Promise<Delivery | undefined> {
    const { signal, host } = this.#options;
    if (this.#closing) return undefined;
    this.#open ??= this.#options.open((channel) => this.#onLost(channel));
    const { reader } = await this.#open;
    while (this.#wanted.size > 0 && this.#passedOver < MAX_LOOKED_AT && !this.#closing) {
      signal.throwIfAborted();
      const arrival = await this.#fetch(reader);
      if (!arrival) return undefined;
      host.noteHeld(1);
      const delivery = this.#deliveryOf(arrival);
      if (delivery) return delivery;
      this.#passedOver += 1;
    }
    return undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #deliveryOf(arrival: Arrival): Delivery | undefined {
    const { host } = this.#options;
    const delivery = new TakenMessage(arrival, host);
    if (!this.#wanted.delete(delivery.id)) return undefined;
    this.#taken.add(delivery);
    const forget = delivery.put && host.repeatedPuts?.take(delivery.put.id);
    delivery.onceEnded((removed) => {
      if (this.#taken.delete(delivery) && removed) host.noteHeld(-1);
      else if (!removed) this.#passedOver += 1;
      forget?.(removed);
    });
    return delivery;
  }

  #onLost(lost: ConsumerChannel): void {
    for (const delivery of this.#taken) {
      if (delivery.channel === lost) delivery.lose('the channel that delivered it has ended');
    }
  }

  async #fetch(reader: QueueReader): Promise<Arrival | undefined> {
    const { host } = this.#options;
    try {
      return await reader.next();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError(host.name, `Store [${host.name}] did not hand over its messages: ${reason}`, { cause });
    }
  }

  async #close(): Promise<void> {
    const { host, onClose } = this.#options;
    await Promise.all([...this.#taken].map((delivery) => delivery.quiet()));
    for (const delivery of this.#taken) delivery.lose('it was given back');
    const open = await this.#open?.catch(() => undefined);
    if (open) {
      await open.reader.close();
      open.end();
    }
    for (; this.#passedOver > 0; this.#passedOver -= 1) host.noteHeld(-1);
    onClose();
  }
}

/** A message that was fetched with others on one channel: alone it cannot be given back to its place. */
class TakenMessage extends BrokerDelivery {
  readonly id: string;
  readonly #arrival: Arrival;

  constructor(arrival: Arrival, host: DeliveryHost) {
    const { fields, properties } = arrival.message;
    const { message, poison } = readMessage(arrival.message);
    super({ message, poison, redelivered: fields.redelivered, put: putMark(properties.headers ?? {}) }, host);
    this.id = message?.id ?? poison?.id ?? '';
    this.#arrival = arrival;
  }

  /** What it came through. */
  get channel(): ConsumerChannel {
    return this.#arrival.channel;
  }

  protected override get carrierLost(): boolean {
    return this.#arrival.channel.lost !== undefined;
  }

  protected override sendAcknowledgement(): Promise<void> {
    return this.#arrival.channel.acknowledge(this.#arrival.message);
  }

  /** At the end of its channel. */
  protected override async giveBack(): Promise<void> {}
}

function readMessage(arrived: Message) {
  const { message, reason = '' } = decodeAmqpMessage(arrived);
  if (message) return { message, poison: undefined };
  const { properties, content } = arrived;
  return {
    message: undefined,
    poison: { id: poisonId(properties), reason, bytes: content, headers: shownHeaders(properties) },
  };
}
