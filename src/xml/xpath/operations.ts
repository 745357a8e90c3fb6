import type { XmlNode } from '../tree.ts';
import { isEqual, isLess, isUnequal } from './compare.ts';
import { XPathError } from './errors.ts';
import type { BinaryOperator } from './syntax.ts';
import { isNodeSet, type Spend, toNumber, type XPathValue } from './values.ts';

/** What operators need of an evaluation. */
interface Sorting {
  readonly spend: Spend;
  sorted(nodes: readonly XmlNode[]): XmlNode[];
}

type Operation = (left: XPathValue, right: XPathValue, e: Sorting) => XPathValue;

/** What operators compute, but for the two that may leave their right side alone. */
export const OPERATIONS: Readonly<Record<Exclude<BinaryOperator, 'or' | 'and'>, Operation>> = {
  '=': (left, right, { spend }) => isEqual(left, right, spend),
  '!=': (left, right, { spend }) => isUnequal(left, right, spend),
  '<': (left, right, { spend }) => isLess(left, right, false, spend),
  '<=': (left, right, { spend }) => isLess(left, right, true, spend),
  '>': (left, right, { spend }) => isLess(right, left, false, spend),
  '>=': (left, right, { spend }) => isLess(right, left, true, spend),
  '+': arithmetic((a, b) => a + b),
  '-': arithmetic((a, b) => a - b),
  '*': arithmetic((a, b) => a * b),
  div: arithmetic((a, b) => a / b),
  mod: arithmetic((a, b) => a % b),
  '|': (left, right, e) => e.sorted([...nodesOf(left), ...nodesOf(right)]),
};

function arithmetic(compute: (left: number, right: number) => number): Operation {
  return (left, right, { spend }) => compute(toNumber(left, spend), toNumber(right, spend));
}

function nodesOf(value: XPathValue): readonly XmlNode[] {
  if (value === null) return [];
  if (!isNodeSet(value)) throw new XPathError("'|' needs node-sets");
  return value;
}
