import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { BodySink, StreamedBody } from '../message/streamed-body.ts';

/** The body waits for the back end when so much of it lies in this process, bytes. A socket says that it has enough after each read of another. */
const MOST_UNWRITTEN_BYTES = 128 * 1024;

export interface OutgoingBodyOptions {
  /** What of the request has not left this process yet, bytes. */
  readonly unwritten: () => number;
  /** Told whenever it changes: does the client have to send more, or the back end to take what there is? */
  readonly onWait: (forClient: boolean) => void;
}

/**
 * A body on its way to a back end, as undici wants it: something that looks like a stream and is read as fast as the back end takes it. A
 * `Readable` would queue every chunk once more and announce it a turn later. Whoever destroys it only takes the back end away from the
 * body; what becomes of the body is for the send to say.
 *
 * ```
 * NEW ──resume──► FLOWING ◄──resume / pause──► WAITING      the back end has enough
 *                    │ the last chunk ──► complete (`end`, then `close`)
 *  any ──────────────┴ fail, destroy ───► destroyed (`error` if there was one, then `close`)
 * ```
 */
export class OutgoingBody extends EventEmitter implements BodySink {
  readonly #body: StreamedBody;
  readonly #options: OutgoingBodyOptions;
  #piped = false;
  #paused = false;
  #complete = false;
  /** These are asked for by undici, as of any stream. */
  destroyed = false;
  closed = false;
  errored: Error | undefined;

  constructor(body: StreamedBody, options: OutgoingBodyOptions) {
    super();
    this.#body = body;
    this.#options = options;
    // Errors are told to undici, and by it to the send.
    this.on('error', () => {});
  }

  /** As undici's type has it. */
  get readable(): Readable {
    return this as unknown as Readable;
  }

  /** All of it was handed over. */
  get complete(): boolean {
    return this.#complete;
  }

  resume(): void {
    if (this.destroyed || this.#complete) return;
    this.#paused = false;
    this.#options.onWait(true);
    if (this.#piped) this.#body.resume();
    else process.nextTick(() => this.#start());
  }

  /** Not in the call by which undici begins to listen: it is not ready for the end of the body then. */
  #start(): void {
    if (this.#piped || this.destroyed) return;
    this.#piped = true;
    try {
      this.#body.pipe(this);
    } catch (error) {
      // It was given up, or to another one, while this request waited for a connection: that ends the request, and nothing else.
      this.destroy(error as Error);
    }
  }

  pause(): void {
    if (this.#options.unwritten() >= MOST_UNWRITTEN_BYTES) this.#paused = true;
  }

  /** By this undici tells a stream from other things; it does not call it. */
  pipe(): never {
    throw new Error('The body of a request cannot be piped');
  }

  destroy(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.errored = error;
    process.nextTick(() => {
      if (error) this.emit('error', error);
      this.closed = true;
      this.emit('close');
    });
  }

  accept(chunk: Uint8Array): boolean {
    if (this.destroyed) return false;
    this.emit('data', chunk);
    if (this.#paused) this.#options.onWait(false);
    return !this.#paused;
  }

  end(): void {
    this.#complete = true;
    this.#options.onWait(false);
    if (!this.destroyed) this.emit('end');
  }

  fail(error: Error): void {
    this.destroy(error);
  }
}
