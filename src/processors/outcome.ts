import { STATUS_CODES } from 'node:http';
import type { MessageContext } from '../message/message-context.ts';
import type { StatusCodes } from './status-codes.ts';

/** What came of one attempt; the worker does the rest (see `worker.ts`). */
export type Outcome =
  /** It arrived; only settling is left. */
  | { readonly kind: 'delivered' }
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
}

/** Which statuses of an answer mean "delivered" (spec stores 4.1, 4.7, 4.14, OP-27). */
export interface StatusPolicy {
  /** `non.retry.status.codes`: delivered besides 2xx. */
  readonly nonRetry: StatusCodes | undefined;
  /** `retry.http.status.codes`: when given, an error status that is not listed means delivered. */
  readonly retry: StatusCodes | undefined;
}

/**
 * - `delivered`: rows 2 and 5 of spec stores 4.8.
 * - `rejected`: an answer of the back end that its client code takes as one (400, 500): rows 3 and 6.
 * - `transport-error`: any other status, reported like a broken connection: rows 0 and 4.
 * - `unknown`: an answer without a status; "not sent" is never success (REQ-22).
 */
export type StatusVerdict = 'delivered' | 'rejected' | 'transport-error' | 'unknown';

export function judgeStatus(status: number | undefined, policy: StatusPolicy): StatusVerdict {
  if (status === undefined) return 'unknown';
  if (status >= 200 && status < 300) return 'delivered';
  if (policy.nonRetry?.includes(status)) return 'delivered';
  if (policy.retry && status >= 300 && !policy.retry.includes(status)) return 'delivered';
  return status === 400 || status === 500 ? 'rejected' : 'transport-error';
}

/** The reference's text for a status that its client code treats as a broken transport (spec stores 4.7). */
export function transportErrorText(status: number, reason: string | undefined): string {
  return `Transport error: ${status} Error: ${reason ?? STATUS_CODES[status] ?? ''}`;
}
