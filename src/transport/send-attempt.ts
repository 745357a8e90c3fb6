import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { TransportHeaders } from '../message/headers.ts';
import { type BodySource, ENOUGH_OF_LARGE_BYTES, StreamedBody } from '../message/streamed-body.ts';
import type { Connection, ConnectionPool, ConnectionUse, TrackedDispatchOptions } from './connection-pool.ts';
import type { HttpRequest, HttpResponse } from './http-exchange.ts';
import { OutgoingBody } from './outgoing-body.ts';
import type { SendClock } from './send-clock.ts';
import {
  connectTimedOut,
  type FailedSend,
  isConnectionClosed,
  requestBrokenOff,
  responseTooLarge,
  type SendPhase,
  sendAborted,
  sendFailure,
  sendTimedOut,
  tooManyWaiting,
} from './send-failure.ts';
import { decodeHeaders, headerList, wantsClose } from './sender-headers.ts';
import { chunkCame } from './spent-buffers.ts';

/** Of the sender, for each of its requests. */
export interface SendLimits {
  readonly waitingPerOrigin: number;
  readonly connectTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly maxResponseBytes: number;
}

const NO_BYTES = new Uint8Array(0);

export interface AttemptOptions {
  readonly request: HttpRequest;
  readonly url: URL;
  readonly pool: ConnectionPool;
  /** Undefined: no end. */
  readonly clock: SendClock | undefined;
  /** Report a stale connection instead of failing. */
  readonly mayRepeat: boolean;
  readonly limits: SendLimits;
}

/**
 * One request on one connection.
 *
 * ```
 * connecting ──onRequestStart──► waiting ──onResponseStart──► receiving ──onResponseEnd──► settled (response)
 *     │ connect deadline            │                             │ ╲ more than `passFrom` bytes (the response is given out)
 *     │                             │                             │  ► passing ──onResponseEnd──► settled (its stream ends)
 *     │                             │                             │       │
 *     └─────────────────────────────┴── error, deadline, signal ──┴───────┴──────────────► settled (failure, or stale; the stream breaks off)
 * ```
 * An attempt that was settled while `connecting` still sits in the pool's queue; it is aborted there before a byte is written. A body
 * that is a stream goes out in all of these phases; an answer that is complete before it was all sent ends that.
 */
