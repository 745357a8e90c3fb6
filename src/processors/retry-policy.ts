/** When to give up on a message, and what to do with it then (spec stores 4.1, 4.9). */
export interface RetryPolicy {
  /** Attempts per message before the terminal action; 0 or less: without end. */
  readonly maxAttempts: number;
  /** The pause after every failed attempt, ms. */
  readonly retryIntervalMs: number;
  /** `max.delivery.drop`: discard after the last attempt. Wins over the fail store. */
  readonly drop: boolean;
  /** `message.processor.failMessagesStore`: where messages go after the last attempt. */
  readonly failStore: string | undefined;
  /** Without drop and fail store: stop with the message in the store, or put it aside and go on. */
  readonly lastResort: 'deactivate' | 'dead-letter';
}

export type NextStep = 'retry' | 'drop' | 'move' | 'deactivate' | 'dead-letter';

/** What follows the `attempts`-th failed attempt on a message (spec stores 4.9, in its order). */
export function afterFailure(policy: RetryPolicy, attempts: number): NextStep {
  if (policy.maxAttempts <= 0 || attempts < policy.maxAttempts) return 'retry';
  if (policy.drop) return 'drop';
  if (policy.failStore !== undefined) return 'move';
  return policy.lastResort;
}

/** Timers of 0 ms would let a dead back end fill the event loop, ms. */
const SHORTEST_RETRY_MS = 1;
/** How often a suspended endpoint is looked at with a retry interval of next to nothing, ms. */
const SHORTEST_LOOK_MS = 100;

export function retryWait(policy: RetryPolicy): number {
  return Math.max(policy.retryIntervalMs, SHORTEST_RETRY_MS);
}

/** How long to wait for an endpoint that is suspended until `readyAt` before looking again (REQ-29), ms. */
export function suspensionWait(policy: RetryPolicy, readyAt: number, now: number): number {
  return Math.max(Math.min(readyAt - now, policy.retryIntervalMs), SHORTEST_LOOK_MS);
}
