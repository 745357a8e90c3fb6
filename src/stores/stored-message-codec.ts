import { JsonValue, type NumberType, type PropertyValue, TypedNumber } from '../message/property-value.ts';
import { parseXml, serializeXml, type XmlElement } from '../xml/index.ts';
import { isElement, isElementList } from './capture.ts';
import type { DeliveryFailure, StoredAddressing, StoredBody, StoredMessage } from './stored-message.ts';

/**
 * The storage format of every durable store (REQ-05): a head that people can read and the body byte for byte. The head is JSON in
 * ASCII on one line, so that it fits any header, column or property.
 *
 *     {"v":1,"id":"urn:uuid:…","body":{"kind":"soap11","contentType":"text/xml"},"headers":[["Host","h"]],
 *      "properties":[["OUT_ONLY","true"],["count",{"INTEGER":"5"}],["flag",true],["x",{"XML":"<a/>"}]],…}
 */
export interface EncodedMessage {
  readonly head: string;
  readonly body: Uint8Array;
}

/** Bytes that are no stored message of a version known here: a poison message (REQ-26). */
export class StoredMessageError extends Error {
  override readonly name = 'StoredMessageError';
}

const VERSION = 1;
const NUMBER_TYPES: readonly NumberType[] = ['INTEGER', 'LONG', 'SHORT', 'FLOAT', 'DOUBLE'];
const BODY_KINDS: ReadonlyArray<StoredBody['kind']> = ['soap11', 'soap12', 'xml', 'json', 'text', 'binary', 'none'];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Writes a stored message.
 * @throws XmlSerializationError when an XML property cannot be written
 */
export function encodeStoredMessage(stored: StoredMessage): EncodedMessage {
  const { body } = stored;
  const head = {
    v: VERSION,
    id: stored.id,
    originalId: stored.originalId,
    ...given('correlationId', stored.correlationId),
    storedAt: stored.storedAt,
    ...given('service', stored.service),
    body: { kind: body.kind, ...given('contentType', body.contentType), ...given('soapHeader', body.soapHeader) },
    addressing: { ...stored.addressing },
    direction: stored.direction,
    doingRest: stored.doingRest,
    headers: stored.headers,
    axis2: encodeValues(stored.axis2),
    properties: encodeValues(stored.properties),
    variables: encodeValues(stored.variables),
    ...given('priority', stored.priority),
    ...(stored.history.length > 0 && { history: stored.history.map(encodeFailure) }),
    ...given('replays', stored.replays),
  };
  return { head: asciiJson(head), body: body.bytes };
}

function given(name: string, value: string | number | undefined): Record<string, Json> {
  return value === undefined ? {} : { [name]: value };
}

