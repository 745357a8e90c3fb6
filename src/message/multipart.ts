import { randomUUID } from 'node:crypto';
import { createElement, elementChildren, newDocument, type XmlElement } from '../xml/index.ts';
import { decodeText } from './charset.ts';
import { keyOfXmlName, xmlNameOf } from './json-xml.ts';
import { formatMediaType, mediaTypeOf, parseMediaType } from './media-type.ts';

/** One part of a multipart body. */
export interface Part {
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
}

/** A multipart body that cannot be taken apart. */
export class MultipartError extends Error {
  override readonly name = 'MultipartError';
}

const MAX_PARTS = 1000;
const MAX_PART_HEADER_BYTES = 16 * 1024;

/**
 * Splits a multipart body at its boundary.
 * @throws MultipartError without a boundary, for parts without an end, and beyond 1000 parts
 */
export function parseMultipart(body: Uint8Array, boundary: string | undefined): Part[] {
  if (!boundary) throw new MultipartError('the Content-Type has no boundary');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Part[] = [];
  let at = bytes.indexOf(delimiter);
  if (at < 0) throw new MultipartError('the boundary of the Content-Type does not occur');
  while (bytes.toString('latin1', at + delimiter.length, at + delimiter.length + 2) !== '--') {
    if (parts.length === MAX_PARTS) throw new MultipartError(`more than ${MAX_PARTS} parts`);
    const start = bytes.indexOf('\n', at + delimiter.length) + 1;
    const end = start > 0 ? bytes.indexOf(delimiter, start) : -1;
    if (end < 0) throw new MultipartError('a part does not end with the boundary');
    parts.push(readPart(bytes.subarray(start, lineEndBefore(bytes, end))));
    at = end;
  }
  return parts;
}

/** The line break in front of a boundary belongs to the boundary. */
function lineEndBefore(bytes: Buffer, end: number): number {
  if (bytes[end - 1] !== 0x0a) return end;
  return bytes[end - 2] === 0x0d ? end - 2 : end - 1;
}

function readPart(bytes: Buffer): Part {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf('\n', at);
    if (newline < 0 || newline > MAX_PART_HEADER_BYTES) throw new MultipartError('the headers of a part do not end');
    const line = bytes.toString('utf8', at, newline).trim();
    at = newline + 1;
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, bytes: bytes.subarray(at) };
}

/**
 * A `multipart/form-data` body as a wrapper with one child per field; a file's child holds the bytes as base64 and carries
 * `filename` and `content-type` (spec proxies 1.6).
 */
export function formDataToXml(body: Uint8Array, boundary: string | undefined): XmlElement {
  const document = newDocument(null, 'mediate');
  const root = document.documentElement as XmlElement;
  for (const { headers, bytes } of parseMultipart(body, boundary)) {
    // A disposition is written like a media type: a word with parameters.
    const { parameters } = parseMediaType(headers.get('content-disposition'));
    const filename = parameters.get('filename');
    const contentType = headers.get('content-type');
    const child = createElement(document, null, xmlNameOf(parameters.get('name') ?? 'part'));
    const isFile = filename !== undefined;
    if (isFile) child.setAttribute('filename', filename);
    if (isFile && contentType !== undefined) child.setAttribute('content-type', contentType);
    const text = isFile
      ? Buffer.from(bytes).toString('base64')
      : decodeText(bytes, parseMediaType(contentType).parameters.get('charset'), { lenient: true });
    if (text !== '') child.appendChild(document.createTextNode(text));
    root.appendChild(child);
  }
  return root;
}

