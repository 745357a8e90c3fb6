import type { OutgoingTransport, TransportRequest } from '../../endpoints/outgoing-transport.ts';
import { logger } from '../../logging/index.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { formatRequest } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { within } from '../../stores/broker/deadline.ts';
import { ConnectionSupervisor } from '../../stores/broker/supervisor.ts';
import type { StoreServices } from '../../stores/component.ts';
import { acceptedAnswer } from '../queue-answer.ts';
import { formatMqttAddress, type MqttAccess, type MqttConnection, openMqttConnection } from './connection.ts';
import { type MqttAddress, parseMqttAddress } from './mqtt-address.ts';

const log = logger('MqttSender');
/** Addresses that were taken apart, and brokers that are connected to; more are forgotten and closed, the oldest first. */
const MAX_ADDRESSES = 1_000;
const MAX_BROKERS = 32;

type Link = ConnectionSupervisor<MqttAccess, MqttConnection>;

/** Publishes messages to `mqtt:` addresses; nobody answers. Those of QoS 1 (the default) and 2 are safe when the broker has confirmed them. */
export class MqttSender implements OutgoingTransport {
  readonly #services: StoreServices;
  readonly #addresses = new Map<string, MqttAddress>();
  readonly #links = new Map<string, Link>();

  constructor(services: StoreServices) {
    this.#services = services;
  }

  async exchange(message: MessageContext, request: TransportRequest): Promise<MessageContext> {
    const address = this.#address(request.address);
    if (address.contentType !== undefined && !message.axis2.has('messageType'))
      message.axis2.set('messageType', address.contentType);
    const { bytes = new Uint8Array(0) } = formatRequest(message, request.format, request.encoding, 'POST');
    const { topic, qos, retain } = address;
    try {
      const connection = await this.#connected(this.#link(address), request.signal);
      const published = connection.publish(topic, bytes, { qos, retain });
      await within(published, this.#services.putDeadlineMs, 'the broker to confirm a message');
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MediationError(`Unable to publish to the MQTT topic ${topic}: ${reason}`, {
        code: ERROR_CODES.connectionFailed,
        status: 503,
        cause,
      });
    }
    return acceptedAnswer(message);
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  /** @throws an error when there is none within the deadline */
  async #connected(link: Link, signal: AbortSignal | undefined): Promise<MqttConnection> {
    const deadline = AbortSignal.timeout(this.#services.putDeadlineMs);
    const connection =
      link.connection ?? (await link.connected(signal ? AbortSignal.any([signal, deadline]) : deadline));
    if (connection) return connection;
    throw new Error(`there is no connection to the broker${link.lastError === undefined ? '' : `: ${link.lastError}`}`);
  }

  #address(text: string): MqttAddress {
    const known = this.#addresses.get(text);
    if (known) return known;
    let address: MqttAddress;
    try {
      address = parseMqttAddress(text, this.#services);
    } catch (cause) {
      throw new MediationError(`The MQTT address cannot be used: ${(cause as Error).message}`, { cause });
    }
    this.#addresses.set(text, address);
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= MAX_ADDRESSES) break;
      this.#addresses.delete(oldest);
    }
    return address;
  }

  #link({ access, key }: MqttAddress): Link {
    const known = this.#links.get(key);
    if (known) return known;
    const where = formatMqttAddress(access);
    let failed = false;
    const link: Link = new ConnectionSupervisor<MqttAccess, MqttConnection>({
      endpoints: [access],
      open: openMqttConnection,
      onConnected: () => {
        failed = false;
        log.info(`MQTT sender is connected to ${where}`);
      },
      onFailure: ({ message }, phase) => {
        if (phase === 'connected') log.warn(`MQTT sender has lost its connection to ${where}: ${message}`);
        else if (!failed) log.error(`MQTT sender cannot connect and tries again until it can: ${message}`);
        failed = true;
      },
    });
    link.start();
    this.#links.set(key, link);
    for (const [oldestKey, oldest] of this.#links) {
      if (this.#links.size <= MAX_BROKERS) break;
      this.#links.delete(oldestKey);
      void oldest.close();
    }
    return link;
  }
}