export class SendAttempt implements Dispatcher.DispatchHandler, BodySource {
  readonly #options: AttemptOptions;
  #phase: Exclude<SendPhase, 'writing'> | 'passing' | 'settled' = 'connecting';
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
  /** With more bytes than that the response is given out. */
  #enough = Number.POSITIVE_INFINITY;
  readonly #outcome = Promise.withResolvers<HttpResponse | 'stale'>();
  #outgoing: OutgoingBody | undefined;
  #passed: StreamedBody | undefined;
  /** The client of the request has to send more before the back end can answer. */
  #awaitsClient = false;
  /** All of the answer is kept, here or by whoever takes it. */
  #holds: boolean;
  /** Whoever takes the answer has enough for now. */
  #answerWaits = false;
  readonly #onAbort = () => this.#abort(sendAborted(this.#options.request.signal?.reason));

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#holds = options.request.passFrom === undefined;
  }

  run(): Promise<HttpResponse | 'stale'> {
    const { request, url, pool, limits } = this.#options;
    if (pool.waiting >= limits.waitingPerOrigin) throw tooManyWaiting(this.#failed(), limits.waitingPerOrigin);
    const options: TrackedDispatchOptions = {
      path: `${request.absoluteForm ? url.origin : ''}${url.pathname}${url.search}`,
      method: request.method as Dispatcher.HttpMethod,
      headers: headerList(request, url),
      body: this.#body(),
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

  #body(): Readable | Uint8Array | null {
    const { body, stream } = this.#options.request;
    if (!stream) return body && body.byteLength > 0 ? body : null;
    if (this.#options.mayRepeat) stream.remember();
    this.#outgoing = new OutgoingBody(stream, {
      unwritten: () => this.#use?.unwritten ?? 0,
      onWait: (forClient) => {
        this.#awaitsClient = forClient;
        this.#setClock();
      },
    });
    return this.#outgoing.readable;
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
    this.#options.request.stream?.forget();
    this.#status = status;
    this.#reason = reason ?? '';
    this.#headers = decodeHeaders(controller.rawHeaders);
    const { request, limits } = this.#options;
    const announced = Number(this.#headers.get('Content-Length') ?? 0);
    const { passFrom } = request;
    if (passFrom !== undefined) this.#enough = announced > passFrom ? ENOUGH_OF_LARGE_BYTES : passFrom;
    const hasBody = request.method !== 'HEAD' && !request.discardBody;
    if (hasBody && this.#holds && announced > limits.maxResponseBytes)
      this.#abort(responseTooLarge(this.#failed(), limits.maxResponseBytes));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const { request, limits } = this.#options;
    // After a pause undici's parser begins with a chunk of nothing.
    if (this.#phase === 'settled' || request.discardBody || chunk.byteLength === 0) return;
    chunkCame(chunk.byteLength);
    this.#received += chunk.byteLength;
    if (this.#holds && this.#received > limits.maxResponseBytes) {
      this.#abort(responseTooLarge(this.#failed(), limits.maxResponseBytes));
      return;
    }
    if (this.#passed) {
      this.#passed.push(chunk);
      return;
    }
    this.#chunks.push(chunk);
    if (this.#received > this.#enough) this.#passOn();
  }

  /** There is too much to wait for the end of it. */
  #passOn(): void {
    const headers = this.#headers ?? new TransportHeaders();
    const announced = headers.get('Content-Length');
    const stream = new StreamedBody(this.#together(), announced === undefined ? undefined : Number(announced), this);
    this.#passed = stream;
    this.#phase = 'passing';
    this.#outcome.resolve({ status: this.#status, reason: this.#reason, headers, body: stream.head, stream });
  }

  #together(): Uint8Array {
    const chunks = this.#chunks.splice(0);
    return chunks.length > 1 ? Buffer.concat(chunks, this.#received) : (chunks[0] ?? NO_BYTES);
  }

  pause(): void {
    this.#answerWaits = true;
    this.#setClock();
    this.#controller?.pause();
  }

  resume(): void {
    this.#answerWaits = false;
    this.#setClock();
    this.#controller?.resume();
  }

  holding(): void {
    this.#holds = true;
  }

  cancel(): void {
    if (this.#phase === 'settled') return;
    this.#settle();
    this.#options.request.stream?.cancel();
    this.#controller?.abort(new Error('Nobody wants the rest of the response'));
  }

  #setClock(): void {
    const { clock } = this.#options;
    if (this.#phase === 'settled' || !clock) return;
    if (this.#awaitsClient || this.#answerWaits) clock.standStill();
    else clock.run();
  }

  onResponseEnd(): void {
    if (this.#phase === 'settled') return;
    this.#settle();
    // What was not sent yet is not needed for the answer.
    this.#options.request.stream?.cancel();
    if (this.#passed) {
      this.#passed.end();
      return;
    }
    const headers = this.#headers ?? new TransportHeaders();
    const response = { status: this.#status, reason: this.#reason, headers, body: this.#together() };
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
    this.#fail(this.#failureOf(error));
  }

  #failureOf(error: Error): Error {
    const brokenOff = this.#options.request.stream?.error;
    if (brokenOff) return requestBrokenOff(brokenOff);
    return isSenderClosing(error) ? sendAborted(error) : sendFailure(error, this.#failed());
  }

  #isStale(): boolean {
    const { stream } = this.#options.request;
    return this.#use?.reused === true && this.#use.silent && (stream?.rewind() ?? true);
  }

  #armConnecting(): void {
    const { request, limits, clock } = this.#options;
    const connect = Math.min(request.connectTimeoutMs ?? limits.connectTimeoutMs, limits.connectTimeoutMs);
    if (clock && clock.left <= connect) this.#armResponse();
    else this.#timer = setTimeout(() => this.#abort(connectTimedOut(this.#failed(), connect)), connect);
  }

  #armResponse(): void {
    const timeoutMs = this.#options.request.responseTimeoutMs ?? 0;
    this.#options.clock?.arm(() => this.#abort(sendTimedOut(this.#failed(), timeoutMs)));
  }

  /** Ends the attempt for a reason of ours; the connection cannot be used again. */
  #abort(failure: Error): void {
    if (this.#phase === 'settled') return;
    this.#fail(failure);
    this.#controller?.abort(failure);
  }

  #fail(failure: Error): void {
    this.#settle();
    if (!this.#passed) {
      this.#outcome.reject(failure);
      return;
    }
    this.#options.request.stream?.cancel();
    this.#passed.fail(failure);
  }

  #settle(): void {
    this.#phase = 'settled';
    clearTimeout(this.#timer);
    this.#options.clock?.disarm();
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
    const unsent = this.#use?.unsent || this.#outgoing?.complete === false;
    const phase = this.#phase === 'waiting' && unsent ? 'writing' : this.#phase;
    return {
      phase: phase === 'settled' || phase === 'passing' ? 'receiving' : phase,
      method: request.method,
      url,
      correlationId: request.correlationId,
      about: request.about,
      socketTimeoutMs: limits.socketTimeoutMs,
    };
  }
}

function isSenderClosing(error: Error): boolean {
  return 'code' in error && (error.code === 'UND_ERR_DESTROYED' || error.code === 'UND_ERR_CLOSED');
}
