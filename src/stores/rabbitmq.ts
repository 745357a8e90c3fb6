import type { Cluster } from '../coordination/cluster.ts';
import type { LeaseMedium } from '../coordination/lease-medium.ts';
import { logger } from '../logging/index.ts';
import { type AmqpAddress, formatAddress } from './amqp/address.ts';
import { encodeAmqpMessage } from './amqp/amqp-message.ts';
import { AmqpBrowser } from './amqp/browse.ts';
import { type AmqpConnection, messageOf, openAmqpConnection } from './amqp/connection.ts';
import { AmqpConsumer } from './amqp/consumer.ts';
import { requireDriver } from './amqp/driver.ts';
import { FetchGate } from './amqp/fetch-gate.ts';
import { AmqpLeases, leaseHeartBeatMs } from './amqp/lease.ts';
import {
  addressesOf,
  RABBITMQ_PARAMETERS,
  type RabbitMqAccess,
  type RabbitMqParameters,
  type RabbitMqValues,
  rabbitMqAccess,
  topologyOf,
} from './amqp/parameters.ts';
import { type AmqpMessage, Publisher, UnroutableError } from './amqp/publisher.ts';
import { QueueWatch } from './amqp/queue-watch.ts';
import { Renewals } from './amqp/renewals.ts';
import { prepareTopology, type Topology } from './amqp/topology.ts';
import { ConnectError } from './broker/back-off.ts';
import { BrokerStore, readSettings } from './broker/broker-store.ts';
import { PutFailure } from './broker/put-window.ts';
import { ConnectionSupervisor } from './broker/supervisor.ts';
import { messageStore, misfitOf, type StoreOpening } from './component.ts';
import { dedupMisfit, dedupRules } from './dedup/parameters.ts';
import { type DepthOptions, type StoreConsumer, type StoreDepth, StoreError } from './message-store.ts';
import type { StoreBrowser } from './store-browser.ts';
import type { StoredMessage } from './stored-message.ts';

const log = logger('RabbitMQStore');
const producerLog = logger('RabbitMQProducer');

const TYPE = 'rabbitmq-message-store';
/** Well below the 30 minutes after which brokers take a message away from who holds it. */
const LONGEST_HOLD_MS = 1_200_000;
const PUBLISHER = 'publisher';

/** A message store on a queue of RabbitMQ, over AMQP 0-9-1 (spec stores 2.5). */
export const rabbitMqStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages on a queue of RabbitMQ. What it has stored is confirmed by the broker and survives restarts of both.',
  classes: [
    'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore',
    'org.apache.synapse.message.store.impl.rabbitmq.RabbitmqStore',
  ],
  parameters: RABBITMQ_PARAMETERS,
  misfit: ({ name, parameters, written }) =>
    misfitOf('store.rabbitmq.host.port', () => addressesOf(parameters)) ??
    misfitOf('store.rabbitmq.queue.name', () => topologyOf(name, parameters)) ??
    dedupMisfit(written),
  open: (opening) => new RabbitMqStore(opening),
});

/** The connection of the base does not publish: it is there for consumers, the depth, and the state of the store. */
class RabbitMqStore extends BrokerStore<AmqpAddress, AmqpConnection, AmqpMessage> {
  readonly #topology: Topology;
  readonly #access: RabbitMqAccess;
  readonly #publishers: ConnectionSupervisor<'publisher', Publisher>;
  readonly #watch: QueueWatch;
  readonly #gate = new FetchGate();
  #browser: AmqpBrowser | undefined;
  #leases: AmqpLeases | undefined;
  readonly #renewals = new Renewals();
  #held = 0;
  #repairing = false;
  /** Why the broker does not take messages for now. */
  #blocked: string | undefined;

