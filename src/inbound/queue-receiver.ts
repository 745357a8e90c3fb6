import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import type { Configuration } from '../message/configuration.ts';
import type { MessageContext } from '../message/message-context.ts';
import { pause } from '../scheduling/index.ts';
import { within } from '../stores/broker/deadline.ts';
import type { Delivery, StoreConsumer } from '../stores/message-store.ts';
import type { MessageEntry } from './entry.ts';
import { type Reply, runToItsEnd } from './flow-end.ts';

const log = logger('InboundEndpoint');
/** Messages whose failed attempts are counted; the oldest count is forgotten first. */
const MAX_COUNTED = 10_000;

/** What is received, and how it is dealt with. */
export interface ReceiverOptions {
  readonly entry: MessageEntry;
  /** One flow at a time for each of them. */
  readonly consumers: readonly StoreConsumer[];
  configuration(): Configuration;
  /** The message that a delivery becomes. @throws what is wrong with it: it is given back */
  toMessage(delivery: Delivery, configuration: Configuration): MessageContext;
  /** How the flow's answer goes back; undefined when nobody waits for one. */
  replyTo?(message: MessageContext): Reply | undefined;
  /** Pauses between redeliveries: from the first one on doubled up to the longest one, ms. */
  readonly redelivery: { readonly firstMs: number; readonly longestMs: number };
  /**
   * Hands a message that was given back so many times to the broker's dead letters.
   * @returns false when it is to be given back once more
   */
  reject?(consumer: StoreConsumer, attempts: number): Promise<boolean>;
}

/**
 * Takes messages from a queue into flows:
 *
 *     RECEIVING ──message──► IN FLOW ──taken──► ACKNOWLEDGED ──► RECEIVING
 *         ▲                    └──not taken──► GIVEN BACK ──pause──► RECEIVING
 *         │                                └──too often──► REJECTED, the broker's dead letters have it ──► RECEIVING
 *         └── connection lost: the broker has it again; the flow goes on, and what it did may happen twice
 *
 * A message is acknowledged only after its flow has ended well, so that a crash at any moment costs at most a repetition.
 */
export class QueueReceiver {
  readonly #options: ReceiverOptions;
  readonly #life = new AbortController();
  readonly #attempts = new Map<string, number>();
  #loops: readonly Promise<void>[] = [];
  #stopped: Promise<void> | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#life.signal.aborted) return;
    this.#loops = this.#options.consumers.map((consumer) => this.#receiveAll(consumer));
  }

  /** Lets the flows in hand end within so many ms; what is unsettled then goes back. Never rejects. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#life.abort();
    await within(Promise.all(this.#loops), deadlineMs, 'the flows to end').catch(() => {
      log.warn(`${this.#options.entry.label}: flows were still running; their messages are given back`);
    });
    await Promise.all(this.#options.consumers.map((consumer) => consumer.close()));
  }

  async #receiveAll(consumer: StoreConsumer): Promise<void> {
    const { signal } = this.#life;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const delivery = await consumer.receive({ signal });
        if (!delivery) continue;
        failures = (await this.#handle(delivery, consumer)) ? 0 : failures + 1;
      } catch (error) {
        failures += 1;
        log.error(`${this.#options.entry.label}: a message could not be dealt with: ${messageOf(error)}`);
      }
      if (failures > 0) await pause(this.#pauseMs(failures), signal);
    }
  }

  /** False when it was given back. */
  #handle(delivery: Delivery, consumer: StoreConsumer): Promise<boolean> {
    const configuration = this.#options.configuration();
    const work = this.#process(delivery, consumer, configuration);
    configuration.services.flows.track(
      work.then(
        () => undefined,
        () => undefined,
      ),
    );
    return work;
  }

  async #process(delivery: Delivery, consumer: StoreConsumer, configuration: Configuration): Promise<boolean> {
    const { entry, toMessage, replyTo } = this.#options;
    let id = delivery.message?.id ?? delivery.poison?.id ?? '';
    let reason: string;
    let about: LogDetails = { messageId: id };
    try {
      const message = toMessage(delivery, configuration);
      id = message.messageId;
      const end = await runToItsEnd(entry, message, replyTo?.(message));
      if (end.taken) return await this.#acknowledge(delivery, message);
      reason = end.reason;
      about = end.about ?? about;
    } catch (error) {
      reason = messageOf(error);
    }
    return this.#giveBack(delivery, consumer, { id, reason, about });
  }

  async #acknowledge(delivery: Delivery, message: MessageContext): Promise<boolean> {
    const { messageId: id } = message;
    this.#attempts.delete(id);
    try {
      await delivery.done();
      return true;
    } catch (error) {
      const cause = messageOf(error);
      const about = { ...aboutMessage(message), cause };
      log.warn(`${this.#options.entry.label}: message ${id} was processed and may come again: ${cause}`, about);
      await release(delivery);
      return false;
    }
  }

  async #giveBack(delivery: Delivery, consumer: StoreConsumer, what: NotTaken): Promise<boolean> {
    const { entry, reject } = this.#options;
    const { id, reason } = what;
    const attempts = this.#count(id);
    const about = { ...what.about, cause: reason, attempt: attempts };
    if (await reject?.(consumer, attempts)) {
      this.#attempts.delete(id);
      await release(delivery);
      log.error(
        `${entry.label}: message ${id} was rejected after ${attempts} attempts, the broker's dead letters have it: ${reason}`,
        about,
      );
      return true;
    }
    await release(delivery);
    // Messages without an id of their own have another one each time.
    const attempt = attempts > 1 ? ` (attempt ${attempts})` : '';
    log.warn(`${entry.label}: message ${id} is given back and will come again${attempt}: ${reason}`, about);
    return false;
  }

  #count(id: string): number {
    const attempts = (this.#attempts.get(id) ?? 0) + 1;
    // At the end, as the most recent one.
    this.#attempts.delete(id);
    this.#attempts.set(id, attempts);
    if (this.#attempts.size > MAX_COUNTED) {
      for (const oldest of this.#attempts.keys()) {
        this.#attempts.delete(oldest);
        break;
      }
    }
    return attempts;
  }

  #pauseMs(failures: number): number {
    const { firstMs, longestMs } = this.#options.redelivery;
    return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20));
  }
}

/** A message that goes back, and why. */
interface NotTaken {
  readonly id: string;
  readonly reason: string;
  readonly about: LogDetails;
}

/** What is settled or lost already is the broker's anyway. */
async function release(delivery: Delivery): Promise<void> {
  try {
    await delivery.release();
  } catch (error) {
    log.debug(`A delivery could not be released: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
