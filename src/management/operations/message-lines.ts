import type { PoisonMessage } from '../../stores/message-store.ts';
import { isReadableText, type StoredMessage } from '../../stores/stored-message.ts';
import { decodeStoredMessage, encodeStoredMessage, StoredMessageError } from '../../stores/stored-message-codec.ts';

/*
 * Stored messages as lines of JSON (OP-49), one each: the head of stored-message-codec.ts with the body in it, as text where no byte is
 * lost by that, else in base64:
 *
 *     {"v":1,"id":"urn:uuid:…","body":{"kind":"soap11","contentType":"text/xml","text":"<soapenv:…"},"headers":[["Host","h"]],…}
 *
 * What a store could not decode is written as `{"poison":{"id":…,"reason":…,"base64":…}}` and cannot be read again.
 */

/** The line of a message, without its line end. */
export function messageLine(message: StoredMessage): string {
  const { head, body } = encodeStoredMessage(message);
  const parsed = JSON.parse(head) as { body: Record<string, unknown> };
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const content = isReadableText(message.body)
    ? { text: bytes.toString('utf8') }
    : { base64: bytes.toString('base64') };
  return JSON.stringify({ ...parsed, body: { ...parsed.body, ...content } });
}

export function poisonLine({ id, reason, bytes, headers }: PoisonMessage): string {
  return JSON.stringify({ poison: { id, reason, headers, base64: Buffer.from(bytes).toString('base64') } });
}

/** @throws StoredMessageError with what is wrong with the line */
export function readMessageLine(line: string): StoredMessage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new StoredMessageError(`it is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null) throw new StoredMessageError('it is not an object');
  if ('poison' in parsed) throw new StoredMessageError('it is a message that its store could not decode');
  const { body } = parsed as { body?: unknown };
  const message = decodeStoredMessage(line, contentOf(body));
  if (message.id === '') throw new StoredMessageError('its id is empty');
  return message;
}

function contentOf(body: unknown): Buffer {
  const { text, base64 } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (text !== undefined && base64 !== undefined) throw new StoredMessageError('body has both text and base64');
  if (typeof text === 'string') return Buffer.from(text, 'utf8');
  if (base64 === undefined) return Buffer.alloc(0);
  // Buffer skips what is no base64.
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new StoredMessageError('body.base64 is not base64');
  }
  return Buffer.from(base64, 'base64');
}
