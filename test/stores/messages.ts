import type { Configuration } from '../../src/message/configuration.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import type { StoredBody, StoredMessage } from '../../src/stores/stored-message.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';

/** A configuration with nothing in it. */
export const NO_CONFIGURATION: Configuration = {
  version: 1,
  services: {} as Configuration['services'],
  find: () => undefined,
  names: () => [],
};

let made = 0;

/** A stored message with an id of its own; give what matters to the case. */
export function storedMessage(changes: Partial<StoredMessage> = {}): StoredMessage {
  made += 1;
  return {
    v: 1,
    id: `urn:uuid:test-${process.pid}-${made}`,
    originalId: `urn:uuid:original-${made}`,
    correlationId: undefined,
    storedAt: Date.now(),
    service: 'StockQuoteProxy',
    body: textBody(`message ${made}`),
    addressing: { to: '/services/StockQuoteProxy', action: 'urn:placeOrder' },
    direction: 'request',
    doingRest: false,
    headers: [['Content-Type', 'text/plain']],
    axis2: new Map(),
    properties: new Map(),
    variables: new Map(),
    priority: undefined,
    history: [],
    ...changes,
  };
}

export function textBody(text: string): StoredBody {
  return { kind: 'text', bytes: Buffer.from(text, 'utf8'), contentType: 'text/plain; charset=UTF-8' };
}

export function element(text: string): XmlElement {
  return parseXml(text).documentElement as XmlElement;
}

/** One property of every type. */
export function everyPropertyType(): Map<string, PropertyValue> {
  return new Map<string, PropertyValue>([
    ['string', 'a string with "quotes", <markup>, a line\nbreak and ünïcödé ☃'],
    ['empty', ''],
    ['boolean', true],
    ['false', false],
    ['integer', new TypedNumber('INTEGER', 2_147_483_647)],
    ['long', new TypedNumber('LONG', 9_223_372_036_854_775_807n)],
    ['short', new TypedNumber('SHORT', -32_768)],
    ['float', new TypedNumber('FLOAT', 1.5)],
    ['double', new TypedNumber('DOUBLE', 5)],
    ['nan', new TypedNumber('DOUBLE', Number.NaN)],
    ['json', new JsonValue('{"a":[1,2.50,null],"ü":"x"}')],
    ['xml', element('<p:order xmlns:p="urn:o" at="1 &lt; 2"><p:id>7</p:id> text </p:order>')],
    ['list', [element('<a/>'), element('<b xmlns="urn:b">2</b>')]],
  ]);
}

/** A property value as something that can be compared. */
export function comparable(value: PropertyValue): unknown {
  if (value instanceof TypedNumber) return `${value.type} ${value.toString()}`;
  if (value instanceof JsonValue) return { json: value.text };
  if (Array.isArray(value)) return (value as readonly XmlElement[]).map((item) => serializeXml(item));
  return typeof value === 'object' ? serializeXml(value as XmlElement) : value;
}

/** Properties as a list that can be compared, in order. */
export function comparableProperties(values: ReadonlyMap<string, PropertyValue>): unknown[] {
  return [...values].map(([name, value]) => [name, comparable(value)]);
}

/** A stored message as something that can be compared with `toEqual`. */
export function comparableMessage(message: StoredMessage): unknown {
  const { body, axis2, properties, variables, ...rest } = message;
  return {
    ...rest,
    body: { ...body, bytes: Buffer.from(body.bytes).toString('base64') },
    axis2: comparableProperties(axis2),
    properties: comparableProperties(properties),
    variables: comparableProperties(variables),
  };
}
