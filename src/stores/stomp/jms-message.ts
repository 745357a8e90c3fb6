import { isAscii } from 'node:buffer';
import { integerOf, TypedNumber } from '../../message/property-value.ts';
import { isReadableText, type StoredMessage } from '../stored-message.ts';
import { decodeStoredMessage, encodeStoredMessage, StoredMessageError } from '../stored-message-codec.ts';
import type { StompHeaders, StompMessage } from './connection.ts';
import { readForeignMessage } from './foreign-message.ts';

/*
 * How a stored message lies on a queue: its payload is the body, a text message wherever it can be one, so that people can read it in
 * the broker's console; everything else is in properties:
 *
 *     SynapseStored        1, the version of this layout: tells our messages from those of other applications
 *     SynapseContextParts  how many of the next there are
 *     SynapseContext1…     the head of stored-message-codec.ts, cut into pieces that fit a header line
 *     SynapseContextBytes  instead of the last two, when they would be too many: the head is the first so many bytes of the body
 *     OrigMessageID …      for people and selectors only, never read here
 */

/** What SEND takes: its headers but for destination, receipt and transaction, and its body. */
export interface JmsMessage {
  readonly headers: StompHeaders;
  readonly body: Uint8Array;
  /** Of one put, however often it is sent; see repeated-puts.ts. */
  readonly put?: string;
}

/** The message cannot be stored as it is; the message says why. */
export class JmsMessageError extends Error {
  override readonly name = 'JmsMessageError';
}

export interface DecodedMessage {
  readonly message: StoredMessage | undefined;
  /** Why there is no message (REQ-26). */
  readonly reason: string | undefined;
}

const VERSION = '1';
const VERSION_HEADER = 'SynapseStored';
const PARTS_HEADER = 'SynapseContextParts';
const PART_HEADER = 'SynapseContext';
const BYTES_HEADER = 'SynapseContextBytes';
/** Escaped, a piece is twice as long at most: brokers take lines of 10 KiB, and 8 KiB is the rule here. */
const PART_CHARACTERS = 4_000;
const MAX_PARTS = 100;
const MAX_SHOWN_PROPERTIES = 100;
const MAX_SHOWN_CHARACTERS = 2_000;

const MESSAGE_PROPERTY = 'JMS_MSG_P_';
const CONTROL = /[\u0000-\u001f\u007f]/;
const JMS_IDENTIFIER = /^[A-Za-z_$][\w$]{0,199}$/;
const SELECTOR_WORDS: ReadonlySet<string> = new Set('null true false not and or between like in is escape'.split(' '));
/** Headers that mean something to a broker, in any case of letters: a client's HTTP header of that name must not reach it. */
const BROKER_HEADERS: ReadonlySet<string> = new Set(
  (
    'destination receipt transaction persistent priority expires type id ack selector subscription redelivered timestamp browser ' +
    'transformation session server version message login passcode exclusive retroactive durable host timetolive'
  ).split(' '),
);
const BROKER_PREFIXES = /^(jms|amq|synapse|activemq|hdr|_amq|_hq)/i;

/**
 * @throws JmsMessageError for producer settings that are not numbers (spec stores 2.3)
 * @throws XmlSerializationError when an XML property cannot be written
 */
export function encodeJmsMessage(stored: StoredMessage): JmsMessage {
  const { head, body } = encodeStoredMessage(stored);
  const shared = {
    ...shownProperties(stored),
    ...producerSettings(stored),
    persistent: 'true',
    [VERSION_HEADER]: VERSION,
  };
  const count = Math.ceil(head.length / PART_CHARACTERS);
  if (count > MAX_PARTS) {
    const both = Buffer.concat([Buffer.from(head, 'latin1'), body]);
    return { headers: { ...shared, [BYTES_HEADER]: `${head.length}`, ...bodyHeaders(both, 'bytes') }, body: both };
  }
  const parts: Record<string, string> = { [PARTS_HEADER]: `${count}` };
  for (let index = 0; index < count; index += 1) {
    const from = index * PART_CHARACTERS;
    parts[`${PART_HEADER}${index + 1}`] = head.slice(from, from + PART_CHARACTERS);
  }
  const kind = isReadableText(stored.body) && isJavaText(body) ? 'text' : 'bytes';
  return { headers: { ...shared, ...parts, ...bodyHeaders(body, kind) }, body };
}

/** Reads what a consumer was handed: a message of ours, or one that another application put on the queue. */
export function decodeJmsMessage(frame: Omit<StompMessage, 'length'>): DecodedMessage {
  const { headers, body, truncated } = frame;
  if (truncated) return undecodable(`it has more than ${body.length} bytes`);
  try {
    const version = headers[VERSION_HEADER];
    if (version === undefined) return { message: readForeignMessage(headers, body), reason: undefined };
    if (version !== VERSION) return undecodable(`it is stored in the layout '${version}', which is not known here`);
    return { message: decodeOwn(headers, body), reason: undefined };
  } catch (error) {
    if (error instanceof StoredMessageError) return undecodable(error.message);
    throw error;
  }
}

