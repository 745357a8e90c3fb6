/** Error codes of the reference (spec proxies 3.7) that the runtime itself raises. */
export const ERROR_CODES = {
  generic: 0,
  connectionFailed: 101503,
  sendTimeout: 101504,
  connectionClosed: 101505,
  connectTimeout: 101508,
  leafNotReady: 303001,
  wsdlNotReady: 303002,
  authenticationFailed: 303003,
  keyNotFound: 305100,
  calloutFailed: 401000,
  blockingSenderFailed: 401002,
  callFailed: 401003,
  soapFault: 500000,
  payloadParseFailed: 601000,
} as const;

/** The codes composed by the pass-through sender and what led to them (REQ-5). */
export interface ErrorDetails {
  readonly code?: number;
  /** BASE_ERROR_CODE, unambiguous where {@link code} is composed. */
  readonly baseCode?: number;
  /** refused, dns, connect-timeout, closed-waiting, closed-writing, read-timeout, protocol. */
  readonly errorCause?: string;
  readonly detail?: string;
  /** What ERROR_CODE is when it is no number (throwError). */
  readonly codeText?: string;
  /** The HTTP status that a client should see if no fault sequence answers; 500 if absent. */
  readonly status?: number;
  /** No fault handler may run for it: an expired send without `responseAction`, or with `discard` (spec proxies 4.10). */
  readonly skipsFaultHandlers?: boolean;
  readonly cause?: unknown;
}

/** A failure of mediation: ends the flow and runs the fault stack (spec proxies 4.9). */
export class MediationError extends Error {
  override readonly name: string = 'MediationError';
  readonly code: number | undefined;
  readonly baseCode: number | undefined;
  readonly errorCause: string | undefined;
  readonly detail: string | undefined;
  readonly codeText: string | undefined;
  readonly status: number | undefined;
  readonly skipsFaultHandlers: boolean;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.baseCode = details.baseCode;
    this.errorCause = details.errorCause;
    this.detail = details.detail;
    this.codeText = details.codeText;
    this.status = details.status;
    this.skipsFaultHandlers = details.skipsFaultHandlers ?? false;
  }
}
