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

/**
 * The nodes that may still be copied into one document, attributes left out (OP-91). Whoever copies several things into one gives the
 * same budget to all: elements may stand inside each other, so that copies of all take far more than what they are copied from.
 */
export class NodeBudget {
  readonly #limit = maxXmlNodes();
  #left = this.#limit;

  /** Counts in document order, until it knows. @throws TooLargeError */
  take(root: XmlNode): void {
    for (let node: XmlNode | null = root; node; node = nextInside(root, node)) {
      this.#left -= 1;
      if (this.#left < 0) throw new TooLargeError(`copies for one document have more than ${this.#limit} nodes`);
    }
  }
}

/** A deep copy of a node that may be inserted into another document. @throws TooLargeError when the budget is used up */
export function cloneInto<N extends XmlNode>(document: XmlDocument, node: N, budget: NodeBudget = new NodeBudget()): N {
  budget.take(node);
  return document.importNode(node, true);
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
