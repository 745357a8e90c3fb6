import { isUtf8 } from 'node:buffer';
import { mediaTypeOf, withCharset } from '../../message/media-type.ts';
import type { PropertyValue } from '../../message/property-value.ts';
import type { StoredBody, StoredMessage } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';
import type { StompHeaders } from './connection.ts';

/*
 * A message that another JMS or STOMP application put on the queue, as a stored message: it is delivered, not discarded as the
 * reference does (spec stores 2.3).
 */

const SOAP11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP12 = 'http://www.w3.org/2003/05/soap-envelope';
/** How far into a body its root element is looked for, bytes. */
const LOOKED_AT = 4096;
const JAVA_OBJECT = 'Queues written by the Java runtime hold serialized Java objects, which cannot be read here';

/** Fields of the frame and of the JMS message, not properties of the application. */
const STOMP_HEADERS: ReadonlySet<string> = new Set(
  (
    'content-length content-type expires destination ack subscription priority amq-msg-type message-id persistent timestamp redelivered ' +
    'correlation-id reply-to type transformation transformation-error receipt browser original-destination'
  ).split(' '),
);
/** Spellings under which applications put the media type into a property, as JMS has no field for it. */
const CONTENT_TYPE_PROPERTIES = ['content-type', 'Content_Type', 'contentType', 'ContentType', 'CONTENT_TYPE'];
/** HTTP headers of a connection, and those of a body that a sender writes itself. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(
  (
    'connection content-length content-type content_type contenttype expect host keep-alive proxy-authenticate proxy-authorization ' +
    'proxy-connection te trailer transfer-encoding upgrade'
  ).split(' '),
);
const HTTP_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const HTTP_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
const DEFAULT_PRIORITY = 4;

const CONTENT_TYPES: Readonly<Record<StoredBody['kind'], string>> = {
  soap11: 'text/xml; charset=UTF-8',
  soap12: 'application/soap+xml; charset=UTF-8',
  xml: 'application/xml; charset=UTF-8',
  json: 'application/json; charset=UTF-8',
  text: 'text/plain; charset=UTF-8',
  binary: 'application/octet-stream',
  none: 'application/octet-stream',
};

/** @throws StoredMessageError for what carries nothing that could be delivered */
export function readForeignMessage(headers: StompHeaders, bytes: Buffer): StoredMessage {
  refuseJavaObjects(bytes);
  const { transport, properties } = applicationProperties(headers);
  const body = readBody(headers, bytes);
  const id = headers['message-id'] ?? '';
  const action = transport.find(([name]) => /^soap_?action$/i.test(name))?.[1].replaceAll('"', '');
  const priority = Number(headers.priority ?? DEFAULT_PRIORITY);
  return {
    v: 1,
    id,
    originalId: id,
    correlationId: headers['correlation-id'],
    storedAt: Number(headers.timestamp) || Date.now(),
    service: undefined,
    body,
    addressing: action ? { action } : {},
    direction: 'request',
    doingRest: false,
    headers: transport,
    axis2: new Map(),
    properties,
    variables: new Map(),
    priority: priority >= 0 && priority <= 9 && priority !== DEFAULT_PRIORITY ? priority : undefined,
    history: [],
  };
}

/** Over STOMP an object, map or stream message arrives without a body, just as an empty text does. */
function refuseJavaObjects(bytes: Buffer): void {
  if (bytes.length === 0)
    throw new StoredMessageError(`it is empty and was not stored by this runtime. ${JAVA_OBJECT}`);
  if (bytes.readUInt8(0) === 0xac && bytes.length > 1 && bytes.readUInt8(1) === 0xed) {
    throw new StoredMessageError(`it is a serialized Java object. ${JAVA_OBJECT}`);
  }
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
    const forwarded = HTTP_NAME.test(name) && HTTP_VALUE.test(value) && !NOT_FORWARDED.has(name.toLowerCase());
    if (forwarded) transport.push([name, value]);
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
  const kind = kindOf(mediaTypeOf(named), text);
  if (named === undefined) return { kind, bytes: text, contentType: CONTENT_TYPES[kind] };
  const redeclared = isText && kind !== 'binary' && /charset/i.test(named);
  return { kind, bytes: text, contentType: redeclared ? withCharset(named, 'UTF-8') : named };
}

function kindOf(mediaType: string, bytes: Buffer): StoredBody['kind'] {
  if (!isUtf8(bytes) || bytes.subarray(0, LOOKED_AT).includes(0)) return 'binary';
  const seen = kindSeen(bytes);
  if (mediaType === '' || mediaType === 'application/octet-stream') return seen;
  if (/(^|[/+])xml$/.test(mediaType)) return seen === 'soap11' || seen === 'soap12' ? seen : 'xml';
  if (/(^|[/+])json$/.test(mediaType)) return 'json';
  return mediaType.startsWith('text/') || mediaType === 'application/x-www-form-urlencoded' ? 'text' : 'binary';
}

/** By its first characters. */
function kindSeen(bytes: Buffer): StoredBody['kind'] {
  const start = bytes.toString('utf8', 0, LOOKED_AT).replace(/^\ufeff?\s*/, '');
  if (start.startsWith('<')) return xmlKind(start);
  return start.startsWith('{') || start.startsWith('[') ? 'json' : 'text';
}

/** By the root element: an Envelope is SOAP when its tag declares the namespace that its prefix stands for. */
function xmlKind(start: string): StoredBody['kind'] {
  const root = start.replace(/^(?:\s|<\?[^>]*\?>|<!--[\s\S]*?-->)+/, '');
  const tag = /^<(?:([\w.-]+):)?Envelope(\s[^>]*)?\/?>/.exec(root);
  if (!tag) return 'xml';
  const declaration = tag[1] === undefined ? 'xmlns' : `xmlns:${tag[1]}`;
  const namespace = new RegExp(`\\s${declaration.replaceAll('.', '\\.')}\\s*=\\s*["']([^"']*)["']`).exec(
    tag[2] ?? '',
  )?.[1];
  if (namespace === SOAP11) return 'soap11';
  return namespace === SOAP12 ? 'soap12' : 'xml';
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
