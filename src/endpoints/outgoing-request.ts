import { type FormattedRequest, formatRequest, requestPasses } from '../message/formatter.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Packaging } from '../message/related.ts';
import type { StreamedBody } from '../message/streamed-body.ts';
import { appendRestPostfix } from './rest-postfix.ts';
import type { Format } from './settings.ts';

/** One HTTP request, ready for the sender. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Array<[string, string]>;
  readonly body: Uint8Array | undefined;
  /** Instead of a body: one that still comes. */
  readonly stream?: StreamedBody | undefined;
  /** Sent as plain XML or REST, so that the answer is taken for one too (spec proxies 1.9, 2.5). */
  readonly rest: boolean;
}

export interface RequestOptions {
  readonly address: string;
  readonly format: Format | undefined;
  readonly encoding: string | undefined;
  readonly optimize?: Packaging | undefined;
  /** Fixed method of an http endpoint. */
  readonly method: string | undefined;
}

/** Headers that belong to one connection, or that the sender writes itself (spec proxies 1.9, 2.4). */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'connection',
  'keep-alive',
  'content-length',
  'date',
  'server',
  'user-agent',
  'host',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
  'content-type',
  'content-encoding',
  'soapaction',
]);
const USER_AGENT = 'mini-synapse';

/**
 * Builds the request that an endpoint sends for a message (spec proxies 2.4, 5.3, 5.4). The method of an http endpoint becomes the
 * message's own (axis2 HTTP_METHOD).
 */
export function outgoingRequest(message: MessageContext, options: RequestOptions): OutgoingRequest {
  const { format } = options;
  const method = requestMethod(message, options);
  if (options.method !== undefined) message.axis2.set('HTTP_METHOD', method);
  const formatted = formatRequest(message, format, options.encoding, method, options.optimize);
  return {
    method,
    url: requestUrl(message, options, formatted.query),
    headers: requestHeaders(message, formatted),
    body: formatted.bytes,
    stream: formatted.stream,
    rest: sentAsRest(message, format),
  };
}

/** True when a body that is still coming goes out just as it comes; else it has to be held first. */
export function passesAsItComes(message: MessageContext, options: RequestOptions): boolean {
  const { format, encoding, optimize } = options;
  return requestPasses(message, { format, encoding, optimize, method: requestMethod(message, options) });
}

function requestMethod({ axis2 }: MessageContext, { method, format }: RequestOptions): string {
  if (method !== undefined) return method.toUpperCase();
  if (format === 'get') return 'GET';
  if (format === 'soap11' || format === 'soap12') return 'POST';
  return String(axis2.get('HTTP_METHOD') ?? 'POST').toUpperCase();
}

function sentAsRest({ doingRest }: MessageContext, format: Format | undefined): boolean {
  return format === undefined ? doingRest : format !== 'soap11' && format !== 'soap12';
}

/** Does the request count as REST, so that the rest of the incoming URL is carried on (spec proxies 5.4)? */
function keepsPostfix({ doingRest }: MessageContext, { format, method }: RequestOptions): boolean {
  if (method !== undefined || format === 'soap11' || format === 'soap12') return false;
  return format === 'rest' || doingRest;
}

function requestUrl(message: MessageContext, options: RequestOptions, query: string | undefined): string {
  const postfix = message.axis2.get('REST_URL_POSTFIX');
  const appends = typeof postfix === 'string' && postfix !== '' && keepsPostfix(message, options);
  const url = appends ? appendRestPostfix(options.address, postfix) : options.address;
  if (!query) return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function requestHeaders(message: MessageContext, formatted: FormattedRequest): Array<[string, string]> {
  const headers: Array<[string, string]> = [];
  message.headers.forEach((name, value, key) => {
    if (!NOT_FORWARDED.has(key)) headers.push([name, value]);
  });
  const { bytes, stream, contentType, contentEncoding, soapAction } = formatted;
  const hasBody = bytes !== undefined || stream !== undefined;
  const host = message.axis2.get('REQUEST_HOST_HEADER');
  if (host !== undefined) headers.push(['Host', String(host)]);
  if (hasBody && contentType !== undefined) headers.push(['Content-Type', contentType]);
  if (hasBody && contentEncoding !== undefined) headers.push(['Content-Encoding', contentEncoding]);
  if (soapAction !== undefined) headers.push(['SOAPAction', soapAction]);
  headers.push(['User-Agent', USER_AGENT]);
  if (message.axis2.get('NO_KEEPALIVE') === 'true') headers.push(['Connection', 'close']);
  return headers;
}
