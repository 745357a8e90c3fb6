import { createRequire } from 'node:module';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Client, IncomingFrame } from 'stompit';
import { ConnectError, type ConnectionFailure } from '../broker/back-off.ts';
import { within } from '../broker/deadline.ts';
import { RefusedError } from '../broker/put-window.ts';
import { tlsAdvice } from '../broker/trust.ts';
import { type Credentials, formatEndpoint, type StompEndpoint } from './address.ts';
import { FrameWriter } from './frame-writer.ts';
import { heartBeatHeader, startHeartBeat } from './heart-beat.ts';

/*
 * One STOMP 1.2 connection:
 *
 *   CONNECTING ── TCP, TLS ──► GREETING ── CONNECTED ──► OPEN ── close() ──► LEAVING ── receipt, or a second ──► LOST
 *        └── error, deadline ──────┴─► (StompConnectError)  └── error, end, silence, destroy() ─────────────────────┘
 *
 * stompit logs in and reads the frames; from then on they are written by FrameWriter. Receipts, deadlines, heart-beats and the end of
 * a connection are dealt with here: stompit never tells that a receipt does not come, and takes a refused command for the end of the
 * connection.
 */

/** Headers of a frame as strings, unescaped. */
export type StompHeaders = Readonly<Record<string, string>>;

/** A MESSAGE with its body. */
export interface StompMessage {
  readonly headers: StompHeaders;
  readonly body: Buffer;
  /** The body was longer than the limit and is cut off. */
  readonly truncated: boolean;
  /** Of the whole body, bytes. */
  readonly length: number;
}

export interface StompSubscription {
  readonly id: string;
  /** Resolves at the receipt of SUBSCRIBE. @throws StompRefusedError, StompLostError */
  readonly confirmed: Promise<void>;
  /**
   * Takes a message off the queue, by the header `ack` that it came with; `more`: other headers. Resolves at the receipt.
   * @throws StompRefusedError, StompLostError
   */
  acknowledge(ack: string, more?: StompHeaders): Promise<void>;
  /** No message is handed over after this call. Resolves at the receipt. @throws StompRefusedError, StompLostError */
  unsubscribe(): Promise<void>;
}

/** The broker answered a frame with ERROR; the connection is as good as before. */
export class StompRefusedError extends RefusedError {
  override readonly name = 'StompRefusedError';
}

/** The connection ended before the answer came: whether the broker did what was asked is not known. */
export class StompLostError extends Error {
  override readonly name = 'StompLostError';
}

/** No session came about. */
export class StompConnectError extends ConnectError {
  override readonly name = 'StompConnectError';
}

export interface StompConnectionOptions {
  readonly endpoint: StompEndpoint;
  readonly credentials?: Credentials | undefined;
  /** PEM certificates to be trusted instead of the well-known ones. */
  readonly trusted?: readonly string[] | undefined;
  /** ms. */
  readonly heartBeatMs: number;
  /** From the start to CONNECTED, ms; default 5,000. */
  readonly deadlineMs?: number;
  /** Ends the attempt when nobody wants the connection any more. */
  readonly signal?: AbortSignal;
}

const CONNECT_DEADLINE_MS = 5_000;
const LEAVE_DEADLINE_MS = 1_000;
const KEEP_ALIVE_MS = 30_000;
/** Brokers take header lines of 10 KiB and 1,000 of them from STOMP clients, but other clients' properties have no such bounds. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;
const MAX_HEADERS = 16 * 1024;
/** ActiveMQ's own limit for a frame. */
const MAX_BODY_BYTES = 100 * 1024 * 1024;
const OPENWIRE_MAGIC = 'ActiveMQ';
/** How a TLS server begins its answer to what is no TLS. */
const TLS_ALERT = '\x15\x03';
const TLS_ADVICE = {
  trust:
    'name the certificate of the broker or of its authority with x.stomp.ca, or with [mini_synapse] trusted_certificates',
};
const GREETING_LENGTH = 512;
/** What brokers answer to credentials that they do not take. */
const REFUSED = /^ERROR\r?\n.*(?:SecurityException|password|authenticat|not authorized)/is;

/**
 * Connects and logs in.
 * @throws StompConnectError after `deadlineMs` at the latest; nothing is left open then
 */
export function openStompConnection(options: StompConnectionOptions): Promise<StompConnection> {
  return new ConnectionAttempt(options).outcome;
}

/** The states CONNECTING and GREETING. */
class ConnectionAttempt {
  readonly outcome: Promise<StompConnection>;
  readonly #options: StompConnectionOptions;
  readonly #socket: Socket;
  readonly #client: Client;
  readonly #deadline: NodeJS.Timeout;
  /** What it is if it ends now. */
  #failure: ConnectionFailure = 'unreachable';
  /** CONNECT was sent. */
  #asked = false;
  /** How the peer began to speak. */
  #greeting = '';

