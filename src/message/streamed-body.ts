/** The connection that a body comes over. */
export interface BodySource {
  /** Takes nothing more in, for now. What it has already may still come. */
  pause(): void;
  resume(): void;
  /** Nobody wants the rest. Nothing comes any more. */
  cancel(): void;
  /** Somebody keeps all of it: from now on what comes counts as held. */
  holding?(): void;
}

/** Whoever a body goes to. */
export interface BodySink {
  /** @returns false when it has enough; {@link StreamedBody.resume} says when it has room again */
  accept(chunk: Uint8Array): boolean;
  /** That was all. */
  end(): void;
  /** The rest will not come. */
  fail(error: Error): void;
}

/** What became of a body: it came and went as a whole, it broke off (with the reason), or nobody wanted the rest. */
export type BodyEnd = Error | 'complete' | 'cancelled';

/** Only larger bodies are streamed, bytes: what one or two reads of a socket bring is handed on faster in one piece. */
export const STREAMED_FROM_BYTES = 128 * 1024;
/** Of a body that is known to be large so many bytes are waited for: enough to tell what it is, and less than one read of a socket brings. */
export const ENOUGH_OF_LARGE_BYTES = 16 * 1024;
/** So many bytes that were given away are remembered, so that they can be given again. */
const REMEMBERED_BYTES = 256 * 1024;

/**
 * A body that is passed on while it still comes (REQ-23): from one connection to another, never held as a whole, each side as fast as
 * the slower one.
 *
 * ```
 * WAITING ──pipe──► FLOWING ◄──resume──► FULL       WAITING: what comes is queued, the source paused
 *    ▲                 │                  │         FULL: the same
 *    └─────rewind──────┴──────────────────┤
 *                                         ├─ the last byte was taken ──► complete
 *                                         ├─ fail ────────────────────► broken off (the sink hears of it)
 *                                         └─ cancel ──────────────────► cancelled  (the source hears of it)
 * ```
 */
export class StreamedBody {
  /** The first bytes; they come through the sink as well. */
  readonly head: Uint8Array;
  /** Of the whole body, if that is known, bytes. */
  readonly length: number | undefined;
  readonly #source: BodySource;
  #sink: BodySink | undefined;
  #flowing = false;
  #paused = false;
  /** The source has no more. */
  #ended = false;
  #outcome: BodyEnd | undefined;
  #queue: Uint8Array[];
  /** What was given away; undefined when nobody asked for it, or when it was too much. */
  #given: Uint8Array[] | undefined;
  #givenBytes = 0;
  #listeners: Array<(end: BodyEnd) => void> = [];

  constructor(head: Uint8Array, length: number | undefined, source: BodySource) {
    this.head = head;
    this.length = length;
    this.#source = source;
    this.#queue = [head];
  }

  /** Undefined while it is on its way. */
  get outcome(): BodyEnd | undefined {
    return this.#outcome;
  }

  /** Why it broke off, if it did. */
  get error(): Error | undefined {
    return this.#outcome instanceof Error ? this.#outcome : undefined;
  }

  /** Somebody takes it, or has taken it. */
  get taken(): boolean {
    return this.#sink !== undefined || this.#outcome !== undefined;
  }

  /** Calls back once with what became of it; at once if that is known. */
  onEnd(listener: (end: BodyEnd) => void): void {
    if (this.#outcome === undefined) this.#listeners.push(listener);
    else listener(this.#outcome);
  }

  /**
   * Gives the body to a sink, which is called at once with what is there.
   * @throws Error when another one has it
   */
  pipe(sink: BodySink): void {
    if (this.error) {
      sink.fail(this.error);
      return;
    }
    if (this.taken) throw new Error('The body has been passed on already');
    this.#sink = sink;
    this.resume();
  }

  /** The sink has room again. */
  resume(): void {
    if (this.#flowing || !this.#sink || this.#outcome !== undefined) return;
    this.#flowing = true;
    while (this.#flowing && this.#queue.length > 0) this.#give(this.#queue.shift() as Uint8Array);
    if (this.#completed() || !this.#flowing || !this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  /** From the beginning on what is given away is remembered, in case it has to be given again. */
  remember(): void {
    this.#given = [];
  }

  /** It will not have to be given again. */
  forget(): void {
    this.#given = undefined;
  }

  /** True when everything can be given once more. */
  get rewindable(): boolean {
    return this.#given !== undefined && (this.#outcome === undefined || this.#outcome === 'complete');
  }

  /** Takes the body away from its sink, for another one that gets it from the beginning. @returns false when that is too late */
  rewind(): boolean {
    const given = this.#given;
    if (given === undefined || !this.rewindable) return false;
    this.#sink = undefined;
    this.#flowing = false;
    this.#outcome = undefined;
    this.#queue = [...given, ...this.#queue];
    this.#given = [];
    this.#givenBytes = 0;
    this.#pauseSource();
    return true;
  }

  /** All of it, for those who need it so. @throws whatever broke it off, Error when somebody else has it */
  async whole(): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const chunks: Uint8Array[] = [];
    this.forget();
    this.#source.holding?.();
    this.pipe({
      accept: (chunk) => chunks.push(chunk) > 0,
      end: () => resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)),
      fail: reject,
    });
    this.onEnd((end) => end === 'cancelled' && reject(new Error('The body was given up')));
    return promise;
  }

  /** Nobody wants the rest; without effect when there is none. */
  cancel(): void {
    if (this.#outcome !== undefined) return;
    this.#finish('cancelled');
    this.#source.cancel();
  }

  /** Of the source: more has come. */
  push(chunk: Uint8Array): void {
    if (this.#outcome !== undefined) return;
    if (this.#flowing) this.#give(chunk);
    else {
      this.#queue.push(chunk);
      this.#pauseSource();
    }
  }

  /** Of the source: that was all. */
  end(): void {
    this.#ended = true;
    this.#completed();
  }

  /** Of the source: the rest will not come. */
  fail(error: Error): void {
    if (this.#outcome !== undefined) return;
    const sink = this.#sink;
    this.#finish(error);
    sink?.fail(error);
  }

  #give(chunk: Uint8Array): void {
    this.#remember(chunk);
    if (this.#sink?.accept(chunk)) return;
    this.#flowing = false;
    if (!this.#ended) this.#pauseSource();
  }

  #remember(chunk: Uint8Array): void {
    if (!this.#given) return;
    this.#givenBytes += chunk.byteLength;
    if (this.#givenBytes > REMEMBERED_BYTES) this.#given = undefined;
    else this.#given.push(chunk);
  }

  /** The last byte was taken: the sink need not have room to hear of it. */
  #completed(): boolean {
    if (!this.#ended || !this.#sink || this.#queue.length > 0 || this.#outcome !== undefined) return false;
    const sink = this.#sink;
    this.#outcome = 'complete';
    sink.end();
    this.#tell('complete');
    return true;
  }

  #finish(end: BodyEnd): void {
    this.#outcome = end;
    this.#flowing = false;
    this.#queue = [];
    this.#given = undefined;
    this.#sink = undefined;
    this.#tell(end);
  }

  #tell(end: BodyEnd): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(end);
  }

  #pauseSource(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.#source.pause();
  }
}
