import { newDocument, parseXml, type XmlElement } from '../xml/index.ts';
import { decodeText } from './charset.ts';
import { decodeContent } from './content-encoding.ts';
import { fieldsToXml, parseForm } from './form.ts';
import { acceptJson, NotJsonError } from './json.ts';
import { jsonToXml } from './json-xml.ts';
import { mediaTypeOf, parseMediaType } from './media-type.ts';
import { formDataToXml } from './multipart.ts';
import { rootPart } from './related.ts';
import { createEnvelope, isEnvelope, PAYLOAD_NAMESPACE, type SoapVersion, wrapRoot } from './soap.ts';
import type { StreamedBody } from './streamed-body.ts';

/** A body as it came over the wire, with what decides how it is read. Immutable: copies of a message share it. */
export interface UnreadBody {
  /** The first of them only, when the body is a {@link stream}. */
  readonly bytes: Uint8Array;
  /** Where it is passed on while it still comes: then it cannot be read. */
  readonly stream?: StreamedBody | undefined;
  readonly contentType: string | undefined;
  /** The message is SOAP style: `text/xml` is an envelope, not a plain document. */
  readonly soapAction: boolean;
  /** The request's method; undefined for responses. */
  readonly method: string | undefined;
  /** The request's query string, without `?`. */
  readonly query: string | undefined;
  /** The Content-Encoding header. */
  readonly contentEncoding: string | undefined;
  /** The largest size that a compressed body may have when decoded, bytes (OP-91). */
  readonly maxBytes: number;
}

/** What a body turned out to be. */
export type BuiltBody =
  | { readonly kind: 'envelope'; readonly envelope: XmlElement }
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'empty' };

/** How a media type is read and written. */
export type BodyFormat =
  | 'soap11'
  | 'soap12'
  | 'xml'
  | 'json'
  | 'form'
  | 'form-data'
  | 'related'
  | 'text'
  | 'binary'
  | 'other';

const EMPTY: BuiltBody = { kind: 'empty' };

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map<string, BodyFormat>([
  ['text/xml', 'soap11'],
  ['application/soap+xml', 'soap12'],
  ['application/xml', 'xml'],
  ['application/json', 'json'],
  ['application/x-www-form-urlencoded', 'form'],
  ['multipart/form-data', 'form-data'],
  ['multipart/related', 'related'],
  ['application/xop+xml', 'soap11'],
  ['text/plain', 'text'],
  ['application/octet-stream', 'binary'],
  ['application/binary', 'binary'],
  ['application/zip', 'binary'],
  ['application/gzip', 'binary'],
  ['application/pdf', 'binary'],
  ['application/msword', 'binary'],
  ['application/vnd.ms-excel', 'binary'],
  ['application/vnd.ms-powerpoint', 'binary'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'binary'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'binary'],
  ['application/vnd.openxmlformats-officedocument.presentationml.presentation', 'binary'],
]);

const MEDIA_FILE = /^(?:image|audio|video|font)\/(?!.*\+xml$)/;

/**
 * The format of a media type (spec proxies 1.6). Beyond the reference, `+json` types are JSON, and pictures, sound and films are
 * binary: none of them could be read as anything else.
 */
export function formatOf(mediaType: string): BodyFormat {
  const known = FORMATS.get(mediaType);
  if (known) return known;
  if (mediaType.endsWith('+json')) return 'json';
  return MEDIA_FILE.test(mediaType) ? 'binary' : 'other';
}

/** The format in which a body is read: without a Content-Type the method decides, and `text/xml` needs the SOAP style. */
export function formatOfBody(body: UnreadBody): BodyFormat {
  const mediaType = mediaTypeOf(body.contentType);
  if (mediaType === '') return mayHaveNoBody(body.method) ? 'form' : 'binary';
  const format = formatOf(mediaType);
  if (format === 'soap11' && !body.soapAction) return 'xml';
  if (format === 'other') return body.soapAction ? 'soap11' : 'xml';
  return format;
}

/** True for formats that carry an envelope on the wire; in the others an XML document stands by itself. */
export function isSoapFormat(format: BodyFormat): boolean {
  return format === 'soap11' || format === 'soap12' || format === 'related';
}

/** The SOAP version of the envelope that a format is built as (spec proxies 1.6). */
export function versionOfFormat(format: BodyFormat): SoapVersion {
  return format === 'soap11' || format === 'xml' || format === 'related' ? '1.1' : '1.2';
}

function mayHaveNoBody(method: string | undefined): boolean {
  return method === 'GET' || method === 'DELETE' || method === 'HEAD';
}

/**
 * Reads a body by its media type (spec proxies 1.6).
 * @throws whatever is wrong with it: XmlSyntaxError, CharsetError, ContentEncodingError, NotJsonError, …
 */
