import { readFileSync } from 'node:fs';
import { integer, javaBoolean, nonEmptyText, text, ValueError, valueType } from '../grammar/attributes.ts';
import type { ParametersOf } from '../grammar/parameters.ts';
import { logger } from '../logging/index.ts';
import { PutWindow } from './broker/put-window.ts';
import { ConnectionSupervisor } from './broker/supervisor.ts';
import { messageStore, type StoreOpening } from './component.ts';
import {
  type MessageStore,
  type StoreConsumer,
  type StoreDepth,
  StoreError,
  type StoreStatus,
} from './message-store.ts';
import {
  AddressError,
  type Credentials,
  formatEndpoint,
  PROVIDER_URL_FORMS,
  type ProviderUrl,
  parseProviderUrl,
  parseStompUrl,
  STOMP_URL_FORMS,
  type StompEndpoint,
  stompEndpoints,
  withoutSecrets,
} from './stomp/address.ts';
import { openStompConnection, type StompConnection } from './stomp/connection.ts';
import { type ConsumerHost, JmsConsumer, type TransactionTarget } from './stomp/consumer.ts';
import { encodeJmsMessage, type JmsMessage } from './stomp/jms-message.ts';
import { QueueDepth } from './stomp/queue-depth.ts';
import { queueName } from './stomp/queue-name.ts';
import { Sender } from './stomp/sender.ts';
import type { StoredMessage } from './stored-message.ts';

const log = logger('JmsStore');
const producerLog = logger('JmsProducer');

const TYPE = 'jms-message-store';
const DEFAULT_CONNECTION_FACTORY = 'QueueConnectionFactory';
const DEFAULT_HEART_BEAT_MS = 10_000;
/** How long close() waits for puts that are under way, ms. */
const CLOSE_PATIENCE_MS = 5_000;

/** Initial context factories of the brokers that speak STOMP (REQ-08). */
const FACTORIES: ReadonlyMap<string, { readonly artemis: boolean }> = new Map([
  ['org.apache.activemq.jndi.ActiveMQInitialContextFactory', { artemis: false }],
  ['org.apache.activemq.jndi.ActiveMQSslInitialContextFactory', { artemis: false }],
  ['org.apache.activemq.artemis.jndi.ActiveMQInitialContextFactory', { artemis: true }],
]);

const initialContextFactory = valueType(
  `one of: ${[...FACTORIES.keys()].join(', ')}`,
  (value) => {
    const known = FACTORIES.get(value);
    if (known) return { name: value, ...known };
    const expected = `the factory of a broker that speaks STOMP, one of: ${[...FACTORIES.keys()].join(', ')}`;
    throw new ValueError(`'${value}' is not supported`, expected);
  },
  { doc: 'The JNDI initial context factory: tells which broker it is.' },
);

const providerUrl = valueType(
  PROVIDER_URL_FORMS,
  (value) => orValueError(() => parseProviderUrl(value), PROVIDER_URL_FORMS),
  {
    required: true,
    missing: 'Cannot initialize JMS Store. Required parameters are not available: java.naming.provider.url',
    doc: 'The address of the broker. Its STOMP address is found from it, see x.stomp.url.',
  },
);

const stompUrl = valueType(STOMP_URL_FORMS, (value) => orValueError(() => parseStompUrl(value), STOMP_URL_FORMS), {
  doc: 'Where the broker speaks STOMP, when that cannot be found from java.naming.provider.url.',
});

const secret = valueType(
  'text',
  (value) => {
    if (value.includes('vault-lookup')) {
      throw new ValueError('a secure vault is not supported', '$SYSTEM:NAME, a variable of the environment');
    }
    if (/[\r\n\u0000]/.test(value)) throw new ValueError('contains a line break', 'one line');
    return value;
  },
  { doc: 'The password; used only together with store.jms.username.' },
);

