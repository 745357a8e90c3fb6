import { joinTexts } from '../limits.ts';
import { NODE_TYPES } from '../node-types.ts';
import type { XmlElement, XmlNode } from '../tree.ts';
import { XPathError } from './errors.ts';
import { parentOf } from './order.ts';
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

/** What a core function sees besides its arguments. */
export interface FunctionCallContext {
  /** The context node, for calls that read it ({@link CoreFunction.contextNode}). */
  readonly node: XmlNode | undefined;
  readonly position: number;
  readonly size: number;
  readonly spend: Spend;
}

export interface CoreFunction {
  readonly minimum: number;
  readonly maximum: number;
  /** Reads the context node: always, or only when called without arguments. */
  readonly contextNode?: 'always' | 'without-arguments';
  readonly result: 'number' | 'string' | 'boolean' | 'node-set';
  call(context: FunctionCallContext, args: readonly XPathValue[]): XPathValue;
}

const MANY = Number.POSITIVE_INFINITY;

/** The core library of XPath 1.0 and the three string functions that Jaxen adds (spec mediators 4.2.3). */
export const CORE_FUNCTIONS: ReadonlyMap<string, CoreFunction> = new Map<string, CoreFunction>([
  ['last', { minimum: 0, maximum: 0, result: 'number', call: ({ size }) => size }],
  ['position', { minimum: 0, maximum: 0, result: 'number', call: ({ position }) => position }],
  ['count', { minimum: 1, maximum: 1, result: 'number', call: (_, [set]) => nodes('count', set).length }],
  ['id', { minimum: 1, maximum: 1, contextNode: 'always', result: 'node-set', call: () => [] }],
  ['local-name', aboutNode((node) => localName(node))],
  ['namespace-uri', aboutNode((node) => (hasName(node) ? (node.namespaceURI ?? '') : ''))],
  ['name', aboutNode((node) => (hasName(node) || isInstruction(node) ? node.nodeName : ''))],
  ['string', ofText('string', (text) => text)],
  ['concat', strings(2, MANY, 'string', (...parts) => joinTexts(parts, 'concat()'))],
  ['starts-with', strings(2, 2, 'boolean', (text, start) => text.startsWith(start))],
  ['ends-with', strings(2, 2, 'boolean', (text, end) => text.endsWith(end))],
  ['contains', strings(2, 2, 'boolean', (text, part) => text.includes(part))],
  ['substring-before', strings(2, 2, 'string', (text, part) => text.slice(0, Math.max(0, text.indexOf(part))))],
  ['substring-after', strings(2, 2, 'string', substringAfter)],
  ['substring', { minimum: 2, maximum: 3, result: 'string', call: substring }],
  ['string-length', ofText('number', (text) => lengthOf(text))],
  ['normalize-space', ofText('string', (text) => text.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, ''))],
  ['translate', strings(3, 3, 'string', translate)],
  ['lower-case', strings(1, 1, 'string', (text) => text.toLowerCase())],
  ['upper-case', strings(1, 1, 'string', (text) => text.toUpperCase())],
  ['boolean', { minimum: 1, maximum: 1, result: 'boolean', call: (_, [value]) => toBoolean(value ?? null) }],
  ['not', { minimum: 1, maximum: 1, result: 'boolean', call: (_, [value]) => !toBoolean(value ?? null) }],
  ['true', { minimum: 0, maximum: 0, result: 'boolean', call: () => true }],
  ['false', { minimum: 0, maximum: 0, result: 'boolean', call: () => false }],
  ['lang', { minimum: 1, maximum: 1, contextNode: 'always', result: 'boolean', call: lang }],
  ['number', { minimum: 0, maximum: 1, contextNode: 'without-arguments', result: 'number', call: number }],
  ['sum', { minimum: 1, maximum: 1, result: 'number', call: sum }],
  ['floor', ofNumber(Math.floor)],
  ['ceiling', ofNumber(Math.ceil)],
  ['round', ofNumber(Math.round)],
]);

function aboutNode(describe: (node: XmlNode) => string): CoreFunction {
  return {
    minimum: 0,
    maximum: 1,
    contextNode: 'without-arguments',
    result: 'string',
    call({ node }, args) {
      const first = args.length === 0 ? node : nodes('name', args[0])[0];
      return first ? describe(first) : '';
    },
  };
}

