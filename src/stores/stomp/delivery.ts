import { within } from '../broker/deadline.ts';
import { type Delivery, type MessageStore, type PoisonMessage, StoreError } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { StompRefusedError } from './connection.ts';
import type { Arrival, ConsumerHost, TransactionTarget } from './consumer.ts';
import { decodeJmsMessage, encodeJmsMessage } from './jms-message.ts';
import { queueHeaders } from './queue-name.ts';

let transactions = 0;

/** What a delivery asks of its consumer. */
export interface DeliveryOwner {
  /** The message is gone from the queue, the subscription is free for the next one. */
  settled(): void;
  giveBack(): Promise<void>;
}

/**
 * A message in a consumer's hands:
 *
 *     OPEN ──done()──► ACKNOWLEDGING ──receipt──► SETTLED         OPEN ──release()──► SETTLED
 *       ▲                 │
 *       │                 └──ERROR, no receipt in time──► OPEN
 *     OPEN ──moveTo()──► MOVING ──stored there, removed here──► SETTLED
 *                           └──not stored──► OPEN
 *     any ──connection lost, consumer closed──► LOST: the broker has it again, settling it fails
 */
export class JmsDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  readonly #arrival: Arrival;
  readonly #host: ConsumerHost;
  readonly #owner: DeliveryOwner;
  #state: 'open' | 'acknowledging' | 'moving' | 'settled' | 'lost' = 'open';
  /** An acknowledgement whose receipt is still to come is waited for again, not sent again. */
  #acknowledgement: Promise<void> | undefined;

  constructor(arrival: Arrival, host: ConsumerHost, owner: DeliveryOwner) {
    const { headers, body } = arrival.message;
    const { message, reason } = decodeJmsMessage(arrival.message);
    this.message = message;
    this.poison = message
      ? undefined
      : { id: poisonId(headers), reason: reason ?? '', bytes: body, headers: Object.entries(headers) };
    this.redelivered = headers.redelivered === 'true';
    this.#arrival = arrival;
    this.#host = host;
    this.#owner = owner;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'lost';
  }

  async done(): Promise<void> {
    this.#requireOpen();
    this.#state = 'acknowledging';
    try {
      this.#acknowledgement ??= this.#acknowledge();
      await within(this.#acknowledgement, this.#host.deadlineMs, 'the acknowledgement to be confirmed');
    } catch (error) {
      if (error instanceof StompRefusedError) this.#acknowledgement = undefined;
      this.#reopen();
      throw this.#error('was not confirmed to be removed', error);
    }
    this.#settle();
  }

  async release(): Promise<void> {
    // "Never throws": what is lost is released already.
    if (this.#state === 'lost') return;
    this.#requireOpen();
    this.#state = 'settled';
    await this.#owner.giveBack();
  }

  async moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    this.#requireOpen();
    this.#state = 'moving';
    const target = this.#host.sameBroker(store);
    try {
      if (target) await this.#moveInTransaction(target, message);
      else await this.#copyAndAcknowledge(store, message);
    } catch (error) {
      this.#reopen();
      throw error instanceof StoreError ? error : this.#error(`could not be moved to store [${store.name}]`, error);
    }
    this.#settle();
  }

  /** The connection that delivered it has ended. */
  lose(): void {
    if (this.#state !== 'settled') this.#state = 'lost';
  }

  #acknowledge(): Promise<void> {
    const { connection, message } = this.#arrival;
    return connection.request('ACK', { id: message.headers.ack ?? '' });
  }

  async #copyAndAcknowledge(store: MessageStore, message: StoredMessage): Promise<void> {
    await store.put(message);
    try {
      await within(this.#acknowledge(), this.#host.deadlineMs, 'the acknowledgement to be confirmed');
    } catch (error) {
      throw this.#error(`was stored in store [${store.name}], but not confirmed to be removed here`, error);
    }
  }

  /** One broker holds both queues: either both happen, or nothing does. Each step is confirmed before the next one. */
  async #moveInTransaction(target: TransactionTarget, message: StoredMessage): Promise<void> {
    const { connection, message: held } = this.#arrival;
    const { headers, body } = encodeJmsMessage(message);
    transactions += 1;
    const transaction = `t${transactions}`;
    const step = (command: string, fields: Record<string, string>, content?: Uint8Array) =>
      within(connection.request(command, { ...fields, transaction }, content), this.#host.deadlineMs, command);
    await step('BEGIN', {});
    try {
      await step('SEND', { ...headers, ...queueHeaders(target.queue, connection.server) }, body);
      await step('ACK', { id: held.headers.ack ?? '' });
      await step('COMMIT', {});
    } catch (error) {
      // An unanswered COMMIT may have happened; only the end of the connection makes sure that nothing more does.
      await step('ABORT', {}).catch(() => connection.destroy('a move between stores was not confirmed'));
      throw error;
    }
    target.noteStored();
  }

  #settle(): void {
    this.#state = 'settled';
    this.#host.noteSettled();
    this.#owner.settled();
  }

  #reopen(): void {
    if (this.#state !== 'lost') this.#state = this.#arrival.connection.lost ? 'lost' : 'open';
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state !== 'lost') throw new Error(`the delivery of ${this.#shownId()} is settled already`);
    throw this.#error('is the broker’s again: the connection that delivered it has ended', undefined);
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

function poisonId(headers: Readonly<Record<string, string>>): string {
  return headers.StoredMessageID ?? headers['message-id'] ?? 'unknown';
}