const PARAMETERS = {
  'java.naming.factory.initial': initialContextFactory,
  'java.naming.provider.url': providerUrl,
  'x.stomp.url': stompUrl,
  'x.stomp.ca': nonEmptyText({ doc: 'A file with the PEM certificates that a stomp+ssl broker is trusted by.' }),
  'x.stomp.heartbeat': integer({
    minimum: 500,
    maximum: 600_000,
    default: DEFAULT_HEART_BEAT_MS,
    doc: 'The interval of heart-beats, ms; a broker that is silent for 2.4 of them is given up.',
  }),
  'store.jms.destination': text({ doc: 'The queue; default: the name of the store and `_Queue`.' }),
  'store.jms.connection.factory': text({
    default: DEFAULT_CONNECTION_FACTORY,
    doc: 'The JNDI name of the connection factory; only shown.',
  }),
  'connectionfactory.QueueConnectionFactory': text({ doc: 'A connection string for JNDI; not used.' }),
  'store.jms.username': text({ doc: 'The user name; used only together with store.jms.password.' }),
  'store.jms.password': secret,
  'store.jms.JMSSpecVersion': text({ default: '1.1', doc: 'The version of the Java API; has no effect here.' }),
  'store.jms.cache.connection': javaBoolean({ default: false, doc: 'Connections are kept in any case.' }),
  'store.jms.ConsumerReceiveTimeOut': text({ doc: 'Has no effect: messages are pushed (REQ-43).' }),
  'store.producer.guaranteed.delivery.enable': javaBoolean({
    default: false,
    doc: 'Switches on the failover store of the store mediator. Every message is confirmed by the broker in any case.',
  }),
  'store.failover.message.store.name': text({ doc: 'Where the store mediator stores when this store cannot.' }),
} as const;

type JmsParameters = typeof PARAMETERS;

/** A message store on a queue of ActiveMQ Classic or Artemis, over STOMP 1.2 (spec stores 2.3). */
export const jmsStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages on a queue of ActiveMQ. What it has stored is confirmed by the broker and survives restarts of both.',
  classes: [
    'org.apache.synapse.message.store.impl.jms.JmsStore',
    'org.wso2.carbon.message.store.persistence.jms.JMSMessageStore',
  ],
  parameters: PARAMETERS,
  open: (opening) => new JmsStore(opening),
});

function orValueError<T>(parse: () => T, expected: string): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new ValueError(error.message, expected, undefined, { cause: error });
  }
}

/** How a store reaches its broker; two stores with equal keys are on one broker. */
interface BrokerAccess {
  readonly endpoints: readonly StompEndpoint[];
  readonly credentials: Credentials | undefined;
  readonly trusted: string | undefined;
  readonly heartBeatMs: number;
  readonly key: string;
}

class JmsStore implements MessageStore {
  readonly name: string;
  readonly type = TYPE;
  readonly parameters: ReadonlyMap<string, string>;
  readonly durable = true;
  readonly queue: string;
  readonly access: BrokerAccess;
  readonly #deadlineMs: number;
  readonly #supervisor: ConnectionSupervisor<StompEndpoint, StompConnection>;
  readonly #window: PutWindow<JmsMessage>;
  readonly #depth: QueueDepth;
  readonly #consumers = new Set<JmsConsumer>();
  readonly #describesItself: string;
  #consumersMade = 0;
  #generation = 0;
  #connectedOnce = false;
  #enqueued = 0;
  #dequeued = 0;
  #successor: JmsStore | undefined;
  #closing: Promise<void> | undefined;
  #closedAt: number | undefined;

