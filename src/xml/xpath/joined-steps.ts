import { CORE_FUNCTIONS } from './functions.ts';
import type { StepTree, XPathTree } from './syntax.ts';

/** `//x` is written with a step that selects every node; where positions do not matter it is `descendant::x`. */
export function joinedSteps(steps: readonly StepTree[]): StepTree[] {
  const joined: StepTree[] = [];
  for (const step of steps) {
    const before = joined.at(-1);
    const everyNode =
      before?.axis === 'descendant-or-self' && before.test.kind === 'node' && before.predicates.length === 0;
    if (everyNode && step.axis === 'child' && !step.predicates.some(mayLookAtPosition)) {
      joined[joined.length - 1] = { ...step, axis: 'descendant' };
    } else {
      joined.push(step);
    }
  }
  return joined;
}

function mayLookAtPosition(predicate: XPathTree): boolean {
  return mayBeNumber(predicate) || callsPosition(predicate);
}

function mayBeNumber(tree: XPathTree): boolean {
  switch (tree.kind) {
    case 'string':
    case 'path':
      return false;
    case 'operation':
      return ['+', '-', '*', 'div', 'mod'].includes(tree.operator);
    case 'call':
      return (CORE_FUNCTIONS.get(tree.name)?.result ?? 'number') === 'number';
    default:
      return true;
  }
}

function callsPosition(tree: XPathTree): boolean {
  switch (tree.kind) {
    case 'call':
      return tree.name === 'position' || tree.name === 'last' || tree.args.some(callsPosition);
    case 'operation':
      return callsPosition(tree.left) || callsPosition(tree.right);
    case 'negation':
      return callsPosition(tree.operand);
    case 'path':
      // Inside its steps' predicates positions mean something else.
      return tree.start !== undefined && callsPosition(tree.start);
    default:
      return false;
  }
}
