import { NODE_TYPES } from '../node-types.ts';
import type { XmlAttribute, XmlElement, XmlNode } from '../tree.ts';
import type { PathTree, XPathTree } from './syntax.ts';
import { type Spend, textOfNode } from './values.ts';

/** Whether a predicate keeps a node; spends no more steps than evaluating it would. */
export type Check = (node: XmlNode, spend: Spend) => boolean;

/**
 * The predicates that nearly all predicates are, `[@id]`, `[@id='5']`, `[symbol='IBM']` and `[.='x']`, as a look at the node instead of an
 * evaluation that makes node-sets. Names with a prefix are left to the evaluator, which knows what it stands for.
 * @returns undefined for any other predicate
 */
export function directPredicate(tree: XPathTree): Check | undefined {
  if (tree.kind === 'path') {
    const name = onlyStep(tree, 'attribute');
    return name === undefined ? undefined : (node, spend) => attribute(node, name, spend) !== undefined;
  }
  if (tree.kind !== 'operation' || tree.operator !== '=') return undefined;
  const { left, right } = tree;
  if (left.kind === 'path' && right.kind === 'string') return equality(left, right.value);
  if (right.kind === 'path' && left.kind === 'string') return equality(right, left.value);
  return undefined;
}

function equality(path: PathTree, wanted: string): Check | undefined {
  const attributeName = onlyStep(path, 'attribute');
  if (attributeName !== undefined) return (node, spend) => attribute(node, attributeName, spend)?.value === wanted;
  const childName = onlyStep(path, 'child');
  if (childName !== undefined) return (node, spend) => hasChild(node, childName, wanted, spend);
  return isSelf(path) ? (node, spend) => textOfNode(node, spend) === wanted : undefined;
}

/** The name of a path of one step along an axis, without prefix and predicates. */
function onlyStep(path: PathTree, axis: 'attribute' | 'child'): string | undefined {
  const [step] = path.steps;
  if (path.start || path.absolute || !step || path.steps.length > 1) return undefined;
  if (step.axis !== axis || step.predicates.length > 0) return undefined;
  return step.test.kind === 'name' && step.test.prefix === undefined ? step.test.localName : undefined;
}

/** `.` */
function isSelf({ start, absolute, steps }: PathTree): boolean {
  const [step] = steps;
  if (start || absolute || !step || steps.length > 1) return false;
  return step.axis === 'self' && step.test.kind === 'node' && step.predicates.length === 0;
}

function attribute(node: XmlNode, name: string, spend: Spend): XmlAttribute | undefined {
  if (node.nodeType !== NODE_TYPES.element) {
    spend(1);
    return undefined;
  }
  const { attributes } = node as XmlElement;
  spend(attributes.length + 1);
  for (let index = 0; index < attributes.length; index += 1) {
    const one = attributes[index] as XmlAttribute;
    if (one.localName === name && one.namespaceURI === null) return one;
  }
  return undefined;
}

function hasChild(node: XmlNode, name: string, wanted: string, spend: Spend): boolean {
  let visited = 1;
  let found = false;
  for (let child: XmlNode | null = node.firstChild; child && !found; child = child.nextSibling) {
    visited += 1;
    if (child.nodeType !== NODE_TYPES.element || child.localName !== name || child.namespaceURI !== null) continue;
    found = textOfNode(child, spend) === wanted;
  }
  spend(visited);
  return found;
}