  constructor(options: StompConnectionOptions) {
    this.#options = options;
    this.#socket = openSocket(options);
    this.#client = new (clientClass())(this.#socket, { maxLineLength: MAX_LINE_LENGTH, maxHeaders: MAX_HEADERS });
    this.#deadline = setTimeout(this.#onDeadline, options.deadlineMs ?? CONNECT_DEADLINE_MS);
    this.outcome = new Promise((resolve, reject) => {
      this.#socket.on('data', this.#onGreeting);
      this.#socket.once('connect', () => {
        this.#failure = 'dropped';
      });
      this.#socket.once(options.endpoint.tls ? 'secureConnect' : 'connect', () => this.#greet(resolve));
      const onEnd = (cause?: Error) => reject(this.#ended(cause));
      this.#client.once('error', onEnd).once('end', onEnd);
      // Later errors of a failed attempt say nothing more.
      this.#client.on('error', () => undefined);
      options.signal?.addEventListener('abort', this.#onAbort);
      if (options.signal?.aborted) this.#onAbort();
    });
  }

  #greet(resolve: (connection: StompConnection) => void): void {
    this.#asked = true;
    this.#client.connect(connectHeaders(this.#options), (error) => {
      if (error) return;
      this.#cleanUp();
      this.#client.removeAllListeners('error').removeAllListeners('end');
      resolve(new StompConnection(this.#client, this.#socket, this.#options));
    });
    // The beats were asked for; they are watched by us, as stompit's watch takes a stall of our event loop for silence.
    this.#client.setHeartbeat([0, 0]);
  }

  #ended(cause: Error | undefined): StompConnectError {
    this.#cleanUp();
    this.#socket.destroy();
    const where = formatEndpoint(this.#options.endpoint);
    const failure = REFUSED.test(this.#greeting) ? 'refused' : this.#failure;
    return new StompConnectError(failure, `${where}: ${this.#problem(cause)}`, { cause });
  }

  #problem(cause: Error | undefined): string {
    const greeting = this.#greeting;
    if (greeting.includes(OPENWIRE_MAGIC) && !greeting.startsWith('CONNECTED')) {
      return 'this port speaks OpenWire, not STOMP';
    }
    const { tls } = this.#options.endpoint;
    if (!tls && greeting.startsWith(TLS_ALERT)) return 'this port speaks TLS: its address is stomp+ssl://…';
    if (this.#asked && this.#failure === 'dropped' && greeting === '') {
      return 'the connection was closed without an answer; is this a STOMP port?';
    }
    // Where a host has several addresses, the reasons are inside.
    const reasons = cause instanceof AggregateError ? cause.errors : [cause ?? 'the connection was closed'];
    const text = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; ');
    return `${text.slice(0, 300)}${tls ? tlsAdvice(cause, TLS_ADVICE) : ''}`;
  }

  #cleanUp(): void {
    clearTimeout(this.#deadline);
    this.#socket.off('data', this.#onGreeting);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#client.destroy(new Error('not wanted any more'));

  readonly #onDeadline = (): void => {
    const accepted = this.#failure === 'dropped';
    if (accepted) this.#failure = 'silent';
    this.#client.destroy(new Error(this.#late(accepted)));
  };

  #late(accepted: boolean): string {
    if (!accepted) return 'does not accept in time';
    const shakingHands = this.#options.endpoint.tls && !this.#asked;
    return `accepts, but does not answer${shakingHands ? ' (does this port speak TLS?)' : ''}`;
  }

  readonly #onGreeting = (chunk: Buffer): void => {
    if (this.#greeting.length < GREETING_LENGTH) this.#greeting += chunk.toString('latin1', 0, GREETING_LENGTH);
  };
}

let loaded: typeof Client | undefined;

/** Loaded when there is something to connect to, and without its channels and pools, which nobody here uses. */
function clientClass(): typeof Client {
  if (loaded) return loaded;
  const load = createRequire(import.meta.url);
  try {
    loaded = load('stompit/lib/Client') as typeof Client;
  } catch {
    // It has moved.
    loaded = (load('stompit') as { readonly Client: typeof Client }).Client;
  }
  return loaded;
}

function openSocket({ endpoint, trusted }: StompConnectionOptions): Socket {
  const { host, port, tls } = endpoint;
  // Without noDelay every small frame waits for the acknowledgement of the one before.
  const common = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  if (!tls) return connectTcp(common);
  const names = isIP(host) ? {} : { servername: host };
  const socket = connectTls({ ...common, ...names, ...(trusted !== undefined && { ca: [...trusted] }) });
  socket.setNoDelay(true);
  return socket;
}

