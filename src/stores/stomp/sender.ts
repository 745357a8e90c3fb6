import { POINTS, reach } from '../../fault-points.ts';
import type { PutTarget } from '../broker/put-window.ts';
import { AGAIN_HEADER, PUT_HEADER } from '../broker/repeated-puts.ts';
import type { StompConnection } from './connection.ts';
import type { JmsMessage } from './jms-message.ts';
import { isArtemis, type QueueHeaders, queueHeaders } from './queue-name.ts';

/** Sends to one queue over one connection, each message with a receipt of its own (OP-02). */
export class Sender implements PutTarget<JmsMessage> {
  readonly ended: Promise<Error>;
  readonly #connection: StompConnection;
  readonly #queue: string;
  readonly #destination: QueueHeaders;

  constructor(connection: StompConnection, queue: string) {
    this.ended = connection.ended;
    this.#queue = queue;
    this.#connection = connection;
    this.#destination = queueHeaders(queue, connection.server);
  }

  get silentMs(): number {
    return this.#connection.silentMs;
  }

  send({ headers, body, put }: JmsMessage, again: boolean): Promise<void> {
    const marks = put === undefined ? {} : this.#marks(put, again);
    const confirmed = this.#connection.request('SEND', { ...headers, ...marks, ...this.#destination }, body);
    // The frame goes out at the end of this turn, together with others.
    if (POINTS.putSent.channel.hasSubscribers) {
      this.#connection.whenWritten(() => reach(POINTS.putSent, this.#queue, headers));
    }
    return confirmed;
  }

  #marks(put: string, again: boolean): Record<string, string> {
    return {
      [PUT_HEADER]: put,
      ...(again && { [AGAIN_HEADER]: 'true' }),
      // Artemis takes the second copy of these for the first one by itself.
      ...(isArtemis(this.#connection.server) && { _AMQ_DUPL_ID: put }),
    };
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }
}
