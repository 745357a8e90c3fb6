import { isAscii } from 'node:buffer';

/** Text in bytes, with the charset that was really used. */
export interface EncodedText {
  readonly bytes: Uint8Array;
  /** As a Content-Type parameter names it. */
  readonly charset: string;
}

/** A charset that this runtime does not know, or bytes that are not text in it. */
export class CharsetError extends Error {
  override readonly name = 'CharsetError';
}

const LATIN1_NAMES = new Set(['iso-8859-1', 'iso8859-1', 'iso8859_1', 'iso_8859-1', 'latin1', 'l1']);
const ASCII_NAMES = new Set(['us-ascii', 'ascii']);

/**
 * Decodes bytes; UTF-8 when no charset is named. A byte order mark is dropped.
 * @throws CharsetError for an unknown charset and, unless `lenient`, for bytes that are not text in it
 */
export function decodeText(
  bytes: Uint8Array,
  charset: string | undefined,
  options: { lenient?: boolean } = {},
): string {
  const label = charset?.trim().toLowerCase() || 'utf-8';
  // TextDecoder reads ISO-8859-1 as windows-1252, which does not give the same bytes back.
  if (LATIN1_NAMES.has(label)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  try {
    return new TextDecoder(label, { fatal: options.lenient !== true }).decode(bytes);
  } catch (cause) {
    const unknown = cause instanceof RangeError;
    throw new CharsetError(unknown ? `unsupported charset '${charset}'` : `the bytes are not text in ${label}`, {
      cause,
    });
  }
}

/**
 * Encodes text in the wanted charset if that can express it, else in UTF-8. The caller must write the charset that is returned.
 */
export function encodeText(text: string, charset: string | undefined): EncodedText {
  const label = charset?.trim().toLowerCase();
  if (label !== undefined && LATIN1_NAMES.has(label) && fits(text, 0xff)) {
    return { bytes: Buffer.from(text, 'latin1'), charset: 'ISO-8859-1' };
  }
  const bytes = Buffer.from(text, 'utf8');
  if (label !== undefined && ASCII_NAMES.has(label) && isAscii(bytes)) return { bytes, charset: 'US-ASCII' };
  return { bytes, charset: 'UTF-8' };
}

function fits(text: string, highest: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > highest) return false;
  }
  return true;
}
