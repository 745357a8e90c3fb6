import { AmqpAddressError, formatAddress, parseHosts, parsePorts } from '../../stores/amqp/address.ts';
import { type RabbitMqAccess, type RabbitMqValues, rabbitMqAccess } from '../../stores/amqp/parameters.ts';
import type { StoreServices } from '../../stores/component.ts';

const HEART_BEAT_MS = 10_000;
const EXCHANGE_TYPES: readonly string[] = ['direct', 'topic', 'fanout', 'headers'];

/** A `rabbitmq:` address, taken apart. */
export interface RabbitMqAddress {
  readonly access: RabbitMqAccess;
  /** Declared, and bound to the exchange, where it is missing; undefined: nobody's business here. */
  readonly queue: string | undefined;
  /** Undefined: the default exchange, which leads to the queue that the routing key names. */
  readonly exchange: string | undefined;
  /** What a missing exchange is declared as. */
  readonly exchangeType: string;
  readonly declaresExchange: boolean;
  readonly routingKey: string;
  /** Where answers come; undefined: to this connection alone. */
  readonly replyQueue: string | undefined;
  /** Equal for addresses that share a connection. */
  readonly key: string;
}

/**
 * Reads `rabbitmq:/NAME?rabbitmq.server.host.name=…&rabbitmq.queue.name=…&rabbitmq.exchange.name=…`: a queue, or an exchange with a routing
 * key. The name stands for the queue where no parameter names one.
 * @throws AmqpAddressError, TlsSettingsError
 */
export function parseRabbitMqAddress(address: string, services: StoreServices): RabbitMqAddress {
  const mark = address.indexOf('?');
  const name = (mark < 0 ? address : address.slice(0, mark)).replace(/^rabbitmq:\/*/i, '');
  const parameters = pairsOf(mark < 0 ? '' : address.slice(mark + 1));
  const given = (key: string) => parameters.get(`rabbitmq.${key}`) || undefined;
  const exchange = given('exchange.name');
  const routingKey = given('queue.routing.key') ?? given('queue.name') ?? name;
  const queue = given('queue.name') ?? (exchange === undefined ? routingKey : undefined);
  if (routingKey === '' && exchange === undefined)
    throw new AmqpAddressError('it names neither a queue nor an exchange');
  const exchangeType = (given('exchange.type') ?? 'direct').toLowerCase();
  if (!EXCHANGE_TYPES.includes(exchangeType))
    throw new AmqpAddressError(
      `rabbitmq.exchange.type is '${exchangeType}', expected one of: ${EXCHANGE_TYPES.join(', ')}`,
    );
  const access = accessOf(given, services);
  const where = access.addresses.map((each) => formatAddress(each, access.tls !== undefined));
  return {
    access,
    queue: isFalse(given('queue.autodeclare')) ? undefined : queue,
    exchange,
    exchangeType,
    declaresExchange: !isFalse(given('exchange.autodeclare')),
    routingKey,
    replyQueue: given('replyto.name'),
    key: JSON.stringify([where, access.user, access.virtualHost, exchange, exchangeType, queue, routingKey]),
  };
}

function accessOf(given: (key: string) => string | undefined, services: StoreServices): RabbitMqAccess {
  const tls = (key: string) => given(`connection.ssl.${key}`);
  const values = {
    'store.rabbitmq.host.name': parseHosts(given('server.host.name') ?? 'localhost'),
    'store.rabbitmq.host.port': parsePorts(given('server.port') ?? '5672'),
    'store.rabbitmq.username': given('server.user.name'),
    'store.rabbitmq.password': given('server.password'),
    'store.rabbitmq.virtual.host': given('server.virtual.host'),
    'rabbitmq.connection.ssl.enabled': /^true$/i.test(tls('enabled') ?? ''),
    'rabbitmq.connection.ssl.keystore.location': tls('keystore.location'),
    'rabbitmq.connection.ssl.keystore.type': tls('keystore.type'),
    'rabbitmq.connection.ssl.keystore.password': tls('keystore.password'),
    'rabbitmq.connection.ssl.truststore.location': tls('truststore.location'),
    'rabbitmq.connection.ssl.truststore.type': tls('truststore.type'),
    'rabbitmq.connection.ssl.truststore.password': tls('truststore.password'),
    'rabbitmq.connection.ssl.version': tls('version'),
    'x.tls.verify': 'full',
    'x.amqp.heartbeat': HEART_BEAT_MS,
  };
  return rabbitMqAccess(values as RabbitMqValues, services);
}

function isFalse(text: string | undefined): boolean {
  return /^false$/i.test(text ?? '');
}

function pairsOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals > 0) parameters.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return parameters;
}
