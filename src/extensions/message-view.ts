import { formatPayload } from '../message/formatter.ts';
import type { MessageContext } from '../message/message-context.ts';
import { removeProperty, setProperty } from '../message/property-scopes.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../message/property-value.ts';
import { isElement, isElementList } from '../stores/capture.ts';
import { parseXml, serializeXml } from '../xml/index.ts';
import type { Message, Scope, Value } from './api.ts';
import { describe, ExtensionError } from './containment.ts';

const SCOPES: readonly Scope[] = ['default', 'axis2', 'axis2-client', 'transport', 'operation'];
const INT = { least: -(2 ** 31), most: 2 ** 31 - 1 } as const;

/** What a module sees of a message: values it can keep, none of ours that it could break. */
export class MessageView implements Message {
  readonly #message: MessageContext;

  constructor(message: MessageContext) {
    this.#message = message;
  }

  get id(): string {
    return this.#message.messageId;
  }

  get direction(): 'request' | 'response' {
    return this.#message.direction;
  }

  get to(): string | undefined {
    return this.#message.to;
  }

  set to(address: string | undefined) {
    this.#message.to = address === undefined ? undefined : textOf('to', address);
  }

  get action(): string | undefined {
    return this.#message.action;
  }

  set action(action: string | undefined) {
    this.#message.action = action === undefined ? undefined : textOf('action', action);
  }

  property(name: string, scope: Scope = 'default'): Value | undefined {
    switch (knownScope(scope)) {
      case 'default':
        return plain(this.#message.properties.get(name));
      case 'axis2':
        return plain(this.#message.axis2.get(name));
      case 'axis2-client':
        return plain(this.#message.axis2Client.get(name));
      case 'operation':
        return plain(this.#message.operation.get(name));
      case 'transport':
        return this.#message.headers.get(name);
    }
  }

  setProperty(name: string, value: Value, scope: Scope = 'default'): void {
    setProperty(this.#message, knownScope(scope), textOf('the name of a property', name), propertyValue(value));
  }

  removeProperty(name: string, scope: Scope = 'default'): void {
    removeProperty(this.#message, knownScope(scope), name);
  }

  variable(name: string): Value | undefined {
    return plain(this.#message.variables.get(name));
  }

  setVariable(name: string, value: Value): void {
    this.#message.variables.set(textOf('the name of a variable', name), propertyValue(value));
  }

  header(name: string): string | undefined {
    return this.#message.headers.get(name);
  }

  setHeader(name: string, value: string): void {
    this.#message.headers.set(textOf('the name of a header', name), textOf(`header ${name}`, value));
  }

  removeHeader(name: string): void {
    this.#message.headers.delete(name);
  }

  get contentType(): string | undefined {
    return formatPayload(this.#message.payload).contentType;
  }

  bytes(): Uint8Array {
    // Bytes may be shared with other messages.
    return Uint8Array.from(formatPayload(this.#message.payload).bytes ?? []);
  }

  text(): string | undefined {
    return this.#message.payload.text();
  }

  json(): unknown {
    return JSON.parse(this.#message.payload.jsonText());
  }

  xml(): string | undefined {
    const child = this.#message.payload.firstBodyChild();
    return child && serializeXml(child);
  }

  setText(text: string): void {
    this.#message.payload.setText(textOf('the payload', text));
  }

  setJson(value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) throw new ExtensionError(`${describe(value)} cannot be written as JSON`);
    this.#message.payload.setJson(text);
  }

  setXml(xml: string): void {
    const root = parseXml(textOf('the payload', xml)).documentElement;
    if (root) this.#message.payload.replaceBody(root);
  }

  setBytes(bytes: Uint8Array, contentType: string): void {
    if (!(bytes instanceof Uint8Array)) throw new ExtensionError(`the payload is ${describe(bytes)}, expected bytes`);
    this.#message.payload.setBinary(Uint8Array.from(bytes), textOf('the content type', contentType));
  }
}

/** The value of a property as a module sees it. */
export function plain(value: PropertyValue | undefined): Value | undefined {
  if (value === undefined || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof TypedNumber) return value.value;
  if (value instanceof JsonValue) return value.text;
  if (isElementList(value)) return value.map((element) => serializeXml(element)).join('');
  return isElement(value) ? serializeXml(value) : String(value);
}

/** @throws ExtensionError for what no property can hold */
function propertyValue(value: Value): PropertyValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'bigint':
      return new TypedNumber('LONG', value);
    case 'number':
      return Number.isInteger(value) && value >= INT.least && value <= INT.most
        ? new TypedNumber('INTEGER', value)
        : new TypedNumber('DOUBLE', value);
    default:
      throw new ExtensionError(`a property cannot hold ${describe(value)}: a text, a number or a truth value`);
  }
}

function knownScope(scope: Scope): Scope {
  if (SCOPES.includes(scope)) return scope;
  throw new ExtensionError(`there is no scope ${describe(scope)}, expected one of: ${SCOPES.join(', ')}`);
}

function textOf(what: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ExtensionError(`${what} is ${describe(value)}, expected a text`);
}
