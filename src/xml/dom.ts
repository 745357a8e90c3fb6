import { type Attr, DOMImplementation, type Document, type Element, type Node } from '@xmldom/xmldom';
import { MAX_XML_NODES, TooLargeError } from './limits.ts';

export type XmlNode = Node;
export type XmlDocument = Document;
export type XmlElement = Element;
export type XmlAttribute = Attr;

/** The `nodeType` values that occur in our documents. */
export const NODE_TYPES = {
  element: 1,
  attribute: 2,
  text: 3,
  cdata: 4,
  processingInstruction: 7,
  comment: 8,
  document: 9,
} as const;

const IMPLEMENTATION = new DOMImplementation();

/** A document with nothing but its root element. */
export function newDocument(namespace: string | null, qualifiedName: string): XmlDocument {
  return IMPLEMENTATION.createDocument(namespace, qualifiedName);
}

/** An element that belongs to a document and stands nowhere in it yet. */
export function createElement(document: XmlDocument, namespace: string | null, qualifiedName: string): XmlElement {
  return document.createElementNS(namespace, qualifiedName);
}

/** A deep copy of a node that may be inserted into another document. */
export function cloneInto<N extends XmlNode>(document: XmlDocument, node: N): N {
  if (hasMoreNodesThan(node, MAX_XML_NODES)) {
    throw new TooLargeError(`an element of more than ${MAX_XML_NODES} nodes is not copied`);
  }
  return document.importNode(node, true);
}

/** Counts in document order, attributes left out, until it knows. */
function hasMoreNodesThan(root: XmlNode, limit: number): boolean {
  let left = limit;
  for (let node: XmlNode | null = root; node; left -= 1) {
    if (left === 0) return true;
    let next: XmlNode | null = node.firstChild;
    for (let up: XmlNode | null = node; !next && up && up !== root; up = up.parentNode) next = up.nextSibling;
    node = next;
  }
  return false;
}

/** The element children, in document order. */
export function elementChildren(parent: XmlNode): XmlElement[] {
  const found: XmlElement[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === NODE_TYPES.element) found.push(node as XmlElement);
  }
  return found;
}

/** The first element child. */
export function firstElement(parent: XmlNode): XmlElement | undefined {
  for (let node = parent.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === NODE_TYPES.element) return node as XmlElement;
  }
  return undefined;
}

/** The text directly inside an element, CDATA included, descendants' text not. */
export function textOf(element: XmlNode): string {
  let text = '';
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === NODE_TYPES.text || node.nodeType === NODE_TYPES.cdata) text += node.nodeValue ?? '';
  }
  return text;
}
