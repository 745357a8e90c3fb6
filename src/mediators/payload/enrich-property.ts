import type { Expression } from '../../expressions/expression.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { PropertyValue } from '../../message/property-value.ts';
import { cloneInto, NodeBudget, newDocument, type XmlElement } from '../../xml/index.ts';
import type { EnrichAction } from './enrich-definition.ts';

/** A target that is written as `get-property('scope', 'name')` (spec mediators 3.13). */
export interface PropertyCall {
  readonly scope: 'default' | 'axis2' | 'operation';
  readonly name: string;
}

const CALL = /^(?:[\w.-]+:)?get-property\(\s*(?:(['"])(default|axis2|operation)\1\s*,\s*)?(['"])([^'"]*)\3\s*\)\s*$/;

/** Undefined when the expression is something else; it selects nodes then. */
export function propertyCallOf({ source }: Expression): PropertyCall | undefined {
  const match = CALL.exec(source.trim());
  if (!match) return undefined;
  return { scope: (match[2] ?? 'default') as PropertyCall['scope'], name: match[4] ?? '' };
}

/** Sets the property; `child` appends to an element that it holds. */
export function writeProperty(
  message: MessageContext,
  { scope, name }: PropertyCall,
  action: EnrichAction,
  content: ReadonlyArray<XmlElement | string>,
  propertyFor: (content: ReadonlyArray<XmlElement | string>) => PropertyValue,
): void {
  const properties = scope === 'default' ? message.properties : message[scope];
  const present = properties.get(name);
  if (action !== 'child' || !isElement(present)) {
    properties.set(name, propertyFor(content));
    return;
  }
  const document = newDocument(null, 'property');
  const budget = new NodeBudget();
  const copy = cloneInto(document, present, budget);
  for (const item of content)
    copy.appendChild(typeof item === 'string' ? document.createTextNode(item) : cloneInto(document, item, budget));
  properties.set(name, copy);
}

function isElement(value: PropertyValue | undefined): value is XmlElement {
  return typeof value === 'object' && 'nodeType' in value;
}
