import type { PutTarget } from '../broker/put-window.ts';
import type { StompConnection } from './connection.ts';
import type { JmsMessage } from './jms-message.ts';
import { type QueueHeaders, queueHeaders } from './queue-name.ts';

/** Sends to one queue over one connection, each message with a receipt of its own (OP-02). */
export class Sender implements PutTarget<JmsMessage> {
  readonly ended: Promise<Error>;
  readonly #connection: StompConnection;
  readonly #destination: QueueHeaders;

  constructor(connection: StompConnection, queue: string) {
    this.ended = connection.ended;
    this.#connection = connection;
    this.#destination = queueHeaders(queue, connection.server);
  }

  get silentMs(): number {
    return this.#connection.silentMs;
  }

  send({ headers, body }: JmsMessage): Promise<void> {
    return this.#connection.request('SEND', { ...headers, ...this.#destination }, body);
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }
}
