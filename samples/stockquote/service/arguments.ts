/**
 * How Axis2's RPC receiver reads a request (stockquote-samples 1.5): the namespace of the wrapper is checked, its local
 * name is not; children are found by local name alone, fields of beans without regard to case.
 */

import { elementChildren, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { parseDouble, parseInteger } from '../wire/java-text.ts';
import { NS, XSI } from '../wire/soap.ts';
import { invocationFault, ServiceFault } from './fault.ts';
import type { Message } from './request.ts';

/**
 * The element that holds the bean argument.
 *
 * @param name `request` or `order`
 * @throws ServiceFault when the wrapper is of another namespace, or the argument is missing or called otherwise
 */
export function beanArgument(message: Message, operation: string, name: string): XmlElement {
  // A REST request has no way to say a bean.
  const argument = message.parameters ? undefined : argumentElement(message, operation, name);
  if (!argument || isNil(argument)) throw invocationFault(operation);
  return argument;
}

/** The text argument; null when it is absent or nil. @throws ServiceFault as beanArgument */
export function textArgument(message: Message, operation: string, name: string): string | null {
  if (message.parameters) return message.parameters.get(name);
  const argument = argumentElement(message, operation, name);
  return argument && !isNil(argument) ? textOf(argument) : null;
}

/** The first field of that name; null when there is none or it is nil. */
export function field(bean: XmlElement, name: string): string | null {
  return fields(bean, name)[0] ?? null;
}

/** All fields of that name. */
export function fields(bean: XmlElement, name: string): Array<string | null> {
  return elementChildren(bean)
    .filter((child) => child.localName?.toLowerCase() === name)
    .map((child) => (isNil(child) ? null : textOf(child)));
}

/** A double field, 0 when absent. @throws ServiceFault when it is no number */
export function doubleField(bean: XmlElement, name: string): number {
  return numberField(bean, name, parseDouble);
}

/** A 32-bit integer field, 0 when absent. @throws ServiceFault when it is no integer */
export function integerField(bean: XmlElement, name: string): number {
  return numberField(bean, name, parseInteger);
}

function numberField(bean: XmlElement, name: string, parse: (text: string) => number | undefined): number {
  const text = field(bean, name);
  if (text === null) return 0;
  const value = parse(text);
  if (value === undefined) throw new ServiceFault(`For input string: "${text}"`);
  return value;
}

function argumentElement(message: Message, operation: string, name: string): XmlElement | undefined {
  const wrapper = message.payload;
  if (!wrapper) throw invocationFault(operation);
  if (wrapper.namespaceURI !== NS) {
    throw new ServiceFault(`namespace mismatch require ${NS} found ${wrapper.namespaceURI || 'none'}`);
  }
  const children = elementChildren(wrapper);
  const found = children.find(({ localName }) => localName === name || /^(?:arg|item)/.test(localName ?? ''));
  if (!found && children.length > 0) throw new ServiceFault('Index 1 out of bounds for length 1');
  return found;
}

function isNil(element: XmlElement): boolean {
  const nil = element.getAttributeNS(XSI, 'nil');
  return nil === 'true' || nil === '1';
}
