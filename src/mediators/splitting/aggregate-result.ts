import type { Expression } from '../../expressions/expression.ts';
import { jsonText } from '../../expressions/json-text.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, parseJson } from '../../message/json.ts';
import { cloneWithOrigins, xmlToJson } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../message/property-value.ts';
import { documentOf } from '../../message/soap.ts';
import { cloneInto, firstElement, joinTexts, NodeBudget, type XmlElement, type XmlNode } from '../../xml/index.ts';
import { isJsonExpression } from '../expression-kind.ts';

const ELEMENT_NODE = 1;

/** How `<onComplete>` says that messages become one. */
export interface Merging {
  /** Undefined: the first child of the Body. */
  readonly expression: Expression | undefined;
  readonly enclosingElementProperty: string | undefined;
  /** Of JSON: an array of the values, or one object with the members of all. */
  readonly elementType: 'root' | 'child';
}

/**
 * Makes one message of several: a copy of the first with what the expression selects in all of them (spec mediators 3.15). The work is
 * linear in their size.
 * @throws MediationError when the expression finds nothing in a later message, or what it finds does not fit together
 */
export function mergedMessage(messages: readonly MessageContext[], merging: Merging): MessageContext {
  const [first, ...further] = messages;
  if (!first) throw new MediationError('There are no messages to aggregate');
  const { expression } = merging;
  if (expression && isJsonExpression(expression)) return mergedJson(first, messages, expression, merging);
  const result = first.copy();
  appendMatches(result, further, expression);
  enclose(result, first, merging.enclosingElementProperty);
  result.payload.changed();
  return result;
}

function appendMatches(
  result: MessageContext,
  further: readonly MessageContext[],
  expression: Expression | undefined,
): void {
  const body = result.payload.body();
  const own = matches(result, expression);
  const budget = new NodeBudget();
  if (own.some(({ parentNode }) => parentNode !== body)) {
    const wrapper = firstElement(body);
    // Copies: taking many elements out of one parent would cost the square of their number.
    for (const match of own) body.appendChild(cloneWithOrigins(documentOf(body), match, budget));
    if (wrapper) body.removeChild(wrapper);
  }
  for (const message of further) {
    const found = matches(message, expression);
    if (found.length === 0) {
      throw new MediationError(`Error evaluating expression: ${expression?.source ?? 'the first child of the Body'}`, {
        cause: new MediationError('Could not find matching elements to aggregate.'),
      });
    }
    for (const match of found) body.appendChild(cloneWithOrigins(documentOf(body), match, budget));
  }
}

function matches(message: MessageContext, expression: Expression | undefined): XmlElement[] {
  if (!expression) {
    const child = message.payload.firstBodyChild();
    return child ? [child] : [];
  }
  return expression.nodes(message).filter(isElement);
}

function isElement(node: XmlNode | JsonValue): node is XmlElement {
  return !(node instanceof JsonValue) && node.nodeType === ELEMENT_NODE;
}

/** Puts a copy of the property's element around everything in the Body. */
function enclose(result: MessageContext, first: MessageContext, name: string | undefined): void {
  const enclosing = enclosingElement(first, name);
  if (!enclosing) return;
  const body = result.payload.body();
  const budget = new NodeBudget();
  const wrapper = cloneInto(documentOf(body), enclosing, budget);
  const children: XmlNode[] = [];
  for (let child = body.firstChild; child; child = child.nextSibling) children.push(child);
  // From the last one on, so that no list of siblings is rebuilt for each.
  const moved = children.map((child) => (child.nodeType === ELEMENT_NODE ? copied(child as XmlElement) : undefined));
  for (const child of moved) if (child) wrapper.appendChild(child);
  for (const child of children.reverse()) body.removeChild(child);
  body.appendChild(wrapper);

  function copied(child: XmlElement): XmlElement {
    return cloneWithOrigins(documentOf(body), child, budget);
  }
}

function enclosingElement(message: MessageContext, name: string | undefined): XmlElement | undefined {
  if (name === undefined) return undefined;
  const value = message.properties.get(name);
  if (value === undefined) throw new MediationError(`Enclosing Element property: ${name} not found `);
  const [element] = Array.isArray(value) ? value : [value];
  if (isXmlElement(element)) return element;
  throw new MediationError(`Enclosing Element defined in the property: ${name} is not an OMElement `);
}

function isXmlElement(value: PropertyValue | undefined): value is XmlElement {
  return typeof value === 'object' && 'nodeType' in value && value.nodeType === ELEMENT_NODE;
}

function mergedJson(
  first: MessageContext,
  messages: readonly MessageContext[],
  expression: Expression,
  { elementType, enclosingElementProperty }: Merging,
): MessageContext {
  const enclosing = enclosingElement(first, enclosingElementProperty);
  const values = messages.map((message) => jsonOf(expression.value(message)));
  const merged = elementType === 'child' ? mergedObject(values, expression) : arrayOf(values);
  const result = first.copy();
  result.payload.setJson(enclosing ? `{${JSON.stringify(enclosing.localName)}:${merged}}` : merged);
  return result;
}

/** @throws TooLargeError when the text would be longer than one may be (OP-91) */
function arrayOf(values: readonly string[]): string {
  const parts = values.flatMap((value, index) => (index === 0 ? [value] : [',', value]));
  return joinTexts(['[', ...parts, ']'], 'aggregate');
}

/** The JSON text of a value of any kind. */
export function jsonOf(value: PropertyValue | null): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean' || value instanceof TypedNumber || value instanceof JsonValue) return String(value);
  return isXmlElement(value) ? xmlToJson(value) : `[${value.map((element) => xmlToJson(element)).join(',')}]`;
}

/** One object with the members of all; the values of a key that occurs several times become an array. */
function mergedObject(texts: readonly string[], expression: Expression): string {
  const members = new Map<string, JsonNode[]>();
  for (const text of texts) {
    const node = parseJson(text);
    if (node.kind !== 'object') {
      throw new MediationError(`Error merging aggregation results using JSONPath : ${expression.source}`, {
        detail: `a value is no JSON object but ${node.kind}`,
      });
    }
    for (const [key, value] of node.members) {
      const values = members.get(key);
      if (values) values.push(value);
      else members.set(key, [value]);
    }
  }
  const merged = [...members].map(([key, values]): readonly [string, JsonNode] => {
    const [only] = values;
    return [key, values.length === 1 && only ? only : { kind: 'array', items: values }];
  });
  return jsonText({ kind: 'object', members: merged });
}
