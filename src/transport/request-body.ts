import type { IncomingMessage } from 'node:http';

/** A request that is refused before anyone sees it, with the status that says why. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly status: number;
  /** The client sends nothing more: it is silent, or has said all it had to say. */
  readonly nothingMoreComes: boolean;

  constructor(status: number, reason: string, nothingMoreComes = false) {
    super(reason);
    this.status = status;
    this.nothingMoreComes = nothingMoreComes;
  }
}

/** The client closed the connection in the middle of its request. */
export class RequestCutOff extends Error {
  override readonly name = 'RequestCutOff';
}

export interface BodyLimits {
  /** Largest body, bytes; 413 beyond (OP-91, REQ-23). */
  readonly maxBytes: number;
  /** Longest silence in the middle of a body, ms; then 408. */
  readonly idleMs: number;
  /** Longest time for a whole body, ms; then 408. */
  readonly totalMs: number;
}

/** The memory that bodies of unanswered requests may take in all; bounds a listener whatever its clients do (OP-100). */
export class BodyBudget {
  readonly #maxBytes: number;
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#held;
  }

  /** False, and nothing is taken, when it would be too much. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#maxBytes) return false;
    this.#held += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#held -= bytes;
  }
}

/** A body that is being read: the promise, and a way to end it from outside. */
export interface BodyReading {
  /** Rejects with RequestRefused or RequestCutOff. */
  readonly body: Promise<Uint8Array>;
  /** Gives up, for example because the rest of the request is no HTTP. */
  refuse(refusal: RequestRefused): void;
}

const NO_BYTES = new Uint8Array(0);

/** The length that a request announces; undefined when it does not say or has no body at all. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (announcedLength(request) ?? 0) > 0;
}

/**
 * Reads a whole body, untouched, with a limit for its size, its silences and its duration. Bytes are taken from the budget as they
 * come; on success the caller owes them back, on failure they have been given back.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits, budget: BodyBudget): BodyReading {
  if (!hasBody(request)) {
    // Lets node:http see the end of the request, so that the connection can be used again.
    request.resume();
    return { body: Promise.resolve(NO_BYTES), refuse: () => {} };
  }
  const reader = new BodyReader(request, limits, budget);
  return { body: reader.body, refuse: (refusal) => reader.fail(refusal) };
}

class BodyReader {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #budget: BodyBudget;
  #chunks: Buffer[] = [];
  #size = 0;
  #ended = false;
  /** For the silence; near the end of the time for the whole, for that. */
  #timer: NodeJS.Timeout;
  readonly #begun = performance.now();
  #nearEnd = false;
  readonly #outcome = Promise.withResolvers<Uint8Array>();

  constructor(request: IncomingMessage, limits: BodyLimits, budget: BodyBudget) {
    this.#request = request;
    this.#limits = limits;
    this.#budget = budget;
    const { idleMs, totalMs } = limits;
    this.#timer =
      totalMs <= idleMs
        ? this.#endOfTime(totalMs)
        : setTimeout(() => this.fail(tooSlow(`no byte came for ${idleMs} ms`)), idleMs);
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose).on('error', this.#onClose);
  }

  get body(): Promise<Uint8Array> {
    return this.#outcome.promise;
  }

  /** Without effect once the reading has ended. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#stop();
    // Whatever still comes is not kept.
    this.#request.off('data', this.#onData);
    this.#budget.giveBack(this.#size);
    this.#size = 0;
    this.#chunks = [];
    this.#outcome.reject(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#size + chunk.byteLength > this.#limits.maxBytes) {
      this.fail(bodyTooLarge(this.#limits.maxBytes));
    } else if (!this.#budget.take(chunk.byteLength)) {
      this.fail(new RequestRefused(503, 'The server holds as many requests as it can; try again'));
    } else {
      this.#size += chunk.byteLength;
      this.#chunks.push(chunk);
      this.#awaitMore();
    }
  };

  /** One timer does for both limits: a body in one piece, as most are, costs no second one. */
  #awaitMore(): void {
    if (this.#nearEnd) return;
    const { idleMs, totalMs } = this.#limits;
    const left = totalMs - (performance.now() - this.#begun);
    if (left > idleMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = this.#endOfTime(Math.max(0, left));
  }

  #endOfTime(ms: number): NodeJS.Timeout {
    this.#nearEnd = true;
    return setTimeout(() => this.fail(tooSlow(`it took more than ${this.#limits.totalMs} ms`)), ms);
  }

  readonly #onEnd = (): void => {
    if (this.#ended) return;
    this.#stop();
    const chunks = this.#chunks;
    // The request lives until its answer is written, and this reader with it.
    this.#chunks = [];
    const [only] = chunks;
    this.#outcome.resolve(chunks.length > 1 ? Buffer.concat(chunks, this.#size) : compact(only ?? NO_BYTES));
  };

  /** Also for errors, and also after the end, when it means nothing any more: the listeners stay, which is cheaper than to take them away. */
  readonly #onClose = (): void => {
    if (!this.#ended) this.fail(new RequestCutOff('The client closed the connection in the middle of its request'));
  };

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

/** A small body is a slice of the 64 KiB that the socket was read into: stored as it is, it would keep all of that in memory. */
function compact(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? Uint8Array.prototype.slice.call(bytes) : bytes;
}

export function bodyTooLarge(maxBytes: number): RequestRefused {
  return new RequestRefused(413, `The request body is larger than ${maxBytes} bytes`);
}

function tooSlow(what: string): RequestRefused {
  return new RequestRefused(408, `The request was not complete in time: ${what}`, true);
}
