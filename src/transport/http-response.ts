import { createHash } from 'node:crypto';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { type ClientStyle, formatResponse } from '../message/formatter.ts';
import { TransportHeaders } from '../message/headers.ts';
import type { MessageContext } from '../message/message-context.ts';
import { integerOf, isFlagSet, type PropertyValue } from '../message/property-value.ts';
import type { HttpAnswer } from './http-answer.ts';
import { splitTarget } from './incoming-request.ts';

const log = logger('PassThroughHttpSender');

/** What the answer depends on besides the message. */
export interface ResponseTarget {
  readonly client: ClientStyle;
  /** The request's method. */
  readonly method: string;
  /** `<scheme>://<host>/services/`, for rewritten Location headers. */
  readonly servicePrefix: string;
  /** Lower-case names of headers that are sent on although they describe one connection (`http.headers.preserve`). */
  readonly preservedHeaders?: ReadonlySet<string> | undefined;
}

/** Never copied from the message: they belong to one connection or are computed from what is really written. */
const CONNECTION_HEADERS = new Set(['transfer-encoding', 'upgrade', 'te', 'trailer', 'expect', 'proxy-connection']);
/** Not copied unless preserved (spec proxies 1.9); `Server` is preserved by default. */
const DROPPED_HEADERS = new Set(['connection', 'keep-alive', 'content-length', 'date', 'user-agent']);
/** With these statuses a Location is meant for the client as it is. */
const LOCATION_KEPT = new Set([201, 301, 302, 303, 307]);
const NONE_PRESERVED: ReadonlySet<string> = new Set();

/**
 * The HTTP response that a message is sent back as (spec proxies 1.9).
 * @throws MediationError when the payload cannot be written in the form that the client needs
 */
export function composeResponse(message: MessageContext, target: ResponseTarget): HttpAnswer {
  const { axis2 } = message;
  const failed = axis2.has('ERROR_CODE');
  const status = failed ? 502 : responseStatus(message);
  const brokenOff = message.payload.stream?.error;
  // Nothing is written yet: the fault path can still answer.
  if (brokenOff) throw brokenOff;
  const { bytes, stream, contentType, contentEncoding } = formatResponse(message, target.client);
  const headers = responseHeaders(message, target, status);
  // A HEAD response describes an entity that is not there.
  if (bytes || stream || target.method !== 'HEAD') setOrDelete(headers, 'Content-Type', contentType);
  setOrDelete(headers, 'Content-Encoding', contentEncoding);
  if (bytes && isFlagSet(axis2.get('HTTP_ETAG'))) headers.set('ETag', entityTag(bytes));
  const reason = textOf(axis2.get('HTTP_SC_DESC'));
  const close = failed || closesConnection(message);
  return { status, headers, body: bytes, stream, ...(reason !== undefined && { reason }), ...(close && { close }) };
}

/** The plain acknowledgement: 202, no headers of the message, no body (spec proxies 1.8). */
export function acknowledgement(message: MessageContext | undefined): HttpAnswer {
  const close = message !== undefined && closesConnection(message);
  return { status: 202, headers: new TransportHeaders(), body: undefined, ...(close && { close }) };
}

/** NIO-ACK-Requested: the status that the flow set, its transport headers kept, no body (spec proxies 1.8). */
export function requestedAcknowledgement(message: MessageContext, target: ResponseTarget): HttpAnswer {
  const status = statusProperty(message) ?? 202;
  const headers = responseHeaders(message, target, status);
  headers.delete('Content-Type');
  const reason = textOf(message.axis2.get('HTTP_SC_DESC'));
  const close = closesConnection(message);
  return { status, headers, body: undefined, ...(reason !== undefined && { reason }), ...(close && { close }) };
}

/** The status that axis2 HTTP_SC asks for; undefined when it is absent or no status (then with a WARN). */
export function statusProperty(message: MessageContext): number | undefined {
  const wanted = message.axis2.get('HTTP_SC');
  if (wanted === undefined) return undefined;
  const status = integerOf(wanted);
  // 1xx cannot be a final status, and node:http refuses what has not three digits.
  if (status !== undefined && status >= 200 && status <= 999) return status;
  const shown = String(wanted).slice(0, 64);
  log.warn(`Unable to set the HTTP status code from the property HTTP_SC with value: ${shown}`, aboutMessage(message));
  return undefined;
}

function responseStatus(message: MessageContext): number {
  if (isFlagSet(message.axis2.get('SC_ACCEPTED'))) return 202;
  const wanted = statusProperty(message);
  if (wanted !== undefined) return wanted;
  // Asked last because a payload may have to be looked into.
  const faultAs200 = textOf(message.axis2.get('FAULTS_AS_HTTP_200'))?.toUpperCase() === 'TRUE';
  return !faultAs200 && message.payload.hasFault() ? 500 : 200;
}

function responseHeaders(message: MessageContext, target: ResponseTarget, status: number): TransportHeaders {
  const preserved = target.preservedHeaders ?? NONE_PRESERVED;
  const headers = message.headers.without(
    (key) => CONNECTION_HEADERS.has(key) || (DROPPED_HEADERS.has(key) && !preserved.has(key)),
  );
  const location = LOCATION_KEPT.has(status) || preserved.has('location') ? undefined : headers.get('Location');
  if (location !== undefined) headers.set('Location', ownLocation(location, target.servicePrefix));
  return headers;
}

/** The same path on this server. */
function ownLocation(location: string, servicePrefix: string): string {
  const { path, query } = splitTarget(location);
  return `${servicePrefix}${path.replace(/^\/+/, '')}${query === undefined ? '' : `?${query}`}`;
}

function closesConnection({ axis2 }: MessageContext): boolean {
  return axis2.get('NO_KEEPALIVE') === 'true' || isFlagSet(axis2.get('FORCE_HTTP_1.0'));
}

function entityTag(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url')}"`;
}

function setOrDelete(headers: TransportHeaders, name: string, value: string | undefined): void {
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
}

function textOf(value: PropertyValue | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
