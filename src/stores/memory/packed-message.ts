import { JsonValue, type NumberType, type PropertyValue, TypedNumber } from '../../message/property-value.ts';
import { parseXml, serializeXml, type XmlElement } from '../../xml/index.ts';
import { isElement, isElementList } from '../capture.ts';
import type { DeliveryFailure, StoredAddressing, StoredBody, StoredMessage } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';
import { ByteReader, ByteWriter } from './byte-writer.ts';
import type { Vocabulary } from './vocabulary.ts';

/*
 * Everything of a stored message but its body, as few bytes as possible: messages of one flow differ in little but their ids, so texts
 * that come again are numbers in a vocabulary. For memory only: it can be read as long as the vocabulary lives.
 */

/** How a text is written: the low bits of its first number; the rest of the number belongs to it. */
const TEXT_FORM = {
  /** The number of a word; 0 is undefined. */
  word: 0,
  /** Bytes of UTF-8. */
  utf8: 1,
  /** `urn:uuid:` and 16 bytes. */
  uuid: 2,
  /** The original id of the message, which is among its properties once more. */
  originalId: 3,
  /** Bytes of UTF-16, for texts that UTF-8 cannot say. */
  utf16: 4,
  /** 16 bytes. */
  bareUuid: 5,
  /** The correlation id of the message, which is among its properties twice more: as it is, */
  correlationId: 6,
  /** and followed by `_` and another UUID, 16 bytes. */
  copyOfCorrelationId: 7,
} as const;
const FORMS = 8;
const UUID_PREFIX = 'urn:uuid:';
const UUID_LENGTH = 36;
const UUID_BYTES = 16;
const JOINT = '_';
/** Characters. */
const SHORT_TEXT = 128;

const FLAG = { response: 1, doingRest: 2, priority: 4, soapHeader: 8, correlationId: 16, replays: 32 } as const;
const BODY_KINDS: ReadonlyArray<StoredBody['kind']> = ['soap11', 'soap12', 'xml', 'json', 'text', 'binary', 'none'];
const ADDRESSES = ['to', 'from', 'replyTo', 'faultTo', 'relatesTo', 'action'] as const;
const NUMBER_TYPES: readonly NumberType[] = ['INTEGER', 'LONG', 'SHORT', 'FLOAT', 'DOUBLE'];
const VALUE = { text: 0, true: 1, false: 2, json: 3, element: 4, elements: 5, number: 6 } as const;

const writer = new ByteWriter();

/**
 * Packs all but the body. The bytes are valid until the next call.
 * @throws StoredMessageError or XmlSerializationError when a property cannot be written
 */
export function packHead(message: StoredMessage, vocabulary: Vocabulary): Buffer {
  writer.reset();
  new Packer(vocabulary, message).message(message);
  return writer.written();
}

class Packer {
  readonly #vocabulary: Vocabulary;
  readonly #originalId: string;
  readonly #correlationId: string | undefined;

  constructor(vocabulary: Vocabulary, { originalId, correlationId }: StoredMessage) {
    this.#vocabulary = vocabulary;
    this.#originalId = originalId;
    this.#correlationId = correlationId;
  }

  message(message: StoredMessage): void {
    const { body, addressing, priority, headers, history } = message;
    writer.byte(flagsOf(message));
    if (message.correlationId !== undefined) this.#inline(message.correlationId);
    this.#inline(message.originalId);
    this.#text(message.id);
    this.#text(message.service);
    writer.number(message.storedAt);
    if (priority !== undefined) writer.number(priority);
    if (message.replays !== undefined) writer.number(message.replays);
    writer.byte(BODY_KINDS.indexOf(body.kind));
    this.#text(body.contentType);
    if (body.soapHeader !== undefined) this.#text(body.soapHeader);
    for (const name of ADDRESSES) this.#text(addressing[name]);
    writer.varint(headers.length);
    for (const [name, value] of headers) {
      this.#text(name);
      this.#text(value);
    }
    for (const values of [message.axis2, message.properties, message.variables]) this.#values(values);
    writer.varint(history.length);
    for (const failure of history) this.#failure(failure);
  }

