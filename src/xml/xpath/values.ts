import { NODE_TYPES } from '../node-types.ts';
import type { XmlNode } from '../tree.ts';
import { nextInside } from '../tree-edits.ts';

/**
 * What an expression gives. A node-set is in document order and has no node twice. Null is a missing variable: as text `''`, as a
 * number NaN, as a truth value false, and false in every comparison (spec mediators 4.2.6).
 */
export type XPathValue = string | number | boolean | readonly XmlNode[] | null;

/** Spends steps of an evaluation's budget. */
export type Spend = (steps: number) => void;

export function isNodeSet(value: XPathValue): value is readonly XmlNode[] {
  return typeof value === 'object' && value !== null;
}

export function toText(value: XPathValue, spend: Spend): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberToText(value);
  if (value === null) return '';
  if (typeof value === 'boolean') return String(value);
  const first = value[0];
  return first ? textOfNode(first, spend) : '';
}

export function toNumber(value: XPathValue, spend: Spend): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null) return Number.NaN;
  return textToNumber(toText(value, spend));
}

export function toBoolean(value: XPathValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0 && !Number.isNaN(value);
  if (value === null) return false;
  return value.length > 0;
}

const NUMBER = /^[ \t\r\n]*-?(?:\d+(?:\.\d*)?|\.\d+)[ \t\r\n]*$/;

export function textToNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

/** A number as XPath writes it: without exponent, without `.0`. */
export function numberToText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return value === 0 ? '0' : text;
  if (Math.abs(value) >= 1) return BigInt(value).toString();
  const [mantissa = '', exponent = '0'] = text.split('e-');
  const digits = mantissa.replace(/[-.]/g, '');
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(Number(exponent) - 1)}${digits}`;
}

/** The string-value of one node: all text inside it. */
export function textOfNode(node: XmlNode, spend: Spend): string {
  const { nodeType } = node;
  if (nodeType !== NODE_TYPES.element && nodeType !== NODE_TYPES.document) return node.nodeValue ?? '';
  let text = '';
  let visited = 0;
  for (let at: XmlNode | null = node.firstChild; at; at = nextInside(node, at)) {
    visited += 1;
    if (at.nodeType === NODE_TYPES.text || at.nodeType === NODE_TYPES.cdata) text += at.nodeValue ?? '';
  }
  spend(visited);
  return text;
}
