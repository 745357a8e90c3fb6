import type { Channel, Message } from 'amqplib';
import { type AmqpConnection, AmqpLostError, messageOf } from './connection.ts';

/** What a consumer was handed by the broker. Only the channel that it came through can settle it (OP-10). */
export interface Arrival {
  readonly message: Message;
  readonly channel: ConsumerChannel;
}

/**
 * The channel of one consumer, with a prefetch of one. It takes messages on demand only, so that a consumer that pauses never sits
 * on one: first it asks for one, and when there is none it subscribes until one comes.
 */
export class ConsumerChannel {
  /** Resolves with the reason when the channel or its connection has ended; never rejects. */
  readonly ended: Promise<AmqpLostError>;
  readonly #channel: Channel;
  readonly #queue: string;
  readonly #end: (reason: AmqpLostError) => void;
  #lost: AmqpLostError | undefined;
  #leaving = false;

  /** @throws AmqpLostError */
  static async open(connection: AmqpConnection, queue: string): Promise<ConsumerChannel> {
    const channel = await connection.channel();
    const opened = new ConsumerChannel(connection, channel, queue);
    await opened.#ask(() => channel.prefetch(1));
    return opened;
  }

  constructor(connection: AmqpConnection, channel: Channel, queue: string) {
    this.#channel = channel;
    this.#queue = queue;
    const ended = Promise.withResolvers<AmqpLostError>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    channel.on('error', (error) => this.#onEnd(new AmqpLostError(messageOf(error), { cause: error })));
    channel.on('close', () => this.#onEnd(connection.lost ?? new AmqpLostError('the channel was closed')));
    void connection.ended.then((reason) => this.#onEnd(reason));
  }

  get lost(): AmqpLostError | undefined {
    return this.#lost;
  }

  /** Whether we have closed it ourselves. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** The oldest message; undefined when there is none. @throws AmqpLostError */
  async get(): Promise<Arrival | undefined> {
    const message = await this.#ask(() => this.#channel.get(this.#queue, { noAck: false }));
    return message ? { message, channel: this } : undefined;
  }

  /**
   * Waits for a message. When the signal is aborted it resolves with what has come by then, if anything has. The subscription has
   * ended when it resolves: no other message can come.
   * @throws AmqpLostError also when the broker ends the subscription, as the queue was deleted
   */
  async listen(signal: AbortSignal): Promise<Arrival | undefined> {
    const came = Promise.withResolvers<Message | undefined>();
    const stop = () => came.resolve(undefined);
    let message: Message | undefined;
    let cancelled = false;
    const { consumerTag } = await this.#ask(() =>
      this.#channel.consume(this.#queue, (delivered) => {
        if (delivered) message = delivered;
        else cancelled = true;
        came.resolve(message);
      }),
    );
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await Promise.race([came.promise, this.ended]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
    // With an unsettled message and a prefetch of one nothing more comes until the broker has read this.
    if (!cancelled) await this.#ask(() => this.#channel.cancel(consumerTag));
    if (cancelled && !message)
      throw new AmqpLostError(`the broker ended the subscription: was queue '${this.#queue}' deleted?`);
    return message && { message, channel: this };
  }

  /**
   * Takes up to `count` of the oldest messages at once: all that come before none has come for `idleMs`. To be called once.
   * @throws AmqpLostError
   */
  async collect(count: number, idleMs: number): Promise<Arrival[]> {
    await this.#ask(() => this.#channel.prefetch(count));
    const arrivals: Arrival[] = [];
    const over = Promise.withResolvers<void>();
    const idle = setTimeout(over.resolve, idleMs);
    const { consumerTag } = await this.#ask(() =>
      this.#channel.consume(this.#queue, (message) => {
        if (message) arrivals.push({ message, channel: this });
        if (!message || arrivals.length >= count) over.resolve();
        else idle.refresh();
      }),
    );
    await Promise.race([over.promise, this.ended]);
    clearTimeout(idle);
    await this.#ask(() => this.#channel.cancel(consumerTag));
    return arrivals;
  }

  /**
   * Removes a message; resolves when the broker has read that. AMQP does not answer acknowledgements, but what a channel gets is read
   * in order: the answer to the next request tells.
   * @throws AmqpLostError
   */
  async acknowledge(message: Message): Promise<void> {
    await this.#ask(() => {
      this.#channel.ack(message);
      return this.#channel.prefetch(1);
    });
  }

  /**
   * Gives back what is not settled: when its channel ends, a message returns to its old place, while one that is rejected goes to the
   * end of a quorum queue. Never throws.
   */
  async close(): Promise<void> {
    if (this.#lost || this.#leaving) return;
    this.#leaving = true;
    try {
      await this.#channel.close();
    } catch {
      // It has ended already.
    }
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost;
    try {
      return await request();
    } catch (cause) {
      throw this.#lost ?? new AmqpLostError(messageOf(cause), { cause });
    }
  }

  #onEnd(reason: AmqpLostError): void {
    if (this.#lost) return;
    this.#lost = reason;
    this.#end(reason);
  }
}
