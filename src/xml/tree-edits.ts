import { NODE_TYPES } from './node-types.ts';
import type { XmlCharacterData, XmlChild, XmlDocument, XmlNode, XmlParent } from './tree.ts';
import { XmlTreeError } from './tree-names.ts';

/*
 * How nodes are put into trees and taken out of them: the only code that writes links, together with the parser, which only appends.
 */

/** Puts a node behind the last child. Nothing is checked: it stands nowhere yet and belongs to the same document. */
export function append(parent: XmlParent, child: XmlChild): void {
  const last = parent.lastChild;
  child.parentNode = parent;
  if (last) {
    last.nextSibling = child;
    child.previousSibling = last;
  } else {
    parent.firstChild = child;
  }
  parent.lastChild = child;
}

/** Takes a node out of where it stands, if it stands anywhere. */
export function take(child: XmlChild): void {
  const { parentNode: parent, previousSibling: previous, nextSibling: next } = child;
  if (!parent) return;
  if (previous) previous.nextSibling = next;
  else parent.firstChild = next;
  if (next) next.previousSibling = previous;
  else parent.lastChild = previous;
  child.parentNode = null;
  child.previousSibling = null;
  child.nextSibling = null;
}

/** The same node, known to be a child of another one. @throws XmlTreeError when it is not */
export function childOf(parent: XmlNode, node: XmlNode): XmlChild {
  if (node.parentNode === parent) return node as XmlChild;
  throw new XmlTreeError(`${node.nodeName} is not a child of ${parent.nodeName}`);
}

/**
 * Moves a node, from wherever it stands and whatever document it is of, in front of a child, or behind the last one.
 * @param replaced the child that is going to be taken out
 * @throws XmlTreeError
 */
export function moveBefore(parent: XmlNode, node: XmlNode, before: XmlChild | null, replaced?: XmlNode): void {
  checkPlace(parent, node, replaced);
  const child = node as XmlChild;
  const place = before === child ? child.nextSibling : before;
  take(child);
  adopt(child, parent.ownerDocument ?? (parent as XmlDocument));
  insert(parent as XmlParent, child, place);
}

function checkPlace(parent: XmlNode, node: XmlNode, replaced: XmlNode | undefined): void {
  const refuse = (why: string) => new XmlTreeError(`${node.nodeName} cannot be put into ${parent.nodeName}: ${why}`);
  const { nodeType } = parent;
  if (nodeType !== NODE_TYPES.element && nodeType !== NODE_TYPES.document) throw refuse('it has no children');
  if (node.nodeType === NODE_TYPES.attribute || node.nodeType === NODE_TYPES.document) throw refuse('it is no child');
  if (nodeType === NODE_TYPES.document && node.nodeType === NODE_TYPES.element) {
    const { documentElement } = parent as XmlDocument;
    if (documentElement && documentElement !== node && documentElement !== replaced) throw refuse('it has a root');
  }
  // What has no children holds nothing but itself; that is most of what is moved.
  if (!node.firstChild && node !== parent) return;
  for (let up: XmlNode | null = parent; up; up = up.parentNode) if (up === node) throw refuse('it is inside of it');
}

function insert(parent: XmlParent, child: XmlChild, before: XmlChild | null): void {
  if (!before) {
    append(parent, child);
    return;
  }
  const previous = before.previousSibling;
  child.parentNode = parent;
  child.previousSibling = previous;
  child.nextSibling = before;
  before.previousSibling = child;
  if (previous) previous.nextSibling = child;
  else parent.firstChild = child;
}

/** Nodes that come from another document belong to this one from now on. */
function adopt(root: XmlChild, document: XmlDocument): void {
  if (root.ownerDocument === document) return;
  for (let node: XmlChild | null = root; node; node = nextInside(root, node) as XmlChild | null) {
    node.ownerDocument = document;
  }
}

/** The node behind another one in document order, attributes left out; null behind the last one inside of a root. */
export function nextInside(root: XmlNode, node: XmlNode): XmlNode | null {
  if (node.firstChild) return node.firstChild;
  for (let at: XmlNode | null = node; at && at !== root; at = at.parentNode) {
    if (at.nextSibling) return at.nextSibling;
  }
  return null;
}

/** All text below a node, comments and processing instructions left out. */
export function textInside(root: XmlNode): string {
  let text = '';
  for (let node: XmlNode | null = root; node; node = nextInside(root, node)) {
    const { nodeType } = node;
    if (nodeType === NODE_TYPES.text || nodeType === NODE_TYPES.cdata) text += node.nodeValue;
  }
  return text;
}

/** Joins neighbouring texts into the first of them; empty ones are taken out. */
export function joinTextsInside(root: XmlNode): void {
  let node = nextInside(root, root);
  while (node) {
    const next = nextInside(root, node);
    if (node.nodeType === NODE_TYPES.text) {
      const text = node as XmlCharacterData;
      const before = text.previousSibling;
      const joins = before?.nodeType === NODE_TYPES.text;
      if (joins) (before as XmlCharacterData).data += text.data;
      if (joins || text.data === '') take(text);
    }
    node = next;
  }
}