function ofText(result: 'string' | 'number', compute: (text: string) => string | number): CoreFunction {
  return {
    minimum: 0,
    maximum: 1,
    contextNode: 'without-arguments',
    result,
    call: ({ node, spend }, args) =>
      compute(args.length === 0 ? textOfContext(node, spend) : toText(args[0] ?? null, spend)),
  };
}

function strings(
  minimum: number,
  maximum: number,
  result: 'string' | 'boolean',
  compute: (...texts: [string, string, string]) => string | boolean,
): CoreFunction {
  return {
    minimum,
    maximum,
    result,
    call: ({ spend }, args) => compute(...(args.map((arg) => toText(arg, spend)) as [string, string, string])),
  };
}

function ofNumber(compute: (number: number) => number): CoreFunction {
  return {
    minimum: 1,
    maximum: 1,
    result: 'number',
    call: ({ spend }, [value]) => compute(toNumber(value ?? null, spend)),
  };
}

function nodes(name: string, value: XPathValue | undefined): readonly XmlNode[] {
  if (value === null || value === undefined) return [];
  if (!isNodeSet(value)) throw new XPathError(`${name}() needs a node-set`);
  return value;
}

function number({ node, spend }: FunctionCallContext, args: readonly XPathValue[]): number {
  return args.length === 0 ? textToNumber(textOfContext(node, spend)) : toNumber(args[0] ?? null, spend);
}

function textOfContext(node: XmlNode | undefined, spend: Spend): string {
  return node ? textOfNode(node, spend) : '';
}

function sum({ spend }: FunctionCallContext, [set]: readonly XPathValue[]): number {
  return nodes('sum', set).reduce((total, node) => total + textToNumber(textOfNode(node, spend)), 0);
}

/** Positions count characters, not UTF-16 code units; arguments are rounded (XPath 1.0, 4.2). */
function substring({ spend }: FunctionCallContext, args: readonly XPathValue[]): string {
  const text = toText(args[0] ?? null, spend);
  const start = Math.round(toNumber(args[1] ?? null, spend));
  const end = args.length > 2 ? start + Math.round(toNumber(args[2] ?? null, spend)) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(start) || Number.isNaN(end) || end <= start) return '';
  const from = Math.max(start, 1) - 1;
  const to = Math.max(end, 1) - 1;
  return hasSurrogates(text) ? [...text].slice(from, to).join('') : text.slice(from, to);
}

function substringAfter(text: string, part: string): string {
  const at = text.indexOf(part);
  return at === -1 ? '' : text.slice(at + part.length);
}

function translate(text: string, from: string, to: string): string {
  const replacements = [...to];
  const table = new Map<string, string>();
  for (const [index, character] of [...from].entries()) {
    if (!table.has(character)) table.set(character, replacements[index] ?? '');
  }
  let result = '';
  for (const character of text) result += table.get(character) ?? character;
  return result;
}

function lengthOf(text: string): number {
  return hasSurrogates(text) ? [...text].length : text.length;
}

function hasSurrogates(text: string): boolean {
  return /[\uD800-\uDFFF]/.test(text);
}

function lang({ node, spend }: FunctionCallContext, [wanted]: readonly XPathValue[]): boolean {
  const language = toText(wanted ?? null, spend).toLowerCase();
  for (let up = node ?? null; up; up = parentOf(up)) {
    if (up.nodeType !== NODE_TYPES.element) continue;
    const written = (up as XmlElement).getAttribute('xml:lang')?.toLowerCase();
    if (written) return written === language || written.startsWith(`${language}-`);
  }
  return false;
}

function hasName(node: XmlNode): boolean {
  return node.nodeType === NODE_TYPES.element || node.nodeType === NODE_TYPES.attribute;
}

function isInstruction(node: XmlNode): boolean {
  return node.nodeType === NODE_TYPES.processingInstruction;
}

function localName(node: XmlNode): string {
  if (hasName(node)) return node.localName ?? node.nodeName;
  return isInstruction(node) ? node.nodeName : '';
}
