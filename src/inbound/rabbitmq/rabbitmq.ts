import { logger } from '../../logging/index.ts';
import type { Configuration } from '../../message/configuration.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { type AmqpAddress, formatAddress } from '../../stores/amqp/address.ts';
import { type AmqpConnection, messageOf, openAmqpConnection } from '../../stores/amqp/connection.ts';
import { AmqpConsumer } from '../../stores/amqp/consumer.ts';
import type { Arrival } from '../../stores/amqp/consumer-channel.ts';
import type { AmqpDelivery } from '../../stores/amqp/delivery.ts';
import { requireDriver } from '../../stores/amqp/driver.ts';
import { addressesOf, type RabbitMqAccess, type RabbitMqValues } from '../../stores/amqp/parameters.ts';
import { Renewals } from '../../stores/amqp/renewals.ts';
import { prepareTopology, type Topology } from '../../stores/amqp/topology.ts';
import { ConnectError } from '../../stores/broker/back-off.ts';
import { ConnectionSupervisor } from '../../stores/broker/supervisor.ts';
import type { Delivery, StoreConsumer } from '../../stores/message-store.ts';
import type { StoredMessage } from '../../stores/stored-message.ts';
import { type InboundServices, type InboundTransport, inboundKind } from '../component.ts';
import type { MessageEntry } from '../entry.ts';
import { concurrencyOf, redeliveryOf } from '../queue-parameters.ts';
import { QueueReceiver } from '../queue-receiver.ts';
import { receivedMessage } from '../received-message.ts';
import { brokerAccess, inboundTopology, RABBITMQ_INBOUND_PARAMETERS } from './parameters.ts';

const log = logger('RabbitMQInboundEndpoint');
/** A broker takes a message away that is held for 30 minutes: it is renewed before. */
const LONGEST_HOLD_MS = 15 * 60_000;

/** `protocol="rabbitmq"`: takes the messages of a queue of RabbitMQ. */
export const rabbitMqInbound = inboundKind({
  protocol: 'rabbitmq',
  doc: 'Takes the messages of a queue of RabbitMQ; each is acknowledged after its flow has ended.',
  parameters: RABBITMQ_INBOUND_PARAMETERS,
  answers: false,
  review(written, parameters, reader) {
    const hosts = written.get('rabbitmq.server.host.name');
    if (!hosts) return;
    try {
      const values = {
        'store.rabbitmq.host.name': parameters['rabbitmq.server.host.name'],
        'store.rabbitmq.host.port': parameters['rabbitmq.server.port'],
      };
      addressesOf(values as RabbitMqValues);
    } catch (error) {
      reader.error(hosts.element, `parameter 'rabbitmq.server.host.name': ${messageOf(error)}`);
    }
  },
  open({ name, entry, parameters, services, previous }) {
    requireDriver();
    return new RabbitMqListener({
      entry,
      services,
      previous,
      access: brokerAccess(parameters, services.stores),
      topology: inboundTopology(name, parameters),
      contentType: parameters['rabbitmq.message.content.type'] || undefined,
      concurrency: concurrencyOf(parameters),
      redelivery: redeliveryOf(parameters),
    });
  },
});

interface RabbitMqListenerOptions {
  readonly entry: MessageEntry;
  readonly services: InboundServices;
  readonly previous: InboundTransport | undefined;
  readonly access: RabbitMqAccess;
  readonly topology: Topology;
  readonly contentType: string | undefined;
  readonly concurrency: number;
  readonly redelivery: { readonly firstMs: number; readonly longestMs: number };
}

/** Listens to one queue. Quorum queues count deliveries by themselves and have a limit of their own for them. */
class RabbitMqListener implements InboundTransport {
  readonly #options: RabbitMqListenerOptions;
  readonly #supervisor: ConnectionSupervisor<AmqpAddress, AmqpConnection>;
  readonly #receiver: QueueReceiver;
  readonly #renewals = new Renewals();
  #previous: InboundTransport | undefined;
  #failed = false;
  #stopped: Promise<void> | undefined;

