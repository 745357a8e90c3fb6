import { setMaxListeners } from 'node:events';
import { type ConnectionOptions, checkServerIdentity, createSecureContext, rootCertificates } from 'node:tls';
import type { buildConnector as Connectors, Dispatcher } from 'undici';
import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { TransportHeaders } from '../message/headers.ts';
import { ownCopy } from '../own-copy.ts';
import { type Connection, ConnectionPool, type ConnectionUse, type TrackedDispatchOptions } from './connection-pool.ts';
import {
  connectTimedOut,
  type FailedSend,
  invalidAddress,
  isConnectionClosed,
  responseTooLarge,
  type SendPhase,
  sendAborted,
  sendFailure,
  sendTimedOut,
  tooManyWaiting,
} from './send-failure.ts';
import { buildConnector } from './undici.ts';

declare module '../message/configuration.ts' {
  interface Services {
    http: HttpSender;
  }
}

const log = logger('HttpSender');

/** One request to a back end. */
export interface HttpRequest {
  readonly method: string;
  /** An absolute http or https URL. */
  readonly url: string;
  /** In order; a name may occur more than once. Connection headers and lengths are dropped: the sender sets its own. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body?: Uint8Array | undefined;
  /** How long to wait for a connection, ms; the sender's own limit applies too. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long to wait for the complete response, connecting included, ms (REQ-4). */
  readonly responseTimeoutMs?: number | undefined;
  /** Ends the send early. */
  readonly signal?: AbortSignal | undefined;
  /** One-way: the response's body is read and forgotten. */
  readonly discardBody?: boolean | undefined;
  /**
   * Sends once more, on another connection, when a reused keep-alive connection was closed without a byte of an answer: almost
   * always the back end had closed it as idle. Default true; false where a duplicate is worse than a failure.
   */
  readonly retryStale?: boolean | undefined;
  /** Absolute form in the request line, as for a proxy (POST_TO_URI, FULL_URI). */
  readonly absoluteForm?: boolean | undefined;
  /** For log lines. */
  readonly correlationId?: string | undefined;
  /** What log lines say of the message that is sent (OP-70); asked only when there is something to say. */
  readonly about?: (() => LogDetails) | undefined;
}

/** A back end's answer, whatever its status. */
export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: TransportHeaders;
  /** Empty when there was none, or when it was not wanted. */
  readonly body: Uint8Array;
}

/** Whom the sender trusts (spec proxies 2.4, REQ-19). */
export interface TlsTrust {
  /** PEM certificates that are trusted besides the usual authorities. */
  readonly ca?: readonly string[];
  /**
   * How host names are compared with certificates: `Strict` and absent verify as browsers do, `DefaultAndLocalhost` also accepts
   * any certificate for localhost, `AllowAll` does not compare.
   */
  readonly hostnameVerifier?: 'Strict' | 'DefaultAndLocalhost' | 'AllowAll';
  /** True accepts certificates that nobody vouches for. Only for experiments; said in the log. */
  readonly trustAnyCertificate?: boolean;
}

export interface HttpSenderOptions {
  /** Open connections to one back end at most; more requests wait. Default 256. */
  readonly connectionsPerOrigin?: number;
  /** Requests that may wait for a connection to one back end. Default 10,000. */
  readonly waitingPerOrigin?: number;
  /** Back ends whose connections are kept. Default 1,024. */
  readonly origins?: number;
  /** Upper limit of every connect deadline, ms. Default 90,000 (spec proxies 2.2). */
  readonly connectTimeoutMs?: number;
  /** Longest silence of a back end, ms. Default 180,000 (spec proxies 2.2). */
  readonly socketTimeoutMs?: number;
  /** How long an unused connection is kept, ms; a back end's own hint goes first. Default 15,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Largest response body, bytes. Default 16 MiB (REQ-23). */
  readonly maxResponseBytes?: number;
  readonly tls?: TlsTrust;
}

const DEFAULTS = {
  connectionsPerOrigin: 256,
  waitingPerOrigin: 10_000,
  origins: 1024,
  connectTimeoutMs: 90_000,
  socketTimeoutMs: 180_000,
  keepAliveTimeoutMs: 15_000,
  maxResponseBytes: 16 * 1024 * 1024,
} as const;

