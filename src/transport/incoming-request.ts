import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ClientStyle } from '../message/formatter.ts';
import { TransportHeaders } from '../message/headers.ts';
import { mediaTypeOf, parseMediaType } from '../message/media-type.ts';
import { StreamedBody } from '../message/streamed-body.ts';

/** The name of the correlation header (spec proxies 2.2). */
const CORRELATION_HEADER = 'activityid';
/** A host name or address with an optional port, nothing that could break out of a URL. */
const HOST_HEADER = /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

export type HttpScheme = 'http' | 'https';

/** One accepted HTTP request, its body untouched. */
export interface IncomingRequest {
  readonly scheme: HttpScheme;
  readonly method: string;
  /** The request target exactly as received. */
  readonly target: string;
  /** The path of the target, percent-escapes untouched; always begins with `/` (or is `*`). */
  readonly path: string;
  /** What follows the first `?`, without it; undefined when there is none. */
  readonly query: string | undefined;
  readonly httpVersion: string;
  readonly headers: TransportHeaders;
  /** The whole of it; empty when the request had none. Of a {@link stream} the first bytes. */
  readonly body: Uint8Array;
  /** A large body that still comes: only where the dispatcher takes such (`passesBody`). */
  readonly stream?: StreamedBody | undefined;
  /** How the client speaks, which decides the form of its answers (spec proxies 2.3). */
  readonly client: ClientStyle;
  readonly remoteAddress: string;
  /** `host:port` as the client wrote it if that is a plain host, else the local address: for URLs that clients are given. */
  readonly authority: string;
  /** Header `activityid`, else a fresh UUID. */
  readonly correlationId: string;
}

/** Makes the description of a request whose body was read, or is being passed on. */
export function incomingRequest(
  request: IncomingMessage,
  body: Uint8Array | StreamedBody,
  scheme: HttpScheme,
): IncomingRequest {
  const target = request.url ?? '/';
  const headers = headersOf(request);
  const { path, query } = splitTarget(target);
  return {
    scheme,
    method: request.method ?? 'GET',
    target,
    path,
    query,
    httpVersion: request.httpVersion,
    headers,
    ...(body instanceof StreamedBody ? { body: body.head, stream: body } : { body }),
    client: clientStyle(headers),
    remoteAddress: plainAddress(request.socket.remoteAddress ?? ''),
    authority: authorityOf(request),
    correlationId: headers.get(CORRELATION_HEADER) || randomUUID(),
  };
}

/** Path and query of an origin-form or absolute-form request target. */
export function splitTarget(target: string): { path: string; query: string | undefined } {
  const absolute = target.startsWith('/') ? null : /^https?:\/\/[^/?]*/i.exec(target);
  const local = absolute ? target.slice(absolute[0].length) : target;
  const mark = local.indexOf('?');
  const path = mark < 0 ? local : local.slice(0, mark);
  return { path: path === '' ? '/' : path, query: mark < 0 ? undefined : local.slice(mark + 1) };
}

/**
 * SOAP when the Content-Type is `text/xml` with a SOAPAction header, or `application/soap+xml`, or a multipart/related message
 * around one of these; everything else is REST (spec proxies 2.3).
 */
export function clientStyle(headers: TransportHeaders): ClientStyle {
  const contentType = headers.get('Content-Type');
  if (contentType === undefined) return 'rest';
  const type = mediaTypeOf(contentType);
  if (type === 'text/xml') return headers.has('SOAPAction') ? 'soap11' : 'rest';
  if (type === 'application/soap+xml') return 'soap12';
  if (type === 'multipart/related') return rootPartStyle(contentType);
  return 'rest';
}

function rootPartStyle(contentType: string): ClientStyle {
  const { parameters } = parseMediaType(contentType);
  let root = mediaTypeOf(parameters.get('type'));
  // MTOM: the root part is XOP, and start-info says what it stands for.
  if (root === 'application/xop+xml') root = mediaTypeOf(parameters.get('start-info'));
  if (root === 'text/xml') return 'soap11';
  return root === 'application/soap+xml' ? 'soap12' : 'rest';
}

function headersOf({ rawHeaders }: IncomingMessage): TransportHeaders {
  const headers = new TransportHeaders();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.add(rawHeaders[index] as string, rawHeaders[index + 1] as string);
  }
  return headers;
}

function authorityOf(request: IncomingMessage): string {
  const { host } = request.headers;
  if (host !== undefined && HOST_HEADER.test(host)) return host;
  const address = plainAddress(request.socket.localAddress ?? 'localhost');
  return `${address.includes(':') ? `[${address}]` : address}:${request.socket.localPort ?? 0}`;
}

/** IPv4 addresses on a dual-stack socket look like `::ffff:127.0.0.1`. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
