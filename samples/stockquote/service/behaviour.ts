/**
 * Trouble on demand, for demos and tests: the next messages are answered with a status, late, never, or by a reset
 * connection, so that what lies in front of the back end can be seen coping with it.
 */
export interface Behaviour {
  /** Answer with this HTTP status instead of the operation's answer. */
  readonly status?: number;
  /** Body that goes with `status`; none by default. */
  readonly body?: string;
  /** Content type of `body`, `text/xml; charset=UTF-8` by default. */
  readonly contentType?: string;
  /** Milliseconds to wait before the answer. */
  readonly delayMs?: number;
  /** Never answer; the connection stays open until the client or the closing service ends it. */
  readonly hang?: boolean;
  /** Reset the connection (RST) instead of answering. */
  readonly reset?: boolean;
  /** Run the operation first, then make the trouble: an accepted order whose 202 gets lost. Default false: it never runs. */
  readonly afterOperation?: boolean;
  /** How many requests are treated so; all following ones by default. */
  readonly times?: number;
}

/** Hands out the behaviour for each request and counts `times` down. */
export class Behaviours {
  #current: Behaviour = {};
  #left = 0;

  set(behaviour: Behaviour): void {
    this.#current = behaviour;
    this.#left = behaviour.times ?? Number.POSITIVE_INFINITY;
  }

  next(): Behaviour {
    if (this.#left <= 0) return NORMAL;
    this.#left -= 1;
    return this.#current;
  }
}

const NORMAL: Behaviour = {};