export function buildBody(body: UnreadBody): BuiltBody {
  const bytes = decodeContent(body.bytes, body.contentEncoding, body.maxBytes);
  const format = formatOfBody(body);
  switch (format) {
    case 'json':
      return buildJson(body, bytes);
    case 'form':
      return buildForm(body, bytes);
    default:
  }
  if (bytes.length === 0) return EMPTY;
  switch (format) {
    case 'text':
      return { kind: 'text', text: decodeText(bytes, charsetOf(body.contentType), { lenient: true }) };
    case 'binary':
      return body.method === 'DELETE' && isBlank(bytes) ? EMPTY : { kind: 'binary', bytes };
    case 'form-data':
      return wrapped(formDataToXml(bytes, parseMediaType(body.contentType).parameters.get('boundary')), '1.2');
    case 'related': {
      const part = rootPart(bytes, body.contentType ?? '');
      return buildXml(part.bytes, part.contentType, true);
    }
    default:
      if (body.method === 'DELETE' && isBlank(bytes)) return EMPTY;
      return buildXml(bytes, body.contentType, format !== 'xml');
  }
}

/** XML that is an envelope, or that stands in one. */
function buildXml(bytes: Uint8Array, contentType: string | undefined, soap: boolean): BuiltBody {
  const charset = charsetOf(contentType);
  const document = parseXml(bytes, charset === undefined ? {} : { charset });
  const root = document.documentElement as XmlElement;
  if (!soap) return wrapped(root, '1.1');
  const { nodeName } = root;
  if (!isEnvelope(root)) throw new NotSoapError(`the document element <${nodeName}> is not a SOAP envelope`);
  return { kind: 'envelope', envelope: root };
}

function wrapped(root: XmlElement, version: SoapVersion): BuiltBody {
  return { kind: 'envelope', envelope: wrapRoot(root, version) };
}

/** A message that claims to be SOAP and is not. */
export class NotSoapError extends Error {
  override readonly name = 'NotSoapError';
}

function buildJson(body: UnreadBody, bytes: Uint8Array): BuiltBody {
  const fromQuery = bytes.length === 0 && body.method === 'GET';
  const source = fromQuery ? jsonOfQuery(body.query) : decodeText(bytes, charsetOf(body.contentType));
  try {
    const text = acceptJson(source);
    return text === undefined ? EMPTY : { kind: 'json', text };
  } catch (error) {
    if (error instanceof NotJsonError && (body.method === 'GET' || body.method === 'DELETE')) return EMPTY;
    throw error;
  }
}

/** A GET of type JSON carries its payload behind the first `=` of the URL (spec mediators 5.2). */
function jsonOfQuery(query: string | undefined): string {
  const value = query?.slice(query.indexOf('=') + 1) ?? '';
  return parseForm(`payload=${query?.includes('=') ? value : ''}`)[0]?.[1] ?? '';
}

function buildForm(body: UnreadBody, bytes: Uint8Array): BuiltBody {
  const text = decodeText(bytes, charsetOf(body.contentType), { lenient: true });
  const fields = [...parseForm(body.query ?? ''), ...parseForm(text.trim() === '' ? '' : text)];
  return fields.length === 0 ? EMPTY : wrapped(fieldsToXml(fields), '1.2');
}

function charsetOf(contentType: string | undefined): string | undefined {
  return parseMediaType(contentType).parameters.get('charset');
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

/**
 * The envelope that mediators see around content that is no XML (spec mediators 5.2).
 * @throws JsonSyntaxError
 */
export function envelopeOf(content: Exclude<BuiltBody, { kind: 'envelope' }>, version: SoapVersion): XmlElement {
  switch (content.kind) {
    case 'json':
      return wrapRoot(jsonToXml(content.text), version);
    case 'text':
      return wrapRoot(payloadWrapper('ns:text', content.text), version);
    case 'binary':
      return wrapRoot(payloadWrapper('ns:binary', base64(content.bytes)), version);
    case 'empty':
      return createEnvelope(version);
  }
}

function payloadWrapper(name: string, text: string): XmlElement {
  const document = newDocument(PAYLOAD_NAMESPACE, name);
  const root = document.documentElement as XmlElement;
  if (text !== '') root.appendChild(document.createTextNode(text));
  return root;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The bytes in a `<binary>` wrapper. */
export function binaryContent(wrapper: XmlElement): Uint8Array {
  return Buffer.from(wrapper.textContent ?? '', 'base64');
}

export function isPayloadWrapper(element: XmlElement | undefined, name: 'text' | 'binary'): element is XmlElement {
  return element?.localName === name && element.namespaceURI === PAYLOAD_NAMESPACE;
}
