import { createConnection, type Socket } from 'node:net';
import { logger } from '../logging/index.ts';
import type { MayBeBusy } from '../stores/busy.ts';
import { type Fate, FrameError, FrameReader, type PutFrame, writeFrame } from './frames.ts';
import type { OwnerNote, TakerNote } from './notes.ts';

const log = logger('Workers');

/** Puts that the owner may have in hand for one taker; more wait here. */
const WINDOW_PUTS = 1_024;
const WINDOW_BYTES = 32 * 1024 * 1024;
/** Puts that wait or are in the owner's hands; more are refused at once. */
const MAX_PUTS = 10_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** Notes are left out while so many bytes wait for the owner to read. */
const NOTES_LIMIT_BYTES = 4 * 1024 * 1024;
const SWEEP_MS = 100;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** A message was not handed over, or nobody knows; the message says which. `busy`: as too many others were on their way (OP-100). */
export class HandOverError extends Error implements MayBeBusy {
  override readonly name = 'HandOverError';
  readonly busy: boolean;

  constructor(message: string, { busy }: MayBeBusy = { busy: false }) {
    super(message);
    this.busy = busy;
  }
}

/** A message in the format of durable stores, and the store that it is for. */
export type HandedOver = Omit<PutFrame, 'kind' | 'number'>;

interface Put extends HandedOver {
  readonly number: number;
  readonly bytes: number;
  /** On the monotonic clock, ms. */
  readonly deadline: number;
  readonly resolve: (first: string | undefined) => void;
  readonly reject: (error: HandOverError) => void;
}

export interface OwnerLinkOptions {
  /** The owner's socket. */
  readonly path: string;
  readonly onNote: (note: OwnerNote) => void;
  /** There is a connection, the first or another one. */
  readonly onOpen?: () => void;
}

/*
 * A taker's end of the connection to the owner.
 *
 *                connected                        lost, or the other end talks nonsense
 *   CONNECTING ─────────────► OPEN ──────────────────────────────────────────────────────► CONNECTING, after a pause
 *       │                      │
 *       └──────── close ───────┴────────► CLOSED
 *
 * A put is settled exactly once, by the first of these:
 *
 *   waiting ── there is a connection and room in the window ──► sent ── confirmed ──► fulfilled
 *      │                                                         ├───── failed ─────► rejected with the store's reason
 *      │                                                         ├───── lost ───────► rejected: it may be stored or not
 *      ├──── deadline ──► rejected: it is not stored             ├───── deadline ───► rejected: it may be stored or not
 *      └──── close ─────► rejected: it is not stored             └───── close ──────► rejected: it may be stored or not
 *
 * What was sent is never sent again: a client that was told of a failure sends again itself, and one message must not become two behind
 * its back. What still waits when the connection is lost goes to the next owner.
 */
