import { text } from '../../grammar/attributes.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import {
  RABBITMQ_PARAMETERS,
  type RabbitMqAccess,
  type RabbitMqValues,
  rabbitMqAccess,
} from '../../stores/amqp/parameters.ts';
import type { Topology } from '../../stores/amqp/topology.ts';
import type { StoreServices } from '../../stores/component.ts';
import { RECEIVING_PARAMETERS } from '../queue-parameters.ts';

const STORE = RABBITMQ_PARAMETERS;
const NO_EFFECT = 'Has no effect: a message is acknowledged after its flow has ended.';
const AS_IT_IS = 'Has no effect: what exists is used as it is, what does not is declared durable.';

/** Parameters with which a RabbitMQ is reached: the stores' under the names of the transport. */
export const RABBITMQ_BROKER_PARAMETERS = {
  'rabbitmq.server.host.name': STORE['store.rabbitmq.host.name'],
  'rabbitmq.server.port': STORE['store.rabbitmq.host.port'],
  'rabbitmq.server.user.name': STORE['store.rabbitmq.username'],
  'rabbitmq.server.password': STORE['store.rabbitmq.password'],
  'rabbitmq.server.virtual.host': STORE['store.rabbitmq.virtual.host'],
  'rabbitmq.connection.ssl.enabled': STORE['rabbitmq.connection.ssl.enabled'],
  'rabbitmq.connection.ssl.keystore.location': STORE['rabbitmq.connection.ssl.keystore.location'],
  'rabbitmq.connection.ssl.keystore.type': STORE['rabbitmq.connection.ssl.keystore.type'],
  'rabbitmq.connection.ssl.keystore.password': STORE['rabbitmq.connection.ssl.keystore.password'],
  'rabbitmq.connection.ssl.truststore.location': STORE['rabbitmq.connection.ssl.truststore.location'],
  'rabbitmq.connection.ssl.truststore.type': STORE['rabbitmq.connection.ssl.truststore.type'],
  'rabbitmq.connection.ssl.truststore.password': STORE['rabbitmq.connection.ssl.truststore.password'],
  'rabbitmq.connection.ssl.version': STORE['rabbitmq.connection.ssl.version'],
  'x.tls.verify': STORE['x.tls.verify'],
  'x.amqp.heartbeat': STORE['x.amqp.heartbeat'],
} as const;

/** The parameters of RabbitMQ inbound endpoints. */
export const RABBITMQ_INBOUND_PARAMETERS = {
  ...RECEIVING_PARAMETERS,
  ...RABBITMQ_BROKER_PARAMETERS,
  'x.queue.type': STORE['x.queue.type'],
  'rabbitmq.connection.factory': text({ doc: 'Only shown.' }),
  'rabbitmq.queue.name': STORE['store.rabbitmq.queue.name'],
  'rabbitmq.exchange.name': STORE['store.rabbitmq.exchange.name'],
  'rabbitmq.queue.routing.key': STORE['store.rabbitmq.route.key'],
  'rabbitmq.message.content.type': text({ doc: 'The media type of messages that do not tell one.' }),
  'rabbitmq.queue.auto.ack': text({ doc: NO_EFFECT }),
  'rabbitmq.channel.consumer.qos': text({ doc: 'Has no effect: a consumer has one message in hand.' }),
  'rabbitmq.consumer.qos': text({ doc: 'Has no effect: a consumer has one message in hand.' }),
  'rabbitmq.queue.durable': text({ doc: AS_IT_IS }),
  'rabbitmq.queue.exclusive': text({ doc: AS_IT_IS }),
  'rabbitmq.queue.auto.delete': text({ doc: AS_IT_IS }),
  'rabbitmq.queue.autodeclare': text({ doc: AS_IT_IS }),
  'rabbitmq.exchange.type': text({ doc: AS_IT_IS }),
  'rabbitmq.exchange.durable': text({ doc: AS_IT_IS }),
  'rabbitmq.exchange.auto.delete': text({ doc: AS_IT_IS }),
  'rabbitmq.exchange.autodeclare': text({ doc: AS_IT_IS }),
  'rabbitmq.connection.retry.interval': STORE['rabbitmq.connection.retry.interval'],
  'rabbitmq.connection.retry.count': STORE['rabbitmq.connection.retry.count'],
} as const;

export type RabbitMqInboundParameters = typeof RABBITMQ_INBOUND_PARAMETERS;
type BrokerValues = ParametersOf<typeof RABBITMQ_BROKER_PARAMETERS>;

/** @throws AmqpAddressError, TlsSettingsError */
export function brokerAccess(parameters: BrokerValues, services: StoreServices): RabbitMqAccess {
  const {
    'rabbitmq.server.host.name': hosts,
    'rabbitmq.server.port': ports,
    'rabbitmq.server.user.name': user,
    'rabbitmq.server.password': password,
    'rabbitmq.server.virtual.host': virtualHost,
    ...shared
  } = parameters;
  const values = {
    ...shared,
    'store.rabbitmq.host.name': hosts,
    'store.rabbitmq.host.port': ports,
    'store.rabbitmq.username': user,
    'store.rabbitmq.password': password,
    'store.rabbitmq.virtual.host': virtualHost,
  };
  return rabbitMqAccess(values as RabbitMqValues, services);
}

/** The queue, and the exchange that it is bound to. */
export function inboundTopology(name: string, parameters: ParametersOf<RabbitMqInboundParameters>): Topology {
  const queue = parameters['rabbitmq.queue.name'] || name;
  return {
    queue,
    queueType: parameters['x.queue.type'],
    exchange: parameters['rabbitmq.exchange.name'] || undefined,
    routingKey: parameters['rabbitmq.queue.routing.key'] || queue,
  };
}
