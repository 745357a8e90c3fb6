import type { StoredMessage } from '../stored-message.ts';
import { decodeStoredMessage, encodeStoredMessage, StoredMessageError } from '../stored-message-codec.ts';

/*
 * A stored message as one byte string, for media that have a place for bytes and nothing else (REQ-05). It says what it is and how
 * long its parts are, so that people can read it, strangers are told apart and what was cut off is noticed:
 *
 *     mini-synapse message 1 <bytes of the head> <bytes of the body>\n
 *     <head: JSON in ASCII, see stored-message-codec.ts>\n
 *     <body, byte for byte>
 */

const MAGIC = 'mini-synapse message ';
const VERSION = 1;
const LONGEST_FIRST_LINE = 80;
const FIRST_LINE = /^mini-synapse message (\d{1,9}) (\d{1,12}) (\d{1,12})$/;
/** The id is the first member behind the version; one with escapes is left to the reader of JSON. */
const QUICK_ID = /^mini-synapse message 1 \d{1,12} \d{1,12}\n\{"v":1,"id":"([^"\\]{1,128})"/;
const LONGEST_QUICK_ID = 160;
const NEW_LINE = 0x0a;
/** What every stream of Java serialization begins with (STREAM_MAGIC). */
const JAVA_MAGIC = [0xac, 0xed] as const;

/**
 * Writes a stored message.
 * @throws XmlSerializationError when an XML property cannot be written
 */
export function storedMessageBytes(message: StoredMessage): Buffer {
  const { head, body } = encodeStoredMessage(message);
  const lead = Buffer.from(`${MAGIC}${VERSION} ${head.length} ${body.length}\n${head}\n`, 'latin1');
  return Buffer.concat([lead, body], lead.length + body.length);
}

/**
 * Reads a stored message; its body shares the memory of `bytes`.
 * @throws StoredMessageError with the reason when it is not one, or not a whole one (REQ-26)
 */
export function readStoredMessageBytes(bytes: Uint8Array): StoredMessage {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { headStart, bodyStart, end } = partsOf(buffer);
  if (buffer.length !== end) {
    const what = buffer.length < end ? 'is cut off' : 'has something behind its end';
    throw new StoredMessageError(`it ${what}: it has ${buffer.length} bytes and should have ${end}`);
  }
  return decodeStoredMessage(buffer.toString('latin1', headStart, bodyStart - 1), buffer.subarray(bodyStart));
}

/**
 * Reads a stored message of which only the first bytes are at hand: with what there is of its body, and how long that is. Undefined
 * when not even its head is whole.
 * @throws StoredMessageError when it is not one
 */
export function readStoredMessageStart(
  buffer: Buffer,
): { readonly message: StoredMessage; readonly bodyBytes: number } | undefined {
  const { headStart, bodyStart, end } = partsOf(buffer);
  if (buffer.length < bodyStart) return undefined;
  const head = buffer.toString('latin1', headStart, bodyStart - 1);
  return { message: decodeStoredMessage(head, buffer.subarray(bodyStart, end)), bodyBytes: end - bodyStart };
}

/** How long the parts of a stored message are, as it says itself, bytes; undefined when it does not begin as one. */
export function storedMessageParts(bytes: Uint8Array): { readonly head: number; readonly body: number } | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lineEnd = buffer.indexOf(NEW_LINE);
  if (lineEnd < 0 || lineEnd > LONGEST_FIRST_LINE) return undefined;
  const [, , head, body] = FIRST_LINE.exec(buffer.toString('latin1', 0, lineEnd)) ?? [];
  return head === undefined ? undefined : { head: Number(head), body: Number(body) };
}

/** The id of a stored message, without reading the rest; undefined when it does not begin as {@link storedMessageBytes} writes it. */
export function storedMessageId(buffer: Buffer): string | undefined {
  const start = buffer.toString('latin1', 0, LONGEST_FIRST_LINE + LONGEST_QUICK_ID);
  return QUICK_ID.exec(start)?.[1];
}

/** Where the parts begin, by the first line. @throws StoredMessageError */
function partsOf(buffer: Buffer): { readonly headStart: number; readonly bodyStart: number; readonly end: number } {
  if (isJavaSerialization(buffer)) {
    throw new StoredMessageError('it was written by the Java runtime (Java serialization), which cannot be read here');
  }
  const lineEnd = buffer.subarray(0, LONGEST_FIRST_LINE).indexOf(NEW_LINE);
  const [, version, headLength, bodyLength] = FIRST_LINE.exec(buffer.toString('latin1', 0, Math.max(0, lineEnd))) ?? [];
  if (version === undefined) throw new StoredMessageError(`it is no stored message: ${beginningOf(buffer)}`);
  if (Number(version) !== VERSION) throw new StoredMessageError(`it has the unknown version ${version}`);
  const headStart = lineEnd + 1;
  const bodyStart = headStart + Number(headLength) + 1;
  return { headStart, bodyStart, end: bodyStart + Number(bodyLength) };
}

/** Whether these are Java objects, as the reference stores them (spec stores 2.1). */
export function isJavaSerialization(bytes: Uint8Array): boolean {
  return bytes[0] === JAVA_MAGIC[0] && bytes[1] === JAVA_MAGIC[1];
}

function beginningOf(buffer: Buffer): string {
  return buffer.length === 0 ? 'it is empty' : `it begins with the bytes ${buffer.toString('hex', 0, 16)}`;
}