export class OwnerLink {
  readonly #options: OwnerLinkOptions;
  /** Not sent yet, the oldest first. */
  readonly #waiting = new Map<number, Put>();
  readonly #sent = new Map<number, Put>();
  #waitingBytes = 0;
  #sentBytes = 0;
  #number = 0;
  #socket: Socket | undefined;
  #open = false;
  #closed = false;
  #saidAway = false;
  #pauseMs = FIRST_PAUSE_MS;
  #retry: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: OwnerLinkOptions) {
    this.#options = options;
  }

  /** Is there an owner that can be talked to now? */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Begins to connect, and does so again whenever the connection is lost. */
  start(): void {
    this.#connect();
  }

  /**
   * Hands a message over to the owner's store; resolves when that store has confirmed it, with the id of the message that it repeats, if
   * it does.
   * @param deadlineMs after which it counts as failed
   * @throws HandOverError when it is not stored, or nobody can know
   */
  put(message: HandedOver, deadlineMs: number): Promise<string | undefined> {
    const bytes = message.head.length + message.body.byteLength;
    if (this.#closed) return Promise.reject(new HandOverError('this worker ends'));
    if (bytes > MAX_BYTES) {
      const text = `a message of ${bytes} bytes is too large for the way to the worker that has the stores (${MAX_BYTES})`;
      return Promise.reject(new HandOverError(text));
    }
    if (this.#waiting.size + this.#sent.size >= MAX_PUTS || this.#waitingBytes + this.#sentBytes + bytes > MAX_BYTES) {
      const text = `${this.#waiting.size + this.#sent.size} messages are on their way to the worker that has the stores already`;
      return Promise.reject(new HandOverError(text, { busy: true }));
    }
    return new Promise((resolve, reject) => {
      const number = this.#nextNumber();
      const deadline = performance.now() + deadlineMs;
      this.#waiting.set(number, { ...message, number, bytes, deadline, resolve, reject });
      this.#waitingBytes += bytes;
      this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS).unref();
      this.#pump();
    });
  }

  /** Would the owner hear something now? */
  get takesNotes(): boolean {
    return this.#open && this.#socket !== undefined && this.#socket.writableLength <= NOTES_LIMIT_BYTES;
  }

  /** Tells the owner something. @returns false when nobody hears it */
  note(note: TakerNote): boolean {
    const socket = this.#socket;
    if (!socket || !this.takesNotes) return false;
    writeFrame(socket, { kind: 'note', note });
    return true;
  }

  /** Ends the connection; what is not settled fails. Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.end();
    this.#lost(this.#socket, 'this worker ends');
    for (const put of [...this.#waiting.values()]) this.#fail(put, 'this worker ends; it is not stored');
  }

  #nextNumber(): number {
    this.#number = (this.#number + 1) >>> 0;
    return this.#number;
  }

  #connect(): void {
    if (this.#closed) return;
    const socket = createConnection({ path: this.#options.path });
    const reader = new FrameReader();
    this.#socket = socket;
    socket.once('connect', () => this.#opened());
    socket.on('data', (chunk: Buffer) => this.#read(socket, reader, chunk));
    socket.on('drain', () => this.#pump());
    // What went wrong does not matter: the end follows.
    socket.on('error', () => {});
    socket.once('close', () => this.#lost(socket, 'the worker that has the stores ended'));
  }

  #opened(): void {
    if (this.#closed) return;
    this.#open = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#saidAway) log.info('The worker that has the stores is back');
    this.#saidAway = false;
    this.#options.onOpen?.();
    this.#pump();
  }

  /** Idempotent for one connection. */
  #lost(socket: Socket | undefined, why: string): void {
    if (socket === undefined || this.#socket !== socket) return;
    this.#socket = undefined;
    if (this.#open) {
      this.#open = false;
      const text = `${why} before its store had confirmed the message; it may be stored or not`;
      for (const put of [...this.#sent.values()]) this.#fail(put, text);
    }
    if (this.#closed) return;
    if (!this.#saidAway) log.warn('The worker that has the stores is away; messages wait for its successor');
    this.#saidAway = true;
    this.#retry = setTimeout(() => this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }

  #read(socket: Socket, reader: FrameReader, chunk: Buffer): void {
    try {
      for (const frame of reader.read(chunk)) {
        if (frame.kind === 'settled') this.#settle(frame.number, frame.fate);
        else if (frame.kind === 'note') this.#options.onNote(frame.note as OwnerNote);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      log.error(`What the worker that has the stores says is not understood: ${error.message}`);
      socket.destroy();
    }
  }

  #settle(number: number, fate: Fate): void {
    const put = this.#sent.get(number);
    // It was given up before: its client has heard of a failure.
    if (!put) return;
    if (fate.is === 'failed') this.#fail(put, fate.reason, fate);
    else {
      this.#forget(put);
      put.resolve(fate.is === 'repeated' ? fate.first : undefined);
    }
    this.#pump();
  }

  #pump(): void {
    for (const put of this.#waiting.values()) {
      const socket = this.#socket;
      if (!this.#open || !socket || socket.writableNeedDrain) return;
      const isFull = this.#sent.size >= WINDOW_PUTS || this.#sentBytes + put.bytes > WINDOW_BYTES;
      if (isFull && this.#sent.size > 0) return;
      this.#waiting.delete(put.number);
      this.#waitingBytes -= put.bytes;
      this.#sent.set(put.number, put);
      this.#sentBytes += put.bytes;
      this.#write(socket, put);
    }
  }

  #write(socket: Socket, put: Put): void {
    const { number, store, key, head, body } = put;
    try {
      writeFrame(socket, { kind: 'put', number, store, key, head, body });
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#fail(put, `${error.message}; it is not stored`);
    }
  }

  #expire(): void {
    const now = performance.now();
    for (const put of [...this.#waiting.values()])
      if (now >= put.deadline)
        this.#fail(put, 'the worker that has the stores could not be reached in time; it is not stored', {
          busy: this.#open,
        });
    for (const put of [...this.#sent.values()])
      if (now >= put.deadline)
        this.#fail(put, 'the store has not confirmed the message in time; it may be stored or not');
    this.#pump();
  }

  #fail(put: Put, reason: string, busy?: MayBeBusy): void {
    this.#forget(put);
    put.reject(new HandOverError(reason, busy));
  }

  #forget(put: Put): void {
    if (this.#waiting.delete(put.number)) this.#waitingBytes -= put.bytes;
    if (this.#sent.delete(put.number)) this.#sentBytes -= put.bytes;
    if (this.#waiting.size + this.#sent.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
