import { type JsonNode, parseLenientJson } from '../../message/json.ts';
import { JsonValue, javaDouble, MapValue, type PropertyValue, TypedNumber } from '../../message/property-value.ts';
import type { XmlElement } from '../../xml/index.ts';
import { jsonText } from '../json-text.ts';
import { stringOfProperty } from '../string-value.ts';

/** What an evaluation ends with when it cannot go on; the expression then is empty (spec mediators 4.5.3). */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** Digits of an integer of 64 bits, with room for zeros in front; reading millions of digits exactly takes seconds. */
const LONGEST_INTEGER = 100;

/** A number with its Java kind: 32 bits, 64 bits, or a double. */
export class Numeric {
  readonly type: 'integer' | 'long' | 'double';
  /** A bigint for longs. */
  readonly value: number | bigint;
  /** The text it has in a JSON document, which is kept when it is printed (MREQ-41). */
  readonly written: string | undefined;

  private constructor(type: Numeric['type'], value: number | bigint, written?: string) {
    this.type = type;
    this.value = value;
    this.written = written;
  }

  static double(value: number, written?: string): Numeric {
    return new Numeric('double', value, written);
  }

  /** An integer where 32 bits are enough, else a long, which wraps around at 64. */
  static integral(value: number | bigint, written?: string): Numeric {
    if (value >= -2147483648 && value <= 2147483647) return new Numeric('integer', Number(value), written);
    return new Numeric('long', BigInt.asIntN(64, BigInt(value)), written);
  }

  static long(value: bigint): Numeric {
    return new Numeric('long', BigInt.asIntN(64, value));
  }

  /** A number as a document, a header or an expression writes it. */
  static parse(text: string): Numeric {
    if (text.length > LONGEST_INTEGER || !/^[+-]?\d+$/.test(text)) return Numeric.double(Number(text), text);
    const value = BigInt(text.replace('+', ''));
    return BigInt.asIntN(64, value) === value ? Numeric.integral(value, text) : Numeric.double(Number(text), text);
  }

  /** As Java prints it: `5`, `5.0`, `1.0E10`. */
  toString(): string {
    return this.type === 'double' ? javaDouble(Number(this.value)) : String(this.value);
  }
}

/**
 * A text that came with the message (a header, a property, a parameter). Where a number is asked for it is one if it looks like one;
 * everywhere else it stays the text it is (MREQ-43).
 */
export class OuterText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get number(): Numeric | undefined {
    const trimmed = this.text.trim();
    if (/^[+-]?\d{1,19}$/.test(trimmed)) return Numeric.parse(trimmed);
    const floating = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$/.exec(trimmed);
    return floating ? Numeric.double(Number(floating[1])) : undefined;
  }
}

/** Elements of the message or of a variable, printed as XPath prints them (spec mediators 4.2.5). */
export class XmlValue {
  readonly elements: readonly XmlElement[];
  readonly #text: () => string;

  constructor(elements: readonly XmlElement[], text?: () => string) {
    this.elements = elements;
    this.#text = text ?? (() => stringOfProperty(elements) ?? '');
  }

  get text(): string {
    return this.#text();
  }
}

export type JsonContainer = Extract<JsonNode, { kind: 'object' | 'array' }>;

/** A value of the `${…}` language (spec mediators 4.5.3). Null is JSON's null, or a missing result. */
export type Value = null | boolean | string | Numeric | OuterText | JsonContainer | XmlValue | MapValue;

export function isJson(value: Value): value is JsonContainer {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

export function valueOfJson(node: JsonNode): Value {
  switch (node.kind) {
    case 'string':
    case 'boolean':
      return node.value;
    case 'null':
      return null;
    case 'number':
      return Numeric.parse(node.text);
    default:
      return node;
  }
}

/** The reverse, for array literals and texts put into paths. */
export function jsonOfValue(value: Value): JsonNode {
  if (value === null) return { kind: 'null' };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  if (value instanceof Numeric) {
    const text = value.written ?? String(value);
    return Number.isFinite(Number(text)) ? { kind: 'number', text } : { kind: 'string', value: text };
  }
  if (value instanceof MapValue) return parseLenientJson(value.text);
  return isJson(value) ? value : { kind: 'string', value: printed(value) };
}

/** What is inserted where the expression stands. */
export function printed(value: Value): string {
  if (value === null) return '';
  if (value instanceof Numeric) return value.written ?? String(value);
  return textOf(value);
}

/** What comparisons see: numbers as Java prints them, whatever a document wrote. */
export function compared(value: Value): string | null {
  return value === null ? null : textOf(value);
}

function textOf(value: Exclude<Value, null>): string {
  if (value instanceof OuterText || value instanceof XmlValue || value instanceof MapValue) return value.text;
  return isJson(value) ? jsonText(value) : String(value);
}

/** The text of what is text; undefined for everything else. */
export function asText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof OuterText || value instanceof XmlValue ? value.text : undefined;
}

export function asNumber(value: Value): Numeric | undefined {
  if (value instanceof Numeric) return value;
  return value instanceof OuterText ? value.number : undefined;
}

const NUMBER_KINDS = { integer: 'INTEGER', long: 'LONG', double: 'DOUBLE' } as const;

/** As a property or variable holds it. */
export function toProperty(value: Value): PropertyValue | null {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Numeric) return new TypedNumber(NUMBER_KINDS[value.type], value.value);
  if (value instanceof OuterText) return value.text;
  if (value instanceof MapValue) return value;
  if (!(value instanceof XmlValue)) return new JsonValue(jsonText(value));
  return value.elements.length === 1 ? (value.elements[0] as XmlElement) : value.elements;
}

/** What a property or variable is to expressions. */
export function fromProperty(value: PropertyValue): Value {
  if (typeof value === 'string' || typeof value === 'boolean' || value instanceof MapValue) return value;
  if (value instanceof TypedNumber) return numericOf(value);
  if (value instanceof JsonValue) return valueOfJson(parseLenientJson(value.text));
  return new XmlValue(isList(value) ? value : [value]);
}

function numericOf({ type, value }: TypedNumber): Numeric {
  if (type === 'DOUBLE' || type === 'FLOAT') return Numeric.double(Number(value));
  // A LONG stays one however small it is: the reference does not order longs.
  return type === 'LONG' ? Numeric.long(BigInt(value)) : Numeric.integral(value);
}

function isList(value: XmlElement | readonly XmlElement[]): value is readonly XmlElement[] {
  return Array.isArray(value);
}