/** JSON with everything outside of printable ASCII escaped. */
function asciiJson(value: unknown): string {
  const json = JSON.stringify(value);
  // Nearly always there is nothing to escape; these two looks take no time beside a search with a pattern.
  if (Buffer.byteLength(json) === json.length && !json.includes('\u007f')) return json;
  return json.replace(/[^\u0020-\u007e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function encodeFailure(failure: DeliveryFailure): Json {
  const { endpoint, status, ...rest } = failure;
  return { ...rest, ...given('endpoint', endpoint), ...given('status', status) };
}

/** Pairs rather than an object, so that order survives for names like `1`, too. */
function encodeValues(values: ReadonlyMap<string, PropertyValue>): Json {
  const pairs: Json[] = [];
  values.forEach((value, name) => void pairs.push([name, encodeValue(value)]));
  return pairs;
}

function encodeValue(value: PropertyValue): Json {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof TypedNumber) return { [value.type]: numberText(value.value) };
  if (value instanceof JsonValue) return { JSON: value.text };
  if (isElementList(value)) return { XML_LIST: value.map((element) => serializeXml(element)) };
  if (isElement(value)) return { XML: serializeXml(value) };
  throw new StoredMessageError(`a property of type ${typeof value} cannot be stored`);
}

function numberText(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/**
 * Reads a stored message.
 * @throws StoredMessageError with the reason when it is not one, or one of another version
 */
export function decodeStoredMessage(head: string, body: Uint8Array): StoredMessage {
  const root = new Field(parseHead(head), 'head');
  const version = root.at('v').value;
  if (version !== VERSION) throw new StoredMessageError(`unknown version ${JSON.stringify(version) ?? '(none)'}`);
  const replays = root.at('replays').optional((field) => field.number());
  return {
    v: VERSION,
    id: root.at('id').text(),
    originalId: root.at('originalId').text(),
    correlationId: root.at('correlationId').optional((field) => field.text()),
    storedAt: root.at('storedAt').number(),
    service: root.at('service').optional((field) => field.text()),
    body: decodeBody(root.at('body'), body),
    addressing: decodeAddressing(root.at('addressing')),
    direction: root.at('direction').oneOf(['request', 'response']),
    doingRest: root.at('doingRest').boolean(),
    headers: root.at('headers').list((pair) => [pair.item(0).text(), pair.item(1).text()] as const),
    axis2: decodeValues(root.at('axis2')),
    properties: decodeValues(root.at('properties')),
    variables: decodeValues(root.at('variables')),
    priority: root.at('priority').optional((field) => field.number()),
    history: root.at('history').optional((field) => field.list(decodeFailure)) ?? [],
    ...(replays !== undefined && { replays }),
  };
}

function parseHead(head: string): unknown {
  try {
    return JSON.parse(head);
  } catch (cause) {
    throw new StoredMessageError(`the head is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function decodeBody(field: Field, bytes: Uint8Array): StoredBody {
  const soapHeader = field.at('soapHeader').optional((header) => header.text());
  return {
    kind: field.at('kind').oneOf(BODY_KINDS),
    bytes,
    contentType: field.at('contentType').optional((type) => type.text()),
    ...(soapHeader !== undefined && { soapHeader }),
  };
}

function decodeAddressing(field: Field): StoredAddressing {
  const addressing: Record<string, string> = {};
  for (const name of ['to', 'from', 'replyTo', 'faultTo', 'relatesTo', 'action']) {
    const value = field.at(name).optional((address) => address.text());
    if (value !== undefined) addressing[name] = value;
  }
  return addressing;
}

function decodeFailure(field: Field): DeliveryFailure {
  return {
    processor: field.at('processor').text(),
    sourceStore: field.at('sourceStore').text(),
    endpoint: field.at('endpoint').optional((endpoint) => endpoint.text()),
    cause: field.at('cause').text(),
    status: field.at('status').optional((status) => status.number()),
    attempts: field.at('attempts').number(),
    firstAttemptAt: field.at('firstAttemptAt').number(),
    lastAttemptAt: field.at('lastAttemptAt').number(),
  };
}

function decodeValues(field: Field): Map<string, PropertyValue> {
  return new Map(field.list((pair) => [pair.item(0).text(), decodeValue(pair.item(1))] as const));
}

function decodeValue(field: Field): PropertyValue {
  if (typeof field.value === 'string' || typeof field.value === 'boolean') return field.value;
  const [type, value] = field.single();
  if (type === 'JSON') return new JsonValue(value.text());
  if (type === 'XML') return decodeElement(value);
  if (type === 'XML_LIST') return value.list(decodeElement);
  const numberType = NUMBER_TYPES.find((known) => known === type);
  if (numberType === undefined) throw field.wrong('a known property type');
  return decodeNumber(numberType, value);
}

function decodeNumber(type: NumberType, field: Field): TypedNumber {
  const text = field.text();
  if (type === 'LONG' && /^-?\d{1,19}$/.test(text)) return new TypedNumber(type, BigInt(text));
  const number = Number(text);
  if (text.trim() === '' || (Number.isNaN(number) && text !== 'NaN')) throw field.wrong('a number');
  return new TypedNumber(type, number);
}

function decodeElement(field: Field): XmlElement {
  try {
    return parseXml(field.text()).documentElement as XmlElement;
  } catch (cause) {
    if (cause instanceof StoredMessageError) throw cause;
    throw new StoredMessageError(`${field.path} is not XML: ${(cause as Error).message}`, { cause });
  }
}

/** A value of the head that knows where it stands, so that every complaint can say so. */
class Field {
  readonly value: unknown;
  readonly #step: string | number;
  readonly #parent: Field | undefined;

  constructor(value: unknown, step: string | number, parent?: Field) {
    this.value = value;
    this.#step = step;
    this.#parent = parent;
  }

  /** Put together when somebody asks: nearly all messages are whole, and have dozens of values. */
  get path(): string {
    if (!this.#parent) return String(this.#step);
    return `${this.#parent.path}${typeof this.#step === 'number' ? `[${this.#step}]` : `.${this.#step}`}`;
  }

  at(name: string): Field {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('an object');
    const own = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    return new Field(own, name, this);
  }

  item(index: number): Field {
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return new Field(this.value[index], index, this);
  }

  /** The only member of an object. */
  single(): readonly [name: string, value: Field] {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('a property value');
    const [name, ...others] = Object.keys(value);
    if (name === undefined || others.length > 0) throw this.wrong('an object with one member');
    return [name, this.at(name)];
  }

  list<T>(read: (item: Field) => T): T[] {
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return this.value.map((_, index) => read(this.item(index)));
  }

  optional<T>(read: (field: Field) => T): T | undefined {
    return this.value === undefined ? undefined : read(this);
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('text');
    return this.value;
  }

  number(): number {
    if (typeof this.value !== 'number') throw this.wrong('a number');
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.wrong('true or false');
    return this.value;
  }

  oneOf<W extends string>(words: readonly W[]): W {
    const found = words.find((word) => word === this.value);
    if (found === undefined) throw this.wrong(`one of ${words.join(', ')}`);
    return found;
  }

  wrong(expected: string): StoredMessageError {
    return new StoredMessageError(`${this.path} is not ${expected}`);
  }
}
