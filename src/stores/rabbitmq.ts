import type { ConnectionOptions } from 'node:tls';
import { integer, javaBoolean, oneOf, text, ValueError, valueType } from '../grammar/attributes.ts';
import type { ParametersOf } from '../grammar/parameters.ts';
import { logger } from '../logging/index.ts';
import {
  type AmqpAddress,
  AmqpAddressError,
  formatAddress,
  pairAddresses,
  parseHosts,
  parsePorts,
} from './amqp/address.ts';
import { encodeAmqpMessage } from './amqp/amqp-message.ts';
import { type AmqpConnection, messageOf, openAmqpConnection } from './amqp/connection.ts';
import { AmqpConsumer, type ConsumerHost } from './amqp/consumer.ts';
import { requireDriver } from './amqp/driver.ts';
import { type AmqpMessage, Publisher, UnroutableError } from './amqp/publisher.ts';
import { QueueWatch } from './amqp/queue-watch.ts';
import { tlsOptions } from './amqp/tls.ts';
import { prepareTopology, type Topology } from './amqp/topology.ts';
import { ConnectError } from './broker/back-off.ts';
import { PutFailure, PutWindow } from './broker/put-window.ts';
import { ConnectionSupervisor } from './broker/supervisor.ts';
import { messageStore, type StoreOpening } from './component.ts';
import {
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreStatus,
} from './message-store.ts';
import type { StoredMessage } from './stored-message.ts';

const log = logger('RabbitMQStore');
const producerLog = logger('RabbitMQProducer');

const TYPE = 'rabbitmq-message-store';
const DEFAULT_HEART_BEAT_MS = 10_000;
const DEFAULT_RETRY_INTERVAL_MS = 30_000;
const DEFAULT_RETRY_COUNT = 3;
/** Well below the 30 minutes after which brokers take a message away from who holds it. */
const LONGEST_HOLD_MS = 600_000;
/** How long close() waits for puts that are under way, ms. */
const CLOSE_PATIENCE_MS = 5_000;
const MAX_NAME_BYTES = 255;
const PUBLISHER = 'publisher';

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

const PARAMETERS = {
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
  'store.producer.guaranteed.delivery.enable': javaBoolean({
    default: false,
    doc: 'Switches on the failover store of the store mediator. Every message is confirmed by the broker in any case.',
  }),
  'store.failover.message.store.name': text({ doc: 'Where the store mediator stores when this store cannot.' }),
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
  'x.amqp.heartbeat': integer({
    minimum: 1_000,
    maximum: 600_000,
    default: DEFAULT_HEART_BEAT_MS,
    doc: 'The interval of heart-beats, ms, rounded up to seconds; a broker that is silent for 2.4 of them is given up.',
  }),
} as const;

type RabbitMqParameters = typeof PARAMETERS;
type RabbitMqValues = ParametersOf<RabbitMqParameters>;

/** A message store on a queue of RabbitMQ, over AMQP 0-9-1 (spec stores 2.5). */
export const rabbitMqStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages on a queue of RabbitMQ. What it has stored is confirmed by the broker and survives restarts of both.',
  classes: [
    'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore',
    'org.apache.synapse.message.store.impl.rabbitmq.RabbitmqStore',
  ],
  parameters: PARAMETERS,
  open: (opening) => new RabbitMqStore(opening),
});

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
interface BrokerAccess {
  readonly addresses: readonly AmqpAddress[];
  readonly user: string;
  readonly password: string;
  readonly virtualHost: string;
  readonly tls: ConnectionOptions | undefined;
  readonly heartBeatMs: number;
}

