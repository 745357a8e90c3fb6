import type { MayBeBusy } from '../busy.ts';

/** Sends that may be unconfirmed at one time (OP-100). */
const WINDOW_MESSAGES = 256;
const WINDOW_BYTES = 64 * 1024 * 1024;
/** Puts that may wait for room in the window; one more fails at once. */
const MAX_WAITING_MESSAGES = 10_000;
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
const TROUBLE = 'producer';

/** Not stored, or not known to be; `busy`: as too many others were on their way (OP-100). */
export class PutFailure extends Error implements MayBeBusy {
  override readonly name = 'PutFailure';
  readonly busy: boolean;

  constructor(message: string, { busy = false, ...options }: ErrorOptions & { readonly busy?: boolean } = {}) {
    super(message, options);
    this.busy = busy;
  }
}

/** The broker does not take this message; the connection is as good as before. */
export class RefusedError extends Error {
  override readonly name: string = 'RefusedError';
}

/** A connection, or several that end together, over which messages are sent. */
export interface PutTarget<M> {
  /** Resolves with the reason when the connection has ended; never rejects. */
  readonly ended: Promise<Error>;
  /** How long nothing has come in, ms; of several connections, over the one that is the most to be blamed for what is overdue. */
  readonly silentMs: number;
  /**
   * Sends the message as durable, and resolves when the broker has confirmed it. `again`: it was handed over before, to a connection
   * that ended before it was confirmed; the broker may have it already. `wanted`: whether anybody still waits for it; what nobody
   * waits for must not be sent by another way, as its sender was told that it is not stored.
   * @throws RefusedError when it was refused; everything else means that what it was sent over has ended: the whole target, or, for a
   * message that is not wanted any more, a part of it
   */
  send(message: M, again: boolean, wanted: () => boolean): Promise<void>;
  /** Ends what has been silent for {@link silentMs}: the whole target, or the part of it that is to be blamed. */
  destroy(reason: string): void;
}

/** Where trouble with puts is reported, and where the reason is known when there is no connection. */
export interface PutSupervisor {
  readonly lastError: string | undefined;
  trouble(who: string, what: string): void;
  troubleOver(who: string): void;
}

/**
 * A message on its way to the broker:
 *
 *     WAITING ──room in the window, connected──► SENT ──confirmed──► STORED
 *        ▲  │                                    │ │ └──refused──► FAILED
 *        │  └──deadline──► FAILED                │ └──deadline──► FAILED (it may be stored all the same)
 *        └───────────connection lost─────────────┘
 */
interface Put<M> {
  readonly message: M;
  /** Bytes. */
  readonly size: number;
  readonly resolve: () => void;
  readonly reject: (failure: PutFailure) => void;
  timer: NodeJS.Timeout | undefined;
  settled: boolean;
  again: boolean;
}

/**
 * The sending side of a store on a broker. A put resolves when the broker has confirmed it (OP-02). When the connection is lost
 * the unconfirmed ones are sent again, in their order, within their deadlines (OP-11): only then may the broker have a message
 * twice, with the same id; the second copy says so, see repeated-puts.ts.
 */
export class PutWindow<M> {
  readonly #supervisor: PutSupervisor;
  readonly #deadlineMs: number;
  readonly #heartBeatMs: number;
  /** In the order of the puts. */
  readonly #waiting = new Set<Put<M>>();
  readonly #sent = new Set<Put<M>>();
  #waitingBytes = 0;
  #sentBytes = 0;
  #target: PutTarget<M> | undefined;
  #whenEmpty: (() => void) | undefined;
  #closed = false;

  constructor(options: { supervisor: PutSupervisor; deadlineMs: number; heartBeatMs: number }) {
    this.#supervisor = options.supervisor;
    this.#deadlineMs = options.deadlineMs;
    this.#heartBeatMs = options.heartBeatMs;
  }

