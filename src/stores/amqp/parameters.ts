import type { ConnectionOptions } from 'node:tls';
import { integer, javaBoolean, oneOf, text, ValueError, valueType } from '../../grammar/attributes.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import type { StoreServices } from '../component.ts';
import { DEDUP_PARAMETERS } from '../dedup/parameters.ts';
import { FAILOVER_PARAMETERS } from '../failover-parameters.ts';
import { type AmqpAddress, AmqpAddressError, pairAddresses, parseHosts, parsePorts } from './address.ts';
import { tlsOptions } from './tls.ts';
import type { Topology } from './topology.ts';

const DEFAULT_HEART_BEAT_MS = 10_000;
const DEFAULT_RETRY_INTERVAL_MS = 30_000;
const DEFAULT_RETRY_COUNT = 3;
const MAX_NAME_BYTES = 255;

const hosts = valueType(
  'hosts, separated by commas',
  (value) => orValueError(value, parseHosts, 'localhost', 'hosts'),
  {
    default: ['localhost'] as readonly string[],
    doc: 'The hosts of the broker; they are tried in this order, each with the port at its place.',
  },
);

const ports = valueType(
  'ports (1 to 65535), separated by commas',
  (value) => orValueError(value, parsePorts, '5672', 'as many ports (1 to 65535) as there are hosts'),
  { default: [5672] as readonly number[], doc: 'The ports of the hosts, as many as there are hosts.' },
);

const secret = (doc: string) =>
  valueType(
    'text',
    (value) => {
      if (/[\r\n\u0000]/.test(value)) throw new ValueError('contains a line break', 'one line');
      return value;
    },
    { doc },
  );

/** A name as AMQP takes it. */
const name = (doc: string) =>
  valueType(
    `text of at most ${MAX_NAME_BYTES} bytes`,
    (value) => {
      if (Buffer.byteLength(value) <= MAX_NAME_BYTES) return value;
      throw new ValueError(`is longer than ${MAX_NAME_BYTES} bytes`, `a name of at most ${MAX_NAME_BYTES} bytes`);
    },
    { doc },
  );

/** The parameters of RabbitMQ stores (spec stores 2.5). */
export const RABBITMQ_PARAMETERS = {
  'store.rabbitmq.host.name': hosts,
  'store.rabbitmq.host.port': ports,
  'store.rabbitmq.username': text({ doc: 'The user; default: guest.' }),
  'store.rabbitmq.password': secret('The password; default: guest.'),
  'store.rabbitmq.virtual.host': name('The virtual host; default: /.'),
  'store.rabbitmq.queue.name': name(
    'The queue; default: the name of the store. Declared (durable) when it does not exist.',
  ),
  'store.rabbitmq.exchange.name': name(
    'The exchange that is published to; default: the default exchange. Declared (direct, durable) when it does not exist.',
  ),
  'store.rabbitmq.route.key': name('The routing key; default: the name of the queue.'),
  'rabbitmq.connection.retry.interval': integer({
    minimum: 0,
    default: DEFAULT_RETRY_INTERVAL_MS,
    doc: 'Has no effect: the store connects in the background, after 0.1 s to 30 s (REQ-36).',
  }),
  'rabbitmq.connection.retry.count': integer({
    minimum: -1,
    default: DEFAULT_RETRY_COUNT,
    doc: 'Has no effect: the store never gives up (REQ-36).',
  }),
  ...FAILOVER_PARAMETERS,
  ...DEDUP_PARAMETERS,
  'rabbitmq.connection.ssl.enabled': javaBoolean({
    default: false,
    doc: 'Connects with TLS. What is wrong with TLS keeps the store from working; it never goes on without (REQ-38).',
  }),
  'rabbitmq.connection.ssl.keystore.location': text({ doc: 'The file with our key and certificate.' }),
  'rabbitmq.connection.ssl.keystore.type': text({ doc: 'JKS, PKCS12 or PEM.' }),
  'rabbitmq.connection.ssl.keystore.password': secret('The password of the key store and of the key in it.'),
  'rabbitmq.connection.ssl.truststore.location': text({
    doc: 'The file with the certificates that the broker is trusted by; default: the well-known authorities.',
  }),
  'rabbitmq.connection.ssl.truststore.type': text({ doc: 'JKS, PKCS12 or PEM.' }),
  'rabbitmq.connection.ssl.truststore.password': secret('The password of the trust store.'),
  'rabbitmq.connection.ssl.version': text({ doc: 'TLSv1.2 or TLSv1.3; default: what both sides can do.' }),
  'x.tls.verify': oneOf(['full', 'ca', 'none'], {
    default: 'full',
    doc: 'What is checked of the broker: its certificate and the name of its host (full), its certificate (ca), nothing (none).',
  }),
  'x.queue.type': oneOf(['classic', 'quorum'], {
    doc: 'What kind of queue is declared when it does not exist; default: what the broker makes by itself.',
  }),
  'x.recognise.duplicates': javaBoolean({
    default: true,
    doc: 'Removes, instead of delivering it, the second copy of a message that was sent again after a loss of the connection.',
  }),
  'x.amqp.heartbeat': integer({
    minimum: 1_000,
    maximum: 600_000,
    default: DEFAULT_HEART_BEAT_MS,
    doc: 'The interval of heart-beats, ms, rounded up to seconds; a broker that is silent for 2.4 of them is given up.',
  }),
} as const;