  #text(text: string | undefined): void {
    if (text === undefined) writer.varint(TEXT_FORM.word);
    else if (text === this.#originalId) writer.varint(TEXT_FORM.originalId);
    else if (text === this.#correlationId) writer.varint(TEXT_FORM.correlationId);
    else this.#wordOrText(text);
  }

  #wordOrText(text: string): void {
    // An id is no word: it hardly ever comes again.
    if (text.length >= UUID_LENGTH && this.#uuid(text)) return;
    const word = this.#vocabulary.indexOf(text);
    if (word === undefined) this.#plain(text);
    else writer.varint(word * FORMS + TEXT_FORM.word);
  }

  #inline(text: string): void {
    if (text.length < UUID_LENGTH || !this.#uuid(text)) this.#plain(text);
  }

  #plain(text: string): void {
    // Calls into the runtime cost more than a look at so few characters.
    if (text.length <= SHORT_TEXT && writer.ascii(text, text.length * FORMS + TEXT_FORM.utf8)) return;
    if (text.isWellFormed()) {
      const bytes = Buffer.byteLength(text);
      writer.varint(bytes * FORMS + TEXT_FORM.utf8);
      writer.text(text, bytes, 'utf8');
    } else {
      writer.varint(2 * text.length * FORMS + TEXT_FORM.utf16);
      writer.text(text, 2 * text.length, 'utf16le');
    }
  }

  /** Writes a text that ends with a UUID, and begins as one of those that are known; false when it does not. */
  #uuid(text: string): boolean {
    const from = text.length - UUID_LENGTH;
    const form = this.#uuidForm(text, from);
    return form !== undefined && writer.uuid(text, from, form);
  }

  #uuidForm(text: string, from: number): number | undefined {
    if (from === 0) return TEXT_FORM.bareUuid;
    if (from === UUID_PREFIX.length && text.startsWith(UUID_PREFIX)) return TEXT_FORM.uuid;
    const correlationId = this.#correlationId;
    const copied =
      correlationId !== undefined &&
      from === correlationId.length + JOINT.length &&
      text.startsWith(correlationId) &&
      text.startsWith(JOINT, correlationId.length);
    return copied ? TEXT_FORM.copyOfCorrelationId : undefined;
  }

  #values(values: ReadonlyMap<string, PropertyValue>): void {
    writer.varint(values.size);
    // A loop would make an array of each name and value.
    values.forEach((value, name) => {
      this.#text(name);
      this.#value(value);
    });
  }

  #value(value: PropertyValue): void {
    if (typeof value === 'string') {
      writer.byte(VALUE.text);
      this.#text(value);
    } else if (typeof value === 'boolean') {
      writer.byte(value ? VALUE.true : VALUE.false);
    } else if (value instanceof TypedNumber) {
      writer.byte(VALUE.number + NUMBER_TYPES.indexOf(value.type));
      this.#text(Object.is(value.value, -0) ? '-0' : String(value.value));
    } else if (value instanceof JsonValue) {
      writer.byte(VALUE.json);
      this.#text(value.text);
    } else if (isElementList(value)) {
      writer.byte(VALUE.elements);
      writer.varint(value.length);
      for (const element of value) this.#text(serializeXml(element));
    } else if (isElement(value)) {
      writer.byte(VALUE.element);
      this.#text(serializeXml(value));
    } else {
      throw new StoredMessageError(`a property of type ${typeof value} cannot be stored`);
    }
  }

  #failure(failure: DeliveryFailure): void {
    this.#text(failure.processor);
    this.#text(failure.sourceStore);
    this.#text(failure.endpoint);
    this.#text(failure.cause);
    writer.number(failure.status ?? Number.NaN);
    writer.number(failure.attempts);
    writer.number(failure.firstAttemptAt);
    writer.number(failure.lastAttemptAt);
  }
}

function flagsOf({ direction, doingRest, priority, body, correlationId, replays }: StoredMessage): number {
  return (
    (direction === 'response' ? FLAG.response : 0) +
    (doingRest ? FLAG.doingRest : 0) +
    (priority === undefined ? 0 : FLAG.priority) +
    (body.soapHeader === undefined ? 0 : FLAG.soapHeader) +
    (correlationId === undefined ? 0 : FLAG.correlationId) +
    (replays === undefined ? 0 : FLAG.replays)
  );
}

/** Reads what {@link packHead} wrote; `body` becomes the message's, without a copy. */
export function unpackMessage(head: Buffer, body: Uint8Array, vocabulary: Vocabulary): StoredMessage {
  return new Unpacker(head, vocabulary).message(body);
}

/** Its id alone, without the rest. */
export function unpackId(head: Buffer, vocabulary: Vocabulary): string {
  return new Unpacker(head, vocabulary).id();
}

class Unpacker {
  readonly #reader: ByteReader;
  readonly #vocabulary: Vocabulary;
  #originalId = '';
  #correlationId: string | undefined;

