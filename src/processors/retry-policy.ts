/** When to give up on a message, and what to do with it then (spec stores 4.1, 4.9). */
export interface RetryPolicy {
  /** Attempts per message before the terminal action; 0 or less: without end. */
  readonly maxAttempts: number;
  /** The pause after every failed attempt, ms. */
  readonly retryIntervalMs: number;
  /** `x.backoff.*`: pauses that grow (REQ-57, OP-28); undefined: all are as long as the interval. */
  readonly backOff?: BackOff | undefined;
  /** Whether a `Retry-After` of the back end makes a pause longer (OP-28). */
  readonly honoursRetryAfter?: boolean;
  /** `max.delivery.drop`: discard after the last attempt. Wins over the fail store. */
  readonly drop: boolean;
  /** `message.processor.failMessagesStore`: where messages go after the last attempt. */
  readonly failStore: string | undefined;
  /** Without drop and fail store: stop with the message in the store, or put it aside and go on. */
  readonly lastResort: 'deactivate' | 'dead-letter';
}

/** The n-th pause lasts initialMs * factor^(n-1), at most maxMs, give or take the share `jitter` (0 to 1) of it. */
export interface BackOff {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: number;
}

export type NextStep = 'retry' | 'drop' | 'move' | 'deactivate' | 'dead-letter';

/** What follows the `attempts`-th failed attempt on a message (spec stores 4.9, in its order). */
export function afterFailure(policy: RetryPolicy, attempts: number): NextStep {
  if (policy.maxAttempts <= 0 || attempts < policy.maxAttempts) return 'retry';
  return withoutDelivery(policy) ?? policy.lastResort;
}

/**
 * What follows when no attempt can help (OP-27). To stop would not help either, so without drop and fail store the message is put
 * aside.
 */
export function afterDeath(policy: RetryPolicy): NextStep {
  return withoutDelivery(policy) ?? 'dead-letter';
}

function withoutDelivery({ drop, failStore }: RetryPolicy): 'drop' | 'move' | undefined {
  if (drop) return 'drop';
  return failStore === undefined ? undefined : 'move';
}

/** Timers of 0 ms would let a dead back end fill the event loop, ms. */
const SHORTEST_RETRY_MS = 1;
/** How often a suspended endpoint is looked at with a retry interval of next to nothing, ms. */
const SHORTEST_LOOK_MS = 100;
/** A back end that asks for more than this without `x.backoff.max` is not obeyed, ms. */
const LONGEST_RETRY_AFTER_MS = 5 * 60 * 1000;

/** The pause after the `failures`-th failure in a row, ms. `random` gives numbers from 0 to below 1. */
export function retryWait(
  policy: RetryPolicy,
  failures = 1,
  retryAfterMs: number | undefined = undefined,
  random: () => number = Math.random,
): number {
  const own = policy.backOff ? grown(policy.backOff, failures, random()) : policy.retryIntervalMs;
  const asked = policy.honoursRetryAfter ? (retryAfterMs ?? 0) : 0;
  return Math.max(own, Math.min(asked, policy.backOff?.maxMs ?? LONGEST_RETRY_AFTER_MS), SHORTEST_RETRY_MS);
}

function grown({ initialMs, factor, maxMs, jitter }: BackOff, failures: number, random: number): number {
  const exact = Math.min(initialMs * factor ** (failures - 1), maxMs);
  return Math.min(Math.round(exact * (1 + jitter * (2 * random - 1))), maxMs);
}

/** How long to wait for an endpoint that is suspended until `readyAt` before looking again (REQ-29), ms. */
export function suspensionWait(policy: RetryPolicy, readyAt: number, now: number): number {
  return Math.max(Math.min(readyAt - now, policy.retryIntervalMs), SHORTEST_LOOK_MS);
}