function undecodable(reason: string): DecodedMessage {
  return { message: undefined, reason };
}

function decodeOwn(headers: StompHeaders, body: Buffer): StoredMessage {
  const inBody = headers[BYTES_HEADER];
  if (inBody !== undefined) {
    const length = countOf(inBody, body.length, BYTES_HEADER);
    return decodeStoredMessage(body.toString('latin1', 0, length), body.subarray(length));
  }
  const count = countOf(headers[PARTS_HEADER], MAX_PARTS, PARTS_HEADER);
  let head = '';
  for (let index = 1; index <= count; index += 1) {
    const part = headers[`${PART_HEADER}${index}`];
    if (part === undefined) throw new StoredMessageError(`its property ${PART_HEADER}${index} is missing`);
    head += part;
  }
  return decodeStoredMessage(head, body);
}

function countOf(text: string | undefined, most: number, name: string): number {
  const count = /^\d{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= most)) throw new StoredMessageError(`its property ${name} is '${text ?? ''}'`);
  return count;
}

function bodyHeaders(body: Uint8Array, kind: 'text' | 'bytes'): Record<string, string> {
  return { 'amq-msg-type': kind, 'content-length': `${body.length}` };
}

/** Whether Java reads these UTF-8 bytes as the same text: its own UTF-8 has neither NUL nor four-byte sequences. */
function isJavaText(bytes: Uint8Array): boolean {
  if (isAscii(bytes)) return !bytes.includes(0);
  for (const byte of bytes) if (byte === 0 || byte >= 0xf0) return false;
  return true;
}

/** What operators see beside the payload, and selectors may use (spec stores 2.3 steps 1, 3 and 4). */
function shownProperties(stored: StoredMessage): Record<string, string> {
  const shown: Record<string, string> = {
    OrigMessageID: printable(stored.originalId),
    StoredMessageID: printable(stored.id),
  };
  const failure = stored.history.at(-1);
  if (failure) {
    shown.FailedProcessor = printable(failure.processor);
    shown.FailureCause = printable(failure.cause);
  }
  const { contentType } = stored.body;
  if (contentType !== undefined) shown['content-type'] = printable(contentType);
  let room = MAX_SHOWN_PROPERTIES;
  for (const [name, value] of [...messageProperties(stored), ...stored.headers]) {
    if (room === 0) break;
    if (!isShowable(name, value) || Object.hasOwn(shown, name)) continue;
    shown[name] = value;
    room -= 1;
  }
  return shown;
}

/** `JMS_MSG_P_<x>` becomes property `<x>`: text, numbers and booleans. */
function* messageProperties({ properties }: StoredMessage): Generator<readonly [string, string]> {
  for (const [name, value] of properties) {
    if (!name.startsWith(MESSAGE_PROPERTY)) continue;
    if (typeof value === 'object' && !(value instanceof TypedNumber)) continue;
    yield [name.slice(MESSAGE_PROPERTY.length), String(value)];
  }
}

function isShowable(name: string, value: string): boolean {
  return isShowableName(name) && value.length <= MAX_SHOWN_CHARACTERS && !CONTROL.test(value);
}

/** What was found out about names: nearly all messages have the same ones. */
const showableNames = new Map<string, boolean>();
const MAX_KNOWN_NAMES = 1_000;
const MAX_KNOWN_LENGTH = 100;

function isShowableName(name: string): boolean {
  const known = showableNames.get(name);
  if (known !== undefined) return known;
  const showable = mayBeProperty(name);
  if (showableNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_LENGTH) showableNames.set(name, showable);
  return showable;
}

/** Names that JMS does not allow are skipped, as are those that a broker would act upon. */
function mayBeProperty(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    JMS_IDENTIFIER.test(name) && !SELECTOR_WORDS.has(lower) && !BROKER_HEADERS.has(lower) && !BROKER_PREFIXES.test(name)
  );
}

/** As it stands in a property. */
export function printable(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARACTERS).replace(/[^\u0020-\u007e]/g, '?');
}

/**
 * Time to live and priority (spec stores 2.3 step 2, REQ-42). Every message is persistent, whatever JMS_PROD_DELIVERY_MODE says
 * (OP-02). One that has failed is put aside for somebody to look at, so it does not expire.
 */
function producerSettings({ properties, priority, history }: StoredMessage): Record<string, string> {
  for (const name of ['JMS_PROD_PRIORITY', 'JMS_PROD_DELIVERY_MODE']) numberOf(properties, name);
  const timeToLive = numberOf(properties, 'JMS_PROD_TIME_TO_LIVE') ?? 0;
  return {
    ...(timeToLive > 0 && history.length === 0 && { expires: `${Date.now() + timeToLive}` }),
    ...(priority !== undefined && { priority: `${priority}` }),
  };
}

function numberOf(properties: StoredMessage['properties'], name: string): number | undefined {
  const value = properties.get(name);
  if (value === undefined) return undefined;
  const number = integerOf(value);
  if (number === undefined)
    throw new JmsMessageError(`the property ${name} is '${String(value)}', which is not a number`);
  return number;
}