  /** @throws StoreError when it cannot work with these parameters */
  constructor({ name, parameters, written, services, previous }: StoreOpening<JmsParameters>) {
    this.name = name;
    this.parameters = written;
    this.queue = this.#checked(() => destinationQueue(name, parameters, written));
    this.access = this.#checked(() => brokerAccess(parameters, services.stompUrls));
    this.#deadlineMs = services.putDeadlineMs;
    this.#describesItself = description(parameters);
    const { heartBeatMs } = this.access;
    this.#supervisor = new ConnectionSupervisor({
      endpoints: this.access.endpoints,
      open: (endpoint, signal) => this.#open(endpoint, signal),
      onConnected: (connection, generation) => this.#onConnected(connection, generation),
      onFailure: (error, phase) => this.#onFailure(error, phase),
    });
    this.#window = new PutWindow({
      supervisor: this.#supervisor,
      deadlineMs: this.#deadlineMs,
      heartBeatMs,
    });
    this.#depth = new QueueDepth({
      queue: this.queue,
      open: async () => {
        const main = this.#supervisor.connection;
        return main && this.#open(main.endpoint);
      },
      counters: () => ({ enqueued: this.#enqueued, dequeued: this.#dequeued }),
    });
    if (previous instanceof JmsStore) this.#takeOver(previous);
    this.#announce(parameters);
    this.#supervisor.start();
  }

  async put(message: StoredMessage): Promise<void> {
    if (this.#closedAt !== undefined) {
      // Messages in flight may still know the store that was replaced.
      if (this.#successor) return this.#successor.put(message);
      throw new StoreError(this.name, `Store [${this.name}] is closed`);
    }
    try {
      const encoded = this.#encode(message);
      await this.#window.put(encoded, encoded.body.length);
    } catch (cause) {
      throw this.#notStored(message, cause);
    }
    this.#noteStored();
  }

  consumer(): StoreConsumer {
    if (this.#closedAt !== undefined) throw new StoreError(this.name, `Store [${this.name}] is closed`);
    this.#consumersMade += 1;
    const consumer = new JmsConsumer(`[${this.name}-C-${this.#consumersMade}]`, this.#consumerHost());
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): StoreStatus {
    const { state, since, lastError } = this.#supervisor;
    return {
      state: this.#closedAt === undefined ? state : 'CLOSED',
      since: this.#closedAt ?? since,
      lastError,
      enqueued: this.#enqueued,
      dequeued: this.#dequeued,
    };
  }

  depth(): Promise<StoreDepth> {
    return this.#supervisor.connection ? this.#depth.depth() : Promise.resolve(this.#depth.estimate());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closedAt = Date.now();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await this.#window.close(Math.min(CLOSE_PATIENCE_MS, this.#deadlineMs));
    await this.#supervisor.close();
  }

  /** For moves: this store as the target of a transaction on another store's connection. */
  transactionTarget(access: BrokerAccess): TransactionTarget | undefined {
    if (this.#closedAt !== undefined || this.access.key !== access.key) return undefined;
    return { queue: this.queue, noteStored: () => this.#noteStored() };
  }

  #noteStored(): void {
    this.#enqueued += 1;
  }

  #noteSettled(): void {
    this.#dequeued += 1;
  }

  #takeOver(previous: JmsStore): void {
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

  #announce(parameters: ParametersOf<JmsParameters>): void {
    const { name, queue } = this;
    const details = { store: name };
    if (!parameters['store.jms.destination']) {
      log.warn(`Store [${name}]. Destination not provided. Setting default destination to [${name}_Queue].`, details);
    }
    if (this.parameters.has('store.jms.ConsumerReceiveTimeOut')) {
      log.debug(`Store [${name}]. store.jms.ConsumerReceiveTimeOut has no effect: messages are pushed.`, details);
    }
    log.info(`Store [${name}]. Initialized... `, details);
    log.info(`Store [${name}] keeps its messages on queue [${queue}] at ${this.#addresses()}`, details);
  }

  /** The addresses and where they come from, so that people know what to set when they are not the right ones. */
  #addresses(): string {
    const chosen = this.access.endpoints.map(formatEndpoint).join(', ');
    if (this.parameters.has('x.stomp.url')) return `${chosen} (parameter x.stomp.url)`;
    const provider = withoutSecrets(this.parameters.get('java.naming.provider.url') ?? '');
    return (
      `${chosen} (STOMP, chosen for ${provider}; to choose another address set the parameter x.stomp.url of the store, or ` +
      'provider_url and stomp_url under [[mini_synapse.jms]] in deployment.toml)'
    );
  }

  #open(endpoint: StompEndpoint, signal?: AbortSignal): Promise<StompConnection> {
    const { credentials, trusted, heartBeatMs } = this.access;
    return openStompConnection({ endpoint, credentials, trusted, heartBeatMs, ...(signal && { signal }) });
  }

  #onConnected(connection: StompConnection, generation: number): void {
    this.#generation = generation;
    const again = this.#connectedOnce ? ' again' : '';
    this.#connectedOnce = true;
    const where = formatEndpoint(connection.endpoint);
    log.info(`Store [${this.name}] is connected${again} to ${where}`, { store: this.name, generation });
    this.#window.use(new Sender(connection, this.queue));
  }

  #onFailure(error: Error, phase: 'connecting' | 'connected'): void {
    const details = { store: this.name, cause: error.message };
    if (phase === 'connected') {
      log.warn(`Store [${this.name}] has lost its connection and reconnects by itself: ${error.message}`, details);
    } else if (this.#connectedOnce) {
      log.debug(`Store [${this.name}] could not reconnect: ${error.message}`, details);
    } else {
      log.error(
        `Store [${this.name}]. Could not initialize JMS Message Store. Error:${error.message}. ${this.#describesItself}`,
        details,
      );
    }
  }

  #encode(message: StoredMessage): JmsMessage {
    if (message.properties.has('JMS_PROD_DELIVERY_MODE')) {
      log.debug(`Store [${this.name}] sends every message as persistent, JMS_PROD_DELIVERY_MODE has no effect`);
    }
    return encodeJmsMessage(message);
  }

  #notStored(message: StoredMessage, cause: unknown): StoreError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const producer = `[${this.name}-P-${Math.max(1, this.#generation)}]`;
    const details = { store: this.name, messageId: message.id, cause: reason };
    if (this.#supervisor.connection) {
      producerLog.error(
        `${producer}. Ignored MessageID : ${message.id}. Could not store message to store [${this.name}]. Error:${reason}`,
        details,
      );
    } else {
      log.error(`Could not create a Message Producer for Store [${this.name}]`, details);
      producerLog.warn(`${producer}. Ignored MessageID : ${message.id}`, details);
    }
    return new StoreError(this.name, `Store [${this.name}]: ${reason}`, { cause });
  }

  #consumerHost(): ConsumerHost {
    return {
      name: this.name,
      queue: this.queue,
      supervisor: this.#supervisor,
      deadlineMs: this.#deadlineMs,
      openBeside: (beside, signal) => this.#open(beside.endpoint, signal),
      sameBroker: (store) => (store instanceof JmsStore ? store.transactionTarget(this.access) : undefined),
      noteSettled: () => this.#noteSettled(),
      noteClosed: (consumer) => void this.#consumers.delete(consumer),
    };
  }
}

