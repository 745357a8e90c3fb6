import type { IncomingMessage } from 'node:http';
import type { StreamedBody } from '../message/streamed-body.ts';
import { BodyReader } from './body-reader.ts';
import type { RequestRefused } from './request-refused.ts';

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

/** A body that is being read: the promise, and ways to end it from outside. */
export interface BodyReading {
  /**
   * The whole body, or its stream when it is to be passed on; then what breaks it off is told there.
   * Rejects with RequestRefused or RequestCutOff.
   */
  readonly body: Promise<Uint8Array | StreamedBody>;
  /** Gives up, for example because the rest of the request is no HTTP. */
  refuse(refusal: RequestRefused): void;
  /** Gives back what was taken from the budget: nobody has the body any more. */
  release(): void;
}

const NO_BYTES = new Uint8Array(0);
const NOTHING: BodyReading = { body: Promise.resolve(NO_BYTES), refuse: () => {}, release: () => {} };

/** The length that a request announces; undefined when it does not say or has no body at all. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (announcedLength(request) ?? 0) > 0;
}

/**
 * Reads a body, untouched, with a limit for its size, its silences and its duration. Bytes are taken from the budget as they come, and
 * given back on failure or by `release`.
 * @param passFrom of more bytes than this the body is handed out as a stream; absent: all of it is held
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  budget: BodyBudget,
  passFrom?: number,
): BodyReading {
  if (hasBody(request)) return new BodyReader(request, { limits, budget, length: announcedLength(request), passFrom });
  // Lets node:http see the end of the request, so that the connection can be used again.
  request.resume();
  return NOTHING;
}
