/**
 * How an attempt to have a connection ended:
 *
 * - `unreachable`: nobody listens. Asking again costs next to nothing, so that a broker that comes up is found within a second.
 * - `silent`: accepted, and no answer within the deadline. The next attempt does not wait for that (connection-attempts.ts).
 * - `dropped`: accepted, and then closed, refused, or answered with something else.
 * - `refused`: the server does not take these credentials. Asking often may lock the account.
 * - `lost`: a session that had worked ended before it was healthy.
 */
export type ConnectionFailure = 'unreachable' | 'silent' | 'dropped' | 'refused' | 'lost';

const FIRST_MS = 100;
const JITTER = 0.2;
/**
 * A server that is back is to be found within 3 s, whatever was on its address before (issue 3): this and a fifth leaves a second for
 * connecting and delivering. It is why a peer that accepts and drops is asked more often than OP-12 has it (10 times in 30 s): 26 times
 * in the first 30 s at most, 21 to 22 as a rule. A client that does not wait at all asks it a hundred times a second.
 */
export const LONGEST_PAUSE_MS = 1_700;
const LONGEST_MS: Readonly<Record<ConnectionFailure, number>> = {
  unreachable: 1_000,
  silent: 1_000,
  dropped: LONGEST_PAUSE_MS,
  refused: 30_000,
  lost: LONGEST_PAUSE_MS,
};

/** After this time a session counts as healthy and earlier failures are forgotten (OP-12), ms. */
export const HEALTHY_AFTER_MS = 30_000;

/**
 * The waits between attempts (OP-12): from 100 ms on doubled with every failure of the same sort, up to {@link LONGEST_PAUSE_MS}
 * (30 s for refused credentials), each ±20 %. Only time in health forgets failures; other sorts of failure do not, or a server that accepts and drops between
 * refusals would be hammered.
 */
export class BackOff {
  readonly #random: () => number;
  readonly #failures = new Map<ConnectionFailure, number>();

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How long to wait after such a failure, ms. */
  failed(failure: ConnectionFailure): number {
    const before = this.#failures.get(failure) ?? 0;
    this.#failures.set(failure, before + 1);
    const wait = Math.min(LONGEST_MS[failure], FIRST_MS * 2 ** before);
    return wait * (1 - JITTER + 2 * JITTER * this.#random());
  }

  reset(): void {
    this.#failures.clear();
  }
}

/** No session with a broker came about. */
export class ConnectError extends Error {
  override readonly name: string = 'ConnectError';
  readonly failure: ConnectionFailure;

  constructor(failure: ConnectionFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** How an attempt failed, by what it threw. */
export function failureOf(error: unknown): ConnectionFailure {
  return error instanceof ConnectError ? error.failure : 'dropped';
}