  /** @throws StoreError when it cannot work with these parameters */
  constructor(opening: StoreOpening<RabbitMqParameters>) {
    const { name, parameters, services } = opening;
    const topology = readSettings(name, () => topologyOf(name, parameters));
    const configured = readSettings(name, () => rabbitMqAccess(parameters, opening.services));
    const { cluster } = services;
    const heartBeatMs = cluster ? Math.min(configured.heartBeatMs, leaseHeartBeatMs(cluster)) : configured.heartBeatMs;
    const access = { ...configured, heartBeatMs };
    readSettings(name, requireDriver);
    super(opening, {
      type: TYPE,
      log,
      endpoints: access.addresses,
      heartBeatMs: access.heartBeatMs,
      recognisesRepeatedPuts: parameters['x.recognise.duplicates'],
      dedup: dedupRules(parameters),
    });
    this.#topology = topology;
    this.#access = access;
    this.#watch = new QueueWatch(name, topology);
    this.#publishers = new ConnectionSupervisor({
      endpoints: [PUBLISHER],
      // A broker that is not there is tried by the other connection only.
      gate: (signal) => this.supervisor.connected(signal),
      open: (_, signal) => this.#openPublisher(signal),
      onConnected: (publisher) => this.#onPublisher(publisher),
      onFailure: (error) => this.#onPublisherFailure(error),
    });
    this.#announce(parameters);
    this.supervisor.start();
    this.#publishers.start();
  }

  /** What lies on the queue and what this process has in hand; what other processes have in hand is not known (OP-17). */
  override async depth(options?: DepthOptions): Promise<StoreDepth> {
    const { connection } = this.supervisor;
    const waiting = connection && (await this.#watch.waiting(connection, options));
    if (waiting === undefined) return { count: 'unknown', estimated: true };
    return { count: waiting + this.#held, estimated: false };
  }

  browser(): StoreBrowser {
    if (this.closed) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    this.#browser ??= new AmqpBrowser({
      ...this.consumerHost,
      queue: this.#topology.queue,
      gate: this.#gate,
      connection: () => this.supervisor.connection,
      lastError: () => this.lastError,
      consumers: () => this.consumers,
      noteHeld: (change) => {
        this.#held += change;
      },
    });
    return this.#browser;
  }

  leases(cluster: Cluster): LeaseMedium {
    if (this.closed) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    const { addresses, tls } = this.#access;
    const connectionName = `mini-synapse store ${this.name} (tasks of node ${cluster.node})`;
    this.#leases ??= new AmqpLeases({
      store: this.name,
      addresses,
      where: addresses.map((address) => formatAddress(address, tls !== undefined)).join(', '),
      open: (address, heartBeatMs, signal) =>
        openAmqpConnection({ ...this.#access, address, heartBeatMs, connectionName }, signal),
      cluster,
    });
    return this.#leases;
  }

  protected override connect(address: AmqpAddress, signal: AbortSignal): Promise<AmqpConnection> {
    return this.#open(address, 'consumer', signal);
  }

  protected override onConnected(connection: AmqpConnection, again: boolean): void {
    const where = formatAddress(connection.address, this.#access.tls !== undefined);
    log.info(`Store [${this.name}] Successfully connected to RabbitMQ Broker${again ? ' again' : ''}`, {
      store: this.name,
      broker: `${where}, RabbitMQ ${connection.serverVersion}`,
    });
  }

  protected override notConnected(reason: string, again: boolean): string {
    return again
      ? `Store [${this.name}] Error while trying to reconnect to RabbitMQ Broker: ${reason}`
      : `Store [${this.name}] Error creating connection to RabbitMQ Broker. Reattempting to connect. ${reason}`;
  }

  protected override encode(message: StoredMessage): AmqpMessage {
    return encodeAmqpMessage(message);
  }

  protected override onNotStored({ id }: StoredMessage, cause: unknown): string {
    if (cause instanceof PutFailure && cause.cause instanceof UnroutableError) void this.#repair();
    const problem = cause instanceof Error ? cause.message : String(cause);
    const reason = this.#blocked === undefined ? problem : `${problem} (${this.#blocked})`;
    producerLog.error(
      `${this.producerId}. Ignored MessageId: ${id}. Could not store message to store [${this.name}]. Error:${reason}`,
      { store: this.name, messageId: id, cause: reason },
    );
    return reason;
  }

  protected override newConsumer(id: string): StoreConsumer {
    return new AmqpConsumer(id, {
      ...this.consumerHost,
      queue: this.#topology.queue,
      gate: this.#gate,
      longestHoldMs: LONGEST_HOLD_MS,
      renewals: this.#renewals,
      prepare: (connection) => prepareTopology(connection, this.#topology),
      noteHeld: (change) => {
        this.#held += change;
      },
    });
  }

  /** What causes the trouble, rather than that messages are not confirmed, which follows from it. */
  protected override get lastError(): string | undefined {
    return this.#blocked ?? super.lastError;
  }

  protected override async disconnect(): Promise<void> {
    await this.#browser?.close();
    await Promise.all([this.#leases?.close(), this.#publishers.close(), super.disconnect()]);
  }

  /** Somebody may have deleted the queue: declares it again, for the puts to come. Never rejects. */
  async #repair(): Promise<void> {
    const connection = this.supervisor.connection;
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
    const beside = await this.supervisor.connected(signal);
    if (!beside) throw new ConnectError('unreachable', 'the store is closed');
    const connection = await this.#open(beside.address, PUBLISHER, signal);
    connection.onBlocked((reason) => this.#onBlocked(reason));
    const channel = await preparing(connection, signal, () => connection.confirmChannel());
    return new Publisher(connection, channel, this.#topology);
  }

  #onPublisher(publisher: Publisher): void {
    this.#blocked = undefined;
    this.supervisor.troubleOver(PUBLISHER);
    this.window.use(publisher);
  }

  #onPublisherFailure(error: Error): void {
    // When the broker is gone, the other connection says so.
    if (!this.supervisor.connection || this.supervisor.connection.lost) return;
    this.supervisor.trouble(PUBLISHER, error.message);
    log.warn(
      `Store [${this.name}] - Producer channel initialization failed. Will retry connecting  during message publishing. Cause: ${error.message}`,
      { store: this.name, cause: error.message },
    );
  }

  #onBlocked(reason: string | undefined): void {
    if (reason === undefined) {
      this.#blocked = undefined;
      this.supervisor.troubleOver(PUBLISHER);
      log.info(`Store [${this.name}]: the broker takes messages again`, { store: this.name });
      return;
    }
    this.#blocked = `the broker does not take messages for now: ${reason}`;
    this.supervisor.trouble(PUBLISHER, this.#blocked);
    log.warn(`Store [${this.name}]: ${this.#blocked}`, { store: this.name });
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

function announceTls(store: string, parameters: RabbitMqValues): void {
  const details = { store };
  const verify = parameters['x.tls.verify'];
  if (!parameters['rabbitmq.connection.ssl.truststore.location'] && verify !== 'none') {
    log.info(
      `Store [${store}]. Trustore and keystore information is not provided: the broker is trusted by the well-known authorities, and by ` +
        'those of [mini_synapse] trusted_certificates if there are any',
      details,
    );
  }
  if (verify === 'none') {
    log.warn(`Store [${store}] does not check the certificate of its broker (x.tls.verify=none)`, details);
  }
}
