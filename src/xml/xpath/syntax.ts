import { createRequire } from 'node:module';
import { XPathSyntaxError } from './errors.ts';

/**
 * The syntax of XPath 1.0, read by the `xpath` package and turned into plain typed data. Only its parser is used: its evaluator
 * compares every pair of nodes of a node-set, multiplies duplicates at each `//`, and cannot be stopped (measured, OP-93).
 */

export type XPathTree =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | {
      readonly kind: 'operation';
      readonly operator: BinaryOperator;
      readonly left: XPathTree;
      readonly right: XPathTree;
    }
  | { readonly kind: 'negation'; readonly operand: XPathTree }
  | { readonly kind: 'variable'; readonly prefix: string | undefined; readonly name: string }
  | {
      readonly kind: 'call';
      readonly prefix: string | undefined;
      readonly name: string;
      readonly args: readonly XPathTree[];
    }
  | PathTree;

/** `start[predicates]/step/step`; without start the path begins at the context node, or at the root when absolute. */
export interface PathTree {
  readonly kind: 'path';
  readonly start: XPathTree | undefined;
  readonly startPredicates: readonly XPathTree[];
  readonly absolute: boolean;
  readonly steps: readonly StepTree[];
}

export interface StepTree {
  readonly axis: Axis;
  readonly test: NodeTest;
  readonly predicates: readonly XPathTree[];
}

export type BinaryOperator =
  | 'or'
  | 'and'
  | '='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '+'
  | '-'
  | '*'
  | 'div'
  | 'mod'
  | '|';

const AXES = [
  'ancestor',
  'ancestor-or-self',
  'attribute',
  'child',
  'descendant',
  'descendant-or-self',
  'following',
  'following-sibling',
  'namespace',
  'parent',
  'preceding',
  'preceding-sibling',
  'self',
] as const;
export type Axis = (typeof AXES)[number];

export type NodeTest =
  /** `*` (prefix undefined) or `p:*`. */
  | { readonly kind: 'any-name'; readonly prefix: string | undefined }
  | { readonly kind: 'name'; readonly prefix: string | undefined; readonly localName: string }
  | { readonly kind: 'text' }
  | { readonly kind: 'comment' }
  | { readonly kind: 'node' }
  | { readonly kind: 'processing-instruction'; readonly target: string | undefined };

/**
 * Parses an XPath 1.0 expression.
 * @throws XPathSyntaxError
 */
export function parseXPath(source: string): XPathTree {
  let parsed: { expression: LibraryNode };
  try {
    parsed = parser.parse(source);
  } catch (cause) {
    throw describedError(source, cause);
  }
  return treeOf(parsed.expression);
}

/** What the package's parser makes; only the fields that are read here. */
interface LibraryNode {
  readonly constructor: unknown;
  readonly num?: number;
  readonly str?: string;
  readonly lhs?: LibraryNode;
  readonly rhs?: LibraryNode;
  readonly variable?: string;
  readonly functionName?: string;
  readonly arguments?: readonly LibraryNode[];
  readonly filter?: LibraryNode;
  readonly filterPredicates?: readonly LibraryNode[];
  readonly locationPath?: { readonly absolute: boolean; readonly steps: readonly LibraryStep[] };
}

interface LibraryStep {
  readonly axis: number | undefined;
  readonly nodeTest: LibraryNodeTest;
  readonly predicates: readonly LibraryNode[];
}

interface LibraryNodeTest {
  readonly prefix?: string | null;
  readonly localName?: string;
  readonly name?: string;
}

type Tokens = [types: number[], values: string[]];

interface Library {
  readonly XPathParser: new () => {
    parse(source: string): { expression: LibraryNode };
    tokenize(source: string): Tokens;
  };
  readonly NodeTest: Readonly<
    Record<'nameTestAny' | 'textTest' | 'commentTest' | 'nodeTest' | 'anyPiTest', LibraryNodeTest>
  > &
    Readonly<Record<'NameTestPrefixAny' | 'NameTestQName' | 'PITest', unknown>>;
  readonly [operation: string]: unknown;
}

// Its type declarations would bring the browser's DOM types into every file.
const library = createRequire(import.meta.url)('xpath') as Library;

/** It keeps nothing between expressions, and to make one takes as long as to parse one. */
const parser = new library.XPathParser();

const OPERATORS = new Map<unknown, BinaryOperator>([
  [library.OrOperation, 'or'],
  [library.AndOperation, 'and'],
  [library.EqualsOperation, '='],
  [library.NotEqualOperation, '!='],
  [library.LessThanOperation, '<'],
  [library.GreaterThanOperation, '>'],
  [library.LessThanOrEqualOperation, '<='],
  [library.GreaterThanOrEqualOperation, '>='],
  [library.PlusOperation, '+'],
  [library.MinusOperation, '-'],
  [library.MultiplyOperation, '*'],
  [library.DivOperation, 'div'],
  [library.ModOperation, 'mod'],
  [library.BarOperation, '|'],
]);

