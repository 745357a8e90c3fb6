import { withCharset } from '../../message/media-type.ts';
import type { PropertyValue } from '../../message/property-value.ts';
import { bodyKind, isForwardable, JAVA_OBJECT, refuseJavaObject, usualContentType } from '../broker/foreign-body.ts';
import { foreignMessage, soapActionIn } from '../foreign-message.ts';
import type { StoredBody, StoredMessage } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';
import type { StompHeaders } from './connection.ts';

/*
 * A message that another JMS or STOMP application put on the queue, as a stored message: it is delivered, not discarded as the
 * reference does (spec stores 2.3).
 */

/** Fields of the frame and of the JMS message, not properties of the application. */
const STOMP_HEADERS: ReadonlySet<string> = new Set(
  (
    'content-length content-type expires destination ack subscription priority amq-msg-type message-id persistent timestamp redelivered ' +
    'correlation-id reply-to type transformation transformation-error receipt browser original-destination'
  ).split(' '),
);
/** Spellings under which applications put the media type into a property, as JMS has no field for it. */
const CONTENT_TYPE_PROPERTIES = ['content-type', 'Content_Type', 'contentType', 'ContentType', 'CONTENT_TYPE'];
const DEFAULT_PRIORITY = 4;

/** @throws StoredMessageError for what carries nothing that could be delivered */
export function readForeignMessage(headers: StompHeaders, bytes: Buffer): StoredMessage {
  refuseJavaObjects(bytes);
  const { transport, properties } = applicationProperties(headers);
  const body = readBody(headers, bytes);
  const id = headers['message-id'] ?? '';
  const action = soapActionIn(transport);
  const priority = Number(headers.priority ?? DEFAULT_PRIORITY);
  return foreignMessage({
    id,
    correlationId: headers['correlation-id'],
    storedAt: Number(headers.timestamp) || Date.now(),
    body,
    addressing: action ? { action } : {},
    headers: transport,
    properties,
    priority: priority >= 0 && priority <= 9 && priority !== DEFAULT_PRIORITY ? priority : undefined,
  });
}

/** Over STOMP an object, map or stream message of Java arrives without a body, just as an empty text does. */
function refuseJavaObjects(bytes: Buffer): void {
  if (bytes.length === 0)
    throw new StoredMessageError(`it is empty and was not stored by this runtime. ${JAVA_OBJECT}`);
  refuseJavaObject(bytes);
}

/** What HTTP can carry becomes a transport header, the rest a property. */
function applicationProperties(headers: StompHeaders): {
  transport: Array<readonly [string, string]>;
  properties: Map<string, PropertyValue>;
} {
  const transport: Array<readonly [string, string]> = [];
  const properties = new Map<string, PropertyValue>();
  for (const [name, value] of Object.entries(headers)) {
    if (STOMP_HEADERS.has(name) || name.startsWith('JMSX')) continue;
    if (isForwardable(name, value)) transport.push([name, value]);
    else properties.set(name, value);
  }
  const replyTo = headers['reply-to'];
  if (replyTo !== undefined) properties.set('JMS_REPLY_TO', replyTo);
  if (headers.type !== undefined) properties.set('JMS_TYPE', headers.type);
  return { transport, properties };
}

function readBody(headers: StompHeaders, bytes: Buffer): StoredBody {
  const named = CONTENT_TYPE_PROPERTIES.map((name) => headers[name]).find(
    (value) => value !== undefined && value !== '',
  );
  // Without a length it was a text message; its charset is that of the channel, not the one that its media type may name.
  const isText = headers['content-length'] === undefined || headers['amq-msg-type'] === 'text';
  const text = isText ? plainUtf8(bytes) : bytes;
  const kind = bodyKind(named, text);
  if (named === undefined) return { kind, bytes: text, contentType: usualContentType(kind) };
  const redeclared = isText && kind !== 'binary' && /charset/i.test(named);
  return { kind, bytes: text, contentType: redeclared ? withCharset(named, 'UTF-8') : named };
}

/**
 * Java's text as UTF-8: Java writes NUL as C0 80, and a character beyond U+FFFF as two surrogates of three bytes each. Real UTF-8
 * contains neither, so that texts of other clients stay as they are.
 */
export function plainUtf8(bytes: Buffer): Buffer {
  if (!bytes.includes(0xc0) && !bytes.includes(0xed)) return bytes;
  const plain = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const high = surrogateAt(bytes, at, 0xa0);
    const low = high === undefined ? undefined : surrogateAt(bytes, at + 3, 0xb0);
    if (high !== undefined && low !== undefined) {
      length += plain.write(String.fromCharCode(high, low), length, 'utf8');
      at += 6;
    } else if (bytes[at] === 0xc0 && bytes[at + 1] === 0x80) {
      length = plain.writeUInt8(0, length);
      at += 2;
    } else {
      length = plain.writeUInt8(bytes[at] as number, length);
      at += 1;
    }
  }
  return plain.subarray(0, length);
}

/** The surrogate that three bytes at `at` encode, when its second byte is in the range that begins at `from`. */
function surrogateAt(bytes: Buffer, at: number, from: 0xa0 | 0xb0): number | undefined {
  const second = bytes[at + 1];
  const third = bytes[at + 2];
  if (bytes[at] !== 0xed || second === undefined || third === undefined) return undefined;
  if (second < from || second > from + 0x0f || (third & 0xc0) !== 0x80) return undefined;
  return 0xd000 | ((second & 0x3f) << 6) | (third & 0x3f);
}
