/**
 * From an HTTP request to a call: which service and operation the address names, in which format the message came,
 * what its action, its payload and its addressing headers are (stockquote-samples 1.1, 1.5, 1.6).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { elementChildren, parseXml, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { parseMediaType } from '../wire/media-type.ts';
import { type Attachment, openRelated, type RelatedMessage, relatedVersion } from '../wire/related.ts';
import { openEnvelope, WSA, WSA_SUBMISSION } from '../wire/soap.ts';
import { ServiceFault } from './fault.ts';

/** A request as the HTTP listener hands it over, its body complete. */
export interface HttpRequest {
  readonly method: string;
  /** The request target: a path with query, or an absolute URL. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** How a message came and how its answer goes out; `pox` is plain XML, REST included. */
export type Format = 'soap11' | 'soap12' | 'pox';

/** What the address says. */
export interface Address {
  readonly path: string;
  /** undefined when the path is not below `/services/` */
  readonly service: string | undefined;
  /** The WSDL port in `NAME.PORT`, if any. */
  readonly port: string | undefined;
  readonly operation: string | undefined;
  readonly query: URLSearchParams;
}

/** What the answer needs to know about the request, known before the body is read. */
export interface ReplyFormat {
  readonly format: Format;
  readonly charset: string;
}

/** The addressing headers of a request. */
export interface Addressing {
  readonly namespace: string;
  readonly action: string | undefined;
  readonly messageId: string | undefined;
  readonly replyTo: string | undefined;
  readonly faultTo: string | undefined;
}

/** The message itself. */
export interface Message {
  /** SOAPAction, else the action parameter of the content type, else wsa:Action; undefined when all are absent or empty. */
  readonly action: string | undefined;
  /** First element of the body, or the root of plain XML. */
  readonly payload: XmlElement | undefined;
  /** The fields of a REST request, which then has no payload. */
  readonly parameters: URLSearchParams | undefined;
  readonly addressing: Addressing | undefined;
  readonly sessionId: string | undefined;
  /** Files that came beside the envelope, by Content-ID. */
  readonly attachments?: ReadonlyMap<string, Attachment>;
}

/** Reads the address: the service is the segment after the last `/services/`, whatever precedes it. */
export function readAddress(target: string): Address {
  const url = new URL(target, 'http://localhost');
  const path = url.pathname;
  const at = path.lastIndexOf('/services/');
  const [name = '', operation] = at < 0 ? [] : path.slice(at + '/services/'.length).split('/');
  const [service, port] = splitOnce(decode(name), '.');
  return {
    path,
    service: service || undefined,
    port,
    operation: operation ? decode(operation) : undefined,
    query: url.searchParams,
  };
}

/** The charsets an answer can be written in, by the lower-case names that requests use. */
const CHARSETS: Readonly<Record<string, string>> = {
  'utf-8': 'UTF-8',
  utf8: 'UTF-8',
  'utf-16': 'UTF-16',
  'iso-8859-1': 'ISO-8859-1',
  'us-ascii': 'US-ASCII',
};

/** Decides from the headers alone how the request is to be answered. */
export function readReplyFormat(request: HttpRequest): ReplyFormat {
  const { type, parameters } = parseMediaType(request.headers['content-type']);
  const charset = CHARSETS[(parameters.get('charset') ?? 'utf-8').toLowerCase()] ?? 'UTF-8';
  if (request.method === 'GET' || request.method === 'HEAD') return { format: 'pox', charset };
  // Axis2 takes whatever names no media type for SOAP 1.1.
  if (type === 'text/xml' || type === '') return { format: 'soap11', charset };
  const related = relatedVersion(request.headers['content-type']);
  return { format: related ?? (type === 'application/soap+xml' ? 'soap12' : 'pox'), charset };
}

/**
 * Reads the message.
 *
 * @throws ServiceFault when the body is not XML or not the kind of XML that the content type promises
 */
export function readMessage(request: HttpRequest, format: Format, address: Address): Message {
  const { type, parameters } = parseMediaType(request.headers['content-type']);
  const action = httpAction(request.headers.soapaction) ?? httpAction(parameters.get('action'));
  const sessionId = /(?:^|;)\s*JSESSIONID=([^;\s]+)/.exec(request.headers.cookie ?? '')?.[1];
  const fields = restParameters(request, type, address);
  if (fields) return { action, payload: undefined, parameters: fields, addressing: undefined, sessionId };
  const related = openAttachments(request);
  const root = related ? parseBody(related.root, related.charset) : parseBody(request.body, parameters.get('charset'));
  const envelope = openEnvelope(root);
  if (format === 'pox') {
    const payload = envelope ? envelope.payload : root;
    return { action, payload, parameters: undefined, addressing: undefined, sessionId };
  }
  if (!envelope) {
    throw new ServiceFault(`First Element must contain the local name, Envelope , but found ${root.localName}`);
  }
  if (envelope.version !== format) {
    throw new ServiceFault('Transport level information does not match with SOAP Message namespace URI');
  }
  const addressing = envelope.header && readAddressing(envelope.header);
  return {
    action: action ?? addressing?.action,
    payload: envelope.payload,
    parameters: undefined,
    addressing,
    sessionId,
    ...(related && { attachments: related.attachments }),
  };
}

function openAttachments({ headers, body }: HttpRequest): RelatedMessage | undefined {
  const contentType = headers['content-type'];
  if (contentType === undefined || relatedVersion(contentType) === undefined) return undefined;
  try {
    return openRelated(body, contentType);
  } catch (cause) {
    throw new ServiceFault(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function restParameters(request: HttpRequest, type: string, address: Address): URLSearchParams | undefined {
  if (request.method === 'GET' || request.method === 'HEAD') return address.query;
  if (type !== 'application/x-www-form-urlencoded') return undefined;
  return new URLSearchParams(new TextDecoder().decode(request.body));
}

function parseBody(body: Uint8Array, charset: string | undefined): XmlElement {
  if (body.byteLength === 0) throw new ServiceFault('The input stream for an incoming message is null.');
  try {
    const document = parseXml(charset === undefined ? body : new TextDecoder(charset, { fatal: true }).decode(body));
    if (document.documentElement) return document.documentElement;
  } catch (cause) {
    throw new ServiceFault(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  throw new ServiceFault('The document has no element');
}

function readAddressing(header: XmlElement): Addressing | undefined {
  const values = new Map<string, string>();
  let namespace: string | undefined;
  for (const block of elementChildren(header)) {
    if (block.namespaceURI !== WSA && block.namespaceURI !== WSA_SUBMISSION) continue;
    namespace ??= block.namespaceURI;
    const endpoint = elementChildren(block).find((child) => child.localName === 'Address');
    values.set(block.localName ?? '', textOf(endpoint ?? block).trim());
  }
  if (namespace === undefined) return undefined;
  return {
    namespace,
    action: values.get('Action') || undefined,
    messageId: values.get('MessageID'),
    replyTo: values.get('ReplyTo'),
    faultTo: values.get('FaultTo'),
  };
}

function httpAction(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text?.trim().replace(/^"(.*)"$/, '$1') || undefined;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray % names no service; it is reported by the text it came as.
    return segment;
  }
}
