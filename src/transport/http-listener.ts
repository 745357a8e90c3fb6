import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { logger } from '../logging/index.ts';
import { STREAMED_FROM_BYTES, StreamedBody } from '../message/streamed-body.ts';
import { createServer as createHttpServer } from '../node-http.ts';
import { AnswersOfTurn } from './answers-of-turn.ts';
import { brokenRequestAnswer, unsupportedMethod, writeRawAnswer } from './broken-request.ts';
import { ClientExchange, type ExchangeCounts, newExchangeCounts } from './client-exchange.ts';
import { type HttpAnswer, textAnswer, writeAnswer, writeAnswerHead } from './http-answer.ts';
import { type HttpScheme, type IncomingRequest, incomingRequest, splitTarget } from './incoming-request.ts';
import { listenOn } from './listening.ts';
import { announcedLength, BodyBudget, type BodyReading, hasBody, readBody } from './request-body.ts';
import { bodyTooLarge, RequestCutOff, RequestRefused } from './request-refused.ts';

const log = logger('HttpListener');

/** Takes accepted requests; the deployment behind the listener (OP-34: it looks up the current snapshot per request). */
export interface Dispatcher {
  /** The body limit for requests to this path, bytes; undefined for the listener's own (OP-91: per proxy configurable). */
  bodyLimit?(path: string): number | undefined;
  /** Whether a large body for this request target may be a stream, which nobody will read; absent: never. */
  passesBody?(target: string): boolean;
  /**
   * Sees to it that the exchange is answered: at once, or by running a flow and reporting its end with `inFlowEnded`. What it throws
   * or rejects with becomes a 500.
   */
  dispatch(request: IncomingRequest, exchange: ClientExchange): void | Promise<void>;
}

/** What a listener accepts (OP-91, REQ-23). Bytes and ms. */
export interface ListenerLimits {
  readonly maxBodyBytes: number;
  /** One header line, or the request line. */
  readonly maxHeaderLineBytes: number;
  /** All headers of a request. */
  readonly maxHeadersBytes: number;
  /** From the first byte of a request, or the opening of a connection, to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** Longest silence in the middle of a body. */
  readonly bodyIdleMs: number;
  /** Longest time for one body. */
  readonly bodyTotalMs: number;
  /** How long an unused connection is kept. */
  readonly keepAliveMs: number;
  /** How long a client waits for its answer at most; then 504 (REQ-3). */
  readonly answerMs: number;
  readonly maxConnections: number;
  /** Bodies of all requests that are not answered yet; more requests get 503 with Retry-After (OP-100). */
  readonly maxHeldBytes: number;
}

export const DEFAULT_LIMITS: ListenerLimits = {
  maxBodyBytes: 16 * 1024 * 1024,
  maxHeaderLineBytes: 8 * 1024,
  maxHeadersBytes: 64 * 1024,
  headersTimeoutMs: 30_000,
  bodyIdleMs: 30_000,
  bodyTotalMs: 180_000,
  keepAliveMs: 60_000,
  // The global timeout of sends (120 s) answers by itself; this is for what does not.
  answerMs: 125_000,
  maxConnections: 10_000,
  maxHeldBytes: 256 * 1024 * 1024,
};

export interface HttpListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** PEM key and certificate: makes it an https listener. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly dispatcher: Dispatcher;
  readonly limits?: Partial<ListenerLimits>;
  /** See ExchangeOptions.acknowledgeTaken (REQ-1). */
  readonly acknowledgeTaken?: boolean;
  /** `http.headers.preserve`: lower-case names. */
  readonly preservedHeaders?: ReadonlySet<string>;
  /** Takes connections that are to speak another protocol; without it the `Upgrade` header is ignored. The socket is its own from then on. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** For metrics: what is going on now, and monotonic counters. */
export interface ListenerCounts extends Readonly<ExchangeCounts> {
  /** Requests that have no complete response yet. */
  readonly inFlight: number;
  readonly heldBytes: number;
  /** Requests with complete headers. */
  readonly requests: number;
  /** Requests answered with 4xx or 5xx before anyone saw them, malformed ones included. */
  readonly refused: number;
}

