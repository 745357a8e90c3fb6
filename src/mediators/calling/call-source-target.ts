import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import { type DynamicValue, parseDynamicValue } from '../../expressions/value.ts';
import { nonEmptyText, readAttributes, text, ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { acceptJson, NotJsonError } from '../../message/json.ts';
import { jsonToXml } from '../../message/json-xml.ts';
import { mediaTypeOf } from '../../message/media-type.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { Payload } from '../../message/payload.ts';
import { setProperty } from '../../message/property-scopes.ts';
import { JsonValue, MapValue, type PropertyValue } from '../../message/property-value.ts';
import { isEnvelope } from '../../message/soap.ts';
import { cloneInto, newDocument, type XmlElement } from '../../xml/index.ts';
import { asElement, type InlineContent, readInlineContent } from '../payload/inline-content.ts';

/** What a call sends instead of the payload. */
export interface CallSource {
  readonly from:
    | { readonly kind: 'custom'; readonly expression: Expression }
    | { readonly kind: 'property'; readonly name: string }
    | { readonly kind: 'inline'; readonly content: InlineContent };
  readonly contentType: string | undefined;
}

/** Where the answer's payload goes instead of becoming the payload. */
export type CallTarget =
  | { readonly kind: 'property'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: DynamicValue };

const SOURCE_ATTRIBUTES = {
  type: text({ doc: 'body, custom, property or inline.', default: 'custom' }),
  contentType: nonEmptyText({ doc: 'The media type in which it is sent.' }),
} as const;
const TARGET_ATTRIBUTES = { type: text({ doc: 'body, property or variable.', default: 'custom' }) } as const;

/** Reads `<source>` (spec mediators 3.11); undefined when the body itself is sent. */
export function readCallSource(parent: ConfigElement, reader: ArtifactReader): CallSource | undefined | 'invalid' {
  const element = parent.child('source');
  const attributes = element && readAttributes(element, SOURCE_ATTRIBUTES, reader);
  if (!element) return undefined;
  if (!attributes) return 'invalid';
  const from = readFrom(element, attributes.type, reader);
  return from === 'invalid' || from === undefined ? from : { from, contentType: attributes.contentType };
}

function readFrom(
  element: ConfigElement,
  type: string,
  reader: ArtifactReader,
): CallSource['from'] | undefined | 'invalid' {
  const written = element.text.trim();
  switch (type) {
    case 'body':
      return undefined;
    case 'custom': {
      const expression = readExpression(element, written, reader);
      return expression ? { kind: 'custom', expression } : 'invalid';
    }
    case 'property':
      return { kind: 'property', name: written };
    case 'inline': {
      const content = readInlineContent(element, reader);
      if (content) return { kind: 'inline', content };
      reader.error(element, 'XML element is required for INLINE type', { expected: 'an XML child or text' });
      return 'invalid';
    }
    default:
      return unexpectedType(element, type, 'body, custom, property, inline', reader);
  }
}

function readExpression(element: ConfigElement, written: string, reader: ArtifactReader): Expression | undefined {
  try {
    return compileExpression(written, element.prefixes());
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `Invalid XPath expression: ${written}: ${error.message}`, {
      expected: error.expected ?? 'an expression',
    });
    return undefined;
  }
}

function unexpectedType(element: ConfigElement, type: string, known: string, reader: ArtifactReader): 'invalid' {
  reader.error(element, `Un-expected type : ${type}`, { attribute: 'type', expected: `one of: ${known}` });
  return 'invalid';
}

/** Reads `<target>`; undefined when the answer becomes the payload. */
export function readCallTarget(parent: ConfigElement, reader: ArtifactReader): CallTarget | undefined | 'invalid' {
  const element = parent.child('target');
  const attributes = element && readAttributes(element, TARGET_ATTRIBUTES, reader);
  if (!element) return undefined;
  if (!attributes) return 'invalid';
  const { type } = attributes;
  const name = element.text.trim();
  if (type === 'body') return undefined;
  if (type === 'property') return { kind: 'property', name };
  if (type !== 'variable') return unexpectedType(element, type, 'body, property, variable', reader);
  if (name === '') {
    reader.error(element, 'Variable name is required for VARIABLE type', { expected: 'the name of a variable' });
    return 'invalid';
  }
  try {
    return { kind: 'variable', name: parseDynamicValue(name, element.prefixes()) };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { expected: 'a name or {expression}' });
    return 'invalid';
  }
}