  constructor(head: Buffer, vocabulary: Vocabulary) {
    this.#reader = new ByteReader(head);
    this.#vocabulary = vocabulary;
  }

  id(): string {
    this.#beforeId();
    return this.#text();
  }

  /** The order of the members is that of the bytes. */
  message(bytes: Uint8Array): StoredMessage {
    const flags = this.#beforeId();
    return {
      v: 1,
      originalId: this.#originalId,
      correlationId: this.#correlationId,
      direction: flags & FLAG.response ? 'response' : 'request',
      doingRest: (flags & FLAG.doingRest) !== 0,
      id: this.#text(),
      service: this.#optional(),
      storedAt: this.#reader.number(),
      priority: flags & FLAG.priority ? this.#reader.number() : undefined,
      ...(flags & FLAG.replays && { replays: this.#reader.number() }),
      body: this.#body(bytes, flags),
      addressing: this.#addressing(),
      headers: this.#list(() => [this.#text(), this.#text()] as const),
      axis2: this.#values(),
      properties: this.#values(),
      variables: this.#values(),
      history: this.#list(() => this.#failure()),
    };
  }

  /** @returns the flags */
  #beforeId(): number {
    const flags = this.#reader.byte();
    this.#correlationId = flags & FLAG.correlationId ? this.#text() : undefined;
    this.#originalId = this.#text();
    return flags;
  }

  #body(bytes: Uint8Array, flags: number): StoredBody {
    const kind = BODY_KINDS[this.#reader.byte()] ?? 'binary';
    const contentType = this.#optional();
    return { kind, bytes, contentType, ...(flags & FLAG.soapHeader && { soapHeader: this.#text() }) };
  }

  #addressing(): StoredAddressing {
    const addressing: Record<string, string> = {};
    for (const name of ADDRESSES) {
      const address = this.#optional();
      if (address !== undefined) addressing[name] = address;
    }
    return addressing;
  }

  #text(): string {
    const text = this.#optional();
    if (text === undefined) throw new StoredMessageError('a packed message lacks a text');
    return text;
  }

  #optional(): string | undefined {
    const number = this.#reader.varint();
    const rest = Math.floor(number / FORMS);
    switch (number % FORMS) {
      case TEXT_FORM.word:
        return rest === 0 ? undefined : this.#vocabulary.wordAt(rest);
      case TEXT_FORM.uuid:
        return UUID_PREFIX + this.#uuid();
      case TEXT_FORM.bareUuid:
        return this.#uuid();
      case TEXT_FORM.correlationId:
        return this.#correlationId;
      case TEXT_FORM.copyOfCorrelationId:
        return this.#correlationId + JOINT + this.#uuid();
      case TEXT_FORM.originalId:
        return this.#originalId;
      case TEXT_FORM.utf16:
        return this.#reader.text(rest, 'utf16le');
      default:
        return this.#reader.text(rest, 'utf8');
    }
  }

  #uuid(): string {
    const hex = this.#reader.text(UUID_BYTES, 'hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  #list<T>(read: () => T): T[] {
    return Array.from({ length: this.#reader.varint() }, read);
  }

  #values(): Map<string, PropertyValue> {
    return new Map(this.#list(() => [this.#text(), this.#value()] as const));
  }

  #value(): PropertyValue {
    const type = this.#reader.byte();
    switch (type) {
      case VALUE.text:
        return this.#text();
      case VALUE.true:
        return true;
      case VALUE.false:
        return false;
      case VALUE.json:
        return new JsonValue(this.#text());
      case VALUE.element:
        return elementOf(this.#text());
      case VALUE.elements:
        return this.#list(() => elementOf(this.#text()));
      default:
        return numberOf(NUMBER_TYPES[type - VALUE.number] ?? 'DOUBLE', this.#text());
    }
  }

  #failure(): DeliveryFailure {
    const processor = this.#text();
    const sourceStore = this.#text();
    const endpoint = this.#optional();
    const cause = this.#text();
    const status = this.#reader.number();
    return {
      processor,
      sourceStore,
      endpoint,
      cause,
      status: Number.isNaN(status) ? undefined : status,
      attempts: this.#reader.number(),
      firstAttemptAt: this.#reader.number(),
      lastAttemptAt: this.#reader.number(),
    };
  }
}

function elementOf(text: string): XmlElement {
  return parseXml(text).documentElement as XmlElement;
}

function numberOf(type: NumberType, text: string): TypedNumber {
  return new TypedNumber(type, type === 'LONG' && /^-?\d+$/.test(text) ? BigInt(text) : Number(text));
}
