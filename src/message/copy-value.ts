import { cloneInto, NodeBudget, type XmlElement } from '../xml/index.ts';
import { JsonValue, type PropertyValue, TypedNumber } from './property-value.ts';

/** A property or variable for another message: elements belong to one, everything else never changes and is shared (MREQ-40). */
export function copyOfValue(value: PropertyValue): PropertyValue {
  if (typeof value !== 'object' || value instanceof TypedNumber || value instanceof JsonValue) return value;
  const budget = new NodeBudget();
  return isList(value) ? value.map((element) => copyOfElement(element, budget)) : copyOfElement(value, budget);
}

/** All values of a scope. */
export function copyValues(from: ReadonlyMap<string, PropertyValue>, to: Map<string, PropertyValue>): void {
  for (const [name, value] of from) to.set(name, copyOfValue(value));
}

function isList(value: XmlElement | readonly XmlElement[]): value is readonly XmlElement[] {
  return Array.isArray(value);
}

function copyOfElement(element: XmlElement, budget: NodeBudget): XmlElement {
  const document = element.ownerDocument;
  return document ? cloneInto(document, element, budget) : element;
}
