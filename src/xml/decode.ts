import { XmlSyntaxError } from './syntax-error.ts';

const DECLARED_ENCODING = /^<\?xml\s[^>]*?\sencoding\s*=\s*(?:"([^"]*)"|'([^']*)')/;
const DECLARATION_BYTES = 256;
const UTF_8 = decoderOf('utf-8');

/**
 * The text of an XML document given as bytes. What says the encoding, in this order: a byte order mark; the charset of the
 * transport; 16-bit zero bytes around the first `<`; the XML declaration; UTF-8. Bytes that the encoding does not have are
 * refused, never replaced (OP-92).
 * @throws XmlSyntaxError
 */
export function decodeXml(bytes: Uint8Array, charset?: string): string {
  const mark = byteOrderMark(bytes);
  if (mark) return decodeAs(mark.encoding, bytes.subarray(mark.length));
  if (charset) return decodeAs(charset, bytes);
  if (bytes[0] === 0x3c && bytes[1] === 0) return decodeAs('utf-16le', bytes);
  if (bytes[0] === 0 && bytes[1] === 0x3c) return decodeAs('utf-16be', bytes);
  const declared = declaredEncoding(bytes);
  if (declared && /^(?:utf-?16|ucs-?2|utf-?32|ucs-?4|iso-10646-ucs)/i.test(declared)) {
    throw new XmlSyntaxError(`the document declares encoding '${declared}' but is written in 8-bit characters`, 1, 1);
  }
  return decodeAs(declared ?? 'utf-8', bytes);
}

function byteOrderMark(bytes: Uint8Array): { encoding: string; length: number } | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', length: 3 };
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', length: 2 };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', length: 2 };
  return undefined;
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, DECLARATION_BYTES)).toString(
    'latin1',
  );
  const match = DECLARED_ENCODING.exec(start);
  return match ? (match[1] ?? match[2]) : undefined;
}

function decodeAs(encoding: string, bytes: Uint8Array): string {
  const name = encoding.trim().toLowerCase();
  // The Encoding Standard reads these two as windows-1252, which would turn control bytes into letters.
  if (name === 'iso-8859-1' || name === 'latin1') return asBuffer(bytes).toString('latin1');
  if (name === 'us-ascii' || name === 'ascii') return decodeAscii(bytes);
  try {
    return (name === 'utf-8' ? UTF_8 : decoderOf(name)).decode(bytes);
  } catch (cause) {
    const problem =
      cause instanceof RangeError ? `encoding '${name}' is not known` : `the document has bytes that are not ${name}`;
    throw new XmlSyntaxError(problem, 1, 1, { cause });
  }
}

/** @throws RangeError for an encoding that is not known */
function decoderOf(name: string): TextDecoder {
  return new TextDecoder(name, { fatal: true, ignoreBOM: true });
}

function decodeAscii(bytes: Uint8Array): string {
  const text = asBuffer(bytes).toString('latin1');
  if (/[^\0-\x7F]/.test(text)) throw new XmlSyntaxError('the document has bytes that are not US-ASCII', 1, 1);
  return text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
