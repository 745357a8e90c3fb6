import type { Cluster } from '../coordination/cluster.ts';
import type { LeaseMedium } from '../coordination/lease-medium.ts';
import { logger } from '../logging/index.ts';
import { maskSecrets } from '../logging/secrets.ts';
import { BrokerStore, readSettings } from './broker/broker-store.ts';
import { messageStore, misfitOf, type StoreOpening } from './component.ts';
import { dedupMisfit, dedupRules } from './dedup/parameters.ts';
import {
  type ConsumerOptions,
  type DepthOptions,
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
} from './message-store.ts';
import { formatEndpoint, type StompEndpoint } from './stomp/address.ts';
import { StompBrowser } from './stomp/browse.ts';
import { openStompConnection, type StompConnection } from './stomp/connection.ts';
import { JmsConsumer } from './stomp/consumer.ts';
import type { TransactionTarget } from './stomp/delivery.ts';
import { encodeJmsMessage, type JmsMessage } from './stomp/jms-message.ts';
import { leaseHeartBeatMs, StompLeases } from './stomp/lease.ts';
import {
  describeJndi,
  destinationQueue,
  JMS_PARAMETERS,
  type JmsParameters,
  type JmsValues,
  jndiSettings,
  type StompAccess,
  stompAccess,
} from './stomp/parameters.ts';
import { QueueDepth } from './stomp/queue-depth.ts';
import { SenderPool } from './stomp/sender-pool.ts';
import { SharedConnection } from './stomp/shared-connection.ts';
import type { StoreBrowser } from './store-browser.ts';
import type { StoredMessage } from './stored-message.ts';

const log = logger('JmsStore');
const producerLog = logger('JmsProducer');

const TYPE = 'jms-message-store';

/** A message store on a queue of ActiveMQ Classic or Artemis, over STOMP 1.2 (spec stores 2.3). */
export const jmsStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages on a queue of ActiveMQ. What it has stored is confirmed by the broker and survives restarts of both.',
  classes: [
    'org.apache.synapse.message.store.impl.jms.JmsStore',
    'org.wso2.carbon.message.store.persistence.jms.JMSMessageStore',
  ],
  parameters: JMS_PARAMETERS,
  misfit: ({ name, parameters, written }) =>
    misfitOf('store.jms.destination', () => destinationQueue(name, parameters, written)) ?? dedupMisfit(written),
  open: (opening) => new JmsStore(opening),
});

class JmsStore extends BrokerStore<StompEndpoint, StompConnection, JmsMessage> {
  readonly #queue: string;
  readonly #access: StompAccess;
  readonly #depth: QueueDepth;
  readonly #jndi: string;
  readonly #shared = new SharedConnection((beside, signal) => this.connect(beside.endpoint, signal));
  #leases: StompLeases | undefined;
  #browser: StompBrowser | undefined;
  #senders: SenderPool | undefined;