/** Makes the source the payload of the message; with a content type, of that type. Evaluated for every message anew (MREQ-31). */
export function applySource(message: MessageContext, { from, contentType }: CallSource): void {
  const value = sourceValue(message, from);
  if (contentType !== undefined) setProperty(message, 'axis2', 'messageType', contentType);
  message.axis2.delete('NO_ENTITY_BODY');
  const type = contentType ?? String(message.axis2.get('messageType') ?? message.payload.contentType ?? '');
  message.payload = message.payload.clone();
  setPayload(message.payload, value, mediaTypeOf(type));
}

function sourceValue(message: MessageContext, from: CallSource['from']): XmlElement | string {
  if (from.kind === 'inline') return from.content.evaluate(message);
  const value =
    from.kind === 'property' ? (message.properties.get(from.name) ?? null) : selected(message, from.expression);
  if (value === null) return '';
  if (typeof value !== 'object' || value instanceof JsonValue || !('nodeType' in value || Array.isArray(value)))
    return String(value);
  const element = Array.isArray(value) ? value[0] : value;
  return element ? (element as XmlElement) : '';
}

/** Elements stay elements; all else is text. */
function selected(message: MessageContext, expression: Expression): PropertyValue | null {
  const value = expression.value(message);
  const isXml = typeof value === 'object' && value !== null && ('nodeType' in value || Array.isArray(value));
  return isXml ? value : expression.stringValue(message);
}

function setPayload(payload: Payload, value: XmlElement | string, type: string): void {
  if (typeof value !== 'string') {
    setElement(payload, value);
    return;
  }
  const json = jsonIn(value, type);
  const element = json === undefined && !isJsonType(type) ? asElement(value) : undefined;
  if (value === '') payload.clear();
  else if (element) setElement(payload, element);
  else if (json === undefined) payload.setText(value);
  else if (/xml/.test(type)) payload.replaceBody(jsonToXml(json));
  else payload.setJson(json);
}

function setElement(payload: Payload, element: XmlElement): void {
  if (!isEnvelope(element)) {
    payload.replaceBody(element);
    return;
  }
  const document = newDocument(element.namespaceURI, element.nodeName);
  const copy = cloneInto(document, element);
  document.replaceChild(copy, document.documentElement as XmlElement);
  payload.replaceEnvelope(copy);
}

/** JSON that is asked for, or text that looks like it and is not asked for as text. */
function jsonIn(value: string, type: string): string | undefined {
  if (!isJsonType(type) && (type === 'text/plain' || !/^\s*[{[]/.test(value))) return undefined;
  try {
    return acceptJson(value);
  } catch (error) {
    if (error instanceof NotJsonError) return undefined;
    throw error;
  }
}

function isJsonType(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

/** Everything that a target keeps the answer from replacing. */
export interface KeptMessage {
  readonly payload: Payload;
  readonly headers: MessageContext['headers'];
  readonly doingRest: boolean;
  readonly axis2: ReadonlyMap<string, PropertyValue | undefined>;
}

const KEPT = ['messageType', 'ContentType', 'NO_ENTITY_BODY'];

export function keepMessage(message: MessageContext): KeptMessage {
  const { payload, doingRest, axis2 } = message;
  const headers = message.headers.clone();
  return { payload, doingRest, headers, axis2: new Map(KEPT.map((name) => [name, axis2.get(name)])) };
}

export function restoreMessage(message: MessageContext, kept: KeptMessage): void {
  const { payload, headers, doingRest } = kept;
  Object.assign(message, { payload, headers, doingRest });
  for (const [name, value] of kept.axis2) {
    if (value === undefined) message.axis2.delete(name);
    else message.axis2.set(name, value);
  }
}

/**
 * Puts the answer, which is the payload now, where the target says.
 * @throws MediationError when it cannot be read
 */
export function storeInTarget(message: MessageContext, target: CallTarget): void {
  const { payload } = message;
  const json = payload.json();
  if (target.kind === 'property') {
    const value = json ?? elementOf(payload);
    if (value !== undefined) message.properties.set(target.name, value);
    return;
  }
  const name = target.name.static ?? target.name.evaluate(message) ?? '';
  const headers: Record<string, string> = {};
  for (const [header, value] of message.headers.pairs()) headers[header] ??= value;
  const status = message.axis2.get('HTTP_SC');
  const content = json === undefined ? (payload.text() ?? elementOf(payload)) : new JsonValue(json);
  const attributes = status === undefined ? '{}' : `{"statusCode":${Number(status)}}`;
  const entries: Array<[string, PropertyValue]> = [
    ['headers', new JsonValue(JSON.stringify(headers))],
    ['attributes', new JsonValue(attributes)],
  ];
  if (content !== undefined) entries.unshift(['payload', content]);
  message.variables.set(name, new MapValue(new Map(entries)));
}

function elementOf(payload: Payload): XmlElement | undefined {
  const child = payload.firstBodyChild();
  return child && cloneInto(newDocument(null, 'property'), child);
}
