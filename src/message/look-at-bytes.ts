import { formatOfBody, isSoapFormat, type UnreadBody } from './builder.ts';
import { decodeContent } from './content-encoding.ts';
import { mediaTypeOf, parseMediaType } from './media-type.ts';

/* What can be told of a body without reading it. */

const SNIFFED_BYTES = 1024;

/** The document element of `text/xml` stands near the beginning; a compressed one would be too dear to look at. */
export function looksLikeSoap(bytes: Uint8Array, contentType: string | undefined): boolean {
  if (mediaTypeOf(contentType) !== 'text/xml') return false;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SNIFFED_BYTES)).toString('latin1');
  return /<(?:[\w.-]+:)?Envelope[\s>]/.test(start.replaceAll('\0', ''));
}

/** True unless a look at the bytes is enough to know that there is no SOAP fault in them. */
export function mayHoldFault(body: UnreadBody): boolean {
  const format = formatOfBody(body);
  if (!isSoapFormat(format) && format !== 'xml') return false;
  const { bytes, contentType, contentEncoding, maxBytes } = body;
  // UTF-16 and UTF-32 do not write ASCII as ASCII.
  const charset = parseMediaType(contentType).parameters.get('charset')?.toLowerCase() ?? '';
  if (/^utf_?-?(16|32)/.test(charset)) return true;
  const plain = decodeContent(bytes, contentEncoding, maxBytes);
  if (plain[0] === 0xfe || plain[0] === 0xff || plain[0] === 0 || plain[1] === 0) return true;
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).includes('Fault');
}

/** What may stand before the document element: a mark, a declaration, comments and processing instructions. */
const PROLOG = /^(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*/s;
const DOCUMENT_ELEMENT = /^<(?:[\w.-]+:)?([\w.-]+)[\s/>]/;

/** True when the first bytes are enough to know that no SOAP fault is in the body: its document element can be neither an envelope nor one. */
export function isPlainlyNoFault(body: UnreadBody): boolean {
  const format = formatOfBody(body);
  if (!isSoapFormat(format) && format !== 'xml') return true;
  if (format !== 'xml' || body.contentEncoding !== undefined) return false;
  const { bytes } = body;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SNIFFED_BYTES)).toString('latin1');
  const name = DOCUMENT_ELEMENT.exec(start.slice(PROLOG.exec(start)?.[0].length))?.[1];
  return name !== undefined && name !== 'Envelope' && name !== 'Fault';
}