function connectHeaders({ endpoint, credentials, heartBeatMs }: StompConnectionOptions): Record<string, string> {
  return {
    'accept-version': '1.2',
    host: endpoint.host,
    'heart-beat': heartBeatHeader(heartBeatMs),
    ...credentials,
  };
}

interface PendingReceipt {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Subscriber {
  readonly onMessage: (message: StompMessage) => void;
  readonly maxBodyBytes: number;
  readonly oneByOne: boolean;
  /** Its message is with us: no other one comes before that is acknowledged. */
  holds: boolean;
}

export class StompConnection {
  readonly endpoint: StompEndpoint;
  /** The `server` header of CONNECTED. */
  readonly server: string;
  /** Resolves with the reason when the connection has ended; never rejects. */
  readonly ended: Promise<StompLostError>;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #receipts = new Map<string, PendingReceipt>();
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #stopHeartBeat: () => void;
  readonly #end: (reason: StompLostError) => void;
  #lost: StompLostError | undefined;
  #leaving = false;
  #lastReceivedAt = performance.now();
  #receiptsSeen = 0;
  #lastId = 0;
  readonly #writer: FrameWriter;
  #answerScheduled = false;

  constructor(client: Client, socket: Socket, options: StompConnectionOptions) {
    this.endpoint = options.endpoint;
    this.server = String(client.headers.server ?? '');
    this.#client = client;
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
    const ended = Promise.withResolvers<StompLostError>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    client.setCommandHandlers({
      MESSAGE: (frame) => this.#onMessage(frame),
      RECEIPT: (frame) => readBody(frame, 0, () => this.#onReceipt(String(frame.headers['receipt-id']))),
      ERROR: (frame) => readBody(frame, 0, () => this.#onErrorFrame(frame)),
    });
    client.on('error', (error) => this.#onEnd(error));
    client.on('end', () => this.#onEnd(undefined));
    socket.on('data', () => this.#onData());
    const serverHeader = client.headers['heart-beat'];
    this.#stopHeartBeat = startHeartBeat({
      intervalMs: options.heartBeatMs,
      serverHeader: serverHeader === undefined ? undefined : String(serverHeader),
      lastReceivedAt: () => this.#lastReceivedAt,
      beat: () => this.#beat(),
      dead: (silentMs) => this.destroy(`the broker has been silent for ${Math.round(silentMs / 1000)} s`),
    });
  }

  /** Why it ended; undefined while it lives. */
  get lost(): StompLostError | undefined {
    return this.#lost;
  }

  /** Whether the broker has ever confirmed something here: more than a port that accepts. */
  get hasWorked(): boolean {
    return this.#receiptsSeen > 0;
  }

  /** How long nothing has come in, ms. */
  get silentMs(): number {
    return performance.now() - this.#lastReceivedAt;
  }

  /**
   * Sends a frame with a receipt of its own and resolves when that comes. There is no deadline here: see {@link within}.
   * @throws StompRefusedError when the broker answers with ERROR
   * @throws StompLostError when the connection ends first
   */
  request(command: string, headers: StompHeaders, body?: Uint8Array): Promise<void> {
    if (this.#lost) return Promise.reject(this.#lost);
    this.#lastId += 1;
    const receipt = `r${this.#lastId}`;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Whoever asked may have stopped waiting by the time the connection ends.
    promise.catch(() => undefined);
    this.#receipts.set(receipt, { resolve, reject });
    this.#writer.write(command, headers, receipt, body);
    return promise;
  }

  /** Calls back when the socket has been handed all that was sent until now; never, if the connection ends before. */
  whenWritten(done: () => void): void {
    if (!this.#lost) this.#writer.whenWritten(done);
  }

  /**
   * Subscribes under an id that was never used here before. Bodies are cut off at `maxBodyBytes`. `oneByOne`: by its headers the broker
   * hands the next message over when the last one was acknowledged, through the subscription, and not before.
   */
  subscribe(
    headers: StompHeaders,
    onMessage: (message: StompMessage) => void,
    { maxBodyBytes = MAX_BODY_BYTES, oneByOne = false }: { maxBodyBytes?: number; oneByOne?: boolean } = {},
  ): StompSubscription {
    this.#lastId += 1;
    const id = `s${this.#lastId}`;
    const subscriber: Subscriber = { onMessage, maxBodyBytes, oneByOne, holds: false };
    this.#subscribers.set(id, subscriber);
    const confirmed = this.request('SUBSCRIBE', { ...headers, id });
    const acknowledge = (ack: string, more?: StompHeaders) => {
      subscriber.holds = false;
      return this.request('ACK', { ...more, id: ack });
    };
    const unsubscribe = () => {
      this.#subscribers.delete(id);
      return this.request('UNSUBSCRIBE', { id });
    };
    return { id, confirmed, acknowledge, unsubscribe };
  }

  /** Says goodbye, waits a second at most for the broker to let everything go, and closes. Never throws. */
  async close(): Promise<void> {
    if (this.#lost || this.#leaving) return;
    this.#leaving = true;
    this.#subscribers.clear();
    const goodbye = this.request('DISCONNECT', {});
    await within(goodbye, LEAVE_DEADLINE_MS, 'the end of the session').catch(() => undefined);
    this.destroy('closed');
  }

  /** Ends the connection at once. */
  destroy(reason: string): void {
    this.#client.destroy(new Error(reason));
    this.#onEnd(new Error(reason));
  }

  #beat(): void {
    if (!this.#lost) this.#socket.write('\n');
  }

  /**
   * Brokers leave Nagle's algorithm on: of two small frames the second waits for our acknowledgement of the first, which our
   * kernel delays for 40 ms unless it can go with data. So whatever comes in is answered: with our next frame, else with a beat. When
   * there is nothing more to come, it need not be: every write takes as long as half of what else is done for a message.
   */
  #onData(): void {
    this.#lastReceivedAt = performance.now();
    if (this.#answerScheduled) return;
    this.#answerScheduled = true;
    const before = this.#socket.bytesWritten;
    setImmediate(() => {
      this.#answerScheduled = false;
      if (!this.#writer.waits && this.#socket.bytesWritten === before && this.#expects()) this.#beat();
    });
  }

  /** Whether the broker may be about to say something. */
  #expects(): boolean {
    if (this.#receipts.size > 0) return true;
    for (const { holds } of this.#subscribers.values()) if (!holds) return true;
    return false;
  }

  #onMessage(frame: IncomingFrame): void {
    const subscription = String(frame.headers.subscription);
    const subscriber = this.#subscribers.get(subscription);
    readBody(frame, subscriber?.maxBodyBytes ?? 0, (body, truncated, length) => {
      // What comes after UNSUBSCRIBE was on its way: the broker takes it back by itself.
      if (this.#lost || !subscriber || this.#subscribers.get(subscription) !== subscriber) return;
      subscriber.holds = subscriber.oneByOne;
      subscriber.onMessage({ headers: textHeaders(frame), body, truncated, length });
    });
  }

  #onReceipt(id: string): void {
    this.#receiptsSeen += 1;
    const pending = this.#receipts.get(id);
    this.#receipts.delete(id);
    pending?.resolve();
  }

  #onErrorFrame(frame: IncomingFrame): void {
    const message = String(frame.headers.message ?? 'ERROR without a message').slice(0, 300);
    const id = frame.headers['receipt-id'];
    const pending = id === undefined ? undefined : this.#receipts.get(String(id));
    this.#receipts.delete(String(id));
    // An error that answers no frame of ours is about the connection.
    if (pending) pending.reject(new StompRefusedError(message));
    else this.destroy(message);
  }

  #onEnd(cause: Error | undefined): void {
    if (this.#lost) return;
    const reason = this.#leaving ? 'closed' : (cause?.message ?? 'closed by the broker').slice(0, 300);
    this.#lost = new StompLostError(`${formatEndpoint(this.endpoint)}: ${reason}`, { cause });
    this.#stopHeartBeat();
    this.#socket.destroy();
    this.#subscribers.clear();
    const unanswered = [...this.#receipts.values()];
    this.#receipts.clear();
    for (const { reject } of unanswered) reject(this.#lost);
    this.#end(this.#lost);
  }
}

/** Reads the body of a frame to its end, keeping at most `maxBytes` of it. */
function readBody(
  frame: IncomingFrame,
  maxBytes: number,
  done: (body: Buffer, truncated: boolean, length: number) => void,
): void {
  const chunks: Buffer[] = [];
  let kept = 0;
  let length = 0;
  let truncated = false;
  frame.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (kept + chunk.length > maxBytes) truncated = true;
    else {
      kept += chunk.length;
      chunks.push(chunk);
    }
  });
  frame.on('end', () => {
    const [only, ...more] = chunks;
    done(only && more.length === 0 ? only : Buffer.concat(chunks, kept), truncated, length);
  });
}

function textHeaders(frame: IncomingFrame): StompHeaders {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(frame.headers)) headers[name] = String(value);
  return headers;
}
