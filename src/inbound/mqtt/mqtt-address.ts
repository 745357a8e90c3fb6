import { randomUUID } from 'node:crypto';
import type { StoreServices } from '../../stores/component.ts';
import { formatMqttAddress, type MqttAccess } from './connection.ts';
import { mqttAccess, topicProblem } from './parameters.ts';

const DEFAULT_PORT = 1883;
const KEEP_ALIVE_S = 30;
/** Nothing is received. */
const MAX_ANSWER_BYTES = 0;

/** An `mqtt:` address, taken apart. */
export interface MqttAddress {
  readonly access: MqttAccess;
  /** The same for addresses that can share a connection. */
  readonly key: string;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly contentType: string | undefined;
}

/** An address that cannot be used; the message has no secrets. */
export class MqttAddressError extends Error {
  override readonly name = 'MqttAddressError';
}

/**
 * Reads `mqtt:/NAME?mqtt.server.host.name=…&mqtt.server.port=…&mqtt.topic.name=…`; the topic is NAME where no parameter says it.
 * @throws MqttAddressError, TlsSettingsError
 */
export function parseMqttAddress(address: string, services: StoreServices): MqttAddress {
  const mark = address.indexOf('?');
  const given = new URLSearchParams(mark < 0 ? '' : address.slice(mark + 1));
  const text = (name: string) => given.get(name)?.trim() || undefined;
  const topic = text('mqtt.topic.name') ?? (mark < 0 ? address : address.slice(0, mark)).replace(/^mqtts?:\/*/i, '');
  const problem = topicProblem(topic, false);
  if (problem !== undefined) throw new MqttAddressError(problem);
  const clientId = text('mqtt.client.id');
  const access = mqttAccess(
    {
      'mqtt.connection.factory': undefined,
      'mqtt.server.host.name': text('mqtt.server.host.name') ?? 'localhost',
      'mqtt.server.port': portOf(text('mqtt.server.port')),
      'mqtt.client.id': clientId,
      'mqtt.subscription.username': text('mqtt.subscription.username'),
      'mqtt.subscription.password': text('mqtt.subscription.password'),
      'mqtt.subscription.qos': undefined,
      // Publishing needs no session.
      'mqtt.session.clean': true,
      'mqtt.ssl.enable': text('mqtt.ssl.enable') === 'true',
      'mqtt.ssl.keystore.location': text('mqtt.ssl.keystore.location'),
      'mqtt.ssl.keystore.type': text('mqtt.ssl.keystore.type'),
      'mqtt.ssl.keystore.password': text('mqtt.ssl.keystore.password'),
      'mqtt.ssl.truststore.location': text('mqtt.ssl.truststore.location'),
      'mqtt.ssl.truststore.type': text('mqtt.ssl.truststore.type'),
      'mqtt.ssl.truststore.password': text('mqtt.ssl.truststore.password'),
      'mqtt.ssl.version': text('mqtt.ssl.version'),
      'x.tls.verify': verifyOf(text('x.tls.verify')),
      'x.mqtt.keepalive': KEEP_ALIVE_S,
      'mqtt.temporary.store.directory': undefined,
      'mqtt.reconnection.interval': undefined,
    },
    services,
    { clientId: `mini-synapse-${randomUUID().slice(0, 8)}`, maxBodyBytes: MAX_ANSWER_BYTES },
  );
  const tls = [...given].filter(([name]) => name.startsWith('mqtt.ssl.') || name === 'x.tls.verify');
  return {
    access,
    key: JSON.stringify([formatMqttAddress(access), clientId, access.username, access.password, tls]),
    topic,
    qos: qosOf(text('mqtt.subscription.qos')),
    retain: text('mqtt.message.retained') === 'true',
    contentType: text('mqtt.content.type'),
  };
}

function portOf(written: string | undefined): number {
  const port = Number(written ?? DEFAULT_PORT);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new MqttAddressError(`mqtt.server.port '${written}' is no port`);
}

/** A message is safe when the broker has confirmed it, which it does not for QoS 0. */
function qosOf(written: string | undefined): 0 | 1 | 2 {
  if (written === undefined || written === '1') return 1;
  if (written === '0') return 0;
  if (written === '2') return 2;
  throw new MqttAddressError(`mqtt.subscription.qos '${written}' is not 0, 1 or 2`);
}

function verifyOf(written: string | undefined): 'full' | 'ca' | 'none' {
  if (written === undefined || written === 'full') return 'full';
  if (written === 'ca' || written === 'none') return written;
  throw new MqttAddressError(`x.tls.verify '${written}' is not full, ca or none`);
}
