import { isUtf8 } from 'node:buffer';
import type { Payload } from '../message/payload.ts';
import { previewXml } from './xml-preview.ts';

/** Of a body this much is kept, in characters (OP-46, OP-94). */
export const PREVIEW_CHARACTERS = 64 * 1024;
const PREVIEW_BINARY_BYTES = 256;

export interface PayloadPreview {
  readonly text: string;
  readonly language: 'xml' | 'json' | 'text' | 'binary' | 'none';
  readonly truncated: boolean;
}

const NOTHING: PayloadPreview = { text: '', language: 'none', truncated: false };

/**
 * The beginning of a payload as it is now. Parses nothing and writes nothing out whole: of bytes that nobody has read the first ones
 * are shown, of a tree as much as fits.
 */
export function previewPayload(payload: Payload, characters: number = PREVIEW_CHARACTERS): PayloadPreview {
  const bytes = payload.firstBytes();
  if (bytes) return previewBytes(bytes, payload.contentType, payload.contentEncoding, characters);
  switch (payload.kind) {
    case 'envelope': {
      const { text, truncated } = previewXml(
        payload.plain ? (payload.firstBodyChild() ?? payload.envelope()) : payload.envelope(),
        characters,
      );
      return { text, language: 'xml', truncated };
    }
    case 'json':
      return cut(payload.json() ?? '', 'json', characters);
    case 'text':
      return cut(payload.text() ?? '', 'text', characters);
    case 'binary':
      return previewBytes(payload.binary() ?? new Uint8Array(0), payload.contentType, undefined, characters);
    default:
      return NOTHING;
  }
}

function previewBytes(
  bytes: Uint8Array,
  contentType: string | undefined,
  encoding: string | undefined,
  characters: number,
): PayloadPreview {
  if (bytes.byteLength === 0) return NOTHING;
  const part = bytes.subarray(0, characters);
  const truncated = part.byteLength < bytes.byteLength;
  const text = encoding ? undefined : textOf(part, truncated);
  if (text === undefined) {
    const hex = Buffer.from(bytes.subarray(0, PREVIEW_BINARY_BYTES)).toString('hex');
    return { text: hex, language: 'binary', truncated: bytes.byteLength > PREVIEW_BINARY_BYTES };
  }
  return { text, language: languageOf(contentType, text), truncated };
}

/** Undefined for what is no UTF-8; a character that the cut went through is left out. */
function textOf(bytes: Uint8Array, cutOff: boolean): string | undefined {
  const whole = cutOff ? bytes.subarray(0, endOfCharacters(bytes)) : bytes;
  return isUtf8(whole) ? Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8') : undefined;
}

/** Where the last character ends that is there as a whole. */
function endOfCharacters(bytes: Uint8Array): number {
  const end = bytes.byteLength;
  let lead = end - 1;
  while (lead > 0 && end - lead < 4 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead -= 1;
  const first = bytes[lead] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return end - lead < length ? lead : end;
}

function languageOf(contentType: string | undefined, text: string): PayloadPreview['language'] {
  if (contentType !== undefined && /json/i.test(contentType)) return 'json';
  if (contentType !== undefined && /xml/i.test(contentType)) return 'xml';
  return /^\s*</.test(text) ? 'xml' : 'text';
}

function cut(text: string, language: PayloadPreview['language'], characters: number): PayloadPreview {
  const truncated = text.length > characters;
  return { text: truncated ? detached(text.slice(0, characters)) : text, language, truncated };
}

/** A part of a string keeps the whole alive in V8; this one does not. */
export function detached(part: string): string {
  return Buffer.from(part, 'utf16le').toString('utf16le');
}
