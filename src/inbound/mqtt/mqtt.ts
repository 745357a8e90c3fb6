import { randomUUID } from 'node:crypto';
import { logger } from '../../logging/index.ts';
import { ConnectionSupervisor } from '../../stores/broker/supervisor.ts';
import { DEFAULT_LIMITS } from '../../transport/http-listener.ts';
import { type InboundServices, type InboundTransport, inboundKind } from '../component.ts';
import type { MessageEntry } from '../entry.ts';
import { concurrencyOf, redeliveryOf } from '../queue-parameters.ts';
import { formatMqttAddress, type MqttAccess, type MqttConnection, openMqttConnection } from './connection.ts';
import { mqttMessage } from './message.ts';
import { MQTT_INBOUND_PARAMETERS, mqttAccess, topicProblem } from './parameters.ts';
import { MqttReceiver } from './receiver.ts';

const log = logger('MqttInboundEndpoint');
const QOS = { '0': 0, '1': 1, '2': 2 } as const;
const MS_PER_S = 1_000;
/** How long a connection may take to say good-bye when another version of the endpoint takes over, ms. */
const HAND_OVER_MS = 10_000;

/** `protocol="mqtt"`: takes the messages of a topic. */
export const mqttInbound = inboundKind({
  protocol: 'mqtt',
  packages: ['mqtt'],
  doc: 'Takes the messages of an MQTT topic; those of QoS 1 and 2 are acknowledged after their flow has ended.',
  parameters: MQTT_INBOUND_PARAMETERS,
  answers: false,
  review(written, parameters, reader) {
    const clean = written.get('mqtt.session.clean');
    if (clean && !parameters['mqtt.session.clean'] && !parameters['mqtt.client.id'])
      reader.warning(
        clean.element,
        'a session that the broker keeps needs a client id; the name of the endpoint is it',
        {
          expected: 'mqtt.client.id',
        },
      );
  },
  open({ name, entry, parameters, services, previous }) {
    const clean = parameters['mqtt.session.clean'];
    const topic = parameters['mqtt.topic.name'] ?? name;
    const problem = topicProblem(topic, true);
    if (problem !== undefined) throw new Error(problem);
    // Names of servers and endpoints together, so that two servers do not push each other out.
    const clientId = `${services.serverName}-${name}${clean ? `-${randomUUID().slice(0, 8)}` : ''}`;
    return new MqttListener({
      entry,
      services,
      previous,
      access: mqttAccess(parameters, services.stores, {
        clientId,
        maxBodyBytes: services.limits.maxBodyBytes ?? DEFAULT_LIMITS.maxBodyBytes,
      }),
      topic,
      qos: QOS[parameters['mqtt.subscription.qos'] ?? '0'],
      contentType: parameters['content.type'] || undefined,
      concurrency: concurrencyOf(parameters),
      maxAttempts: parameters['x.max.attempts'],
      redelivery: redeliveryOf(parameters),
    });
  },
});

interface MqttListenerOptions {
  readonly entry: MessageEntry;
  readonly services: InboundServices;
  readonly previous: InboundTransport | undefined;
  readonly access: MqttAccess;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly contentType: string | undefined;
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly redelivery: { readonly firstMs: number; readonly longestMs: number };
}

/** Listens to one topic. */
class MqttListener implements InboundTransport {
  readonly #options: MqttListenerOptions;
  readonly #receiver: MqttReceiver;
  readonly #supervisor: ConnectionSupervisor<MqttAccess, MqttConnection>;
  #previous: InboundTransport | undefined;
  #alive: NodeJS.Timeout | undefined;
  #failed = false;
  #stopped: Promise<void> | undefined;

  constructor(options: MqttListenerOptions) {
    const { entry, services, access, contentType, previous, concurrency, maxAttempts, redelivery } = options;
    this.#options = options;
    this.#previous = previous;
    this.#receiver = new MqttReceiver({
      entry,
      configuration: () => services.configuration(),
      toMessage: (packet, configuration) => mqttMessage(packet, configuration, contentType),
      concurrency,
      maxAttempts,
      redelivery,
    });
    this.#supervisor = new ConnectionSupervisor({
      endpoints: [access],
      open: (endpoint, signal) => openMqttConnection(endpoint, signal, this.#receiver),
      onConnected: (connection, generation) => this.#onConnected(connection, generation),
      onFailure: ({ message }, phase) => this.#onFailure(message, phase),
    });
  }

  async start(): Promise<void> {
    const previous = this.#previous;
    this.#previous = undefined;
    // One after the other, or both would take messages, or push each other out.
    await previous?.stop(HAND_OVER_MS);
    if (this.#stopped) return;
    const { entry, services, access, topic } = this.#options;
    if (services.stores.cluster)
      log.warn(`${entry.label}: every node takes all messages of a topic; keep it to one of them with pinnedServers`);
    log.info(`${entry.label} takes the messages of topic [${topic}] at ${formatMqttAddress(access)}`);
    this.#supervisor.start();
    // While a flow holds its message no packets are read, and the broker must not take us for dead.
    this.#alive = setInterval(
      () => {
        if (this.#receiver.busy) this.#supervisor.connection?.stayAlive();
      },
      (access.keepAliveS * MS_PER_S) / 2,
    ).unref();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    await this.#receiver.stop(deadlineMs);
    clearInterval(this.#alive);
    await this.#supervisor.close();
  }

  #onConnected(connection: MqttConnection, generation: number): void {
    const { entry, access, topic, qos } = this.#options;
    this.#failed = false;
    log.info(`${entry.label} is connected${generation > 1 ? ' again' : ''} to ${formatMqttAddress(access)}`);
    // Messages of an earlier session may come before the answer, and their flows hold it up.
    connection.subscribe(topic, qos).then(
      () => log.info(`${entry.label} has subscribed to topic [${topic}]`),
      (error: unknown) => connection.fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #onFailure(reason: string, phase: 'connecting' | 'connected'): void {
    const { label } = this.#options.entry;
    if (phase === 'connected') log.warn(`${label} has lost its connection and reconnects by itself: ${reason}`);
    else if (this.#failed) log.debug(`${label} cannot connect to its broker: ${reason}`);
    else log.error(`${label} cannot connect to its broker and tries again until it can: ${reason}`);
    this.#failed = true;
  }
}