  constructor(options: RabbitMqListenerOptions) {
    const { entry, services, access, topology, concurrency, redelivery } = options;
    this.#options = options;
    this.#previous = options.previous;
    this.#supervisor = new ConnectionSupervisor({
      endpoints: access.addresses,
      open: (address, signal) => this.#connect(address, signal),
      onConnected: ({ address }, generation) => {
        this.#failed = false;
        log.info(`${entry.label} is connected${generation > 1 ? ' again' : ''} to ${this.#where(address)}`);
      },
      onFailure: ({ message }, phase) => this.#onFailure(message, phase),
    });
    this.#receiver = new QueueReceiver({
      entry,
      consumers: Array.from({ length: concurrency }, (_, index) => this.#consumer(index + 1)),
      configuration: () => services.configuration(),
      toMessage: (delivery, configuration) => this.#message(delivery, configuration, topology.queue),
      redelivery,
    });
  }

  async start(): Promise<void> {
    const previous = this.#previous;
    this.#previous = undefined;
    const { entry, services, access, topology } = this.#options;
    // One after the other, or two versions would take messages at once.
    await previous?.stop(services.stores.putDeadlineMs);
    if (this.#stopped) return;
    log.info(
      `${entry.label} takes the messages of queue [${topology.queue}] at ${access.addresses.map((address) => this.#where(address)).join(', ')}`,
    );
    this.#supervisor.start();
    this.#receiver.start();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    await this.#receiver.stop(deadlineMs);
    await this.#supervisor.close();
  }

  #consumer(number: number): StoreConsumer {
    const { entry, services, topology } = this.#options;
    return new InboundAmqpConsumer(`[${entry.label}-C-${number}]`, {
      name: entry.label,
      queue: topology.queue,
      deadlineMs: services.stores.putDeadlineMs,
      supervisor: this.#supervisor,
      repeatedPuts: undefined,
      longestHoldMs: LONGEST_HOLD_MS,
      renewals: this.#renewals,
      prepare: (connection) => prepareTopology(connection, topology),
      noteHeld: () => undefined,
      noteSettled: () => undefined,
      noteClosed: (_: StoreConsumer) => undefined,
    });
  }

  #message(delivery: Delivery, configuration: Configuration, queue: string): MessageContext {
    const message = receivedMessage(delivery, configuration, {
      transport: 'rabbitmq',
      contentType: () => (TYPED.has(delivery) ? undefined : this.#options.contentType),
      headers: (stored, redelivered) => [
        ['RABBITMQ_MESSAGE_ID', stored.id],
        ['RABBITMQ_CORRELATION_ID', stored.correlationId],
        ['RABBITMQ_REPLY_TO', stringOf(stored, 'RABBITMQ_REPLY_TO')],
        ['RABBITMQ_REDELIVERED', String(redelivered)],
      ],
    });
    message.to ??= `rabbitmq:/${queue}`;
    return message;
  }

  /** A connection whose queue is there. @throws ConnectError */
  async #connect(address: AmqpAddress, signal: AbortSignal): Promise<AmqpConnection> {
    const { access, entry, topology } = this.#options;
    const connection = await openAmqpConnection(
      { ...access, address, connectionName: `mini-synapse ${entry.label}` },
      signal,
    );
    const giveUp = () => connection.destroy('closed');
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const { notBound } = await prepareTopology(connection, topology);
      if (notBound !== undefined) log.warn(`${entry.label}: queue [${topology.queue}] could not be bound: ${notBound}`);
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

  #onFailure(reason: string, phase: 'connecting' | 'connected'): void {
    const { label } = this.#options.entry;
    if (phase === 'connected') log.warn(`${label} has lost its connection and reconnects by itself: ${reason}`);
    else if (this.#failed) log.debug(`${label} cannot connect to its broker: ${reason}`);
    else log.error(`${label} cannot connect to its broker and tries again until it can: ${reason}`);
    this.#failed = true;
  }
}

/** Remembers of a delivery whether its message told a media type. */
class InboundAmqpConsumer extends AmqpConsumer {
  protected override newDelivery(arrival: Arrival): AmqpDelivery {
    const delivery = super.newDelivery(arrival);
    if (arrival.message.properties.contentType) TYPED.add(delivery);
    return delivery;
  }
}

const TYPED = new WeakSet<Delivery>();

function stringOf({ properties }: StoredMessage, name: string): string | undefined {
  const value = properties.get(name);
  return value === undefined ? undefined : String(value);
}
