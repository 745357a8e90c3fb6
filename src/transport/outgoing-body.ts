import { Readable } from 'node:stream';
import type { BodySink, StreamedBody } from '../message/streamed-body.ts';

/**
 * A body on its way to a back end, as undici wants it: a stream that is read as fast as the back end takes it. Whoever destroys it only
 * takes the back end away from the body; what becomes of the body is for the send to say.
 */
export class OutgoingBody extends Readable implements BodySink {
  readonly #body: StreamedBody;
  readonly #onWait: (forClient: boolean) => void;
  #piped = false;
  #complete = false;

  /** @param onWait told whenever it changes: does the client have to send more, or the back end to take what there is? */
  constructor(body: StreamedBody, onWait: (forClient: boolean) => void) {
    super();
    this.#body = body;
    this.#onWait = onWait;
    // Errors are told to undici, and by it to the send.
    this.on('error', () => {});
  }

  /** All of it was handed over. */
  get complete(): boolean {
    return this.#complete;
  }

  override _read(): void {
    this.#onWait(true);
    if (this.#piped) this.#body.resume();
    else {
      this.#piped = true;
      this.#body.pipe(this);
    }
  }

  accept(chunk: Uint8Array): boolean {
    if (this.destroyed) return false;
    const more = this.push(chunk);
    this.#onWait(more);
    return more;
  }

  end(): void {
    this.#complete = true;
    this.#onWait(false);
    this.push(null);
  }

  fail(error: Error): void {
    this.destroy(error);
  }
}