export type RabbitMqParameters = typeof RABBITMQ_PARAMETERS;
export type RabbitMqValues = ParametersOf<RabbitMqParameters>;

/** An empty parameter means the default: the reference's tool writes those that are not filled in. */
function orValueError<T>(value: string, parse: (text: string) => T, whenEmpty: string, expected: string): T {
  try {
    return parse(value.trim() === '' ? whenEmpty : value);
  } catch (error) {
    if (!(error instanceof AmqpAddressError)) throw error;
    throw new ValueError(error.message, expected, undefined, { cause: error });
  }
}

/** How a store reaches its broker. */
export interface RabbitMqAccess {
  readonly addresses: readonly AmqpAddress[];
  readonly user: string;
  readonly password: string;
  readonly virtualHost: string;
  readonly tls: ConnectionOptions | undefined;
  readonly heartBeatMs: number;
}

/** @throws AmqpAddressError for names that are no names of queues */
export function topologyOf(store: string, parameters: RabbitMqValues): Topology {
  const queue = parameters['store.rabbitmq.queue.name'] || store;
  if (Buffer.byteLength(queue) > MAX_NAME_BYTES) {
    throw new AmqpAddressError(`its name is too long for a queue: set store.rabbitmq.queue.name`);
  }
  return {
    queue,
    queueType: parameters['x.queue.type'],
    exchange: parameters['store.rabbitmq.exchange.name'] || undefined,
    routingKey: parameters['store.rabbitmq.route.key'] || queue,
  };
}

/** @throws AmqpAddressError when there are not as many ports as hosts */
export function addressesOf(parameters: RabbitMqValues): readonly AmqpAddress[] {
  return pairAddresses(parameters['store.rabbitmq.host.name'], parameters['store.rabbitmq.host.port']);
}

/** @throws AmqpAddressError, TlsSettingsError */
export function rabbitMqAccess(parameters: RabbitMqValues, services: StoreServices): RabbitMqAccess {
  return {
    addresses: addressesOf(parameters),
    user: parameters['store.rabbitmq.username'] || 'guest',
    password: parameters['store.rabbitmq.password'] || 'guest',
    virtualHost: parameters['store.rabbitmq.virtual.host'] || '/',
    heartBeatMs: parameters['x.amqp.heartbeat'],
    tls: parameters['rabbitmq.connection.ssl.enabled'] ? tlsOf(parameters, services) : undefined,
  };
}

function tlsOf(parameters: RabbitMqValues, { trustedCertificates }: StoreServices): ConnectionOptions {
  const store = (which: 'keystore' | 'truststore') => {
    const location = parameters[`rabbitmq.connection.ssl.${which}.location`];
    if (!location) return undefined;
    return {
      location,
      type: parameters[`rabbitmq.connection.ssl.${which}.type`] || undefined,
      password: parameters[`rabbitmq.connection.ssl.${which}.password`] ?? '',
    };
  };
  return tlsOptions({
    keyStore: store('keystore'),
    trustStore: store('truststore'),
    trustedCertificates,
    version: parameters['rabbitmq.connection.ssl.version'] || undefined,
    verify: parameters['x.tls.verify'],
  });
}
