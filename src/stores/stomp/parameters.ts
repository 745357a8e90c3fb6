import { integer, javaBoolean, nonEmptyText, text, ValueError, valueType } from '../../grammar/attributes.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import { maskCredentials } from '../../logging/secrets.ts';
import { readTrusted, trustedBy } from '../broker/trust.ts';
import type { StoreServices } from '../component.ts';
import { DEDUP_PARAMETERS } from '../dedup/parameters.ts';
import { FAILOVER_PARAMETERS } from '../failover-parameters.ts';
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
} from './address.ts';
import { isJndiFile, type JndiFileName, jndiProvider, readJndiFile } from './jndi-file.ts';
import { queueName } from './queue-name.ts';

const DEFAULT_CONNECTION_FACTORY = 'QueueConnectionFactory';
const DEFAULT_HEART_BEAT_MS = 10_000;

/** Initial context factories of the brokers that speak STOMP (REQ-08). */
const FACTORIES: ReadonlyMap<string, { readonly artemis: boolean }> = new Map([
  ['org.apache.activemq.jndi.ActiveMQInitialContextFactory', { artemis: false }],
  ['org.apache.activemq.jndi.ActiveMQSslInitialContextFactory', { artemis: false }],
  ['org.apache.activemq.artemis.jndi.ActiveMQInitialContextFactory', { artemis: true }],
]);

export interface ContextFactory {
  readonly name: string;
  readonly artemis: boolean;
}

function contextFactory(name: string): ContextFactory | undefined {
  const known = FACTORIES.get(name);
  return known && { name, ...known };
}

const initialContextFactory = valueType(
  `one of: ${[...FACTORIES.keys()].join(', ')}`,
  (value) => {
    const known = contextFactory(value);
    if (known) return known;
    const expected = `the factory of a broker that speaks STOMP, one of: ${[...FACTORIES.keys()].join(', ')}`;
    throw new ValueError(`'${value}' is not supported`, expected);
  },
  { doc: 'The JNDI initial context factory: tells which broker it is.' },
);

const providerUrl = valueType(
  PROVIDER_URL_FORMS,
  (value): ProviderUrl | JndiFileName =>
    isJndiFile(value) ? { text: value, file: value } : orValueError(() => parseProviderUrl(value), PROVIDER_URL_FORMS),
  {
    required: true,
    missing: 'Cannot initialize JMS Store [{artifact}]. Required parameters are not available.',
    doc: 'The address of the broker, or a JNDI properties file that has it. The STOMP address is found from it, see x.stomp.url.',
  },
);

const stompUrl = valueType(STOMP_URL_FORMS, (value) => orValueError(() => parseStompUrl(value), STOMP_URL_FORMS), {
  doc: 'Where the broker speaks STOMP, when that cannot be found from java.naming.provider.url.',
});

const secret = valueType(
  'text',
  (value) => {
    if (value.includes('vault-lookup')) {
      throw new ValueError('a look-up of a secret stands in braces', "{wso2:vault-lookup('alias')}");
    }
    if (/[\r\n\u0000]/.test(value)) throw new ValueError('contains a line break', 'one line');
    return value;
  },
  { doc: 'The password; used only together with store.jms.username.' },
);

/** The parameters of JMS stores (spec stores 2.3). */
export const JMS_PARAMETERS = {
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
  'x.recognise.duplicates': javaBoolean({
    default: true,
    doc: 'Removes, instead of delivering it, the second copy of a message that was sent again after a loss of the connection.',
  }),
  'x.depth.statistics': javaBoolean({
    default: false,
    doc: 'Asks the StatisticsBrokerPlugin of ActiveMQ how many messages there are: exact for queues of any length.',
  }),
  ...FAILOVER_PARAMETERS,
  ...DEDUP_PARAMETERS,
} as const;

export type JmsParameters = typeof JMS_PARAMETERS;
export type JmsValues = ParametersOf<JmsParameters>;

