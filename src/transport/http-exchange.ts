import type { LogDetails } from '../logging/logger.ts';
import type { TransportHeaders } from '../message/headers.ts';
import type { StreamedBody } from '../message/streamed-body.ts';

/** One request to a back end. */
export interface HttpRequest {
  readonly method: string;
  /** An absolute http or https URL. */
  readonly url: string;
  /** In order; a name may occur more than once. Connection headers and lengths are dropped: the sender sets its own. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body?: Uint8Array | undefined;
  /** Instead of a body: one that still comes. It goes out as it comes, and is cancelled when nobody takes it to the end. */
  readonly stream?: StreamedBody | undefined;
  /** An answer with more bytes than this is handed out while it still comes; absent: it is held until it is complete. */
  readonly passFrom?: number | undefined;
  /** How long to wait for a connection, ms; the sender's own limit applies too. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long to wait for the complete response, connecting included, ms (REQ-4). Of streams only the time counts in which the back end
   * is waited for: not while the client sends nothing, or does not take what there is.
   */
  readonly responseTimeoutMs?: number | undefined;
  /** Ends the send early. */
  readonly signal?: AbortSignal | undefined;
  /** One-way: the response's body is read and forgotten. */
  readonly discardBody?: boolean | undefined;
  /**
   * Sends once more, on another connection, when a reused keep-alive connection was closed without a byte of an answer: almost
   * always the back end had closed it as idle. Default true; false where a duplicate is worse than a failure.
   */
  readonly retryStale?: boolean | undefined;
  /** Absolute form in the request line, as for a proxy (POST_TO_URI, FULL_URI). */
  readonly absoluteForm?: boolean | undefined;
  /** For log lines. */
  readonly correlationId?: string | undefined;
  /** What log lines say of the message that is sent (OP-70); asked only when there is something to say. */
  readonly about?: (() => LogDetails) | undefined;
}

/** A back end's answer, whatever its status. */
export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: TransportHeaders;
  /** Empty when there was none, or when it was not wanted. Of a {@link stream} the first bytes. */
  readonly body: Uint8Array;
  /** An answer that still comes: whoever gets it has to take it, or to cancel it. Breaks off with a MediationError. */
  readonly stream?: StreamedBody | undefined;
}
