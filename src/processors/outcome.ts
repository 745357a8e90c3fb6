import type { MessageContext } from '../message/message-context.ts';
import { STATUS_CODES } from '../node-http.ts';
import type { StatusCodes } from './status-codes.ts';

/** What came of one attempt; the worker does the rest (see `worker.ts`). */
export type Outcome =
  /** It arrived; only settling is left. */
  | { readonly kind: 'delivered' /** What the back end answered. */; readonly status?: number | undefined }
  /** It arrived and is settled already, as by a transaction that moves it to another store. */
  | { readonly kind: 'settled' }
  /** An attempt was made and failed. */
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  /** Nothing was attempted: not before `readyAt` (epoch ms, Infinity when nobody knows) (REQ-29). */
  | { readonly kind: 'not-ready'; readonly readyAt: number; readonly reason: string }
  /** Something that the configuration names is missing: the processor stops, the message stays (spec stores 4.6, 4.8 row 5). */
  | { readonly kind: 'misconfigured'; readonly reason: string; readonly message: MessageContext }
  /** What is stored cannot be made into a message again (REQ-26, OP-18). */
  | { readonly kind: 'poison'; readonly reason: string }
  /** The delivery is not ours any more, its store has the message again: nothing was attempted. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** The server's stop deadline cut the attempt off; counts as nothing (OP-111). */
  | { readonly kind: 'aborted' };

export interface AttemptFailure {
  /** What fault and deactivate sequence see: the message with the answer or the fault, and the ERROR_* properties. */
  readonly message: MessageContext;
  /** For operators and the fail store's record, without secrets. */
  readonly cause: string;
  /** The HTTP status that was answered, if any. */
  readonly status: number | undefined;
  readonly endpoint: string | undefined;
  /** The answer says that no other attempt can help (OP-27). */
  readonly dead?: boolean;
  /** It says nothing about the message: the back end is out of reach. Counts against the circuit only, if there is one (OP-25). */
  readonly unavailable?: boolean;
  /** What the back end asked for by `Retry-After`, ms. */
  readonly retryAfterMs?: number | undefined;
  /** Asked now and then while the next attempt is waited for: true ends the wait. */
  readonly recovered?: () => boolean;
}

/** What the statuses of an answer mean (spec stores 4.1, 4.7, 4.14, OP-27). */
export interface StatusPolicy {
  /** `non.retry.status.codes`: delivered besides 2xx. */
  readonly nonRetry: StatusCodes | undefined;
  /** `retry.http.status.codes`: when given, an error status that is not listed means delivered. */
  readonly retry: StatusCodes | undefined;
  /** `x.dead.status.codes`: no other attempt. */
  readonly dead?: StatusCodes | undefined;
  /** `x.retry.status.codes`: another attempt, whatever the reference makes of them. */
  readonly again?: StatusCodes | undefined;
}

/**
 * - `delivered`: rows 2 and 5 of spec stores 4.8.
 * - `dead`: an answer that ends the attempts on the message.
 * - `rejected`: an answer of the back end that its client code takes as one (400, 500): rows 3 and 6.
 * - `transport-error`: any other status, reported like a broken connection: rows 0 and 4.
 * - `unknown`: an answer without a status; "not sent" is never success (REQ-22).
 */
export type StatusVerdict = 'delivered' | 'dead' | 'rejected' | 'transport-error' | 'unknown';

/**
 * Of several lists in which a status stands the one that names it itself wins over those that name its class: `x.dead.status.codes`
 * 4xx and `x.retry.status.codes` 429. Of equals the one wins that gives up less: another attempt, then dead, then delivered.
 */
export function judgeStatus(status: number | undefined, policy: StatusPolicy): StatusVerdict {
  if (status === undefined) return 'unknown';
  const [again, dead, delivered] = [policy.again, policy.dead, policy.nonRetry].map(
    (codes) => codes?.exactness(status) ?? 0,
  ) as [number, number, number];
  const most = Math.max(again, dead, delivered);
  if (most > 0) return again === most ? failedBy(status) : dead === most ? 'dead' : 'delivered';
  if (status >= 200 && status < 300) return 'delivered';
  if (policy.retry && status >= 300 && !policy.retry.includes(status)) return 'delivered';
  return failedBy(status);
}

function failedBy(status: number): 'rejected' | 'transport-error' {
  return status === 400 || status === 500 || (status >= 200 && status < 300) ? 'rejected' : 'transport-error';
}

/** The reference's text for a status that its client code treats as a broken transport (spec stores 4.7). */
export function transportErrorText(status: number, reason: string | undefined): string {
  return `Transport error: ${status} Error: ${reason ?? STATUS_CODES[status] ?? ''}`;
}