/** One part per child, the reverse of {@link formDataToXml}. */
export function xmlToFormData(wrapper: XmlElement, boundary: string): Uint8Array {
  const chunks: Buffer[] = [];
  for (const child of elementChildren(wrapper)) {
    const name = keyOfXmlName(child.localName ?? child.nodeName);
    const filename = child.getAttribute('filename');
    const contentType =
      child.getAttribute('content-type') ?? (filename === null ? undefined : 'application/octet-stream');
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${headerText(name)}"`;
    if (filename !== null) head += `; filename="${headerText(filename)}"`;
    if (contentType !== undefined) head += `\r\nContent-Type: ${headerText(contentType)}`;
    const text = child.textContent ?? '';
    const content = filename === null ? Buffer.from(text, 'utf8') : Buffer.from(text, 'base64');
    chunks.push(Buffer.from(`${head}\r\n\r\n`, 'utf8'), content, Buffer.from('\r\n', 'latin1'));
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`, 'latin1'));
  return Buffer.concat(chunks);
}

function headerText(text: string): string {
  return text.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&');
}

export function newBoundary(): string {
  return `MIMEBoundary_${randomUUID()}`;
}

/**
 * A message with attachments whose document is another one: the attachments stay as they are, byte by byte, and so does the way in which the
 * document refers to them (MTOM, or SOAP with Attachments).
 * @param received the message that the attachments came with
 * @returns undefined when there are none
 * @throws MultipartError
 */
export function withRoot(
  received: { readonly bytes: Uint8Array; readonly contentType: string },
  root: { readonly bytes: Uint8Array; readonly contentType: string },
): { bytes: Uint8Array; contentType: string } | undefined {
  const { parameters } = parseMediaType(received.contentType);
  const parts = parseMultipart(received.bytes, parameters.get('boundary'));
  if (parts.length < 2) return undefined;
  const former = rootOf(parts, parameters);
  const soap = mediaTypeOf(root.contentType);
  const mtom = mediaTypeOf(former.headers.get('content-type')) === XOP_TYPE;
  const start = former.headers.get('content-id') ?? `<root.${randomUUID()}@mini-synapse>`;
  const charset = parseMediaType(root.contentType).parameters.get('charset') ?? 'UTF-8';
  const rootType = mtom
    ? formatMediaType(XOP_TYPE, [
        ['charset', charset],
        ['type', soap],
      ])
    : formatMediaType(soap, [['charset', charset]]);
  const boundary = newBoundary();
  const chunks: Uint8Array[] = [];
  const add = (headers: ReadonlyMap<string, string>, bytes: Uint8Array) => {
    const head = [...headers].map(([name, value]) => `${name}: ${value.replace(/[\r\n]/g, ' ')}\r\n`).join('');
    chunks.push(Buffer.from(`--${boundary}\r\n${head}\r\n`, 'utf8'), bytes, Buffer.from('\r\n', 'latin1'));
  };
  add(
    new Map([
      ['Content-Type', rootType],
      ['Content-Transfer-Encoding', 'binary'],
      ['Content-ID', start],
    ]),
    root.bytes,
  );
  for (const { headers, bytes } of parts.filter((part) => part !== former)) add(named(headers), bytes);
  chunks.push(Buffer.from(`--${boundary}--\r\n`, 'latin1'));
  const about: Array<[string, string]> = mtom
    ? [
        ['type', XOP_TYPE],
        ['start', start],
        ['start-info', soap],
      ]
    : [
        ['type', soap],
        ['start', start],
      ];
  return {
    bytes: Buffer.concat(chunks),
    contentType: formatMediaType('multipart/related', [['boundary', boundary], ...about]),
  };
}

/** Headers by the names that people know: `Content-ID`, `Content-Transfer-Encoding`. */
function named(headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const written = (name: string) =>
    name
      .replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
      .replace(/-Id$/, '-ID');
  return new Map([...headers].map(([name, value]) => [written(name), value]));
}

const XOP_TYPE = 'application/xop+xml';

function rootOf(parts: readonly Part[], parameters: ReadonlyMap<string, string>): Part {
  const start = parameters.get('start');
  const part = (start && parts.find(({ headers }) => headers.get('content-id') === start)) || parts[0];
  if (!part) throw new MultipartError('there is no part');
  return part;
}

/** The part of a `multipart/related` body that holds the document: the `start` parameter's, else the first. */
export function rootPart(body: Uint8Array, contentType: string): { bytes: Uint8Array; contentType: string } {
  const { parameters } = parseMediaType(contentType);
  const parts = parseMultipart(body, parameters.get('boundary'));
  const part = rootOf(parts, parameters);
  const declared = part.headers.get('content-type') ?? parameters.get('type') ?? 'text/xml';
  if (mediaTypeOf(declared) !== XOP_TYPE) return { bytes: part.bytes, contentType: declared };
  return { bytes: part.bytes, contentType: parseMediaType(declared).parameters.get('type') ?? 'text/xml' };
}
