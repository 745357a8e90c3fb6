import { NODE_TYPES } from '../node-types.ts';
import type { XmlElement, XmlNode } from '../tree.ts';
import { nextInside } from '../tree-edits.ts';
import type { Spend } from './values.ts';

/** What numbering or sorting one node costs, in steps of walking to one. */
const STEPS_PER_NODE = 4;
/** Going up touches nothing but a link. */
const STEPS_PER_PARENT = 1 / 8;

/** A number for every node of the trees that one evaluation met, in document order; made when first needed, linear in their size. */
export class DocumentOrder {
  readonly #numbers = new Map<XmlNode, number>();
  readonly #spend: Spend;

  constructor(spend: Spend) {
    this.#spend = spend;
  }

  /** The same nodes in document order, each once. */
  sorted(nodes: readonly XmlNode[]): XmlNode[] {
    const unique = [...new Set(nodes)];
    if (unique.length < 2) return unique;
    this.#spend(unique.length * STEPS_PER_NODE);
    return unique.sort((a, b) => this.#numberOf(a) - this.#numberOf(b));
  }

  #numberOf(node: XmlNode): number {
    const known = this.#numbers.get(node);
    if (known !== undefined) return known;
    this.#numberTree(rootOf(node));
    return this.#numbers.get(node) ?? this.#numberAlone(node);
  }

  #numberTree(root: XmlNode): void {
    const before = this.#numbers.size;
    for (let node: XmlNode | null = root; node; node = nextInside(root, node)) {
      this.#numberAlone(node);
      if (node.nodeType !== NODE_TYPES.element) continue;
      const { attributes } = node as XmlElement;
      for (let index = 0; index < attributes.length; index += 1) this.#numberAlone(attributes[index] as XmlNode);
    }
    this.#spend((this.#numbers.size - before) * STEPS_PER_NODE);
  }

  #numberAlone(node: XmlNode): number {
    const number = this.#numbers.size;
    this.#numbers.set(node, number);
    return number;
  }
}

/** The element that an attribute belongs to, or the parent. */
export function parentOf(node: XmlNode): XmlNode | null {
  return node.nodeType === NODE_TYPES.attribute
    ? (node as unknown as { ownerElement: XmlElement | null }).ownerElement
    : node.parentNode;
}

/** The document of a node, or the topmost node of a tree that is not part of one. */
export function rootOf(node: XmlNode): XmlNode {
  let root = node;
  for (let up = parentOf(root); up; up = parentOf(root)) root = up;
  return root;
}

/** Whether in a list in document order no node stands inside another one. Costs some steps for the nodes above each of them. */
export function isFlat(nodes: readonly XmlNode[], spend: Spend): boolean {
  for (let index = 1; index < nodes.length; index += 1) {
    const before = nodes[index - 1];
    let steps = 0;
    let up = parentOf(nodes[index] as XmlNode);
    for (; up && up !== before; up = parentOf(up)) steps += 1;
    spend(steps * STEPS_PER_PARENT);
    if (up) return false;
  }
  return true;
}