  /** @throws StoreError when it cannot work with these parameters */
  constructor(opening: StoreOpening<JmsParameters>) {
    const { name, parameters, written, services } = opening;
    const jndi = readSettings(name, () => jndiSettings(parameters, services, written));
    const queue = readSettings(name, () => destinationQueue(name, parameters, jndi.environment));
    const access = readSettings(name, () => stompAccess(parameters, services, jndi));
    const { cluster } = services;
    const heartBeatMs = cluster ? Math.min(access.heartBeatMs, leaseHeartBeatMs(cluster)) : access.heartBeatMs;
    const recognisesRepeatedPuts = parameters['x.recognise.duplicates'];
    const dedup = dedupRules(parameters);
    super(opening, { type: TYPE, log, ...access, heartBeatMs, recognisesRepeatedPuts, dedup });
    this.#queue = queue;
    this.#access = { ...access, heartBeatMs };
    this.#jndi = describeJndi(parameters);
    this.#depth = new QueueDepth({
      store: this.name,
      queue,
      statistics: parameters['x.depth.statistics'],
      open: async () => {
        const main = this.supervisor.connection;
        return main && this.connect(main.endpoint);
      },
      counters: () => this.counters,
    });
    this.#announce(parameters);
    this.supervisor.start();
  }

  override depth(options?: DepthOptions): Promise<StoreDepth> {
    return this.supervisor.connection ? this.#depth.depth(options) : Promise.resolve(this.#depth.estimate());
  }

  browser(): StoreBrowser {
    if (this.closed) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    this.#browser ??= new StompBrowser({
      ...this.consumerHost,
      queue: this.#queue,
      sameBroker: (store) => (store instanceof JmsStore ? store.transactionTarget(this.#access) : undefined),
      lastError: () => this.lastError,
      estimate: () => this.#depth.estimate(),
      open: async (signal) => {
        const main = this.supervisor.connection;
        return main && this.connect(main.endpoint, signal);
      },
    });
    return this.#browser;
  }

  leases(cluster: Cluster): LeaseMedium {
    if (this.closed) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    this.#leases ??= new StompLeases({
      store: this.name,
      endpoints: this.#access.endpoints,
      open: (endpoint, heartBeatMs, signal) => openStompConnection({ ...this.#access, endpoint, heartBeatMs, signal }),
      cluster,
    });
    return this.#leases;
  }

  /** For moves: this store as the target of a transaction on another store's connection. */
  transactionTarget(access: StompAccess): TransactionTarget | undefined {
    if (this.closed || this.#access.key !== access.key) return undefined;
    return { queue: this.#queue, noteStored: () => this.noteStored() };
  }

  protected override connect(endpoint: StompEndpoint, signal?: AbortSignal): Promise<StompConnection> {
    const { credentials, trusted, heartBeatMs } = this.#access;
    return openStompConnection({ endpoint, credentials, trusted, heartBeatMs, ...(signal && { signal }) });
  }

  protected override onConnected(connection: StompConnection, again: boolean): void {
    const where = formatEndpoint(connection.endpoint);
    log.info(`Store [${this.name}] is connected${again ? ' again' : ''} to ${where}`, { store: this.name });
    this.#senders = new SenderPool(connection, {
      store: this.name,
      queue: this.#queue,
      open: (signal) => this.connect(connection.endpoint, signal),
    });
    this.window.use(this.#senders);
  }

  protected override notConnected(reason: string, again: boolean): string {
    const { name } = this;
    if (again) return `Store [${name}] could not reconnect: ${reason}`;
    return `Store [${name}]. Could not initialize JMS Message Store. Error:${reason}. ${this.#jndi}`;
  }

  protected override encode(message: StoredMessage): JmsMessage {
    if (message.properties.has('JMS_PROD_DELIVERY_MODE')) {
      log.debug(`Store [${this.name}] sends every message as persistent, JMS_PROD_DELIVERY_MODE has no effect`, {
        store: this.name,
      });
    }
    return encodeJmsMessage(message);
  }

  protected override onNotStored({ id }: StoredMessage, cause: unknown): string {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const details = { store: this.name, messageId: id, cause: reason };
    const ignored = `${this.producerId}. Ignored MessageID : ${id}`;
    if (this.supervisor.connection) {
      producerLog.error(`${ignored}. Could not store message to store [${this.name}]. Error:${reason}`, details);
    } else {
      log.error(`Could not create a Message Producer for Store [${this.name}]`, details);
      producerLog.warn(ignored, details);
    }
    return reason;
  }

  protected override newConsumer(id: string, { shared = false }: ConsumerOptions): StoreConsumer {
    const forAll = this.#shared;
    return new JmsConsumer(id, {
      ...this.consumerHost,
      queue: this.#queue,
      shared,
      openBeside: (beside, signal) => (shared ? forAll.join(beside) : this.connect(beside.endpoint, signal)),
      leaveBeside: (connection) => (shared ? forAll.leave(connection) : connection.close()),
      sameBroker: (store: MessageStore) =>
        store instanceof JmsStore ? store.transactionTarget(this.#access) : undefined,
    });
  }

  protected override async disconnect(): Promise<void> {
    this.#shared.close();
    const beside = [this.#leases?.close(), this.#browser?.close(), this.#senders?.close()];
    await Promise.all([...beside, super.disconnect()]);
  }

  #announce(parameters: JmsValues): void {
    const { name } = this;
    const details = { store: name };
    if (!parameters['store.jms.destination']) {
      log.warn(`Store [${name}]. Destination not provided. Setting default destination to [${name}_Queue].`, details);
    }
    if (this.parameters.has('store.jms.ConsumerReceiveTimeOut')) {
      log.debug(`Store [${name}]. store.jms.ConsumerReceiveTimeOut has no effect: messages are pushed.`, details);
    }
    log.info(`Store [${name}]. Initialized... `, details);
    log.info(`Store [${name}] keeps its messages on queue [${this.#queue}] at ${this.#addresses()}`, details);
  }

  /** The addresses and where they come from, so that people know what to set when they are not the right ones. */
  #addresses(): string {
    const chosen = this.#access.endpoints.map(formatEndpoint).join(', ');
    if (this.parameters.has('x.stomp.url')) return `${chosen} (parameter x.stomp.url)`;
    const provider = maskSecrets(this.parameters.get('java.naming.provider.url') ?? '');
    return (
      `${chosen} (STOMP, chosen for ${provider}; to choose another address set the parameter x.stomp.url of the store, or ` +
      'provider_url and stomp_url under [[mini_synapse.jms]] in deployment.toml)'
    );
  }
}