  /** From now on sends go over this connection. */
  use(target: PutTarget<M>): void {
    this.#target = target;
    void target.ended.then(() => this.#onLost(target));
    this.#pump();
  }

  /** Resolves when the broker has confirmed the message of `size` bytes. @throws PutFailure at the deadline at the latest */
  put(message: M, size: number): Promise<void> {
    if (this.#closed) return Promise.reject(new PutFailure('the store is closed'));
    if (this.#waiting.size >= MAX_WAITING_MESSAGES || this.#waitingBytes + size > MAX_WAITING_BYTES) {
      const waiting = `${this.#waiting.size} messages with ${this.#waitingBytes} bytes wait already`;
      return Promise.reject(new PutFailure(`${waiting} to be taken by the broker`, { busy: true }));
    }
    return new Promise((resolve, reject) => {
      const put: Put<M> = { message, size, resolve, reject, timer: undefined, settled: false, again: false };
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
    const target = this.#target;
    if (!target) return;
    for (const put of this.#waiting) {
      const { size } = put;
      const full = this.#sent.size >= WINDOW_MESSAGES || this.#sentBytes + size > WINDOW_BYTES;
      if (full && this.#sent.size > 0) return;
      this.#waiting.delete(put);
      this.#waitingBytes -= size;
      this.#sent.add(put);
      this.#sentBytes += size;
      target
        .send(put.message, put.again, () => !put.settled)
        .then(
          () => this.#onConfirmed(put),
          (error: unknown) => this.#onError(put, error),
        );
    }
  }

  #onConfirmed(put: Put<M>): void {
    this.#supervisor.troubleOver(TROUBLE);
    this.#leaveWindow(put);
    if (this.#settle(put)) put.resolve();
    this.#next();
  }

  #onError(put: Put<M>, error: unknown): void {
    const refused = error instanceof RefusedError;
    // What was lost with its target and is still wanted keeps its place until #onLost puts it back. What is not wanted is over.
    if (!refused && !put.settled) return;
    this.#leaveWindow(put);
    if (refused) this.#fail(put, `the broker refused the message: ${error.message}`, { cause: error });
    this.#next();
  }

  #onLost(target: PutTarget<M>): void {
    if (this.#target !== target) return;
    this.#target = undefined;
    this.#supervisor.troubleOver(TROUBLE);
    const again = [...this.#sent].filter((put) => !put.settled);
    const behind = [...this.#waiting];
    this.#sent.clear();
    this.#sentBytes = 0;
    this.#waiting.clear();
    for (const put of [...again, ...behind]) this.#waiting.add(put);
    for (const put of again) {
      put.again = true;
      this.#waitingBytes += put.size;
    }
    this.#checkEmpty();
  }

  #onDeadline(put: Put<M>): void {
    if (this.#waiting.delete(put)) {
      this.#waitingBytes -= put.size;
      const problem = this.#target ? 'earlier messages were not confirmed' : this.#unreachable();
      this.#fail(put, `${problem} within ${this.#deadlineMs} ms`, { busy: this.#target !== undefined });
      this.#checkEmpty();
      return;
    }
    this.#fail(put, `the broker did not confirm the message within ${this.#deadlineMs} ms`);
    this.#onOverdue();
  }

  /** A broker that is slow keeps its connection; one that is silent is not worth waiting for, a fresh connection may be (OP-11). */
  #onOverdue(): void {
    const target = this.#target;
    if (!target) return;
    const { silentMs } = target;
    if (silentMs >= Math.max(this.#deadlineMs, this.#heartBeatMs) * 0.95) {
      target.destroy(`the broker has been silent for ${Math.round(silentMs)} ms while confirmations are due`);
    } else {
      this.#supervisor.trouble(TROUBLE, `the broker does not confirm messages within ${this.#deadlineMs} ms`);
    }
  }

  #unreachable(): string {
    const { lastError } = this.#supervisor;
    return `there was no connection to the broker${lastError === undefined ? '' : ` (${lastError})`}`;
  }

  #fail(put: Put<M>, reason: string, why: { readonly cause?: unknown; readonly busy?: boolean } = {}): void {
    if (this.#settle(put)) put.reject(new PutFailure(reason, why));
  }

  /** False when it was settled before. */
  #settle(put: Put<M>): boolean {
    if (put.settled) return false;
    put.settled = true;
    clearTimeout(put.timer);
    return true;
  }

  #leaveWindow(put: Put<M>): void {
    if (this.#sent.delete(put)) this.#sentBytes -= put.size;
  }

  #next(): void {
    this.#pump();
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#waiting.size + this.#sent.size === 0) this.#whenEmpty?.();
  }
}
