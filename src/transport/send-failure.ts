import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';

const log = logger('TargetHandler');

/** How far a send had come when it failed. */
export type SendPhase = 'connecting' | 'writing' | 'waiting' | 'receiving';

/** Whose send failed, for messages and log lines. */
export interface FailedSend {
  readonly phase: SendPhase;
  readonly method: string;
  readonly url: URL;
  readonly correlationId: string | undefined;
  readonly about?: (() => LogDetails) | undefined;
  /** The read deadline that was in force, ms. */
  readonly socketTimeoutMs: number;
}

/** The part of a composed ERROR_CODE that stands for the protocol state of the back end's connection (spec proxies 3.7). */
const PROTOCOL_STATES = {
  connecting: { ordinal: 0, name: 'REQUEST_READY' },
  writing: { ordinal: 2, name: 'REQUEST_BODY' },
  waiting: { ordinal: 3, name: 'REQUEST_DONE' },
  receiving: { ordinal: 5, name: 'RESPONSE_BODY' },
} as const;

/** Base codes that {@link ERROR_CODES} does not name. */
const IO_ERROR = 101500;
const PROTOCOL_VIOLATION = 101506;
const SEND_ABORTED = 101509;
const RESPONSE_PROCESSING_FAILURE = 101510;

const CONNECT_FAILED = 'Error connecting to the back end';
const SENDER_FAILED = 'Error in Sender';

const CLOSED_CODES = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);
const DNS_CODES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'ENODATA']);
const CONNECT_TIMEOUT_CODES = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
const READ_TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const UNSENDABLE_CODES = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
const TLS_CODE =
  /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_OSSL|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;

/** A connection that ended without the peer saying why. */
export function isConnectionClosed(error: Error): boolean {
  return CLOSED_CODES.has(codeOf(error));
}

/**
 * The failure of a send as mediation sees it: ERROR_CODE composed as the reference does, BASE_ERROR_CODE and ERROR_CAUSE
 * unambiguous (spec proxies 3.7, REQ-5). Writes the WARN line that operators know.
 */
export function sendFailure(error: Error, send: FailedSend): MediationError {
  const code = codeOf(error);
  if (UNSENDABLE_CODES.has(code)) return unsendable(error);
  return send.phase === 'connecting' ? connectFailure(error, code, send) : exchangeFailure(error, code, send);
}

/** No connection within the connect deadline. */
export function connectTimedOut(send: FailedSend, timeoutMs: number): MediationError {
  const detail = `No connection to ${hostPort(send.url)} within ${timeoutMs} ms`;
  log.warn(`Timeout connecting to : ${hostPort(send.url)}`, details(send, detail));
  return new MediationError(CONNECT_FAILED, {
    code: ERROR_CODES.connectTimeout,
    baseCode: ERROR_CODES.connectTimeout,
    errorCause: 'connect-timeout',
    detail,
  });
}

/** No complete answer within the endpoint's deadline (spec proxies 4.10). The caller logs it: only it knows the endpoint. */
export function sendTimedOut(send: FailedSend, timeoutMs: number): MediationError {
  return new MediationError('Send timeout', {
    code: ERROR_CODES.sendTimeout,
    baseCode: ERROR_CODES.sendTimeout,
    errorCause: 'read-timeout',
    detail: `No complete response from ${hostPort(send.url)} within ${timeoutMs} ms`,
    status: 504,
  });
}

/** The caller's signal, or the end of the sender, stopped the send. */
export function sendAborted(cause: unknown): MediationError {
  return new MediationError('Send aborted', {
    code: SEND_ABORTED,
    baseCode: SEND_ABORTED,
    errorCause: 'aborted',
    cause,
  });
}

/** The client did not send the rest of its request: no fault of the back end, and nobody waits for an answer. */
export function requestBrokenOff(cause: Error): MediationError {
  return new MediationError('The request was broken off by its client', {
    code: SEND_ABORTED,
    baseCode: SEND_ABORTED,
    errorCause: 'aborted',
    detail: cause.message,
    skipsFaultHandlers: true,
    cause,
  });
}

/** The back end answered with more than is accepted. */
export function responseTooLarge(send: FailedSend, limitBytes: number): MediationError {
  const cause = `larger than ${limitBytes} bytes`;
  log.warn(`The response of ${hostPort(send.url)} is ${cause} and was refused`, details(send, cause));
  return new MediationError('Response Entity Too Large', {
    code: RESPONSE_PROCESSING_FAILURE,
    baseCode: RESPONSE_PROCESSING_FAILURE,
    errorCause: 'protocol',
    detail: `The response is larger than ${limitBytes} bytes`,
    status: 502,
  });
}

/** So many requests wait for a connection to this back end that no more are taken in. */
export function tooManyWaiting(send: FailedSend, limit: number): MediationError {
  return new MediationError(CONNECT_FAILED, {
    code: ERROR_CODES.connectionFailed,
    baseCode: ERROR_CODES.connectionFailed,
    errorCause: 'refused',
    detail: `${limit} requests already wait for a connection to ${hostPort(send.url)}`,
    status: 503,
  });
}

