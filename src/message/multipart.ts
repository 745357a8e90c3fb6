import { randomUUID } from 'node:crypto';
import { createElement, elementChildren, newDocument, type XmlElement } from '../xml/index.ts';
import { markBinary } from './binary-element.ts';
import { decodeText } from './charset.ts';
import { keyOfXmlName, xmlNameOf } from './json-xml.ts';
import { parseMediaType } from './media-type.ts';

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
    if (isFile) markBinary(child).setAttribute('filename', filename);
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
