import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { logger } from '../../logging/index.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { type AmqpConnection, AmqpLostError, messageOf } from '../../stores/amqp/connection.ts';
import { attempt, prepareTopology, TopologyError } from '../../stores/amqp/topology.ts';
import type { SupervisedConnection } from '../../stores/broker/supervisor.ts';
import type { RabbitMqAddress } from './rabbitmq-address.ts';

const log = logger('RabbitMQSender');
/** The broker's own queue for answers to what is published on the same channel. */
const DIRECT_REPLY = 'amq.rabbitmq.reply-to';
/** An answer for somebody else is given back after so long, ms: what comes back at once would come here again. */
const GIVE_BACK_MS = 1_000;
const MAX_ANSWERS_IN_HAND = 100;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

/** What is published. */
export interface Outgoing {
  readonly body: Buffer;
  /** With a message id of its own. */
  readonly properties: Options.Publish & { readonly messageId: string };
}

/** For how long an answer is waited for. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * A connection with one channel, for messages to one exchange and routing key, and for their answers. A message is published when the
 * broker has confirmed it and a queue has it: what no queue takes comes back before it is confirmed.
 */
export class SendingChannel implements SupervisedConnection {
  readonly ended: Promise<Error>;
  readonly hasWorked = true;
  readonly #connection: AmqpConnection;
  readonly #channel: ConfirmChannel;
  readonly #address: RabbitMqAddress;
  readonly #returned = new Map<string, string>();
  /** What the broker has not answered for: amqplib does not call back when a channel ends. */
  readonly #unconfirmed = new Set<(reason: Error) => void>();
  readonly #waiters = new Map<string, PromiseWithResolvers<ConsumeMessage>>();
  readonly #givingBack = new Set<NodeJS.Timeout>();
  #listening: Promise<void> | undefined;
  #lost: Error | undefined;

  /** @throws TopologyError, AmqpLostError when the queue or the exchange is not to be had */
  static async open(connection: AmqpConnection, address: RabbitMqAddress): Promise<SendingChannel> {
    const { queue, exchange, routingKey, exchangeType } = address;
    if (exchange !== undefined && address.declaresExchange) await declareExchange(connection, exchange, exchangeType);
    if (queue !== undefined) {
      const { notBound } = await prepareTopology(connection, { queue, queueType: undefined, exchange, routingKey });
      if (notBound !== undefined) log.warn(`The queue [${queue}] could not be bound to [${exchange}]: ${notBound}`);
    }
    return new SendingChannel(connection, await connection.confirmChannel(), address);
  }

  private constructor(connection: AmqpConnection, channel: ConfirmChannel, address: RabbitMqAddress) {
    this.#connection = connection;
    this.#channel = channel;
    this.#address = address;
    const ended = Promise.withResolvers<Error>();
    this.ended = ended.promise;
    const end = (cause: Error) => {
      if (this.#lost) return;
      this.#lost = cause instanceof AmqpLostError ? cause : new AmqpLostError(messageOf(cause), { cause });
      for (const { reject } of this.#waiters.values()) reject(this.#lost);
      for (const reject of this.#unconfirmed) reject(this.#lost);
      for (const timer of this.#givingBack) clearTimeout(timer);
      connection.destroy(messageOf(cause));
      ended.resolve(this.#lost);
    };
    channel.on('return', ({ properties, fields }) => {
      const { replyCode, replyText } = fields as { replyCode?: number; replyText?: string };
      this.#returned.set(String(properties.messageId), `no queue takes it (${replyCode} ${replyText})`);
    });
    channel.on('error', end);
    channel.on('close', () => end(new AmqpLostError('the channel was closed')));
    void connection.ended.then(end);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Resolves when the broker has the message in a queue. */
  publish({ body, properties }: Outgoing): Promise<void> {
    if (this.#lost) return Promise.reject(this.#lost);
    const { exchange = '', routingKey } = this.#address;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#unconfirmed.add(reject);
    try {
      this.#channel.publish(
        exchange,
        routingKey,
        body,
        { ...properties, mandatory: true, persistent: true },
        (error) => {
          this.#unconfirmed.delete(reject);
          const returned = this.#returned.get(properties.messageId);
          this.#returned.delete(properties.messageId);
          if (returned !== undefined) reject(new Error(returned));
          else if (error) reject(new Error('the broker could not take responsibility for it (nack)'));
          else resolve();
        },
      );
    } catch (cause) {
      this.#unconfirmed.delete(reject);
      reject(this.#lost ?? cause);
    }
    return promise;
  }

  /**
   * Publishes a message and waits for its answer, which has the same correlation id.
   * @throws MediationError when it does not come in time
   */
  async ask(message: Outgoing, correlationId: string, { timeoutMs, signal }: Patience): Promise<ConsumeMessage> {
    const waiter = Promise.withResolvers<ConsumeMessage>();
    const { promise, reject } = waiter;
    promise.catch(() => undefined);
    const late = () =>
      reject(new MediationError(`no answer within ${timeoutMs} ms`, { code: ERROR_CODES.sendTimeout, status: 504 }));
    const giveUp = () => reject(new MediationError('the send was given up', { code: ERROR_CODES.connectionClosed }));
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#waiters.set(correlationId, waiter);
    try {
      this.#listening ??= this.#listen();
      await this.#listening;
      const replyTo = this.#address.replyQueue ?? DIRECT_REPLY;
      await this.publish({ ...message, properties: { ...message.properties, correlationId, replyTo } });
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      this.#waiters.delete(correlationId);
    }
  }

  async #listen(): Promise<void> {
    const { replyQueue } = this.#address;
    try {
      if (replyQueue !== undefined) {
        await prepareTopology(this.#connection, {
          queue: replyQueue,
          queueType: undefined,
          exchange: undefined,
          routingKey: replyQueue,
        });
        await this.#channel.prefetch(MAX_ANSWERS_IN_HAND);
      }
      const noAck = replyQueue === undefined;
      await this.#channel.consume(replyQueue ?? DIRECT_REPLY, (message) => message && this.#onAnswer(message, noAck), {
        noAck,
      });
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  #onAnswer(answer: ConsumeMessage, settled: boolean): void {
    const id = String(answer.properties.correlationId ?? '');
    const waiter = this.#waiters.get(id);
    if (waiter) {
      if (!settled) this.#channel.ack(answer);
      waiter.resolve(answer);
    } else if (settled) {
      log.warn(`An answer with the correlation id ${id} is dropped: nobody waits for it any more`);
    } else {
      // Of another node that answers come to in the same queue.
      const timer = setTimeout(() => {
        this.#givingBack.delete(timer);
        if (!this.#lost) this.#channel.nack(answer);
      }, GIVE_BACK_MS);
      this.#givingBack.add(timer);
    }
  }
}

/** What exists is used as it is. */
async function declareExchange(connection: AmqpConnection, exchange: string, type: string): Promise<void> {
  if (exchange.startsWith('amq.')) return;
  const found = await attempt(connection, (channel) => channel.checkExchange(exchange));
  if (found.code === undefined) return;
  const declared =
    found.code === NOT_FOUND
      ? await attempt(connection, (channel) => channel.assertExchange(exchange, type, { durable: true }))
      : found;
  if (declared.code !== undefined && declared.code !== PRECONDITION_FAILED)
    throw new TopologyError(`exchange '${exchange}': ${declared.reason}`);
}