function orValueError<T>(parse: () => T, expected: string): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new ValueError(error.message, expected, undefined, { cause: error });
  }
}

/** How a store reaches its broker; two stores with equal keys are on one broker. */
export interface StompAccess {
  readonly endpoints: readonly StompEndpoint[];
  readonly credentials: Credentials | undefined;
  /** PEM; undefined: the well-known authorities. */
  readonly trusted: readonly string[] | undefined;
  readonly heartBeatMs: number;
  readonly key: string;
}

/** @throws AddressError for destinations that are no queues */
export function destinationQueue(store: string, parameters: JmsValues, written: ReadonlyMap<string, string>): string {
  return queueName(parameters['store.jms.destination'] || `${store}_Queue`, written);
}

/** The broker, and what the rest of the JNDI environment says. */
export interface JndiSettings {
  readonly provider: ProviderUrl;
  readonly artemis: boolean;
  /** The parameters, and the entries of the JNDI properties file that they do not replace. */
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Reads the JNDI properties file, when there is one.
 * @throws AddressError when it is not there, cannot be used, or names a broker that cannot be used
 */
export function jndiSettings(
  parameters: JmsValues,
  { resourceDirectories = [process.cwd()] }: Pick<StoreServices, 'resourceDirectories'>,
  written: ReadonlyMap<string, string> = new Map(),
): JndiSettings {
  const named = parameters['java.naming.provider.url'];
  const factory = parameters['java.naming.factory.initial'];
  if (!('file' in named)) return { provider: named, artemis: factory?.artemis ?? false, environment: written };
  try {
    const file = readJndiFile(named.file, resourceDirectories);
    return {
      provider: jndiProvider(file, parameters['store.jms.connection.factory'] ?? DEFAULT_CONNECTION_FACTORY),
      artemis: (factory ?? factoryOf(file.properties))?.artemis ?? false,
      environment: new Map([...file.properties, ...written]),
    };
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new AddressError(`parameter 'java.naming.provider.url': ${cause.message}`, { cause });
  }
}

function factoryOf(properties: ReadonlyMap<string, string>): ContextFactory | undefined {
  const name = properties.get('java.naming.factory.initial');
  if (name === undefined) return undefined;
  const known = contextFactory(name);
  if (!known) throw new AddressError(`its java.naming.factory.initial '${name}' is not of a broker that speaks STOMP`);
  return known;
}

/** @throws AddressError, TrustError */
export function stompAccess(
  parameters: JmsValues,
  services: StoreServices,
  { provider, artemis } = jndiSettings(parameters, services),
): StompAccess {
  const { stompUrls: overrides, trustedCertificates } = services;
  const endpoints = parameters['x.stomp.url'] ?? stompEndpoints(provider, { artemis, overrides });
  const credentials = credentialsOf(parameters, provider);
  const ca = parameters['x.stomp.ca'];
  const key = JSON.stringify([endpoints.map(formatEndpoint), credentials?.login]);
  return {
    endpoints,
    credentials,
    trusted: trustedBy(ca === undefined ? undefined : readTrusted(ca, "parameter 'x.stomp.ca'"), trustedCertificates),
    heartBeatMs: parameters['x.stomp.heartbeat'],
    key,
  };
}

/** The parameters when both are there, else what the provider URL carries. */
function credentialsOf(parameters: JmsValues, provider: ProviderUrl): Credentials | undefined {
  const login = parameters['store.jms.username'];
  const passcode = parameters['store.jms.password'];
  return login && passcode !== undefined ? { login, passcode } : provider.credentials;
}

/** As the reference describes a store that could not be initialized. */
export function describeJndi(parameters: JmsValues): string {
  const factory = parameters['java.naming.factory.initial']?.name ?? '';
  const provider = maskCredentials(parameters['java.naming.provider.url'].text);
  const connectionFactory = parameters['store.jms.connection.factory'];
  return `Initial Context Factory:[${factory}]; Provider URL:[${provider}]; Connection Factory:[${connectionFactory}].`;
}
