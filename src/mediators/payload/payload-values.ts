import type { Expression } from '../../expressions/expression.ts';
import { stringOfProperty } from '../../expressions/string-value.ts';
import { MediationError } from '../../message/errors.ts';
import { isJsonText, JsonSyntaxError, parseJson } from '../../message/json.ts';
import { jsonToXml, xmlToJson } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import {
  elementChildren,
  escapeText,
  parseXml,
  serializeXml,
  type XmlElement,
  XmlSyntaxError,
} from '../../xml/index.ts';

/** How what a payload factory inserts is written, by the media type of its template (spec mediators 3.7.1). */
export type MediaType = 'xml' | 'json' | 'text';

/** An evaluated argument. */
export interface ArgumentValue {
  readonly text: string;
  /** It comes from a JSONPath (or a `${}` expression) and is an object or array. */
  readonly isJson: boolean;
  /** It is always plain text. */
  readonly literal: boolean;
}

export interface ArgumentOptions {
  readonly escapeControls: boolean;
  /** Text gets quotes, unless it is a number or one of JSON's words. */
  readonly quoteText: boolean;
}

/** What stands in the place of a `$N`. */
export function argumentText(value: ArgumentValue, media: MediaType, options: ArgumentOptions): string {
  const { text, isJson, literal } = value;
  if (media === 'text') return text;
  if (media === 'xml') return isJson ? xmlOfJson(text) : xmlText(text);
  if (literal) return quotedIf(options, text, jsonEscaped(text));
  if (isJson) return options.escapeControls ? controlsEscaped(text) : text;
  if (isXml(text)) return jsonOfXml(text);
  const json = /^\s*[{[]/.test(text);
  return json ? text : quotedIf(options, text, jsonEscaped(text));
}

function quotedIf({ quoteText }: ArgumentOptions, text: string, escaped: string): string {
  const bare = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(text.trim());
  return quoteText && !bare ? `"${escaped}"` : escaped;
}

/** What stands in the place of a `${expression}`; nothing when it fails (spec mediators 3.7.1). */
export function expressionText(
  expression: Expression,
  quoted: boolean,
  media: MediaType,
  message: MessageContext,
): string {
  const value = evaluate(expression, message);
  const text = value instanceof JsonValue ? value.text : (value ?? '');
  const isJson = value instanceof JsonValue;
  if (quoted) return `"${insideQuotes(text, isJson, media)}"`;
  if (media === 'text') return text;
  if (media === 'xml') return isJson ? xmlOfJson(text) : xmlText(text);
  if (isJson || text === '') return text;
  if (isXml(text)) return jsonOfXml(text);
  // Text that is JSON is meant as such; other text must not break the document.
  return isJsonText(text) ? text : jsonEscaped(text);
}

function insideQuotes(text: string, isJson: boolean, media: MediaType): string {
  if (media === 'json') return jsonEscaped(text);
  if (media === 'text') return isJson ? jsonEscaped(text) : text;
  return isJson ? xmlOfJson(text) : xmlEscaped(text);
}

/** Objects and arrays as JSON; everything else as text. */
function evaluate(expression: Expression, message: MessageContext): JsonValue | string | null {
  try {
    if (expression.source.includes('xpath(')) return expression.stringValue(message);
    const value = expression.value(message);
    if (value instanceof JsonValue) return /^\s*[{[]/.test(value.text) ? value : scalarText(value.text);
    return stringOfProperty(value);
  } catch (error) {
    if (error instanceof MediationError && error.code === undefined) return null;
    throw error;
  }
}

function scalarText(json: string): string {
  const node = parseJson(json);
  return node.kind === 'string' ? node.value : json;
}

/** XML as it is, everything else escaped. */
function xmlText(text: string): string {
  return isXml(text) ? text : xmlEscaped(text);
}

function xmlEscaped(text: string): string {
  return escapeText(text).replaceAll('"', '&quot;').replaceAll("'", '&apos;');
}

/** One or several elements. */
export function isXml(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed.length < 4 || !trimmed.startsWith('<') || !trimmed.endsWith('>')) return false;
  return wrapped(trimmed, 'fragment') !== undefined;
}

function wrapped(fragment: string, name: string): XmlElement | undefined {
  try {
    return parseXml(`<${name}>${fragment.replace(/^<\?xml[^>]*\?>/, '')}</${name}>`).documentElement ?? undefined;
  } catch (error) {
    if (error instanceof XmlSyntaxError) return undefined;
    throw error;
  }
}

function jsonOfXml(fragment: string): string {
  const object = wrapped(fragment.trim(), 'jsonObject');
  return object ? xmlToJson(object) : jsonEscaped(fragment);
}

/** Of an object or array only what is inside. */
function xmlOfJson(text: string): string {
  try {
    return elementChildren(jsonToXml(text))
      .map((child) => serializeXml(child))
      .join('');
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new MediationError(`An argument of a payload factory is no JSON: ${cause.message}`, { cause });
  }
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const CONTROL_ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Line ends between the members of an object are no part of its texts. */
function controlsEscaped(json: string): string {
  const escaped = (text: string) => text.replace(/[\b\f\n\r\t]/g, (control) => CONTROL_ESCAPES[control] ?? control);
  return json.replace(/"(?:[^"\\]|\\.)*"/gs, escaped);
}
