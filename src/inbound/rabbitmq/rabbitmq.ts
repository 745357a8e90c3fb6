import { logger } from '../../logging/index.ts';
import type { Configuration } from '../../message/configuration.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { messageOf } from '../../stores/amqp/connection.ts';
import { requireDriver } from '../../stores/amqp/driver.ts';
import { addressesOf, type RabbitMqAccess, type RabbitMqValues } from '../../stores/amqp/parameters.ts';
import type { Topology } from '../../stores/amqp/topology.ts';
import type { Delivery } from '../../stores/message-store.ts';
import type { StoredMessage } from '../../stores/stored-message.ts';
import { type InboundServices, type InboundTransport, inboundKind } from '../component.ts';
import type { MessageEntry } from '../entry.ts';
import { QueueListener } from '../queue-listener.ts';
import { concurrencyOf, redeliveryOf } from '../queue-parameters.ts';
import { QueueReceiver } from '../queue-receiver.ts';
import { receivedMessage } from '../received-message.ts';
import { isTyped, RabbitMqBrokerLink } from './broker-link.ts';
import { brokerAccess, inboundTopology, RABBITMQ_INBOUND_PARAMETERS } from './parameters.ts';

const log = logger('RabbitMQInboundEndpoint');

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
    return rabbitMqListener({
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
function rabbitMqListener(options: RabbitMqListenerOptions): QueueListener {
  const { entry, services, previous, access, topology, contentType, concurrency, redelivery } = options;
  const deadlineMs = services.stores.putDeadlineMs;
  const link = new RabbitMqBrokerLink({ label: entry.label, access, topology, deadlineMs, log });
  return new QueueListener({
    previous,
    handOverMs: deadlineMs,
    link,
    announce: () => log.info(`${entry.label} takes the messages of queue [${topology.queue}] at ${link.where}`),
    receiver: new QueueReceiver({
      entry,
      consumers: Array.from({ length: concurrency }, () => link.consumer()),
      configuration: () => services.configuration(),
      toMessage: (delivery, configuration) => rabbitMqMessage(delivery, configuration, topology.queue, contentType),
      redelivery,
    }),
  });
}

/** `contentType`: of messages that tell none. */
function rabbitMqMessage(
  delivery: Delivery,
  configuration: Configuration,
  queue: string,
  contentType: string | undefined,
): MessageContext {
  const message = receivedMessage(delivery, configuration, {
    transport: 'rabbitmq',
    contentType: () => (isTyped(delivery) ? undefined : contentType),
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

function stringOf({ properties }: StoredMessage, name: string): string | undefined {
  const value = properties.get(name);
  return value === undefined ? undefined : String(value);
}
