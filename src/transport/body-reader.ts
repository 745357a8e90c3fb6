import type { IncomingMessage } from 'node:http';
import { type BodySource, ENOUGH_OF_LARGE_BYTES, StreamedBody } from '../message/streamed-body.ts';
import type { BodyBudget, BodyLimits, BodyReading } from './request-body.ts';
import { bodyTooLarge, bodyTooSlow, RequestCutOff, type RequestRefused, tooMuchHeld } from './request-refused.ts';
import { chunkCame } from './spent-buffers.ts';

export interface BodyReaderOptions {
  readonly limits: BodyLimits;
  readonly budget: BodyBudget;
  /** As the client announced it, bytes. */
  readonly length: number | undefined;
  /** Bytes; see `readBody`. */
  readonly passFrom: number | undefined;
}

/**
 * Reads the body of one request.
 *
 * ```
 *            the last byte ──────────────────────────────► ended      the promise has all of it
 *  HOLDING ─ more than `passFrom` ─► PASSING ─ last byte ─► ended      the promise has the stream
 *     │                                 │ cancel: DISCARDING ─ last byte ─► ended
 *     └─────────────────────────────────┴─ limit, refusal, connection closed ─► failed   who has the promise or the stream is told
 * ```
 * All limits hold in all of these states; while the stream has the connection wait, no silence counts, and no time.
 */
export class BodyReader implements BodyReading, BodySource {
  readonly #request: IncomingMessage;
  readonly #options: BodyReaderOptions;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Taken from the budget. */
  #held = 0;
  #holds = true;
  #stream: StreamedBody | undefined;
  #ended = false;
  /** For the silence; near the end of the time for the whole, for that. */
  #timer: NodeJS.Timeout;
  #begun = performance.now();
  #nearEnd = false;
  #pausedAt: number | undefined;
  readonly #outcome = Promise.withResolvers<Uint8Array | StreamedBody>();

  constructor(request: IncomingMessage, options: BodyReaderOptions) {
    this.#request = request;
    this.#options = options;
    const { idleMs, totalMs } = options.limits;
    this.#timer = totalMs <= idleMs ? this.#endOfTime(totalMs) : this.#endOfSilence();
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose).on('error', this.#onClose);
  }

  get body(): Promise<Uint8Array | StreamedBody> {
    return this.#outcome.promise;
  }

  refuse(refusal: RequestRefused): void {
    this.#fail(refusal);
  }

  release(): void {
    this.#options.budget.giveBack(this.#held);
    this.#held = 0;
    this.#holds = false;
  }

  holding(): void {
    this.#holds = true;
  }

  pause(): void {
    if (this.#ended || this.#pausedAt !== undefined) return;
    this.#pausedAt = performance.now();
    clearTimeout(this.#timer);
    this.#request.pause();
  }

  resume(): void {
    if (this.#ended || this.#pausedAt === undefined) return;
    this.#begun += performance.now() - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#nearEnd = false;
    this.#timer = this.#endOfSilence();
    this.#awaitMore();
    this.#request.resume();
  }

  /** The rest is read and forgotten: the client shall see its answer, and the connection can be used again. */
  cancel(): void {
    this.resume();
  }

  /** Without effect once the reading has ended. */
  #fail(error: Error): void {
    if (this.#ended) return;
    this.#stop();
    // Whatever still comes is not kept.
    this.#request.off('data', this.#onData);
    this.release();
    this.#chunks = [];
    const stream = this.#stream;
    if (!stream) this.#outcome.reject(error);
    else if (stream.outcome === undefined) stream.fail(error);
    // Nobody waits for a body that is discarded: there is only its connection to be closed.
    else this.#request.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const { limits, budget } = this.#options;
    chunkCame(chunk.byteLength);
    this.#size += chunk.byteLength;
    if (this.#size > limits.maxBytes) {
      this.#fail(bodyTooLarge(limits.maxBytes));
      return;
    }
    if (this.#holds) {
      if (!budget.take(chunk.byteLength)) {
        this.#fail(tooMuchHeld());
        return;
      }
      this.#held += chunk.byteLength;
    }
    this.#awaitMore();
    if (this.#stream) this.#stream.push(chunk);
    else this.#collect(chunk);
  };

  #collect(chunk: Buffer): void {
    this.#chunks.push(chunk);
    const { passFrom, length = 0 } = this.#options;
    if (passFrom === undefined || this.#size <= (length > passFrom ? ENOUGH_OF_LARGE_BYTES : passFrom)) return;
    this.#holds = false;
    this.#stream = new StreamedBody(this.#together(), this.#options.length, this);
    this.#outcome.resolve(this.#stream);
  }

  #together(): Uint8Array {
    const chunks = this.#chunks;
    // The request lives until its answer is written, and this reader with it.
    this.#chunks = [];
    const [only] = chunks;
    return chunks.length > 1 ? Buffer.concat(chunks, this.#size) : compact(only ?? NO_BYTES);
  }

  /** One timer does for both limits: a body in one piece, as most are, costs no second one. */
  #awaitMore(): void {
    if (this.#nearEnd) return;
    const { idleMs, totalMs } = this.#options.limits;
    const left = totalMs - (performance.now() - this.#begun);
    if (left > idleMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = this.#endOfTime(Math.max(0, left));
  }

  #endOfSilence(): NodeJS.Timeout {
    const { idleMs } = this.#options.limits;
    return setTimeout(() => this.#fail(bodyTooSlow(`no byte came for ${idleMs} ms`)), idleMs);
  }

  #endOfTime(ms: number): NodeJS.Timeout {
    this.#nearEnd = true;
    const { totalMs } = this.#options.limits;
    return setTimeout(() => this.#fail(bodyTooSlow(`it took more than ${totalMs} ms`)), ms);
  }

  readonly #onEnd = (): void => {
    if (this.#ended) return;
    this.#stop();
    if (this.#stream) this.#stream.end();
    else this.#outcome.resolve(this.#together());
  };

  /** Also for errors, and also after the end, when it means nothing any more: the listeners stay, which is cheaper than to take them away. */
  readonly #onClose = (): void => {
    if (!this.#ended) this.#fail(new RequestCutOff('The client closed the connection in the middle of its request'));
  };

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

const NO_BYTES = new Uint8Array(0);

/** A small body is a slice of the 64 KiB that the socket was read into: stored as it is, it would keep all of that in memory. */
function compact(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? Uint8Array.prototype.slice.call(bytes) : bytes;
}
