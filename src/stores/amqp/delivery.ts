import { logger } from '../../logging/index.ts';
import { within } from '../broker/deadline.ts';
import { type Delivery, type MessageStore, type PoisonMessage, StoreError } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { decodeAmqpMessage, poisonId, shownHeaders } from './amqp-message.ts';
import type { Arrival, ConsumerChannel } from './consumer-channel.ts';

const log = logger('RabbitMQConsumer');

/** What a delivery knows of its store. */
export interface DeliveryHost {
  readonly name: string;
  /** For acknowledgements, ms. */
  readonly deadlineMs: number;
  /**
   * How long a message may be held, ms. A broker closes the channel of a consumer that holds one for too long (30 minutes by default),
   * which would look like a failure.
   */
  readonly longestHoldMs: number;
  noteHeld(change: 1 | -1): void;
  noteSettled(): void;
}

/**
 * A message in a consumer's hands:
 *
 *     OPEN ──done()──► ACKNOWLEDGING ──read by the broker──► SETTLED         OPEN ──release()──► SETTLED
 *       ▲                 │
 *       │                 └──no answer in time──► OPEN
 *     OPEN ──moveTo()──► MOVING ──stored there, removed here──► SETTLED
 *                           └──not stored, or not known to be removed──► OPEN
 *     OPEN ──held for too long──► LOST: given back
 *     any ──channel lost, consumer closed──► LOST: the broker has it again, settling it fails
 */
export class AmqpDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  readonly #arrival: Arrival;
  readonly #host: DeliveryHost;
  #state: 'open' | 'acknowledging' | 'moving' | 'settled' | 'lost' = 'open';
  #lostBecause = '';
  /** An acknowledgement whose answer is still to come is waited for again, not sent again. */
  #acknowledgement: Promise<void> | undefined;
  #hold: NodeJS.Timeout;
  #work: Promise<unknown> | undefined;

  constructor(arrival: Arrival, host: DeliveryHost) {
    const { content, fields, properties } = arrival.message;
    const { message, reason } = decodeAmqpMessage(arrival.message);
    this.message = message;
    this.poison = message
      ? undefined
      : { id: poisonId(properties), reason: reason ?? '', bytes: content, headers: shownHeaders(properties) };
    this.redelivered = fields.redelivered;
    this.#arrival = arrival;
    this.#host = host;
    host.noteHeld(1);
    this.#hold = this.#holdFor();
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'lost';
  }

  async done(): Promise<void> {
    this.#requireOpen();
    this.#state = 'acknowledging';
    await this.#doing(async () => {
      try {
        await this.#acknowledge();
      } catch (error) {
        this.#reopen();
        throw this.#error('was not confirmed to be removed', error);
      }
      this.#settle();
    });
  }

  async release(): Promise<void> {
    // "Never throws": what is lost is released already.
    if (this.#state === 'lost') return;
    this.#requireOpen();
    this.#end('settled');
    await this.#giveBack();
  }

  async moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    this.#requireOpen();
    this.#state = 'moving';
    await this.#doing(async () => {
      try {
        await store.put(message);
        await this.#acknowledge().catch((error: unknown) => {
          throw this.#error(`was stored in store [${store.name}], but not confirmed to be removed here`, error);
        });
      } catch (error) {
        this.#reopen();
        throw error instanceof StoreError ? error : this.#error(`could not be moved to store [${store.name}]`, error);
      }
      this.#settle();
    });
  }

  /** The consumer closes: what is under way may end, what is still unsettled goes back. Never throws. */
  async abandon(): Promise<void> {
    await this.#work?.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.lose('its consumer was closed');
    await this.#giveBack();
  }

  /** The broker has it again. Of any channel, or only when it came through this one. */
  lose(because: string, channel: ConsumerChannel = this.#arrival.channel): void {
    if (this.settled || channel !== this.#arrival.channel) return;
    this.#lostBecause = because;
    this.#end('lost');
  }

  #holdFor(): NodeJS.Timeout {
    const { longestHoldMs } = this.#host;
    return setTimeout(() => void this.#heldTooLong(), longestHoldMs);
  }

  /** Never rejects. */
  async #heldTooLong(): Promise<void> {
    if (this.#state !== 'open') {
      // On its way out: that has deadlines of its own.
      if (!this.settled) this.#hold = this.#holdFor();
      return;
    }
    const { name, longestHoldMs } = this.#host;
    const minutes = Math.round(longestHoldMs / 6_000) / 10;
    log.warn(
      `Store [${name}]: message ${this.#shownId()} was held for ${minutes} minutes and is given back to the broker, which would take ` +
        'it away at its own time limit; it will be delivered again',
      { store: name },
    );
    this.lose(`it was given back after ${minutes} minutes`);
    await this.#giveBack();
  }

  /** Never rejects. A channel that does not end in time ends with its connection, which has the same effect. */
  async #giveBack(): Promise<void> {
    const closing = this.#arrival.channel.close();
    await within(closing, this.#host.deadlineMs, 'a message to be released').catch(() => undefined);
  }

  async #acknowledge(): Promise<void> {
    const { message, channel } = this.#arrival;
    this.#acknowledgement ??= channel.acknowledge(message);
    await within(this.#acknowledgement, this.#host.deadlineMs, 'the acknowledgement to be read by the broker');
  }

  async #doing(work: () => Promise<void>): Promise<void> {
    const doing = work();
    this.#work = doing;
    try {
      await doing;
    } finally {
      this.#work = undefined;
    }
  }

  #settle(): void {
    this.#host.noteSettled();
    if (!this.settled) this.#end('settled');
    else this.#state = 'settled';
  }

  #end(state: 'settled' | 'lost'): void {
    clearTimeout(this.#hold);
    this.#state = state;
    this.#host.noteHeld(-1);
  }

  #reopen(): void {
    if (this.#state === 'lost') return;
    this.#state = 'open';
    const { lost } = this.#arrival.channel;
    if (lost) this.lose('the connection that delivered it has ended');
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state !== 'lost') throw new Error(`the delivery of ${this.#shownId()} is settled already`);
    throw this.#error(`is the broker’s again: ${this.#lostBecause}`, undefined);
  }

  #error(problem: string, cause: unknown): StoreError {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    const { name } = this.#host;
    return new StoreError(name, `Store [${name}]: message ${this.#shownId()} ${problem}${reason}`, { cause });
  }

  #shownId(): string {
    return `[${this.message?.id ?? this.poison?.id}]`;
  }
}