function destinationQueue(
  store: string,
  parameters: ParametersOf<JmsParameters>,
  written: ReadonlyMap<string, string>,
): string {
  return queueName(parameters['store.jms.destination'] || `${store}_Queue`, written);
}

function brokerAccess(parameters: ParametersOf<JmsParameters>, overrides: ReadonlyMap<string, string>): BrokerAccess {
  const provider = parameters['java.naming.provider.url'];
  const artemis = parameters['java.naming.factory.initial']?.artemis ?? false;
  const endpoints = parameters['x.stomp.url'] ?? stompEndpoints(provider, { artemis, overrides });
  const credentials = credentialsOf(parameters, provider);
  const ca = parameters['x.stomp.ca'];
  const key = JSON.stringify([endpoints.map(formatEndpoint), credentials?.login]);
  return {
    endpoints,
    credentials,
    trusted: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
    heartBeatMs: parameters['x.stomp.heartbeat'],
    key,
  };
}

/** The parameters when both are there, else what the provider URL carries. */
function credentialsOf(parameters: ParametersOf<JmsParameters>, provider: ProviderUrl): Credentials | undefined {
  const login = parameters['store.jms.username'];
  const passcode = parameters['store.jms.password'];
  return login && passcode !== undefined ? { login, passcode } : provider.credentials;
}

/** As the reference describes a store that could not be initialized. */
function description(parameters: ParametersOf<JmsParameters>): string {
  const factory = parameters['java.naming.factory.initial']?.name ?? '';
  const provider = withoutSecrets(parameters['java.naming.provider.url'].text);
  const connectionFactory = parameters['store.jms.connection.factory'];
  return `Initial Context Factory:[${factory}]; Provider URL:[${provider}]; Connection Factory:[${connectionFactory}].`;
}
