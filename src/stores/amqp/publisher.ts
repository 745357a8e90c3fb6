import type { ConfirmChannel, Message, Options } from 'amqplib';
import { POINTS, reach } from '../../fault-points.ts';
import { RefusedError } from '../broker/put-window.ts';
import { AGAIN_HEADER, PUT_HEADER } from '../broker/repeated-puts.ts';
import { type AmqpConnection, AmqpLostError, messageOf } from './connection.ts';
import type { Topology } from './topology.ts';

/** A message as it is published: its properties and its body. */
export interface AmqpMessage {
  readonly properties: Options.Publish;
  /** The value of its header {@link ID_HEADER}; two messages with one id are one message. */
  readonly id: string;
  readonly body: Buffer;
  /** Of one put, however often it is sent; see repeated-puts.ts. */
  readonly put?: string;
}

/** No queue takes the message: it is not stored, and nowhere at all. */
export class UnroutableError extends RefusedError {
  override readonly name = 'UnroutableError';
}

/** Tells which message has come back. */
export const ID_HEADER = 'StoredMessageID';

interface Unconfirmed {
  readonly message: AmqpMessage;
  /** It was sent before, over a connection that ended. */
  readonly again: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection that only publishes, with one confirm channel: a broker that lacks memory or disk stops reading from connections
 * that publish, and acknowledgements on the same one would be stuck behind.
 *
 * What the broker has neither confirmed nor refused is kept in a table here (REQ-37): amqplib's callbacks are not all called when a
 * channel ends. A message that no queue takes comes back before it is confirmed (`mandatory`): it is refused.
 */
export class Publisher {
  /** Resolves with the reason when the connection or the channel has ended; never rejects. */
  readonly ended: Promise<Error>;
  readonly hasWorked = true;
  readonly #connection: AmqpConnection;
  readonly #channel: ConfirmChannel;
  readonly #exchange: string;
  readonly #routingKey: string;
  readonly #unconfirmed = new Set<Unconfirmed>();
  /** Ids of messages that have come back and are about to be confirmed, with a reason for each time. */
  readonly #returned = new Map<string, string[]>();
  readonly #end: (reason: Error) => void;
  #failure: Error | undefined;

  constructor(connection: AmqpConnection, channel: ConfirmChannel, { exchange, routingKey }: Topology) {
    this.#connection = connection;
    this.#channel = channel;
    this.#exchange = exchange ?? '';
    this.#routingKey = routingKey;
    const ended = Promise.withResolvers<Error>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    channel.on('return', (message) => this.#onReturn(message));
    channel.on('error', (error) => this.#onFailure(error));
    // Before amqplib's own listener, which calls the callbacks of what is unconfirmed as if the broker had refused it.
    channel.prependListener('close', () => this.#onFailure(new AmqpLostError('the channel was closed')));
    void connection.ended.then((reason) => this.#onFailure(reason));
  }

  get silentMs(): number {
    return this.#connection.silentMs;
  }

  /**
   * Resolves when the broker has confirmed the message.
   * @throws RefusedError when it has refused it, or no queue takes it
   * @throws AmqpLostError when the channel ended before the answer came
   */
  send(message: AmqpMessage, again: boolean): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const unconfirmed: Unconfirmed = { message, again, resolve, reject };
      this.#unconfirmed.add(unconfirmed);
      try {
        this.#publish(unconfirmed);
      } catch (cause) {
        this.#unconfirmed.delete(unconfirmed);
        // What cannot be put into frames, as far as the channel still stands.
        reject(this.#failure ?? new RefusedError(`cannot be published: ${messageOf(cause)}`, { cause }));
      }
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  #publish(unconfirmed: Unconfirmed): void {
    const { message, again } = unconfirmed;
    const { body, properties, put } = message;
    const marks = put !== undefined && { [PUT_HEADER]: put, ...(again && { [AGAIN_HEADER]: true }) };
    const headers = { ...properties.headers, ...marks };
    const options = { ...properties, headers, mandatory: true, persistent: true };
    this.#channel.publish(this.#exchange, this.#routingKey, body, options, (error) => {
      if (this.#failure) return;
      this.#onAnswer(unconfirmed, error as Error | null);
    });
    // amqplib writes at the end of this turn, or when the broker reads on.
    if (POINTS.putSent.channel.hasSubscribers) {
      this.#connection.whenWritten(() => reach(POINTS.putSent, this.#routingKey, message.id));
    }
  }

  #onAnswer(unconfirmed: Unconfirmed, error: Error | null): void {
    this.#unconfirmed.delete(unconfirmed);
    const { id } = unconfirmed.message;
    const reasons = this.#returned.get(id);
    const returned = reasons?.shift();
    if (reasons?.length === 0) this.#returned.delete(id);
    if (returned !== undefined) unconfirmed.reject(new UnroutableError(returned));
    else if (error) unconfirmed.reject(new RefusedError('the broker could not take responsibility for it (nack)'));
    else unconfirmed.resolve();
  }

  #onReturn({ fields, properties }: Message): void {
    const { replyCode, replyText } = fields as { replyCode?: number; replyText?: string };
    const to = this.#exchange === '' ? 'the default exchange' : `exchange '${this.#exchange}'`;
    const reason = `no queue takes what ${to} gets with the routing key '${this.#routingKey}' (${replyCode} ${replyText})`;
    const id = String(properties.headers?.[ID_HEADER]);
    const reasons = this.#returned.get(id);
    if (reasons) reasons.push(reason);
    else this.#returned.set(id, [reason]);
  }

  /** The channel has ended: nothing more is answered here. */
  #onFailure(cause: Error): void {
    if (this.#failure) return;
    const reason = messageOf(cause);
    this.#failure = cause instanceof AmqpLostError ? cause : new AmqpLostError(reason, { cause });
    const tooLarge = Number(/message size (\d+)\D.* larger than/.exec(reason)?.[1] ?? Number.NaN);
    for (const { message, reject } of this.#unconfirmed) {
      // Sent again it would end the next channel, too.
      if (message.body.length === tooLarge) reject(new RefusedError(reason, { cause }));
      else reject(this.#failure);
    }
    this.#unconfirmed.clear();
    this.#returned.clear();
    this.#connection.destroy(reason);
    this.#end(this.#failure);
  }
}
