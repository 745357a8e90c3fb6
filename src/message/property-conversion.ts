import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { parseXml, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import { MediationError } from './errors.ts';
import { JsonValue, type PropertyValue, TypedNumber } from './property-value.ts';

const log = logger('PropertyConversion');
/** A log line quotes at most this much of a value, characters. */
const MAX_SHOWN = 1024;
const TYPES = ['STRING', 'BOOLEAN', 'INTEGER', 'LONG', 'SHORT', 'FLOAT', 'DOUBLE', 'OM', 'JSON'] as const;
export type PropertyType = (typeof TYPES)[number];

const INTEGER_RANGE = {
  INTEGER: [-(2n ** 31n), 2n ** 31n - 1n],
  SHORT: [-32768n, 32767n],
  LONG: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;
const JAVA_FLOATING = /^[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)[fFdD]?)$/;
const JAVA_HEXADECIMAL = /^([+-]?)0[xX](?:([\da-fA-F]+)\.?([\da-fA-F]*)|\.([\da-fA-F]+))[pP]([+-]?\d{1,5})[fFdD]?$/;

export function isPropertyType(text: string): text is PropertyType {
  return (TYPES as readonly string[]).includes(text);
}

/**
 * Converts text to a property type (spec mediators 3.3). With `truncate` (values computed at run time) INTEGER and SHORT accept
 * decimals and cut the fraction off. Null for JSON that is none even when quoted: the property stays as it was.
 * @param options `about`: what log lines say of the message that the value is for (OP-70)
 * @throws MediationError for text that cannot be converted
 */
export function convertProperty(
  text: string,
  type: PropertyType,
  options: { readonly truncate: boolean; readonly about?: () => LogDetails },
): PropertyValue | null {
  switch (type) {
    case 'STRING':
      return text;
    case 'BOOLEAN':
      return ['true', 'yes', '1'].includes(text.toLowerCase());
    case 'INTEGER':
    case 'SHORT':
      return integral(options.truncate && text.includes('.') ? truncated(text) : text, type);
    case 'LONG':
      return integral(text, type);
    case 'FLOAT':
    case 'DOUBLE':
      return floating(text, type);
    case 'OM':
      return element(text);
    case 'JSON':
      return json(text, options.about);
  }
}

function truncated(text: string): string {
  const value = JAVA_FLOATING.test(text) ? Math.trunc(Number.parseFloat(text)) : Number.NaN;
  return Number.isFinite(value) ? String(value) : text;
}

function integral(text: string, type: 'INTEGER' | 'LONG' | 'SHORT'): TypedNumber {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw notConvertible(type);
  const value = BigInt(text.replace(/^\+/, ''));
  const [minimum, maximum] = INTEGER_RANGE[type];
  if (value < minimum || value > maximum) throw notConvertible(type);
  return new TypedNumber(type, type === 'LONG' ? value : Number(value));
}

function floating(text: string, type: 'FLOAT' | 'DOUBLE'): TypedNumber {
  const trimmed = text.trim();
  const value = JAVA_FLOATING.test(trimmed) ? Number(trimmed.replace(/[fFdD]$/, '')) : hexadecimal(trimmed);
  if (value === undefined) throw notConvertible(type);
  return new TypedNumber(type, type === 'FLOAT' ? Math.fround(value) : value);
}

/** `0x1.8p3`: hexadecimal digits times a power of two, which Java reads as a floating point number. */
function hexadecimal(text: string): number | undefined {
  const [, sign, whole = '', fraction = '', onlyFraction = '', exponent] = JAVA_HEXADECIMAL.exec(text) ?? [];
  if (exponent === undefined) return undefined;
  const digits = fraction + onlyFraction;
  const significand = Number(`0x${whole}${digits}`);
  return (sign === '-' ? -1 : 1) * significand * 2 ** (Number(exponent) - 4 * digits.length);
}

function element(text: string): XmlElement {
  try {
    return parseXml(text).documentElement as XmlElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new MediationError(`The property value is not well-formed XML: ${cause.message}`, { cause });
  }
}

function json(text: string, about: (() => LogDetails) | undefined): JsonValue | null {
  for (const candidate of [text, `"${text}"`]) {
    try {
      JSON.parse(candidate);
      return new JsonValue(candidate);
    } catch {
      // The next reading is tried; the reference accepts bare words as JSON strings.
    }
  }
  log.error(`Malformed JSON payload : ${text.slice(0, MAX_SHOWN)}`, about?.());
  return null;
}

function notConvertible(type: PropertyType): MediationError {
  return new MediationError(
    `Unknown type : ${type} for the property mediator or the property value cannot be converted into the specified type.`,
  );
}
