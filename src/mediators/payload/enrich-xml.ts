import type { Expression } from '../../expressions/expression.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { MediationError } from '../../message/errors.ts';
import { cloneWithOrigins } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../message/property-value.ts';
import { bodyOf, documentOf, isEnvelope } from '../../message/soap.ts';
import {
  cloneInto,
  firstElement,
  NODE_TYPES,
  NodeBudget,
  newDocument,
  type XmlAttribute,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../../xml/index.ts';
import type { EnrichAction, EnrichRemoval, EnrichSource, EnrichTarget, InlineValue } from './enrich-definition.ts';
import { propertyCallOf, writeProperty } from './enrich-property.ts';
import { asElement } from './inline-content.ts';

const log = logger('EnrichMediator');

/** What is inserted: elements, in order, or text. */
export type Content = ReadonlyArray<XmlElement | string>;

/**
 * Enriches a payload seen as XML (spec mediators 3.13, "XML engine"); JSON is edited in its XML form.
 * @param inline the content of an inline source, evaluated already
 * @throws MediationError
 */
export function enrichXml(
  message: MessageContext,
  source: EnrichSource,
  target: EnrichTarget,
  inline: InlineValue | undefined,
): void {
  const found = sourceContent(message, source, inline);
  switch (target.type) {
    case 'custom':
      if (found.content.length === 0) log.error('Cannot Enrich message from an empty source.', aboutMessage(message));
      else insertAt(message, target.expression, target.action, found);
      return;
    case 'body':
      insertIntoBody(message, target.action, found);
      message.axis2.delete('NO_ENTITY_BODY');
      return;
    case 'envelope':
      replaceEnvelope(message, found.content);
      message.axis2.delete('NO_ENTITY_BODY');
      return;
    case 'property':
      insertIntoProperty(message, target.name, target.action, found.content);
      return;
    case 'key':
      log.error('Only keys of a JSON payload can be replaced', aboutMessage(message));
      return;
  }
}

interface Found {
  readonly content: Content;
  /** Nodes of the message that move instead of being copied. */
  readonly moving: readonly XmlNode[];
}

const NOTHING: Found = { content: [], moving: [] };

function sourceContent(message: MessageContext, source: EnrichSource, inline: InlineValue | undefined): Found {
  switch (source.type) {
    case 'custom':
      return selected(message, source.expression, source.clone);
    case 'body': {
      const child = message.payload.firstBodyChild();
      return child ? { content: [child], moving: source.clone ? [] : [child] } : NOTHING;
    }
    case 'envelope':
      return { content: [message.payload.envelope()], moving: [] };
    case 'property':
      return { content: contentOfProperty(message, source.name), moving: [] };
    case 'inline':
      return { content: inline === undefined ? [] : [inline], moving: [] };
  }
}

/** Elements and text nodes; what is neither (attributes, numbers, truth values) is text (MREQ-34). */
function selected(message: MessageContext, expression: Expression, clone: boolean): Found {
  const nodes = expression.nodes(message);
  if (nodes.length === 0) {
    const text = expression.stringValue(message);
    if (text) return { content: [text], moving: [] };
    log.error('Specified node by xpath cannot be found.', aboutMessage(message));
    return NOTHING;
  }
  const content = nodes.map((node) => {
    if (node instanceof JsonValue) return node.text;
    return node.nodeType === NODE_TYPES.element ? (node as XmlElement) : (node.nodeValue ?? '');
  });
  const moving = clone ? [] : nodes.filter((node): node is XmlNode => !(node instanceof JsonValue));
  return { content, moving };
}

function contentOfProperty(message: MessageContext, name: string): Content {
  const value = message.properties.get(name);
  if (value === undefined || typeof value === 'boolean' || value instanceof TypedNumber) {
    log.error('Invalid source property type.', aboutMessage(message));
    return [];
  }
  if (value instanceof JsonValue) return [value.text];
  return Array.isArray(value) ? value : [value as XmlElement | string];
}

function insertAt(message: MessageContext, expression: Expression, action: EnrichAction, found: Found): void {
  const property = propertyCallOf(expression);
  if (property) {
    writeProperty(message, property, action, found.content, propertyOf);
    return;
  }
  const [target] = expression.nodes(message);
  if (!target || target instanceof JsonValue) throw new MediationError('Invalid Target object to be enrich.');
  insertAtNode(target, action, found);
  if (target.ownerDocument === message.payload.envelope().ownerDocument) message.payload.changed();
}

function insertAtNode(target: XmlNode, action: EnrichAction, { content, moving }: Found): void {
  // Copies are made first: what moves may be the target itself.
  const budget = new NodeBudget();
  const made = content.map((item) => nodeFor(target.ownerDocument as XmlDocument, item, budget));
  for (const node of moving) if (node !== target) node.parentNode?.removeChild(node);
  if (target.nodeType === NODE_TYPES.attribute) setAttribute(target as XmlAttribute, content);
  else if (target.nodeType === NODE_TYPES.element) insertAtElement(target as XmlElement, action, made);
  else insertAtText(target, action, made);
}

function nodeFor(document: XmlDocument, item: XmlElement | string, budget: NodeBudget): XmlNode {
  if (typeof item === 'string') return document.createTextNode(item);
  return cloneWithOrigins(document, isEnvelope(item) ? (firstElement(bodyOf(item)) ?? item) : item, budget);
}

function setAttribute(target: XmlAttribute, content: Content): void {
  const text = content.find((item) => typeof item === 'string');
  if (text === undefined) throw new MediationError('Invalid Target object to be enrich.');
  target.value = text;
}

function insertAtElement(target: XmlElement, action: EnrichAction, made: readonly XmlNode[]): void {
  const [first] = made;
  if (action === 'child') {
    for (const node of made) target.appendChild(node);
  } else if (action === 'sibling') {
    const after = target.nextSibling;
    for (const node of made) target.parentNode?.insertBefore(node, after);
  } else if (first && first.nodeType !== NODE_TYPES.element) {
    target.textContent = made.map((node) => node.nodeValue ?? '').join('');
  } else {
    for (const node of made) target.parentNode?.insertBefore(node, target);
    target.parentNode?.removeChild(target);
  }
}

/** Text for a text node goes into its parent; elements take its place. */
function insertAtText(target: XmlNode, action: EnrichAction, made: readonly XmlNode[]): void {
  const parent = target.parentNode;
  if (!parent) return;
  if (made.every((node) => node.nodeType !== NODE_TYPES.element)) {
    (parent as XmlElement).textContent = made.map((node) => node.nodeValue ?? '').join('');
    return;
  }
  const before = action === 'replace' ? target : target.nextSibling;
  for (const node of made) parent.insertBefore(node, before);
  if (action === 'replace') parent.removeChild(target);
}

function insertIntoBody(message: MessageContext, action: EnrichAction, found: Found): void {
  const { payload } = message;
  const { content } = found;
  const [first] = content;
  if (first === undefined) {
    log.error('Cannot Enrich message from an empty source.', aboutMessage(message));
    return;
  }
  const child = payload.firstBodyChild();
  if (child && action === 'replace' && typeof first === 'string' && /^\s*[{[]/.test(first) && isJson(first)) {
    payload.setJson(first);
    return;
  }
  if (child) insertAtNode(child, action, found);
  else {
    if (typeof first === 'string') {
      log.error('Invalid Object type to be inserted into message body', aboutMessage(message));
      return;
    }
    const body = payload.body();
    const budget = new NodeBudget();
    for (const item of content) body.appendChild(nodeFor(documentOf(body), item, budget));
  }
  payload.changed();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Whatever is no JSON is taken for text.
    return false;
  }
}

function replaceEnvelope({ payload }: MessageContext, [first]: Content): void {
  const envelope = typeof first === 'string' ? asElement(first) : first;
  if (!isEnvelope(envelope)) throw new MediationError('A SOAPEnvelope is expected');
  const document = newDocument(envelope.namespaceURI, envelope.nodeName);
  const copy = cloneInto(document, envelope);
  document.replaceChild(copy, document.documentElement as XmlElement);
  payload.replaceEnvelope(copy);
}

/** A property gets one element, a list of several, or text (MREQ-34). */
function insertIntoProperty(message: MessageContext, name: string, action: EnrichAction, content: Content): void {
  const present = message.properties.get(name);
  const element = typeof present === 'string' ? asElement(present) : single(present);
  if (action === 'child' && element) {
    const budget = new NodeBudget();
    const copy = cloneInto(newDocument(null, 'property'), element, budget);
    for (const item of content) copy.appendChild(nodeFor(documentOf(copy), item, budget));
    message.properties.set(name, copy);
    return;
  }
  message.properties.set(name, propertyOf(content));
}

function single(value: PropertyValue | undefined): XmlElement | undefined {
  if (typeof value !== 'object' || value instanceof JsonValue || value instanceof TypedNumber) return undefined;
  return Array.isArray(value) ? value[0] : (value as XmlElement);
}

/** Elements of its own; text only where there are no elements. */
export function propertyOf(content: Content): PropertyValue {
  const elements = content.filter((item) => typeof item !== 'string');
  if (elements.length === 0) return content.join('');
  const budget = new NodeBudget();
  const copies = elements.map((element) => cloneWithOrigins(newDocument(null, 'property'), element, budget));
  return copies.length === 1 ? (copies[0] as XmlElement) : copies;
}

/** Removes the nodes that an expression selects, from the payload or from the property that it looks into. */
export function removeXml(message: MessageContext, { expression, property }: EnrichRemoval): void {
  const nodes = expression.nodes(message);
  if (nodes.length === 0) {
    log.error('Specified node by xpath cannot be found.', aboutMessage(message));
    return;
  }
  for (const node of nodes) {
    if (node instanceof JsonValue) continue;
    if (node.nodeType === NODE_TYPES.attribute)
      (node as XmlAttribute).ownerElement?.removeAttributeNode(node as XmlAttribute);
    else node.parentNode?.removeChild(node);
  }
  if (property === undefined) message.payload.changed();
}
