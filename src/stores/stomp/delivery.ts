import { BrokerDelivery, type DeliveryHost } from '../broker/broker-delivery.ts';
import { within } from '../broker/deadline.ts';
import { putMark } from '../broker/repeated-puts.ts';
import type { MessageStore } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import type { StompConnection, StompMessage, StompSubscription } from './connection.ts';
import { decodeJmsMessage, encodeJmsMessage } from './jms-message.ts';
import { isArtemis, queueHeaders } from './queue-name.ts';

let transactions = 0;

/** What a consumer was handed by the broker, and where. Only this subscription can acknowledge it (OP-10). */
export interface Arrival {
  readonly message: StompMessage;
  readonly connection: StompConnection;
  readonly subscription: StompSubscription;
}

/** What a delivery knows of its store. */
export interface JmsDeliveryHost extends DeliveryHost {
  /** How to store in another store in one transaction with an acknowledgement here; undefined when it is on another broker. */
  sameBroker(store: MessageStore): TransactionTarget | undefined;
}

export interface TransactionTarget {
  readonly queue: string;
  noteStored(): void;
}

/** What a delivery asks of its consumer. */
export interface DeliveryOwner {
  /** The message is gone from the queue, the subscription is free for the next one. */
  settled(): void;
  giveBack(): Promise<void>;
}

/** A message of a JMS broker in a consumer's hands. */
export class JmsDelivery extends BrokerDelivery {
  readonly #arrival: Arrival;
  readonly #host: JmsDeliveryHost;
  readonly #owner: DeliveryOwner;

  constructor(arrival: Arrival, host: JmsDeliveryHost, owner: DeliveryOwner) {
    const { headers, body } = arrival.message;
    const { message, reason = '' } = decodeJmsMessage(arrival.message);
    const poison = { id: poisonId(headers), reason, bytes: body, headers: Object.entries(headers) };
    const redelivered = headers.redelivered === 'true';
    super({ message, poison: message ? undefined : poison, redelivered, put: putMark(headers) }, host);
    this.#arrival = arrival;
    this.#host = host;
    this.#owner = owner;
  }

  protected override get carrierLost(): boolean {
    return this.#arrival.connection.lost !== undefined;
  }

  protected override sendAcknowledgement(): Promise<void> {
    const { subscription, message } = this.#arrival;
    return subscription.acknowledge(message.headers.ack ?? '');
  }

  protected override giveBack(): Promise<void> {
    return this.#owner.giveBack();
  }

  protected override onRemoved(): void {
    this.#owner.settled();
  }

  protected override move(store: MessageStore, message: StoredMessage): Promise<void> {
    // Artemis ignores acknowledgements in transactions.
    const transactions = !isArtemis(this.#arrival.connection.server);
    const target = transactions ? this.#host.sameBroker(store) : undefined;
    return target ? this.#moveInTransaction(target, message) : super.move(store, message);
  }

  /** One broker holds both queues: either both happen, or nothing does. Each step is confirmed before the next one. */
  async #moveInTransaction(target: TransactionTarget, message: StoredMessage): Promise<void> {
    const { connection, subscription, message: held } = this.#arrival;
    const { headers, body } = encodeJmsMessage(message);
    transactions += 1;
    const transaction = `t${transactions}`;
    const confirmed = (answer: Promise<void>, command: string) => within(answer, this.#host.deadlineMs, command);
    const step = (command: string, fields: Record<string, string>, content?: Uint8Array) =>
      confirmed(connection.request(command, { ...fields, transaction }, content), command);
    await step('BEGIN', {});
    try {
      await step('SEND', { ...headers, ...queueHeaders(target.queue, connection.server) }, body);
      await confirmed(subscription.acknowledge(held.headers.ack ?? '', { transaction }), 'ACK');
      await step('COMMIT', {});
    } catch (error) {
      // An unanswered COMMIT may have happened; only the end of the connection makes sure that nothing more does.
      await step('ABORT', {}).catch(() => connection.destroy('a move between stores was not confirmed'));
      throw error;
    }
    target.noteStored();
  }
}

export function poisonId(headers: Readonly<Record<string, string>>): string {
  return headers.StoredMessageID ?? headers['message-id'] ?? 'unknown';
}
