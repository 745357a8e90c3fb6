import type { XmlNode } from '../tree.ts';
import {
  isNodeSet,
  type Spend,
  textOfNode,
  textToNumber,
  toBoolean,
  toNumber,
  toText,
  type XPathValue,
} from './values.ts';

/** `=` (XPath 1.0, 3.4); comparing two node-sets is linear. Null equals nothing. */
export function isEqual(left: XPathValue, right: XPathValue, spend: Spend): boolean {
  if (left === null || right === null) return false;
  if (!isNodeSet(left)) {
    return isNodeSet(right) ? anyAgainst(right, left, spend, equalScalars) : equalScalars(left, right, spend);
  }
  if (!isNodeSet(right)) return anyAgainst(left, right, spend, equalScalars);
  const texts = new Set(left.map((node) => textOfNode(node, spend)));
  return right.some((node) => texts.has(textOfNode(node, spend)));
}

/** `!=`: not the opposite of `=` where node-sets or null take part. */
export function isUnequal(left: XPathValue, right: XPathValue, spend: Spend): boolean {
  if (left === null || right === null) return false;
  const differ: ScalarComparison = (a, b) => !equalScalars(a, b, spend);
  if (!isNodeSet(left)) return isNodeSet(right) ? anyAgainst(right, left, spend, differ) : differ(left, right, spend);
  if (!isNodeSet(right)) return anyAgainst(left, right, spend, differ);
  const texts = new Set(left.map((node) => textOfNode(node, spend)));
  if (texts.size > 1) return right.length > 0;
  return texts.size === 1 && right.some((node) => !texts.has(textOfNode(node, spend)));
}

/** `<` and, with `orEqual`, `<=`. */
export function isLess(left: XPathValue, right: XPathValue, orEqual: boolean, spend: Spend): boolean {
  if (left === null || right === null) return false;
  const [smallest] = bounds(left, right, spend);
  const [, largest] = bounds(right, left, spend);
  return orEqual ? smallest <= largest : smallest < largest;
}

type Scalar = string | number | boolean;
type ScalarComparison = (left: Scalar, right: Scalar, spend: Spend) => boolean;

function anyAgainst(nodes: readonly XmlNode[], scalar: Scalar, spend: Spend, compare: ScalarComparison): boolean {
  if (typeof scalar === 'boolean') return compare(nodes.length > 0, scalar, spend);
  return nodes.some((node) => {
    const text = textOfNode(node, spend);
    return compare(typeof scalar === 'number' ? textToNumber(text) : text, scalar, spend);
  });
}

function equalScalars(left: Scalar, right: Scalar, spend: Spend): boolean {
  if (typeof left === 'boolean' || typeof right === 'boolean') return toBoolean(left) === toBoolean(right);
  if (typeof left === 'number' || typeof right === 'number') return toNumber(left, spend) === toNumber(right, spend);
  return toText(left, spend) === toText(right, spend);
}

/** Some node of a set is less than some node of another exactly if the smallest of the one is less than the largest of the other. */
function bounds(value: XPathValue, other: XPathValue, spend: Spend): [smallest: number, largest: number] {
  if (!isNodeSet(value) || typeof other === 'boolean') {
    const number = toNumber(isNodeSet(value) ? toBoolean(value) : value, spend);
    return [number, number];
  }
  const numbers = value.map((node) => textToNumber(textOfNode(node, spend))).filter((number) => !Number.isNaN(number));
  if (numbers.length === 0) return [Number.NaN, Number.NaN];
  return numbers.reduce(([least, most], number) => [Math.min(least, number), Math.max(most, number)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
}
