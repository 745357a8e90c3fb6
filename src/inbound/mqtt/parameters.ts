import { integer, javaBoolean, nonEmptyText, oneOf, text, ValueError, valueType } from '../../grammar/attributes.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import { type KeyStoreSettings, tlsOptions } from '../../stores/amqp/tls.ts';
import type { StoreServices } from '../../stores/component.ts';
import { RECEIVING_PARAMETERS } from '../queue-parameters.ts';
import type { MqttAccess } from './connection.ts';

const DEFAULT_PORT = 1883;
const DEFAULT_KEEP_ALIVE_S = 30;
const DEFAULT_ATTEMPTS = 7;
const MAX_TOPIC_BYTES = 65_535;

/** A topic, which may have wildcards where it is subscribed to. */
const topic = (doc: string, wildcards: boolean) =>
  valueType(
    'a topic',
    (value) => {
      const problem = topicProblem(value.trim(), wildcards);
      if (problem !== undefined) throw new ValueError(problem, 'a topic such as prices/ibm');
      return value.trim();
    },
    { doc },
  );

/** What is wrong with the name of a topic (MQTT 3.1.1, 4.7); undefined when it can be used. */
export function topicProblem(name: string, wildcards: boolean): string | undefined {
  if (name === '') return 'the topic is empty';
  if (Buffer.byteLength(name) > MAX_TOPIC_BYTES || name.includes('\u0000')) return 'the topic is no topic';
  if (!wildcards) return /[+#]/.test(name) ? `'${name}' has wildcards` : undefined;
  const levels = name.split('/');
  const wrong = levels.some(
    (level, index) =>
      (level.includes('#') && (level !== '#' || index < levels.length - 1)) || (level.includes('+') && level !== '+'),
  );
  return wrong ? `'${name}': '+' stands for a whole level, '#' for all that are left` : undefined;
}

/** How an MQTT broker is reached; the same for inbound endpoints and addresses. */
export const MQTT_BROKER_PARAMETERS = {
  'mqtt.connection.factory': text({ doc: 'Only shown.' }),
  'mqtt.server.host.name': nonEmptyText({ default: 'localhost', doc: 'The host of the broker.' }),
  'mqtt.server.port': integer({ minimum: 1, maximum: 65_535, default: DEFAULT_PORT, doc: 'Its port.' }),
  'mqtt.client.id': text({ doc: 'What the broker knows us by; two clients of one name push each other out.' }),
  'mqtt.subscription.username': text({ doc: 'The user.' }),
  'mqtt.subscription.password': text({ doc: 'The password.' }),
  'mqtt.subscription.qos': oneOf(['0', '1', '2'], {
    doc: '0: a message may be lost; 1: it comes at least once; 2: exactly once as long as the process lives.',
  }),
  'mqtt.session.clean': javaBoolean({
    default: true,
    doc: '`false`: the broker keeps messages of QoS 1 and 2 while we are away.',
  }),
  'mqtt.ssl.enable': javaBoolean({ default: false, doc: 'Connects with TLS.' }),
  'mqtt.ssl.keystore.location': text({ doc: 'The file with our key and certificate.' }),
  'mqtt.ssl.keystore.type': text({ doc: 'JKS, PKCS12 or PEM.' }),
  'mqtt.ssl.keystore.password': text({ doc: 'Its password.' }),
  'mqtt.ssl.truststore.location': text({ doc: 'The file with the certificates that the broker is trusted by.' }),
  'mqtt.ssl.truststore.type': text({ doc: 'JKS, PKCS12 or PEM.' }),
  'mqtt.ssl.truststore.password': text({ doc: 'Its password.' }),
  'mqtt.ssl.version': text({ doc: 'TLSv1.2 or TLSv1.3; default: what both sides can do.' }),
  'x.tls.verify': oneOf(['full', 'ca', 'none'], {
    default: 'full',
    doc: 'What is checked of the broker: certificate and name of the host, certificate, nothing.',
  }),
  'x.mqtt.keepalive': integer({
    minimum: 1,
    maximum: 65_535,
    default: DEFAULT_KEEP_ALIVE_S,
    doc: 'Seconds; a broker that is silent for one and a half of them is given up.',
  }),
  'mqtt.temporary.store.directory': text({ doc: 'Has no effect: nothing is kept beside the broker.' }),
  'mqtt.reconnection.interval': text({ doc: 'Has no effect: it reconnects by itself, after 0.1 to 1.7 s.' }),
} as const;

/** The parameters of MQTT inbound endpoints. */
export const MQTT_INBOUND_PARAMETERS = {
  ...RECEIVING_PARAMETERS,
  ...MQTT_BROKER_PARAMETERS,
  'mqtt.topic.name': topic('The topic; default: the name of the inbound endpoint. May have wildcards.', true),
  'content.type': text({ doc: 'The media type of the messages; default: what their first characters look like.' }),
  'x.max.attempts': integer({
    minimum: 1,
    default: DEFAULT_ATTEMPTS,
    doc: 'How often a message of QoS 1 or 2 is tried before it is given up, which is an error in the log.',
  }),
} as const;

export type MqttInboundParameters = typeof MQTT_INBOUND_PARAMETERS;
type BrokerValues = ParametersOf<typeof MQTT_BROKER_PARAMETERS>;

export interface AccessNeeds {
  /** Where the artifact names none. */
  readonly clientId: string;
  readonly maxBodyBytes: number;
}

/** Room for the topic and the rest of a packet around a body. */
const PACKET_OVERHEAD = 70_000;

/** @throws TlsSettingsError */
export function mqttAccess(parameters: BrokerValues, services: StoreServices, needs: AccessNeeds): MqttAccess {
  return {
    host: parameters['mqtt.server.host.name'].trim(),
    port: parameters['mqtt.server.port'],
    clientId: parameters['mqtt.client.id']?.trim() || needs.clientId,
    username: parameters['mqtt.subscription.username'] || undefined,
    password: parameters['mqtt.subscription.password'] || undefined,
    tls: parameters['mqtt.ssl.enable'] ? tlsOf(parameters, services) : undefined,
    clean: parameters['mqtt.session.clean'],
    keepAliveS: parameters['x.mqtt.keepalive'],
    maxPacketBytes: needs.maxBodyBytes + PACKET_OVERHEAD,
  };
}

function tlsOf(parameters: BrokerValues, { trustedCertificates }: StoreServices) {
  return tlsOptions({
    keyStore: storeOf(parameters, 'keystore'),
    trustStore: storeOf(parameters, 'truststore'),
    trustedCertificates,
    version: parameters['mqtt.ssl.version'] || undefined,
    verify: parameters['x.tls.verify'],
  });
}

function storeOf(parameters: BrokerValues, which: 'keystore' | 'truststore'): KeyStoreSettings | undefined {
  const location = parameters[`mqtt.ssl.${which}.location`];
  if (!location) return undefined;
  return {
    location,
    type: parameters[`mqtt.ssl.${which}.type`] || undefined,
    password: parameters[`mqtt.ssl.${which}.password`] ?? '',
  };
}
