import { serializeXml, type XmlElement } from '../xml/index.ts';

/**
 * A number that keeps the Java type it was given by `type="…"`, because logs, stores and XPath show `5` for an INTEGER and `5.0`
 * for a DOUBLE (spec mediators 3.3, 4.2.5).
 */
export class TypedNumber {
  readonly type: NumberType;
  /** A bigint for LONG, so that 64 bits survive. */
  readonly value: number | bigint;

  constructor(type: NumberType, value: number | bigint) {
    this.type = type;
    this.value = value;
  }

  /** As Java prints it. */
  toString(): string {
    return this.type === 'DOUBLE' || this.type === 'FLOAT' ? javaDouble(Number(this.value)) : String(this.value);
  }
}

export type NumberType = 'INTEGER' | 'LONG' | 'SHORT' | 'FLOAT' | 'DOUBLE';

/** A JSON value set as a property (`type="JSON"`); kept as its text, parsed by whoever looks. */
export class JsonValue {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/**
 * Named values in one variable, such as the `{payload, headers, attributes}` of a response (spec mediators 3.22, 4.5.2). To whoever
 * only knows JSON it is a JSON object: text stands in it as a string, XML too.
 */
export class MapValue extends JsonValue {
  readonly entries: ReadonlyMap<string, PropertyValue>;

  constructor(entries: ReadonlyMap<string, PropertyValue>) {
    super(jsonOfMap(entries));
    this.entries = entries;
  }
}

function jsonOfMap(entries: ReadonlyMap<string, PropertyValue>): string {
  return `{${[...entries].map(([name, value]) => `${JSON.stringify(name)}:${jsonOfValue(value)}`).join(',')}}`;
}

function jsonOfValue(value: PropertyValue): string {
  if (value instanceof JsonValue) return value.text;
  if (value instanceof TypedNumber) {
    const text = String(value);
    return Number.isFinite(Number(text)) ? text : JSON.stringify(text);
  }
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  return Array.isArray(value)
    ? `[${value.map(jsonOfValue).join(',')}]`
    : JSON.stringify(serializeXml(value as XmlElement));
}

/** What a property of any scope can hold. Elements are owned by the property: setting clones them. */
export type PropertyValue = string | boolean | TypedNumber | JsonValue | XmlElement | readonly XmlElement[];

/** The text of a double as Java prints it: `2.0`, `1.0E13`, `NaN`, `Infinity` (spec mediators 4.2.5, 4.2.6). */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const plain = String(value);
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

/** True for `true` and for the text `true`, the two ways in which flags are set (spec proxies 3.5). */
export function isFlagSet(value: PropertyValue | undefined): boolean {
  return value === true || value === 'true';
}

/** The value of a numeric property: an integer, or text that is one; undefined otherwise. */
export function integerOf(value: PropertyValue | undefined): number | undefined {
  if (value instanceof TypedNumber) return Math.trunc(Number(value.value));
  if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return Number(value);
  return undefined;
}
