import { maxXmlNodes, TooLargeError } from './limits.ts';
import { NODE_TYPES } from './node-types.ts';
import { XmlDocument, type XmlElement, type XmlNode } from './tree.ts';
import { nextInside } from './tree-edits.ts';
import { qualifiedName } from './tree-names.ts';

/** A document with nothing but its root element. @throws XmlTreeError when that is no name */
export function newDocument(namespace: string | null, name: string): XmlDocument {
  const document = new XmlDocument();
  document.appendChild(document.createElementNS(namespace, name));
  return document;
}

/** An element that belongs to a document and stands nowhere in it yet. */
export function createElement(document: XmlDocument, namespace: string | null, name: string): XmlElement {
  return document.createElementNS(namespace, name);
}

/** Gives an element, and nothing inside of it, another namespace. @throws XmlTreeError when its prefix cannot stand for it */
export function moveToNamespace(element: XmlElement, namespace: string | null): void {
  element.qualifiedName = qualifiedName(namespace, element.nodeName);
}

/** A deep copy of a node that may be inserted into another document. */
export function cloneInto<N extends XmlNode>(document: XmlDocument, node: N): N {
  const limit = maxXmlNodes();
  if (hasMoreNodesThan(node, limit)) throw new TooLargeError(`an element of more than ${limit} nodes is not copied`);
  return document.importNode(node, true);
}

/** Counts in document order, attributes left out, until it knows. */
function hasMoreNodesThan(root: XmlNode, limit: number): boolean {
  let left = limit;
  for (let node: XmlNode | null = root; node; node = nextInside(root, node)) {
    if (left === 0) return true;
    left -= 1;
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
