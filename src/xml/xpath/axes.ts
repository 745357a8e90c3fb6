import { NODE_TYPES } from '../node-types.ts';
import type { XmlAttribute, XmlElement, XmlNode } from '../tree.ts';
import { nextInside } from '../tree-edits.ts';
import { parentOf } from './order.ts';
import type { Axis } from './syntax.ts';

export type Matches = (node: XmlNode) => boolean;

/**
 * Appends the nodes of an axis that match, in the order of the axis, and gives the number of nodes it looked at.
 */
export type Walk = (node: XmlNode, matches: Matches, found: XmlNode[]) => number;

export const REVERSE_AXES: ReadonlySet<Axis> = new Set([
  'ancestor',
  'ancestor-or-self',
  'preceding',
  'preceding-sibling',
]);

const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

export const WALKS: Readonly<Record<Exclude<Axis, 'namespace'>, Walk>> = {
  child(node, matches, found) {
    let visited = 1;
    for (let child = node.firstChild; child; child = child.nextSibling) {
      visited += 1;
      if (matches(child)) found.push(child);
    }
    return visited;
  },

  attribute(node, matches, found) {
    if (node.nodeType !== NODE_TYPES.element) return 1;
    const { attributes } = node as XmlElement;
    for (let index = 0; index < attributes.length; index += 1) {
      const attribute = attributes[index] as XmlAttribute;
      if (attribute.namespaceURI !== XMLNS_NAMESPACE && matches(attribute)) found.push(attribute);
    }
    return attributes.length + 1;
  },

  self(node, matches, found) {
    if (matches(node)) found.push(node);
    return 1;
  },

  parent(node, matches, found) {
    const parent = parentOf(node);
    if (parent && matches(parent)) found.push(parent);
    return 1;
  },

  descendant(node, matches, found) {
    let visited = 1;
    for (let at: XmlNode | null = node.firstChild; at; at = nextInside(node, at)) {
      visited += 1;
      if (matches(at)) found.push(at);
    }
    return visited;
  },

  'descendant-or-self'(node, matches, found) {
    if (matches(node)) found.push(node);
    return WALKS.descendant(node, matches, found);
  },

  ancestor(node, matches, found) {
    let visited = 1;
    for (let up = parentOf(node); up; up = parentOf(up)) {
      visited += 1;
      if (matches(up)) found.push(up);
    }
    return visited;
  },

  'ancestor-or-self'(node, matches, found) {
    if (matches(node)) found.push(node);
    return WALKS.ancestor(node, matches, found);
  },

  'following-sibling'(node, matches, found) {
    let visited = 1;
    if (node.nodeType === NODE_TYPES.attribute) return visited;
    for (let at = node.nextSibling; at; at = at.nextSibling) {
      visited += 1;
      if (matches(at)) found.push(at);
    }
    return visited;
  },

  'preceding-sibling'(node, matches, found) {
    let visited = 1;
    if (node.nodeType === NODE_TYPES.attribute) return visited;
    for (let at = node.previousSibling; at; at = at.previousSibling) {
      visited += 1;
      if (matches(at)) found.push(at);
    }
    return visited;
  },

  following(node, matches, found) {
    let visited = 1;
    const attributeOwner = node.nodeType === NODE_TYPES.attribute ? parentOf(node) : null;
    // What follows an attribute are its element's children and everything after them.
    let at = attributeOwner ? (attributeOwner.firstChild ?? after(attributeOwner)) : after(node);
    while (at) {
      visited += 1;
      if (matches(at)) found.push(at);
      at = at.firstChild ?? after(at);
    }
    return visited;
  },

  preceding(node, matches, found) {
    let visited = 1;
    const start = node.nodeType === NODE_TYPES.attribute ? parentOf(node) : node;
    for (let up = start; up; up = up.parentNode) {
      for (let sibling = up.previousSibling; sibling; sibling = sibling.previousSibling) {
        visited += appendBackwards(sibling, matches, found);
      }
    }
    return visited;
  },
};

/** The next node in document order that is no descendant. */
function after(node: XmlNode): XmlNode | null {
  for (let at: XmlNode | null = node; at; at = at.parentNode) {
    if (at.nextSibling) return at.nextSibling;
  }
  return null;
}

/** A whole tree, last node first. */
function appendBackwards(root: XmlNode, matches: Matches, found: XmlNode[]): number {
  let visited = 0;
  let at = deepestLast(root);
  for (;;) {
    visited += 1;
    if (matches(at)) found.push(at);
    if (at === root) return visited;
    at = at.previousSibling ? deepestLast(at.previousSibling) : (at.parentNode as XmlNode);
  }
}

function deepestLast(node: XmlNode): XmlNode {
  let at = node;
  while (at.lastChild) at = at.lastChild;
  return at;
}