export interface HttpListener {
  readonly scheme: HttpScheme;
  readonly host: string;
  /** The real port. */
  readonly port: number;
  counts(): ListenerCounts;
  /** Stops accepting, lets requests in flight finish, and closes every connection after that many ms at the latest (OP-110). */
  close(deadlineMs: number): Promise<void>;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/**
 * A refused client is read on for this long: closing at once would reset the connection while it still sends, and it would never see
 * the answer.
 */
const LINGER_MS = 1000;
const TLS_HANDSHAKE_MS = 30_000;
const CHUNKED = 'transfer-encoding';
const MAX_CHECK_INTERVAL_MS = 1000;
const RETRY_AFTER_SECONDS = '1';
/** A client that sends more requests than this without waiting for an answer is cut off: node:http has no way to stop reading them. */
const MAX_PIPELINED = 256;

/**
 * Opens an HTTP or HTTPS listener that hands complete requests to the dispatcher (spec proxies 2.3, OP-91, OP-101).
 * @throws PortTakenError
 * @throws ListenError
 */
export async function startHttpListener(options: HttpListenerOptions): Promise<HttpListener> {
  const listener = new Listener(options);
  await listener.open();
  return listener;
}

/** A request from its headers to the end of its response. */
interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  reading: BodyReading | undefined;
  /** A body that is passed on while it comes. */
  stream: StreamedBody | undefined;
  /** An answer that is passed on while it comes. */
  answering: StreamedBody | undefined;
  exchange: ClientExchange | undefined;
}

/** What is going on on one connection: pipelined requests are served together and answered in order. */
interface ConnectionState {
  readonly served: Set<Served>;
  /** What came after these requests was no HTTP: the connection ends with the last of them. */
  broken: boolean;
}

class Listener implements HttpListener {
  readonly scheme: HttpScheme;
  readonly host: string;
  readonly #options: HttpListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #server: Server;
  readonly #budget: BodyBudget;
  readonly #counts = newExchangeCounts();
  readonly #connections = new WeakMap<Duplex, ConnectionState>();
  /** Connections that got their last answer outside of any request. */
  readonly #refusedConnections = new WeakSet<Duplex>();
  readonly #awaitingContinue = new WeakSet<IncomingMessage>();
  readonly #answers = new AnswersOfTurn();
  #inFlight = 0;
  #requests = 0;
  #refused = 0;
  #closing: Promise<void> | undefined;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#budget = new BodyBudget(this.#limits.maxHeldBytes);
    this.scheme = options.tls ? 'https' : 'http';
    this.host = options.host;
    this.#server = this.#createServer();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  async open(): Promise<void> {
    await listenOn(this.#server, this.#options.port, this.host);
    this.#server.on('error', (error) => log.error(`The ${this.scheme} listener failed: ${error.message}`));
  }

