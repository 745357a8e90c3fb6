import type { XmlNode } from '../tree.ts';
import type { Matches, Walk } from './axes.ts';
import { XPathError } from './errors.ts';
import { DocumentOrder, isFlat } from './order.ts';
import type { StepTree } from './syntax.ts';
import { type Spend, toBoolean, type XPathValue } from './values.ts';

/** One evaluation: its budget and its document order. */
export class Evaluation<C> {
  readonly context: C;
  readonly spend: Spend = (steps) => {
    this.#left -= steps;
    if (this.#left < 0) throw new XPathError('the expression looks at too many nodes');
  };
  readonly #contextNode: (context: C) => XmlNode;
  #left: number;
  #start: XmlNode | undefined;
  #order: DocumentOrder | undefined;
  #fromRoot: Map<readonly CompiledStep<C>[], { root: XmlNode; nodes: readonly XmlNode[] }> | undefined;

  constructor(context: C, contextNode: (context: C) => XmlNode, budget: number) {
    this.context = context;
    this.#contextNode = contextNode;
    this.#left = budget;
  }

  /** Where the whole expression starts. */
  get start(): XmlNode {
    this.#start ??= this.#contextNode(this.context);
    return this.#start;
  }

  /** An absolute path selects the same nodes whatever the context node, so that inside a predicate it is followed once. */
  fromRoot(root: XmlNode, steps: readonly CompiledStep<C>[]): readonly XmlNode[] {
    const known = this.#fromRoot?.get(steps);
    if (known?.root === root) return known.nodes;
    const nodes = applySteps(this, [root], steps);
    this.#fromRoot ??= new Map();
    this.#fromRoot.set(steps, { root, nodes });
    return nodes;
  }

  sorted(nodes: readonly XmlNode[]): XmlNode[] {
    this.#order ??= new DocumentOrder(this.spend);
    return this.#order.sorted(nodes);
  }
}

/** A compiled piece. The node is undefined outside of predicates: the start of the expression, if it is needed at all. */
export type Run<C> = (
  evaluation: Evaluation<C>,
  node: XmlNode | undefined,
  position: number,
  size: number,
) => XPathValue;

export interface CompiledStep<C> {
  readonly axis: StepTree['axis'];
  readonly walk: Walk;
  readonly matches: Matches;
  readonly predicates: readonly Run<C>[];
  readonly reverse: boolean;
}

/** What is known about the nodes a step starts from: whether they are in document order. They are never double. */
export function applySteps<C>(
  e: Evaluation<C>,
  start: readonly XmlNode[],
  steps: readonly CompiledStep<C>[],
): readonly XmlNode[] {
  let nodes = start;
  let sorted = true;
  for (const step of steps) {
    const single = nodes.length < 2;
    const disjoint: boolean = single || keepsOrder(e, step, nodes, sorted);
    const found: XmlNode[] = [];
    for (const node of nodes) applyStep(e, node, step, found);
    const unique = disjoint || step.axis === 'child' || step.axis === 'attribute' || step.axis === 'self';
    nodes = unique ? found : [...new Set(found)];
    sorted = disjoint;
  }
  return sorted ? nodes : e.sorted(nodes);
}

/** Whether a step from several nodes gives its results in document order and none twice. */
function keepsOrder<C>(e: Evaluation<C>, step: CompiledStep<C>, nodes: readonly XmlNode[], sorted: boolean): boolean {
  if (!sorted) return false;
  if (step.axis === 'self' || step.axis === 'attribute') return true;
  const downwards = step.axis === 'child' || step.axis === 'descendant' || step.axis === 'descendant-or-self';
  return downwards && isFlat(nodes, e.spend);
}

/** Appends what a step selects from one node, in document order. */
function applyStep<C>(e: Evaluation<C>, node: XmlNode, step: CompiledStep<C>, found: XmlNode[]): void {
  if (step.predicates.length === 0 && !step.reverse) {
    e.spend(step.walk(node, step.matches, found));
    return;
  }
  const candidates: XmlNode[] = [];
  e.spend(step.walk(node, step.matches, candidates));
  const kept = filtered(e, candidates, step.predicates) as XmlNode[];
  if (step.reverse) kept.reverse();
  for (const one of kept) found.push(one);
}

export function filtered<C>(
  e: Evaluation<C>,
  nodes: readonly XmlNode[],
  predicates: readonly Run<C>[],
): readonly XmlNode[] {
  let left = nodes;
  for (const predicate of predicates) {
    const kept: XmlNode[] = [];
    const size = left.length;
    for (let index = 0; index < size; index += 1) {
      const node = left[index] as XmlNode;
      const value = predicate(e, node, index + 1, size);
      if (typeof value === 'number' ? value === index + 1 : toBoolean(value)) kept.push(node);
    }
    e.spend(size);
    left = kept;
  }
  return left;
}
