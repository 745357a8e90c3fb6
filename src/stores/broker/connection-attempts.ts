import { pause } from '../../scheduling/index.ts';
import { type BackOff, type ConnectionFailure, LONGEST_PAUSE_MS } from './back-off.ts';

/** Attempts without an answer that may be under way at one time. */
const MOST_AT_ONCE = 3;

export interface ConnectionAttemptsOptions<C> {
  /** Resolves when it makes sense to try; default: at once. Never rejects. */
  readonly gate?: ((signal: AbortSignal) => Promise<unknown>) | undefined;
  /** One attempt, which has a deadline of its own. Ends early, if it can, when the signal is aborted. */
  open(signal: AbortSignal): Promise<C>;
  /** An attempt failed while its outcome still mattered. @returns how */
  onFailure(error: unknown): ConnectionFailure;
  /** Closes what came about when nobody wanted it any more. */
  discard(connection: C): Promise<void>;
  readonly backOff: BackOff;
}

/**
 * Tries to connect until it works:
 *
 *     ASKING ──failed──► PAUSING ──back-off──► ASKING                     any ──the first connection──► its user
 *       └──unanswered for LONGEST_PAUSE_MS──► ASKING beside it
 *
 * An attempt on a peer that accepts and is silent, or on a network that swallows everything, hangs until its deadline, also when the
 * server has come back to that address meanwhile. A shorter deadline would keep slow servers out for ever, so every attempt has its
 * full time, and another one is begun beside it: the first to succeed wins, and the others are ended.
 */
export class ConnectionAttempts<C> {
  readonly #options: ConnectionAttemptsOptions<C>;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(options: ConnectionAttemptsOptions<C>) {
    this.#options = options;
  }

  /** The first connection that comes about; undefined when the signal was aborted before. Never rejects. */
  async connect(signal: AbortSignal): Promise<C | undefined> {
    const won = new AbortController();
    const over = AbortSignal.any([signal, won.signal]);
    let winner: C | undefined;
    const win = (connection: C) => {
      winner = connection;
      won.abort();
    };
    while (!over.aborted) {
      await this.#options.gate?.(over);
      if (over.aborted) break;
      const failure = await this.#begin(over, win);
      if (failure) await pause(this.#options.backOff.failed(failure), over);
      else if (this.#underWay.size >= MOST_AT_ONCE) await Promise.race(this.#underWay);
    }
    return winner;
  }

  /** Resolves when no attempt is under way any more; they end by their deadlines at the latest. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Begins an attempt. Resolves with how it failed; with undefined when it has not, or is not answered for long. */
  async #begin(over: AbortSignal, win: (connection: C) => void): Promise<ConnectionFailure | undefined> {
    const answered = new AbortController();
    let failure: ConnectionFailure | undefined;
    const attempt = this.#attempt(over, win).then((outcome) => {
      this.#underWay.delete(attempt);
      failure = outcome;
      answered.abort();
    });
    this.#underWay.add(attempt);
    await pause(LONGEST_PAUSE_MS, answered.signal, over);
    return failure;
  }

  /** Never rejects. */
  async #attempt(over: AbortSignal, win: (connection: C) => void): Promise<ConnectionFailure | undefined> {
    const { open, onFailure, discard } = this.#options;
    let connection: C;
    try {
      connection = await open(over);
    } catch (error) {
      return over.aborted ? undefined : onFailure(error);
    }
    if (over.aborted) await discard(connection);
    else win(connection);
    return undefined;
  }
}