/** The address is no HTTP URL. */
export function invalidAddress(address: string, cause?: unknown): MediationError {
  return new MediationError(CONNECT_FAILED, {
    code: ERROR_CODES.connectionFailed,
    baseCode: ERROR_CODES.connectionFailed,
    errorCause: 'protocol',
    detail: `Not an http or https address: ${address.replace(/\/\/[^/@]*@/, '//***@').slice(0, 256)}`,
    cause,
  });
}

function connectFailure(error: Error, code: string, send: FailedSend): MediationError {
  if (CONNECT_TIMEOUT_CODES.has(code)) {
    log.warn(`Timeout connecting to : ${hostPort(send.url)}`, details(send, textOf(error)));
    return composed(CONNECT_FAILED, ERROR_CODES.connectTimeout, 'connect-timeout', error, send);
  }
  log.warn(`Connection refused or failed for : ${hostPort(send.url)}`, details(send, textOf(error)));
  const errorCause = DNS_CODES.has(code) ? 'dns' : TLS_CODE.test(code) ? 'tls' : 'refused';
  return composed(CONNECT_FAILED, ERROR_CODES.connectionFailed, errorCause, error, send);
}

function exchangeFailure(error: Error, code: string, send: FailedSend): MediationError {
  if (READ_TIMEOUT_CODES.has(code)) {
    warnState(ERROR_CODES.sendTimeout, 'Socket Timeout occurred while waiting to receive the response', send, error);
    return composed(SENDER_FAILED, ERROR_CODES.sendTimeout, 'read-timeout', error, send, 504);
  }
  if (CLOSED_CODES.has(code)) {
    const closed = CLOSED[send.phase === 'connecting' ? 'waiting' : send.phase];
    warnState(ERROR_CODES.connectionClosed, closed.description, send, error);
    return composed(SENDER_FAILED, ERROR_CODES.connectionClosed, closed.errorCause, error, send);
  }
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') {
    warnState(PROTOCOL_VIOLATION, 'Response violates the HTTP protocol', send, error);
    return composed(SENDER_FAILED, PROTOCOL_VIOLATION, 'protocol', error, send);
  }
  warnState(IO_ERROR, 'I/O error while the response was awaited', send, error);
  return composed(SENDER_FAILED, IO_ERROR, 'closed-waiting', error, send);
}

const CLOSED = {
  writing: {
    errorCause: 'closed-writing',
    description: 'Connection closed by target host before the request was fully written',
  },
  waiting: {
    errorCause: 'closed-waiting',
    description: 'Connection closed by target host while waiting to receive the response',
  },
  receiving: {
    errorCause: 'closed-reading',
    description: 'Connection closed by target host while receiving the response',
  },
} as const;

function composed(
  text: string,
  baseCode: number,
  errorCause: string,
  cause: Error,
  { phase }: FailedSend,
  status?: number,
): MediationError {
  const code = baseCode + PROTOCOL_STATES[phase].ordinal;
  return new MediationError(text, {
    code,
    baseCode,
    errorCause,
    detail: textOf(cause),
    cause,
    ...(status !== undefined && { status }),
  });
}

/** The request cannot be expressed in HTTP (a line break in a header, say): nothing was sent. */
function unsendable(cause: Error): MediationError {
  const baseCode = IO_ERROR;
  return new MediationError(SENDER_FAILED, {
    code: baseCode,
    baseCode,
    errorCause: 'protocol',
    detail: cause.message,
    cause,
  });
}

/** In the reference's layout, which monitoring rules parse. The query stays out: it may hold what nobody should read in a log. */
function warnState(code: number, description: string, send: FailedSend, cause: Error): void {
  const { phase, method, url, correlationId, socketTimeoutMs } = send;
  log.warn(
    `ERROR_CODE = ${code}, STATE_DESCRIPTION = ${description}, INTERNAL_STATE = ${PROTOCOL_STATES[phase].name}, ` +
      `DIRECTION = ${phase === 'receiving' ? 'RESPONSE' : 'REQUEST'}, ` +
      'CAUSE_OF_ERROR = Connection between this server and the target host failed, ' +
      `HTTP_URL = ${url.origin}${url.pathname}, HTTP_METHOD = ${method}, SOCKET_TIMEOUT = ${socketTimeoutMs}, ` +
      `REMOTE_ADDRESS = ${hostPort(url)}, CORRELATION_ID = ${correlationId ?? ''}`,
    details(send, textOf(cause)),
  );
}

function details({ url, correlationId, about }: FailedSend, cause?: string): LogDetails {
  return { ...about?.(), backend: hostPort(url), correlationId, ...(cause !== undefined && { cause }) };
}

function hostPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

/** A host with several addresses fails with an error for each, and no text of its own. */
function textOf(error: Error): string {
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? first.message : codeOf(error);
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
