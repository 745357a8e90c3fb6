import type { IPublishPacket } from 'mqtt';
import { logger } from '../../logging/index.ts';
import type { Configuration } from '../../message/configuration.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { pause } from '../../scheduling/index.ts';
import { within } from '../../stores/broker/deadline.ts';
import type { MessageEntry } from '../entry.ts';
import { type FlowEnd, runToItsEnd } from '../flow-end.ts';
import type { MqttReceiving } from './connection.ts';

const log = logger('MqttInboundEndpoint');
/** A promise of what never happens: the message stays unacknowledged, and no other one is read. */
const NEVER = new Promise<never>(() => undefined);

export interface MqttReceiverOptions {
  readonly entry: MessageEntry;
  configuration(): Configuration;
  toMessage(packet: IPublishPacket, configuration: Configuration): MessageContext;
  /** Flows of messages of QoS 0 at one time. */
  readonly concurrency: number;
  /** Of a message of QoS 1 or 2. */
  readonly maxAttempts: number;
  readonly redelivery: { readonly firstMs: number; readonly longestMs: number };
}

/**
 * Takes messages of one topic into flows:
 *
 *     QoS 0     READ ──a flow is free──► IN FLOW, the next one is read ──► DONE, or lost with an ERROR in the log
 *     QoS 1, 2  READ ──► IN FLOW ──taken──► ACKNOWLEDGED, the next one is read
 *                  ▲         └──not taken──► pause ──► READ      └──too often──► ACKNOWLEDGED, lost with an ERROR in the log
 *                  └── connection lost, stopped, killed: unacknowledged, it comes again in a session that the broker keeps
 *
 * MQTT cannot give a message back, so those that failed are tried again here, in their order. A message of QoS 2 whose flow has ended
 * is recognised, when it is repeated, by its id, until the broker lets that go.
 */
export class MqttReceiver implements MqttReceiving {
  readonly #options: MqttReceiverOptions;
  readonly #life = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  /** Ids of messages of QoS 2 whose flows have ended; at most one for each id that there is. */
  readonly #done = new Set<number>();
  #stopped: Promise<void> | undefined;

  constructor(options: MqttReceiverOptions) {
    this.#options = options;
  }

  /** Are flows at work, so that no packets are read? */
  get busy(): boolean {
    return this.#running.size > 0;
  }

  session(resumed: boolean): void {
    if (!resumed) this.#done.clear();
  }

  released(messageId: number): void {
    this.#done.delete(messageId);
  }

  async message(packet: IPublishPacket): Promise<void> {
    if (this.#life.signal.aborted) return NEVER;
    if (packet.qos === 0) return this.#once(packet);
    const { messageId } = packet;
    const isSecond = packet.qos === 2 && messageId !== undefined;
    if (isSecond && this.#done.has(messageId)) return undefined;
    const ended = await this.#track(this.#untilTaken(packet));
    if (!ended) return NEVER;
    if (isSecond) this.#done.add(messageId);
    return undefined;
  }

  /** Lets the flows in hand end within so many ms. Never rejects. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#life.abort();
    await within(Promise.all(this.#running), deadlineMs, 'the flows to end').catch(() => {
      log.warn(`${this.#options.entry.label}: flows were still running; what they did not acknowledge comes again`);
    });
  }

  /** Resolves when another message may be read. */
  async #once(packet: IPublishPacket): Promise<void> {
    void this.#track(
      this.#flow(packet).then((end) => {
        if (!end.taken)
          log.error(
            `${this.#options.entry.label}: a message of QoS 0 on ${packet.topic} is lost: ${end.reason}`,
            end.about,
          );
      }),
    );
    while (this.#running.size >= this.#options.concurrency) await Promise.race(this.#running);
  }

  /** False when it was stopped before the message was dealt with. */
  async #untilTaken(packet: IPublishPacket): Promise<boolean> {
    const { entry, maxAttempts, redelivery } = this.#options;
    const { signal } = this.#life;
    for (let attempt = 1; ; attempt += 1) {
      const end = await this.#flow(packet);
      if (end.taken) return true;
      const what = `${entry.label}: a message of QoS ${packet.qos} on ${packet.topic}`;
      if (attempt >= maxAttempts) {
        log.error(`${what} is given up after ${attempt} attempts: ${end.reason}`, { ...end.about, attempt });
        return true;
      }
      log.warn(`${what} is tried again (attempt ${attempt}): ${end.reason}`, { ...end.about, attempt });
      await pause(Math.min(redelivery.longestMs, redelivery.firstMs * 2 ** Math.min(attempt - 1, 20)), signal);
      if (signal.aborted) return false;
    }
  }

  async #flow(packet: IPublishPacket): Promise<FlowEnd> {
    const configuration = this.#options.configuration();
    const work = this.#run(packet, configuration);
    configuration.services.flows.track(work.then(() => undefined));
    return work;
  }

  async #run(packet: IPublishPacket, configuration: Configuration): Promise<FlowEnd> {
    try {
      return await runToItsEnd(this.#options.entry, this.#options.toMessage(packet, configuration));
    } catch (error) {
      return { taken: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work)).catch(() => undefined);
    return work;
  }
}
