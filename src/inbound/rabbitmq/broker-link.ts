import type { Logger } from '../../logging/index.ts';
import { type AmqpAddress, formatAddress } from '../../stores/amqp/address.ts';
import { type AmqpConnection, messageOf, openAmqpConnection } from '../../stores/amqp/connection.ts';
import { AmqpConsumer } from '../../stores/amqp/consumer.ts';
import type { Arrival } from '../../stores/amqp/consumer-channel.ts';
import type { AmqpDelivery } from '../../stores/amqp/delivery.ts';
import { FetchGate } from '../../stores/amqp/fetch-gate.ts';
import type { RabbitMqAccess } from '../../stores/amqp/parameters.ts';
import { Renewals } from '../../stores/amqp/renewals.ts';
import { prepareTopology, type Topology } from '../../stores/amqp/topology.ts';
import { ConnectError } from '../../stores/broker/back-off.ts';
import { ConnectionSupervisor } from '../../stores/broker/supervisor.ts';
import type { Delivery, StoreConsumer } from '../../stores/message-store.ts';
import { ConnectionLog } from '../connection-log.ts';

/** A broker takes a message away that is held for 30 minutes: it is renewed before. */
const LONGEST_HOLD_MS = 15 * 60_000;

export interface RabbitMqLinkOptions {
  /** For logs: `Inbound endpoint [orders]`. */
  readonly label: string;
  readonly access: RabbitMqAccess;
  readonly topology: Topology;
  /** For acknowledgements, ms. */
  readonly deadlineMs: number;
  readonly log: Logger;
}

/** The connection of one inbound endpoint to its RabbitMQ, with a channel for each consumer. */
export class RabbitMqBrokerLink {
  readonly #options: RabbitMqLinkOptions;
  readonly #supervisor: ConnectionSupervisor<AmqpAddress, AmqpConnection>;
  readonly #renewals = new Renewals();
  readonly #gate = new FetchGate();
  #consumers = 0;

  constructor(options: RabbitMqLinkOptions) {
    const { label, access, log } = options;
    const told = new ConnectionLog(label, log);
    this.#options = options;
    this.#supervisor = new ConnectionSupervisor({
      endpoints: access.addresses,
      open: (address, signal) => this.#connect(address, signal),
      onConnected: ({ address }, generation) => told.connected(this.#where(address), generation),
      onFailure: ({ message }, phase) => told.failed(message, phase),
    });
  }

  /** All addresses, for people. */
  get where(): string {
    return this.#options.access.addresses.map((address) => this.#where(address)).join(', ');
  }

  start(): void {
    this.#supervisor.start();
  }

  close(): Promise<void> {
    return this.#supervisor.close();
  }

  consumer(): StoreConsumer {
    const { label, topology, deadlineMs } = this.#options;
    this.#consumers += 1;
    return new InboundAmqpConsumer(`[${label}-C-${this.#consumers}]`, {
      name: label,
      queue: topology.queue,
      deadlineMs,
      supervisor: this.#supervisor,
      repeatedPuts: undefined,
      longestHoldMs: LONGEST_HOLD_MS,
      renewals: this.#renewals,
      gate: this.#gate,
      prepare: (connection) => prepareTopology(connection, topology),
      noteHeld: () => undefined,
      noteSettled: () => undefined,
      noteClosed: (_: StoreConsumer) => undefined,
    });
  }

  /** A connection whose queue is there. @throws ConnectError */
  async #connect(address: AmqpAddress, signal: AbortSignal): Promise<AmqpConnection> {
    const { access, label, topology, log } = this.#options;
    const connection = await openAmqpConnection(
      { ...access, address, connectionName: `mini-synapse ${label}` },
      signal,
    );
    const giveUp = () => connection.destroy('closed');
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const { notBound } = await prepareTopology(connection, topology);
      if (notBound !== undefined) log.warn(`${label}: queue [${topology.queue}] could not be bound: ${notBound}`);
      return connection;
    } catch (cause) {
      await connection.close();
      throw new ConnectError('dropped', messageOf(cause), { cause });
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #where(address: AmqpAddress): string {
    return formatAddress(address, this.#options.access.tls !== undefined);
  }
}

/** Whether the message of a delivery has told its media type. */
export function isTyped(delivery: Delivery): boolean {
  return TYPED.has(delivery);
}

const TYPED = new WeakSet<Delivery>();

class InboundAmqpConsumer extends AmqpConsumer {
  protected override newDelivery(arrival: Arrival): AmqpDelivery {
    const delivery = super.newDelivery(arrival);
    if (arrival.message.properties.contentType) TYPED.add(delivery);
    return delivery;
  }
}
