import { type StompConnection, StompRefusedError } from './connection.ts';
import type { JmsMessage } from './jms-message.ts';
import { type QueueHeaders, queueHeaders } from './queue-name.ts';
import type { ConnectionSupervisor } from './supervisor.ts';

/** Sends that may be without a receipt at one time (OP-100). */
const WINDOW_MESSAGES = 256;
const WINDOW_BYTES = 64 * 1024 * 1024;
/** Puts that may wait for room in the window; one more fails at once. */
const MAX_WAITING_MESSAGES = 10_000;
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
const TROUBLE = 'producer';

/** Not stored, or not known to be. */
export class PutFailure extends Error {
  override readonly name = 'PutFailure';
}

/**
 * A message on its way to the broker:
 *
 *     WAITING ──room in the window, connected──► SENT ──receipt──► STORED
 *        ▲  │                                    │ │ └──ERROR──► FAILED
 *        │  └──deadline──► FAILED                │ └──deadline──► FAILED (it may be stored all the same)
 *        └───────────connection lost─────────────┘
 */
interface Put {
  readonly message: JmsMessage;
  readonly resolve: () => void;
  readonly reject: (failure: PutFailure) => void;
  timer: NodeJS.Timeout | undefined;
  settled: boolean;
}

/**
 * The sending side of a store. Every message is persistent and sent with a receipt; a put resolves when its receipt has come
 * (OP-02). When the connection is lost the unconfirmed ones are sent again, in their order, within their deadlines (OP-11): only
 * then may the broker have a message twice, with the same id.
 */
export class Producer {
  readonly #supervisor: ConnectionSupervisor;
  readonly #queue: string;
  readonly #deadlineMs: number;
  readonly #heartBeatMs: number;
  /** In the order of the puts. */
  readonly #waiting = new Set<Put>();
  readonly #sent = new Set<Put>();
  #waitingBytes = 0;
  #sentBytes = 0;
  #connection: StompConnection | undefined;
  #headers: QueueHeaders | undefined;
  #whenEmpty: (() => void) | undefined;
  #closed = false;

  constructor(options: {
    supervisor: ConnectionSupervisor;
    queue: string;
    deadlineMs: number;
    heartBeatMs: number;
  }) {
    this.#supervisor = options.supervisor;
    this.#queue = options.queue;
    this.#deadlineMs = options.deadlineMs;
    this.#heartBeatMs = options.heartBeatMs;
  }

  /** From now on sends go over this connection. */
  use(connection: StompConnection): void {
    this.#connection = connection;
    this.#headers = queueHeaders(this.#queue, connection.server);
    void connection.ended.then(() => this.#onLost(connection));
    this.#pump();
  }

  /** Resolves when the broker has confirmed the message. @throws PutFailure at the deadline at the latest */
  put(message: JmsMessage): Promise<void> {
    if (this.#closed) return Promise.reject(new PutFailure('the store is closed'));
    const size = message.body.length;
    if (this.#waiting.size >= MAX_WAITING_MESSAGES || this.#waitingBytes + size > MAX_WAITING_BYTES) {
      const waiting = `${this.#waiting.size} messages with ${this.#waitingBytes} bytes wait already`;
      return Promise.reject(new PutFailure(`${waiting} to be taken by the broker`));
    }
    return new Promise((resolve, reject) => {
      const put: Put = { message, resolve, reject, timer: undefined, settled: false };
      put.timer = setTimeout(() => this.#onDeadline(put), this.#deadlineMs);
      this.#waiting.add(put);
      this.#waitingBytes += size;
      this.#pump();
    });
  }

  /** Takes no more, waits for what is under way, and fails what is not confirmed by then. */
  async close(patienceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#waiting.size + this.#sent.size > 0) {
      const empty = new Promise<void>((resolve) => (this.#whenEmpty = resolve));
      const patience = setTimeout(() => this.#whenEmpty?.(), patienceMs);
      await empty;
      clearTimeout(patience);
    }
    for (const put of [...this.#waiting, ...this.#sent]) this.#fail(put, 'the store was closed');
    this.#waiting.clear();
    this.#sent.clear();
  }

  #pump(): void {
    const connection = this.#connection;
    const destination = this.#headers;
    if (!connection || !destination) return;
    for (const put of this.#waiting) {
      const size = put.message.body.length;
      const full = this.#sent.size >= WINDOW_MESSAGES || this.#sentBytes + size > WINDOW_BYTES;
      if (full && this.#sent.size > 0) return;
      this.#waiting.delete(put);
      this.#waitingBytes -= size;
      this.#sent.add(put);
      this.#sentBytes += size;
      const { headers, body } = put.message;
      connection.request('SEND', { ...headers, ...destination }, body).then(
        () => this.#onReceipt(put),
        (error: unknown) => this.#onError(put, error),
      );
    }
  }

  #onReceipt(put: Put): void {
    this.#supervisor.troubleOver(TROUBLE);
    this.#leaveWindow(put);
    if (this.#settle(put)) put.resolve();
    this.#next();
  }

  #onError(put: Put, error: unknown): void {
    // What was lost with its connection is put back by #onLost.
    if (!(error instanceof StompRefusedError)) return;
    this.#leaveWindow(put);
    this.#fail(put, `the broker refused the message: ${error.message}`, error);
    this.#next();
  }

  #onLost(connection: StompConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#supervisor.troubleOver(TROUBLE);
    const again = [...this.#sent].filter((put) => !put.settled);
    const behind = [...this.#waiting];
    this.#sent.clear();
    this.#sentBytes = 0;
    this.#waiting.clear();
    for (const put of [...again, ...behind]) this.#waiting.add(put);
    for (const put of again) this.#waitingBytes += put.message.body.length;
    this.#checkEmpty();
  }

  #onDeadline(put: Put): void {
    if (this.#waiting.delete(put)) {
      this.#waitingBytes -= put.message.body.length;
      const problem = this.#connection ? 'earlier messages were not confirmed' : this.#unreachable();
      this.#fail(put, `${problem} within ${this.#deadlineMs} ms`);
      this.#checkEmpty();
      return;
    }
    this.#fail(put, `the broker did not confirm the message within ${this.#deadlineMs} ms`);
    this.#onOverdue();
  }

  /** A broker that is slow keeps its connection; one that is silent is not worth waiting for, a fresh connection may be (OP-11). */
  #onOverdue(): void {
    const connection = this.#connection;
    if (!connection) return;
    const { silentMs } = connection;
    if (silentMs >= Math.max(this.#deadlineMs, this.#heartBeatMs) * 0.95) {
      connection.destroy(`the broker has been silent for ${Math.round(silentMs)} ms while receipts are due`);
    } else {
      this.#supervisor.trouble(TROUBLE, `the broker does not confirm messages within ${this.#deadlineMs} ms`);
    }
  }

  #unreachable(): string {
    const { lastError } = this.#supervisor;
    return `there was no connection to the broker${lastError === undefined ? '' : ` (${lastError})`}`;
  }

  #fail(put: Put, reason: string, cause?: unknown): void {
    if (this.#settle(put)) put.reject(new PutFailure(reason, { cause }));
  }

  /** False when it was settled before. */
  #settle(put: Put): boolean {
    if (put.settled) return false;
    put.settled = true;
    clearTimeout(put.timer);
    return true;
  }

  #leaveWindow(put: Put): void {
    if (this.#sent.delete(put)) this.#sentBytes -= put.message.body.length;
  }

  #next(): void {
    this.#pump();
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#waiting.size + this.#sent.size === 0) this.#whenEmpty?.();
  }
}
