import { randomUUID } from 'node:crypto';
import type { Message, MessageProperties } from 'amqplib';
import type { PropertyValue } from '../../message/property-value.ts';
import { bodyKind, isForwardable, refuseJavaObject, usualContentType } from '../broker/foreign-body.ts';
import { foreignMessage, soapActionIn } from '../foreign-message.ts';
import type { StoredBody, StoredMessage } from '../stored-message.ts';
import { decodeStoredMessage, encodeStoredMessage, StoredMessageError } from '../stored-message-codec.ts';
import { type AmqpMessage, ID_HEADER } from './publisher.ts';

/*
 * How a stored message lies on a queue: its payload is the body, byte for byte and with its media type, so that people can read it in
 * the broker's console; everything else is in headers, named as on JMS queues:
 *
 *     SynapseStored        1, the version of this layout: tells our messages from those of other applications
 *     SynapseContext       the head of stored-message-codec.ts
 *     SynapseContextBytes  instead of the last one, when that would be too long: the head is the first so many bytes of the body
 *     StoredMessageID      the stable id; tells which message has come back
 *     FailedProcessor …    for people only, never read here
 *
 * The message id of AMQP is the original id (REQ-49), its correlation id, priority and time are those of the message.
 */

export interface DecodedMessage {
  readonly message: StoredMessage | undefined;
  /** Why there is no message (REQ-26). */
  readonly reason: string | undefined;
}

const VERSION = 1;
const VERSION_HEADER = 'SynapseStored';
const HEAD_HEADER = 'SynapseContext';
const BYTES_HEADER = 'SynapseContextBytes';
/** Headers must fit one frame, of 128 KiB by default, and amqplib's buffer of 64 KiB. */
const MAX_HEAD_IN_HEADER = 32 * 1024;
const MAX_SHORT_STRING_BYTES = 255;
const MAX_SHOWN_CHARACTERS = 2_000;
const APPLICATION = 'mini-synapse';

/** @throws XmlSerializationError, StoredMessageError when a property cannot be written */
export function encodeAmqpMessage(stored: StoredMessage): AmqpMessage {
  const { head, body } = encodeStoredMessage(stored);
  const inHeader = head.length <= MAX_HEAD_IN_HEADER;
  const bytes = inHeader ? asBuffer(body) : Buffer.concat([Buffer.from(head, 'latin1'), body]);
  const failure = stored.history.at(-1);
  return {
    id: shown(stored.id),
    body: bytes,
    properties: {
      ...shortString('messageId', stored.originalId),
      ...shortString('correlationId', stored.correlationId),
      ...shortString('contentType', inHeader ? stored.body.contentType : 'application/octet-stream'),
      ...(stored.priority !== undefined && { priority: stored.priority }),
      timestamp: Math.floor(stored.storedAt / 1000),
      appId: APPLICATION,
      headers: {
        [VERSION_HEADER]: VERSION,
        ...(inHeader ? { [HEAD_HEADER]: head } : { [BYTES_HEADER]: head.length }),
        [ID_HEADER]: shown(stored.id),
        ...(failure && { FailedProcessor: shown(failure.processor), FailureCause: shown(failure.cause) }),
      },
    },
  };
}

/** Reads what a consumer was handed: a message of ours, or one that another application put on the queue. */
export function decodeAmqpMessage({ content, properties }: Message): DecodedMessage {
  const headers = headersOf(properties);
  try {
    const version = headers[VERSION_HEADER];
    if (version === undefined) return { message: readForeignMessage(properties, content), reason: undefined };
    if (version !== VERSION)
      return undecodable(`it is stored in the layout '${textOf(version)}', which is not known here`);
    return { message: decodeOwn(headers, content), reason: undefined };
  } catch (error) {
    if (error instanceof StoredMessageError) return undecodable(error.message);
    throw error;
  }
}

/** The id of a message that cannot be decoded. */
export function poisonId(properties: MessageProperties): string {
  const id = headersOf(properties)[ID_HEADER] ?? fieldsOf(properties).messageId;
  return typeof id === 'string' && id !== '' ? id : newId();
}