function treeOf(node: LibraryNode): XPathTree {
  const operator = OPERATORS.get(node.constructor);
  if (operator && node.lhs && node.rhs) {
    return { kind: 'operation', operator, left: treeOf(node.lhs), right: treeOf(node.rhs) };
  }
  switch (node.constructor) {
    case library.XNumber:
      return { kind: 'number', value: node.num ?? Number.NaN };
    case library.XString:
      return { kind: 'string', value: node.str ?? '' };
    case library.UnaryMinusOperation:
      return { kind: 'negation', operand: treeOf(node.rhs as LibraryNode) };
    case library.VariableReference:
      return { kind: 'variable', ...qualified(node.variable ?? '') };
    case library.FunctionCall:
      return { kind: 'call', ...qualified(node.functionName ?? ''), args: (node.arguments ?? []).map(treeOf) };
    default:
      return pathOf(node);
  }
}

function pathOf(node: LibraryNode): XPathTree {
  const start = node.filter && treeOf(node.filter);
  const startPredicates = (node.filterPredicates ?? []).map(treeOf);
  const steps = (node.locationPath?.steps ?? []).map(stepOf);
  if (start && startPredicates.length === 0 && steps.length === 0) return start;
  return { kind: 'path', start, startPredicates, absolute: !start && node.locationPath?.absolute === true, steps };
}

function stepOf(step: LibraryStep): StepTree {
  const axis = step.axis === undefined ? undefined : AXES[step.axis];
  if (!axis) throw new XPathSyntaxError('unknown axis', undefined);
  return { axis, test: testOf(step.nodeTest), predicates: step.predicates.map(treeOf) };
}

function testOf(test: LibraryNodeTest): NodeTest {
  const { NodeTest: tests } = library;
  if (test === tests.textTest) return { kind: 'text' };
  if (test === tests.commentTest) return { kind: 'comment' };
  if (test === tests.nodeTest) return { kind: 'node' };
  if (test === tests.anyPiTest) return { kind: 'processing-instruction', target: undefined };
  if (test === tests.nameTestAny) return { kind: 'any-name', prefix: undefined };
  if (test.localName !== undefined) {
    return { kind: 'name', prefix: test.prefix ?? undefined, localName: test.localName };
  }
  if (typeof test.prefix === 'string') return { kind: 'any-name', prefix: test.prefix };
  return { kind: 'processing-instruction', target: test.name };
}

function qualified(name: string): { prefix: string | undefined; name: string } {
  const colon = name.indexOf(':');
  return colon === -1 ? { prefix: undefined, name } : { prefix: name.slice(0, colon), name: name.slice(colon + 1) };
}

function describedError(source: string, cause: unknown): XPathSyntaxError {
  if (source.trim() === '') return new XPathSyntaxError('the expression is empty', undefined, { cause });
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message.startsWith('Unterminated string literal')) {
    return new XPathSyntaxError('a string is not closed', openQuote(source) + 1, { cause });
  }
  const unexpected = /^Unexpected character (.)/u.exec(message);
  if (unexpected) {
    return new XPathSyntaxError(`unexpected '${unexpected[1]}'`, firstBadCharacter(source), { cause });
  }
  const offset = offsetOfBadToken(source);
  const rest = source.slice(offset, offset + 20);
  return new XPathSyntaxError(rest ? `unexpected '${rest}'` : 'the expression is not complete', offset + 1, { cause });
}

function openQuote(source: string): number {
  let at = 0;
  for (;;) {
    const start = source.slice(at).search(/['"]/);
    if (start === -1) return at;
    const opening = at + start;
    const closing = source.indexOf(source[opening] as string, opening + 1);
    if (closing === -1) return opening;
    at = closing + 1;
  }
}

function firstBadCharacter(source: string): number | undefined {
  for (let length = 1; length <= source.length; length += 1) {
    try {
      new library.XPathParser().tokenize(`${source.slice(0, length)} `);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('Unexpected character')) return length;
    }
  }
  return undefined;
}

/** The parser says nothing about where it failed; the last token it looked at tells. */
function offsetOfBadToken(source: string): number {
  const parser = new library.XPathParser();
  const [types, values] = parser.tokenize(source);
  let last = 0;
  const watched = new Proxy(types, {
    get(target, property) {
      const index = typeof property === 'string' && /^\d+$/.test(property) ? Number(property) : -1;
      if (index > last) last = index;
      return Reflect.get(target, property);
    },
  });
  parser.tokenize = () => [watched, values];
  try {
    parser.parse(source);
  } catch {
    // The failure is being described already; only how far it came is wanted here.
  }
  let offset = 0;
  for (const value of values.slice(0, last)) offset = endOfToken(source, value, offset);
  const rest = source.slice(offset);
  return offset + (rest.length - rest.trimStart().length);
}

/** String tokens come without their quotes. */
function endOfToken(source: string, value: string, from: number): number {
  const start = source.indexOf(value, from);
  const end = start + value.length;
  const quote = source[start - 1];
  return (quote === '"' || quote === "'") && source[end] === quote ? end + 1 : end;
}