/** Set by the sender from what it really sends, or meaningless beyond one connection. */
const NOT_SENT = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const NO_BYTES = new Uint8Array(0);
const KNOWN_ADDRESSES = 256;
/** Characters. */
const LONGEST_KNOWN_ADDRESS = 512;
/** undici's own timers tick twice a second, so its connect deadline only backs up ours. */
const CONNECT_BACKUP_MS = 1000;

/**
 * Sends requests to back ends over kept-alive connections, with a limit of connections per back end and a deadline for everything
 * (spec proxies 2.4, 2.5). Statuses are answers, not errors.
 */
export class HttpSender {
  readonly #limits: Required<Omit<HttpSenderOptions, 'tls'>>;
  readonly #connect: Connectors.connector;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #addresses = new Map<string, URL>();
  #closed = false;

  constructor(options: HttpSenderOptions = {}) {
    const { tls, ...limits } = options;
    this.#limits = { ...DEFAULTS, ...limits };
    this.#connect = buildConnector({
      ...trustOptions(tls ?? {}),
      timeout: this.#limits.connectTimeoutMs + CONNECT_BACKUP_MS,
    });
  }

  /**
   * Sends a request and waits for the complete response.
   * @throws MediationError with the composed code, BASE_ERROR_CODE and ERROR_CAUSE of spec proxies 3.7 and REQ-5
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const deadline =
      request.responseTimeoutMs === undefined ? undefined : performance.now() + request.responseTimeoutMs;
    const url = this.#address(request.url);
    const first = await this.#attempt(request, url, deadline, request.retryStale !== false);
    if (first !== 'stale') return first;
    log.debug(`A kept connection to ${url.host} had been closed; the request is sent once more`, request.about?.());
    const second = await this.#attempt(request, url, deadline, false);
    if (second === 'stale')
      throw new Error('unreachable: only an attempt that may be repeated reports a stale connection');
    return second;
  }

  /**
   * Waits for what is under way, at most that long (ms), then closes every connection. Sends that are cut off then, and later ones,
   * fail as aborted.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.allSettled(pools.map((pool) => pool.close())), expired]);
    clearTimeout(timer);
    await Promise.allSettled(pools.map((pool) => pool.destroy()));
  }

  /** Most addresses stand in an artifact and are the same for every message. */
  #address(address: string): URL {
    const known = this.#addresses.get(address);
    if (known) return known;
    if (address.length > LONGEST_KNOWN_ADDRESS) return parseAddress(address);
    const own = ownCopy(address);
    const url = parseAddress(own);
    if (this.#addresses.size >= KNOWN_ADDRESSES) this.#addresses.clear();
    this.#addresses.set(own, url);
    return url;
  }

  #attempt(
    request: HttpRequest,
    url: URL,
    deadline: number | undefined,
    mayRepeat: boolean,
  ): Promise<HttpResponse | 'stale'> {
    if (this.#closed) throw sendAborted(undefined);
    if (request.signal?.aborted) throw sendAborted(request.signal.reason);
    const pool = this.#poolFor(url);
    const attempt = new SendAttempt({ request, url, pool, deadline, mayRepeat, limits: this.#limits });
    return attempt.run();
  }

  #poolFor(url: URL): ConnectionPool {
    const known = this.#pools.get(url.origin);
    if (known) return known;
    if (this.#pools.size >= this.#limits.origins) this.#dropIdlePool();
    const pool = new ConnectionPool(url.origin, {
      connections: this.#limits.connectionsPerOrigin,
      keepAliveTimeoutMs: this.#limits.keepAliveTimeoutMs,
      socketTimeoutMs: this.#limits.socketTimeoutMs,
      connect: this.#connect,
    });
    this.#pools.set(url.origin, pool);
    return pool;
  }

  /** Forgets the back end that was not used for the longest time. If all are busy, their number is bounded by what is under way. */
  #dropIdlePool(): void {
    let oldest: [string, ConnectionPool] | undefined;
    for (const entry of this.#pools) {
      if (entry[1].active === 0 && (!oldest || entry[1].lastUsed < oldest[1].lastUsed)) oldest = entry;
    }
    if (!oldest) return;
    this.#pools.delete(oldest[0]);
    oldest[1].close().catch((error: unknown) => log.warn(`Connections could not be closed: ${String(error)}`));
  }
}

interface AttemptOptions {
  readonly request: HttpRequest;
  readonly url: URL;
  readonly pool: ConnectionPool;
  /** On the `performance.now()` clock. */
  readonly deadline: number | undefined;
  /** Report a stale connection instead of failing. */
  readonly mayRepeat: boolean;
  readonly limits: Required<Omit<HttpSenderOptions, 'tls'>>;
}

/**
 * One request on one connection.
 *
 * ```
 * connecting ──onRequestStart──► waiting ──onResponseStart──► receiving ──onResponseEnd──► settled (response)
 *     │ connect deadline            │                             │
 *     └─────────────────────────────┴── error, deadline, signal ──┴──────────────────────► settled (failure, or stale)
 * ```
 * An attempt that was settled while `connecting` still sits in the pool's queue; it is aborted there before a byte is written.
 */
class SendAttempt implements Dispatcher.DispatchHandler {
  readonly #options: AttemptOptions;
  #phase: Exclude<SendPhase, 'writing'> | 'settled' = 'connecting';
  #connection: Connection | undefined;
  #use: ConnectionUse | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #queued = false;
  #status = 0;
  #reason = '';
  #headers: TransportHeaders | undefined;
  readonly #chunks: Uint8Array[] = [];
  #received = 0;
  readonly #outcome = Promise.withResolvers<HttpResponse | 'stale'>();
  readonly #onAbort = () => this.#abort(sendAborted(this.#options.request.signal?.reason));

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  run(): Promise<HttpResponse | 'stale'> {
    const { request, url, pool, limits } = this.#options;
    if (pool.waiting >= limits.waitingPerOrigin) throw tooManyWaiting(this.#failed(), limits.waitingPerOrigin);
    const options: TrackedDispatchOptions = {
      path: `${request.absoluteForm ? url.origin : ''}${url.pathname}${url.search}`,
      method: request.method as Dispatcher.HttpMethod,
      headers: headerList(request, url),
      body: request.body && request.body.byteLength > 0 ? request.body : null,
      reset: wantsClose(request.headers),
      assigned: (connection) => {
        this.#connection = connection;
      },
    };
    pool.lastUsed = Date.now();
    pool.active += 1;
    pool.waiting += 1;
    this.#queued = true;
    if (request.signal) {
      // One signal may end very many sends, and each takes its listener away again.
      setMaxListeners(0, request.signal);
      request.signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    pool.dispatch(options, this);
    // With a free connection the request is under way already.
    if (this.#phase === 'connecting') this.#armConnecting();
    return this.#outcome.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#leaveQueue();
    if (this.#phase === 'settled') {
      controller.abort(new Error('The send was given up before it had a connection'));
      return;
    }
    this.#controller = controller;
    this.#phase = 'waiting';
    const use = this.#connection?.beginRequest();
    this.#use = use;
    // undici writes the request right after this returns.
    if (use) queueMicrotask(() => this.#phase === 'waiting' && use.watchWriting());
    clearTimeout(this.#timer);
    this.#armResponse();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason?: string): void {
    if (this.#phase === 'settled' || status < 200) return;
    this.#phase = 'receiving';
    this.#status = status;
    this.#reason = reason ?? '';
    this.#headers = decodeHeaders(controller.rawHeaders);
    const { request, limits } = this.#options;
    const announced = Number(this.#headers.get('Content-Length') ?? 0);
    const hasBody = request.method !== 'HEAD' && !request.discardBody;
    if (hasBody && announced > limits.maxResponseBytes)
      this.#abort(responseTooLarge(this.#failed(), limits.maxResponseBytes));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const { request, limits } = this.#options;
    if (this.#phase === 'settled' || request.discardBody) return;
    this.#received += chunk.byteLength;
    if (this.#received > limits.maxResponseBytes) {
      this.#abort(responseTooLarge(this.#failed(), limits.maxResponseBytes));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#phase === 'settled') return;
    this.#settle();
    const [only] = this.#chunks;
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks, this.#received) : (only ?? NO_BYTES);
    const headers = this.#headers ?? new TransportHeaders();
    const response = { status: this.#status, reason: this.#reason, headers, body };
    // undici takes the connection back one turn of the event loop later, in an immediate that it sets after this call. Whoever sends
    // next because of this response shall find that connection, not open another one.
    queueMicrotask(() => setImmediate(() => this.#outcome.resolve(response)));
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#leaveQueue();
    if (this.#phase === 'settled') return;
    if (this.#options.mayRepeat && this.#phase === 'waiting' && isConnectionClosed(error) && this.#isStale()) {
      this.#settle();
      this.#outcome.resolve('stale');
      return;
    }
    const failure = isSenderClosing(error) ? sendAborted(error) : sendFailure(error, this.#failed());
    this.#settle();
    this.#outcome.reject(failure);
  }

  #isStale(): boolean {
    return this.#use?.reused === true && this.#use.silent;
  }

  #armConnecting(): void {
    const { request, limits } = this.#options;
    const connect = Math.min(request.connectTimeoutMs ?? limits.connectTimeoutMs, limits.connectTimeoutMs);
    const whole = this.#remaining();
    if (whole !== undefined && whole <= connect) this.#armResponse();
    else this.#timer = setTimeout(() => this.#abort(connectTimedOut(this.#failed(), connect)), connect);
  }

  #armResponse(): void {
    const whole = this.#remaining();
    if (whole === undefined) return;
    const timeoutMs = this.#options.request.responseTimeoutMs ?? 0;
    this.#timer = setTimeout(() => this.#abort(sendTimedOut(this.#failed(), timeoutMs)), whole);
  }

  #remaining(): number | undefined {
    const { deadline } = this.#options;
    return deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
  }

  /** Ends the attempt for a reason of ours; the connection cannot be used again. */
  #abort(failure: Error): void {
    if (this.#phase === 'settled') return;
    this.#settle();
    this.#outcome.reject(failure);
    this.#controller?.abort(failure);
  }

  #settle(): void {
    this.#phase = 'settled';
    clearTimeout(this.#timer);
    this.#use?.end();
    this.#options.pool.active -= 1;
    this.#options.request.signal?.removeEventListener('abort', this.#onAbort);
  }

  #leaveQueue(): void {
    if (!this.#queued) return;
    this.#queued = false;
    this.#options.pool.waiting -= 1;
  }

  #failed(): FailedSend {
    const { request, url, limits } = this.#options;
    const phase = this.#phase === 'waiting' && this.#use?.unsent ? 'writing' : this.#phase;
    return {
      phase: phase === 'settled' ? 'receiving' : phase,
      method: request.method,
      url,
      correlationId: request.correlationId,
      about: request.about,
      socketTimeoutMs: limits.socketTimeoutMs,
    };
  }
}

function parseAddress(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch (error) {
    throw invalidAddress(address, error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidAddress(address);
  return url;
}

function headerList({ headers }: HttpRequest, url: URL): string[] {
  const list: string[] = [];
  let authorized = false;
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (NOT_SENT.has(key)) continue;
    authorized ||= key === 'authorization';
    list.push(name, value);
  }
  if (url.username !== '' && !authorized) list.push('Authorization', basicCredentials(url));
  return list;
}

function basicCredentials({ username, password }: URL): string {
  const plain = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(plain, 'utf8').toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function wantsClose(headers: HttpRequest['headers']): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'connection' && /\bclose\b/i.test(value));
}

function decodeHeaders(raw: unknown): TransportHeaders {
  const headers = new TransportHeaders();
  if (!Array.isArray(raw)) return headers;
  for (let index = 0; index + 1 < raw.length; index += 2) headers.add(latin1(raw[index]), latin1(raw[index + 1]));
  return headers;
}

function latin1(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

function isSenderClosing(error: Error): boolean {
  return 'code' in error && (error.code === 'UND_ERR_DESTROYED' || error.code === 'UND_ERR_CLOSED');
}

/** Verification is on unless switched off in so many words. One context for all connections: parsing the authorities costs ms. */
function trustOptions({ ca = [], hostnameVerifier, trustAnyCertificate }: TlsTrust): Connectors.BuildOptions {
  const options: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    secureContext: createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca.length > 0 && { ca: [...rootCertificates, ...ca] }),
    }),
    rejectUnauthorized: trustAnyCertificate !== true,
  };
  if (hostnameVerifier === 'AllowAll') options.checkServerIdentity = () => undefined;
  if (hostnameVerifier === 'DefaultAndLocalhost') {
    options.checkServerIdentity = (host, certificate) =>
      LOCAL_NAMES.has(host) ? undefined : checkServerIdentity(host, certificate);
  }
  if (trustAnyCertificate)
    log.warn('Certificates of back ends are not verified: anyone on the way can read and change messages');
  if (hostnameVerifier === 'AllowAll') log.warn('Host names in certificates of back ends are not verified (AllowAll)');
  return options as Connectors.BuildOptions;
}

const LOCAL_NAMES = new Set(['localhost', 'localhost.localdomain', '127.0.0.1', '::1']);