/** The headers as text, with what is named of the AMQP properties. */
export function shownHeaders(properties: MessageProperties): ReadonlyArray<readonly [string, string]> {
  const { contentType, correlationId, messageId, appId, type } = fieldsOf(properties);
  const fields = {
    'Content-Type': contentType,
    'correlation-id': correlationId,
    'message-id': messageId,
    'app-id': appId,
    type,
  };
  return Object.entries({ ...fields, ...headersOf(properties) })
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [name, textOf(value)] as const);
}

function undecodable(reason: string): DecodedMessage {
  return { message: undefined, reason };
}

function headersOf({ headers }: MessageProperties): Readonly<Record<string, unknown>> {
  return headers ?? {};
}

/** Other applications may put anything there. */
function fieldsOf(properties: MessageProperties): Readonly<Record<string, unknown>> {
  return { ...properties };
}

function decodeOwn(headers: Readonly<Record<string, unknown>>, body: Buffer): StoredMessage {
  const length = headers[BYTES_HEADER];
  if (length !== undefined) {
    if (typeof length !== 'number' || !(length > 0 && length <= body.length)) {
      throw new StoredMessageError(`its header ${BYTES_HEADER} is '${textOf(length)}'`);
    }
    return decodeStoredMessage(body.toString('latin1', 0, length), body.subarray(length));
  }
  const head = headers[HEAD_HEADER];
  if (typeof head !== 'string') throw new StoredMessageError(`its header ${HEAD_HEADER} is missing`);
  return decodeStoredMessage(head, body);
}

/** @throws StoredMessageError for what carries nothing that could be delivered */
function readForeignMessage(properties: MessageProperties, bytes: Buffer): StoredMessage {
  refuseJavaObject(bytes);
  const given = fieldsOf(properties);
  const { transport, others } = applicationHeaders(properties);
  const id = textGiven(given.messageId) ?? newId();
  const action = soapActionIn(transport);
  const seconds = Number(given.timestamp);
  const priority = given.priority;
  return foreignMessage({
    id,
    correlationId: textGiven(given.correlationId),
    storedAt: Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : Date.now(),
    body: readBody(textGiven(given.contentType), bytes),
    addressing: action ? { action } : {},
    headers: transport,
    properties: others,
    priority: typeof priority === 'number' && priority >= 0 && priority <= 9 ? priority : undefined,
  });
}

/** What HTTP can carry becomes a transport header, the rest a property; what the broker itself has noted is a property, too. */
function applicationHeaders(properties: MessageProperties): {
  transport: Array<readonly [string, string]>;
  others: Map<string, PropertyValue>;
} {
  const transport: Array<readonly [string, string]> = [];
  const others = new Map<string, PropertyValue>();
  const { contentEncoding, replyTo, type } = fieldsOf(properties);
  const encoding = textGiven(contentEncoding);
  if (encoding !== undefined && isForwardable('Content-Encoding', encoding))
    transport.push(['Content-Encoding', encoding]);
  for (const [name, value] of Object.entries(headersOf(properties))) {
    const text = textOf(value);
    const ofBroker = /^(x-death|x-delivery-count|x-first-death-|x-last-death-|x-received-from)/.test(name);
    if (typeof value !== 'object' && !ofBroker && isForwardable(name, text)) transport.push([name, text]);
    else others.set(name, text);
  }
  const reply = textGiven(replyTo);
  if (reply !== undefined) others.set('RABBITMQ_REPLY_TO', reply);
  const kind = textGiven(type);
  if (kind !== undefined) others.set('RABBITMQ_TYPE', kind);
  return { transport, others };
}

function readBody(contentType: string | undefined, bytes: Buffer): StoredBody {
  if (bytes.length === 0) return { kind: 'none', bytes, contentType };
  const kind = bodyKind(contentType, bytes);
  return { kind, bytes, contentType: contentType ?? usualContentType(kind) };
}

/** A header as text: dates and tables as JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function textGiven(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** For messages without one. It lasts as long as they are in hand; AMQP has nothing that would last longer. */
function newId(): string {
  return `urn:uuid:${randomUUID()}`;
}

/** AMQP has place for 255 bytes; what is longer is in the head only. */
function shortString<N extends string>(name: N, value: string | undefined): { readonly [K in N]?: string } {
  const fits = value !== undefined && Buffer.byteLength(value) <= MAX_SHORT_STRING_BYTES;
  return (fits ? { [name]: value } : {}) as { readonly [K in N]?: string };
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARACTERS);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