class RabbitMqStore implements MessageStore {
  readonly name: string;
  readonly type = TYPE;
  readonly parameters: ReadonlyMap<string, string>;
  readonly durable = true;
  readonly #topology: Topology;
  readonly #access: BrokerAccess;
  readonly #deadlineMs: number;
  /** The connection that does not publish: consumers, the depth, and the state of the store. */
  readonly #supervisor: ConnectionSupervisor<AmqpAddress, AmqpConnection>;
  readonly #publishers: ConnectionSupervisor<'publisher', Publisher>;
  readonly #window: PutWindow<AmqpMessage>;
  readonly #watch: QueueWatch;
  readonly #consumers = new Set<AmqpConsumer>();
  #consumersMade = 0;
  #generation = 0;
  #enqueued = 0;
  #dequeued = 0;
  #held = 0;
  #repairing = false;
  /** Why the broker does not take messages for now. */
  #blocked: string | undefined;
  #successor: RabbitMqStore | undefined;
  #closing: Promise<void> | undefined;
  #closedAt: number | undefined;

  /** @throws StoreError when it cannot work with these parameters */
  constructor({ name, parameters, written, services, previous }: StoreOpening<RabbitMqParameters>) {
    this.name = name;
    this.parameters = written;
    this.#topology = this.#checked(() => topologyOf(name, parameters));
    this.#access = this.#checked(() => brokerAccess(parameters));
    this.#checked(requireDriver);
    this.#deadlineMs = services.putDeadlineMs;
    this.#watch = new QueueWatch(name, this.#topology);
    this.#supervisor = new ConnectionSupervisor({
      endpoints: this.#access.addresses,
      open: (address, signal) => this.#open(address, 'consumer', signal),
      onConnected: (connection, generation) => this.#onConnected(connection, generation),
      onFailure: (error, phase) => this.#onFailure(error, phase),
    });
    this.#publishers = new ConnectionSupervisor({
      endpoints: [PUBLISHER],
      open: (_, signal) => this.#openPublisher(signal),
      onConnected: (publisher) => this.#onPublisher(publisher),
      onFailure: (error) => this.#onPublisherFailure(error),
    });
    this.#window = new PutWindow({
      supervisor: this.#supervisor,
      deadlineMs: this.#deadlineMs,
      heartBeatMs: this.#access.heartBeatMs,
    });
    if (previous instanceof RabbitMqStore) this.#takeOver(previous);
    this.#announce(parameters);
    this.#supervisor.start();
    this.#publishers.start();
  }

  async put(message: StoredMessage): Promise<void> {
    if (this.#closedAt !== undefined) {
      // Messages in flight may still know the store that was replaced.
      if (this.#successor) return this.#successor.put(message);
      throw new StoreError(this.name, `Store [${this.name}] is closed`);
    }
    try {
      const encoded = encodeAmqpMessage(message);
      await this.#window.put(encoded, encoded.body.length);
    } catch (cause) {
      if (cause instanceof PutFailure && cause.cause instanceof UnroutableError) void this.#repair();
      throw this.#notStored(message, cause);
    }
    this.#enqueued += 1;
  }

  consumer(): StoreConsumer {
    if (this.#closedAt !== undefined) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    this.#consumersMade += 1;
    const consumer = new AmqpConsumer(`[${this.name}-C-${this.#consumersMade}]`, this.#consumerHost());
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): StoreStatus {
    const { state, since, lastError } = this.#supervisor;
    return {
      state: this.#closedAt === undefined ? state : 'CLOSED',
      since: this.#closedAt ?? since,
      // What causes the trouble, rather than that messages are not confirmed, which follows from it.
      lastError: this.#blocked ?? lastError,
      enqueued: this.#enqueued,
      dequeued: this.#dequeued,
    };
  }

  /** What lies on the queue and what this process has in hand; what other processes have in hand is not known (OP-17). */
  async depth(): Promise<StoreDepth> {
    const connection = this.#supervisor.connection;
    const waiting = connection && (await this.#watch.waiting(connection));
    if (waiting === undefined) return { count: 'unknown', estimated: true };
    return { count: waiting + this.#held, estimated: false };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closedAt = Date.now();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await this.#window.close(Math.min(CLOSE_PATIENCE_MS, this.#deadlineMs));
    await Promise.all([this.#publishers.close(), this.#supervisor.close()]);
  }

  /** Somebody may have deleted the queue: declares it again, for the puts to come. Never rejects. */
  async #repair(): Promise<void> {
    const connection = this.#supervisor.connection;
    if (this.#repairing || !connection) return;
    this.#repairing = true;
    try {
      const { queue } = await prepareTopology(connection, this.#topology);
      if (queue === 'declared') {
        log.warn(`Store [${this.name}]: its queue had been deleted and was declared again`, { store: this.name });
      }
    } catch (error) {
      log.debug(`Store [${this.name}]: its queue could not be declared again: ${String(error)}`, { store: this.name });
    } finally {
      this.#repairing = false;
    }
  }

  #takeOver(previous: RabbitMqStore): void {
    previous.#successor = this;
    this.#enqueued = previous.#enqueued;
    this.#dequeued = previous.#dequeued;
    this.#consumersMade = previous.#consumersMade;
  }

  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw new StoreError(this.name, `Store [${this.name}]: ${(cause as Error).message}`, { cause });
    }
  }

  #announce(parameters: RabbitMqValues): void {
    const { name } = this;
    const { queue, exchange, routingKey } = this.#topology;
    const details = { store: name };
    const { addresses, tls } = this.#access;
    if (exchange === undefined && routingKey !== queue) {
      log.warn(
        `Store [${name}] publishes with the routing key [${routingKey}], which the default exchange takes to the queue of that name, but ` +
          `it receives from queue [${queue}]: set store.rabbitmq.exchange.name, or leave store.rabbitmq.route.key out`,
        details,
      );
    }
    if (tls) announceTls(name, parameters);
    const where = addresses.map((address) => formatAddress(address, tls !== undefined)).join(', ');
    log.info(`Store [${name}]. Initialized... `, details);
    log.info(`Store [${name}] keeps its messages on queue [${queue}] at ${where}`, details);
  }

  async #open(address: AmqpAddress, role: 'consumer' | 'publisher', signal: AbortSignal): Promise<AmqpConnection> {
    const connectionName = `mini-synapse store ${this.name} (${role})`;
    const connection = await openAmqpConnection({ ...this.#access, address, connectionName }, signal);
    await preparing(connection, signal, async () => {
      const prepared = await prepareTopology(connection, this.#topology);
      this.#watch.prepared(connection, prepared);
    });
    return connection;
  }

  /** Where the other connection leads to; a broker that is not there is tried by that one only. */
  async #openPublisher(signal: AbortSignal): Promise<Publisher> {
    const beside = await this.#supervisor.connected(signal);
    if (!beside) throw new ConnectError('unreachable', 'the store is closed');
    const connection = await this.#open(beside.address, PUBLISHER, signal);
    connection.onBlocked((reason) => this.#onBlocked(reason));
    const channel = await preparing(connection, signal, () => connection.confirmChannel());
    return new Publisher(connection, channel, this.#topology);
  }

  #onConnected(connection: AmqpConnection, generation: number): void {
    const again = generation > 1 ? ' again' : '';
    this.#generation = generation;
    const where = formatAddress(connection.address, this.#access.tls !== undefined);
    log.info(`Store [${this.name}] Successfully connected to RabbitMQ Broker${again}`, {
      store: this.name,
      generation,
      broker: `${where}, RabbitMQ ${connection.serverVersion}`,
    });
  }

  #onFailure(error: Error, phase: 'connecting' | 'connected'): void {
    const details = { store: this.name, cause: error.message };
    if (phase === 'connected') {
      log.warn(`Store [${this.name}] has lost its connection and reconnects by itself: ${error.message}`, details);
    } else if (this.#generation > 0) {
      log.debug(`Store [${this.name}] Error while trying to reconnect to RabbitMQ Broker: ${error.message}`, details);
    } else {
      log.error(
        `Store [${this.name}] Error creating connection to RabbitMQ Broker. Reattempting to connect. ${error.message}`,
        details,
      );
    }
  }

  #onPublisher(publisher: Publisher): void {
    this.#blocked = undefined;
    this.#supervisor.troubleOver(PUBLISHER);
    this.#window.use(publisher);
  }

  #onPublisherFailure(error: Error): void {
    // When the broker is gone, the other connection says so.
    if (!this.#supervisor.connection || this.#supervisor.connection.lost) return;
    this.#supervisor.trouble(PUBLISHER, error.message);
    log.warn(
      `Store [${this.name}] - Producer channel initialization failed. Will retry connecting  during message publishing. Cause: ${error.message}`,
      { store: this.name, cause: error.message },
    );
  }

  #onBlocked(reason: string | undefined): void {
    if (reason === undefined) {
      this.#blocked = undefined;
      this.#supervisor.troubleOver(PUBLISHER);
      log.info(`Store [${this.name}]: the broker takes messages again`, { store: this.name });
      return;
    }
    this.#blocked = `the broker does not take messages for now: ${reason}`;
    this.#supervisor.trouble(PUBLISHER, this.#blocked);
    log.warn(`Store [${this.name}]: ${this.#blocked}`, { store: this.name });
  }

  #notStored(message: StoredMessage, cause: unknown): StoreError {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const reason = this.#blocked === undefined ? problem : `${problem} (${this.#blocked})`;
    producerLog.error(
      `[${this.name}-P-${Math.max(1, this.#generation)}]. Ignored MessageId: ${message.id}. Could not store message to store [${this.name}]. Error:${reason}`,
      { store: this.name, messageId: message.id, cause: reason },
    );
    return new StoreError(this.name, `Store [${this.name}]: ${reason}`, { cause });
  }

  #consumerHost(): ConsumerHost {
    return {
      name: this.name,
      queue: this.#topology.queue,
      supervisor: this.#supervisor,
      deadlineMs: this.#deadlineMs,
      longestHoldMs: LONGEST_HOLD_MS,
      prepare: (connection) => prepareTopology(connection, this.#topology),
      noteHeld: (change) => {
        this.#held += change;
      },
      noteSettled: () => {
        this.#dequeued += 1;
      },
      noteClosed: (consumer) => void this.#consumers.delete(consumer),
    };
  }
}

/**
 * What must be done before a fresh connection can be used; when that fails, or the signal is aborted, the connection ends.
 * @throws ConnectError
 */
async function preparing<T>(connection: AmqpConnection, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const giveUp = () => connection.destroy('the store is closed');
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await work();
  } catch (cause) {
    await connection.close();
    throw new ConnectError('dropped', messageOf(cause), { cause });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function topologyOf(store: string, parameters: RabbitMqValues): Topology {
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

function brokerAccess(parameters: RabbitMqValues): BrokerAccess {
  return {
    addresses: pairAddresses(parameters['store.rabbitmq.host.name'], parameters['store.rabbitmq.host.port']),
    user: parameters['store.rabbitmq.username'] || 'guest',
    password: parameters['store.rabbitmq.password'] || 'guest',
    virtualHost: parameters['store.rabbitmq.virtual.host'] || '/',
    heartBeatMs: parameters['x.amqp.heartbeat'],
    tls: parameters['rabbitmq.connection.ssl.enabled'] ? tlsOf(parameters) : undefined,
  };
}

function tlsOf(parameters: RabbitMqValues): ConnectionOptions {
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
    version: parameters['rabbitmq.connection.ssl.version'] || undefined,
    verify: parameters['x.tls.verify'],
  });
}

function announceTls(store: string, parameters: RabbitMqValues): void {
  const details = { store };
  const verify = parameters['x.tls.verify'];
  if (!parameters['rabbitmq.connection.ssl.truststore.location'] && verify !== 'none') {
    log.info(
      `Store [${store}]. Trustore and keystore information is not provided: the broker is trusted by the well-known authorities only`,
      details,
    );
  }
  if (verify === 'none') {
    log.warn(`Store [${store}] does not check the certificate of its broker (x.tls.verify=none)`, details);
  }
}