  counts(): ListenerCounts {
    return {
      ...this.#counts,
      inFlight: this.#inFlight,
      heldBytes: this.#budget.heldBytes,
      requests: this.#requests,
      refused: this.#refused,
    };
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const deadline = setTimeout(() => this.#server.closeAllConnections(), deadlineMs);
      this.#server.close(() => {
        clearTimeout(deadline);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
    return this.#closing;
  }

  #createServer(): Server {
    const { headersTimeoutMs, keepAliveMs, maxHeadersBytes } = this.#limits;
    const { tls } = this.#options;
    const settings: ServerOptions = {
      maxHeaderSize: maxHeadersBytes,
      headersTimeout: headersTimeoutMs,
      // Bodies have deadlines of their own, which can be answered properly.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, headersTimeoutMs),
      noDelay: true,
    };
    const handle = this.#application();
    const server = tls
      ? createHttpsServer({ ...settings, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: TLS_HANDSHAKE_MS }, handle)
      : createHttpServer(settings, handle);
    server.maxConnections = this.#limits.maxConnections;
    // Among several workers a connection too many would else be handed from one to the next for ever; it has no effect otherwise.
    Object.assign(server, { dropMaxConnection: true });
    // The size is bounded; with a bound for the number, node:http would silently leave out the rest.
    server.maxHeadersCount = 0;
    server.on('checkContinue', (request, response) => {
      this.#awaitingContinue.add(request);
      handle(request, response);
    });
    server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) =>
      this.#onClientError(error, socket),
    );
    if (this.#options.upgrade) server.on('upgrade', this.#options.upgrade);
    server.on('connect', (_request, socket) => this.#refuseConnection(socket, unsupportedMethod('CONNECT')));
    server.on('drop', () => log.warn(`A connection was refused: ${this.#limits.maxConnections} are open`));
    return server;
  }

  /** Directly on node:http: what koa would make for each request, a context with its own request and response, nobody here looks at. */
  #application(): (request: IncomingMessage, response: ServerResponse) => void {
    return (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        log.error(`A request could not be served: ${error instanceof Error ? error.message : String(error)}`);
        response.destroy();
      });
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const served = this.#begin(request, response);
    try {
      const body = await this.#receive(served);
      if (body instanceof StreamedBody) this.#passes(served, body);
      const dispatched = this.#dispatch(served, body);
      if (dispatched) await dispatched;
    } catch (error) {
      if (error instanceof RequestRefused) this.#refuse(served, error);
      else if (error instanceof RequestCutOff) log.debug(error.message);
      else throw error;
    }
  }

  #begin(request: IncomingMessage, response: ServerResponse): Served {
    const nothingYet = { reading: undefined, stream: undefined, answering: undefined, exchange: undefined };
    const served: Served = { request, response, ...nothingYet };
    const { socket } = request;
    const state = this.#stateOf(socket);
    state.served.add(served);
    this.#inFlight += 1;
    this.#requests += 1;
    if (state.served.size > MAX_PIPELINED && !socket.destroyed) {
      log.warn(
        `A connection from ${socket.remoteAddress ?? '?'} was cut off: more than ${MAX_PIPELINED} pipelined requests`,
      );
      socket.destroy();
    }
    response.once('close', () => this.#end(served, state));
    return served;
  }

  #stateOf(socket: Socket): ConnectionState {
    const known = this.#connections.get(socket);
    if (known) return known;
    const state: ConnectionState = { served: new Set(), broken: false };
    this.#connections.set(socket, state);
    // A pipelined response that is not at its turn yet hears nothing of the end of its connection.
    socket.once('close', () => {
      for (const served of state.served) this.#end(served, state);
    });
    return state;
  }

  /** The response is complete, or the connection is gone. */
  #end(served: Served, state: ConnectionState): void {
    if (!state.served.delete(served)) return;
    this.#inFlight -= 1;
    served.reading?.release();
    // A response that was not at its turn yet does not tell by itself that nobody will take it.
    served.answering?.cancel();
    if (!served.response.writableFinished) served.exchange?.clientGone();
    // The response may have promised to keep the connection before the closing began.
    if (this.#closing) setImmediate(() => this.#server.closeIdleConnections());
  }

  #receive(served: Served): Promise<Uint8Array | StreamedBody> {
    const { request, response } = served;
    const { dispatcher } = this.#options;
    this.#checkHead(request);
    const target = request.url ?? '/';
    const announced = announcedLength(request);
    const ownLimit = hasBody(request) ? dispatcher.bodyLimit?.(splitTarget(target).path) : undefined;
    const maxBytes = ownLimit ?? this.#limits.maxBodyBytes;
    if ((announced ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
    if (this.#awaitingContinue.delete(request)) response.writeContinue();
    const { bodyIdleMs, bodyTotalMs } = this.#limits;
    // Nobody needs to be asked for a body that is too small.
    const mayPass = announced === undefined ? CHUNKED in request.headers : announced > STREAMED_FROM_BYTES;
    const passFrom = mayPass && dispatcher.passesBody?.(target) ? STREAMED_FROM_BYTES : undefined;
    const limits = { maxBytes, idleMs: bodyIdleMs, totalMs: bodyTotalMs };
    served.reading = readBody(request, limits, this.#budget, passFrom);
    return served.reading.body;
  }

  #passes(served: Served, body: StreamedBody): void {
    served.stream = body;
    body.onEnd((end) => {
      if (!(end instanceof RequestRefused)) return;
      served.exchange?.refused();
      if (served.response.headersSent) served.response.destroy();
      else this.#refuse(served, end);
    });
  }

  #checkHead(request: IncomingMessage): void {
    const { method = '', url = '', rawHeaders, httpVersionMajor } = request;
    const { maxHeaderLineBytes } = this.#limits;
    // node:http takes a request line without version for HTTP/0.9.
    if (httpVersionMajor < 1) throw new RequestRefused(400, 'Bad request');
    if (!METHODS.has(method)) throw new RequestRefused(501, `The method ${method} is not supported`);
    if (method.length + url.length > maxHeaderLineBytes)
      throw new RequestRefused(414, 'The request target is too long');
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
      if (name.length + value.length > maxHeaderLineBytes) {
        throw new RequestRefused(431, `The header ${name.slice(0, 64)} is longer than ${maxHeaderLineBytes} bytes`);
      }
    }
  }

  /** Undefined: nothing is waited for any more. */
  #dispatch(served: Served, body: Uint8Array | StreamedBody): Promise<void> | undefined {
    const { acknowledgeTaken, preservedHeaders, dispatcher } = this.#options;
    const { answerMs, bodyTotalMs } = this.#limits;
    const request = incomingRequest(served.request, body, this.scheme);
    const exchange = new ClientExchange({
      request,
      // What is still coming has a deadline of its own.
      deadlineMs: served.stream ? bodyTotalMs + answerMs : answerMs,
      deliver: (answer) => {
        // What is passed on while it comes keeps others waiting if it has to wait.
        if (answer.stream) this.#deliver(served, answer);
        else this.#answers.add(() => this.#deliver(served, answer));
      },
      counts: this.#counts,
      acknowledgeTaken,
      preservedHeaders,
    });
    served.exchange = exchange;
    if (served.request.socket.destroyed) exchange.clientGone();
    else if (served.stream?.error) exchange.refused();
    try {
      const dispatched = dispatcher.dispatch(request, exchange);
      return dispatched instanceof Promise ? dispatched.catch((error: unknown) => exchange.broke(error)) : undefined;
    } catch (error) {
      exchange.broke(error);
      return undefined;
    }
  }

  #deliver(served: Served, answer: HttpAnswer): void {
    const { request, response, stream } = served;
    if (response.headersSent || response.destroyed) {
      answer.stream?.cancel();
      return;
    }
    served.answering = answer.stream;
    try {
      const last = this.#endsConnection(served) ? { ...answer, close: true } : answer;
      // Asked of the response, too: its client may want the connection to end, or be of HTTP/1.0.
      const ends = last.close || !response.shouldKeepAlive;
      if (stream && ends) writeAnswer(response, last, (rest) => endAfterRequest(request, response, rest));
      else writeAnswer(response, last);
    } catch (error) {
      log.error(`A response could not be written: ${error instanceof Error ? error.message : String(error)}`);
      answer.stream?.cancel();
      response.destroy();
    }
    // An answer without a look at the body: the rest of it is not needed.
    if (stream?.taken === false) stream.cancel();
  }

  /** Only the last of several pipelined requests may end the connection, or the others would lose their answers. */
  #endsConnection({ request }: Served): boolean {
    const state = this.#stateOf(request.socket);
    return (this.#closing !== undefined || state.broken) && state.served.size <= 1;
  }

  /** Answers at once and closes, in a way that lets a client that is still sending see the answer. */
  #refuse({ request, response }: Served, refusal: RequestRefused): void {
    this.#refused += 1;
    log.debug(
      `A request from ${request.socket.remoteAddress ?? '?'} was refused with ${refusal.status}: ${refusal.message}`,
    );
    if (response.headersSent || response.destroyed) return;
    const answer = { ...textAnswer(refusal.status, 'text/plain', refusal.message), close: true };
    if (refusal.status === 503) answer.headers.set('Retry-After', RETRY_AFTER_SECONDS);
    const nothingMoreComes = refusal.nothingMoreComes || request.complete || this.#awaitingContinue.has(request);
    if (nothingMoreComes || request.method === 'HEAD') {
      writeAnswer(response, answer);
      return;
    }
    writeAnswerHead(response, answer);
    endAfterRequest(request, response, answer.body);
    request.resume();
  }

  #onClientError(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex): void {
    if (this.#refusedConnections.has(socket)) return;
    const answer = brokenRequestAnswer(error);
    if (!answer || !socket.writable) {
      socket.destroy();
      return;
    }
    const state = this.#connections.get(socket);
    const last = state && [...state.served].at(-1);
    if (!last) {
      this.#refuseConnection(socket, answer);
      return;
    }
    state.broken = true;
    // The rest of a chunked body may be what is no HTTP; complete requests still get their answers.
    const halfClosed = error.code === 'HPE_INVALID_EOF_STATE';
    last.reading?.refuse(new RequestRefused(answer.status, answer.text, halfClosed));
  }

  #refuseConnection(socket: Duplex, answer: { readonly status: number; readonly text: string }): void {
    this.#refused += 1;
    this.#refusedConnections.add(socket);
    log.debug(`A connection was refused with ${answer.status}: ${answer.text}`);
    writeRawAnswer(socket, answer.status, answer.text);
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(linger));
  }
}

/** Ends a response, and with it the connection, when the client has sent what it wants to send, so that it sees the answer. */
function endAfterRequest(request: IncomingMessage, response: ServerResponse, rest: Uint8Array | undefined): void {
  if (request.complete) {
    response.end(rest);
    return;
  }
  if (rest) response.write(rest);
  const linger = setTimeout(() => response.end(), LINGER_MS);
  response.once('close', () => clearTimeout(linger));
  request.once('end', () => response.end());
}
