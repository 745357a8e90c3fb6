import { MediationError } from '../message/errors.ts';

/**
 * What the sender says when no back end was there to look at the message. A connection that ends in the middle of an exchange is not
 * among them: the message may be what the back end dies of.
 */
const OUT_OF_REACH: ReadonlySet<string> = new Set(['refused', 'dns', 'tls', 'connect-timeout', 'read-timeout']);
const STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether a missing answer tells about the back end, not about the message (OP-25); groups fail as their last child did. */
export function isOutOfReach(failure: MediationError): boolean {
  for (let error: unknown = failure; error instanceof MediationError; error = error.cause) {
    if (error.errorCause !== undefined) return OUT_OF_REACH.has(error.errorCause);
  }
  return false;
}

/** Whether an answer that is a failure says "not now" instead of "not this" (OP-25). */
export function saysNotNow(status: number | undefined, retryAfterMs: number | undefined): boolean {
  return retryAfterMs !== undefined || (status !== undefined && STATUSES.has(status));
}
