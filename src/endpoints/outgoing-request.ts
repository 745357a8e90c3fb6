import { formatRequest } from '../message/formatter.ts';
import type { MessageContext } from '../message/message-context.ts';
import { isFlagSet } from '../message/property-value.ts';
import { appendRestPostfix } from './rest-postfix.ts';
import type { Format } from './settings.ts';

/** One HTTP request, ready for the sender. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Array<[string, string]>;
  readonly body: Uint8Array | undefined;
}

export interface RequestOptions {
  readonly address: string;
  readonly format: Format | undefined;
  readonly encoding: string | undefined;
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
  'soapaction',
]);
const USER_AGENT = 'mini-synapse';

/** Builds the request that an endpoint sends for a message (spec proxies 2.4, 5.3, 5.4). */
export function outgoingRequest(message: MessageContext, options: RequestOptions): OutgoingRequest {
  const { format } = options;
  const rest = countsAsRest(message, format);
  const method = requestMethod(message, options, rest);
  const formatted = formatRequest(message, format, options.encoding);
  const bodiless = method === 'GET' || method === 'HEAD' || isFlagSet(message.axis2.get('NO_ENTITY_BODY'));
  const body = bodiless ? undefined : formatted.bytes;
  return {
    method,
    url: requestUrl(message, options, rest, formatted.query),
    headers: requestHeaders(message, format, body === undefined ? undefined : formatted.contentType),
    body,
  };
}

function requestMethod(message: MessageContext, options: RequestOptions, rest: boolean): string {
  if (options.method !== undefined) return options.method.toUpperCase();
  if (options.format === 'get') return 'GET';
  if (options.format === 'soap11' || options.format === 'soap12') return 'POST';
  const wanted = message.axis2.get('HTTP_METHOD');
  if (wanted !== undefined && (rest || options.format === 'pox' || wanted === 'POST'))
    return String(wanted).toUpperCase();
  return 'POST';
}

/** Does the request count as REST, so that the postfix of the incoming URL is carried on (spec proxies 5.4)? */
function countsAsRest(message: MessageContext, format: Format | undefined): boolean {
  if (format === 'soap11' || format === 'soap12') return false;
  return format === 'rest' || format === 'pox' || format === 'get' || message.doingRest;
}

function requestUrl(
  message: MessageContext,
  options: RequestOptions,
  rest: boolean,
  query: string | undefined,
): string {
  const postfix = message.axis2.get('REST_URL_POSTFIX');
  const keepsPostfix = rest && options.method === undefined && typeof postfix === 'string' && postfix !== '';
  const url = keepsPostfix ? appendRestPostfix(options.address, postfix) : options.address;
  if (!query) return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function requestHeaders(
  message: MessageContext,
  format: Format | undefined,
  contentType: string | undefined,
): Array<[string, string]> {
  const headers: Array<[string, string]> = [];
  for (const [name, value] of message.headers.pairs()) {
    if (!NOT_FORWARDED.has(name.toLowerCase())) headers.push([name, value]);
  }
  const host = message.axis2.get('REQUEST_HOST_HEADER');
  if (host !== undefined) headers.push(['Host', String(host)]);
  if (contentType !== undefined) headers.push(['Content-Type', contentType]);
  const action = soapAction(message, format, contentType);
  if (action !== undefined) headers.push(['SOAPAction', action]);
  headers.push(['User-Agent', USER_AGENT]);
  if (message.axis2.get('NO_KEEPALIVE') === 'true') headers.push(['Connection', 'close']);
  return headers;
}

/** SOAP 1.1 carries the action in a header; SOAP 1.2 in its content type; plain XML and REST carry none. */
function soapAction(
  message: MessageContext,
  format: Format | undefined,
  contentType: string | undefined,
): string | undefined {
  const soap11 =
    format === 'soap11' || (format === undefined && !message.doingRest && contentType?.startsWith('text/xml'));
  if (!soap11) return undefined;
  return `"${(message.action ?? '').replaceAll(/[\r\n"]/g, '')}"`;
}
