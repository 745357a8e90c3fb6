import { type JsonNode, JsonSyntaxError, parseJson } from '../message/json.ts';
import type { PathReader } from './json-path-reader.ts';
import { jsonText } from './json-text.ts';
import { compileWholeMatch } from './regex.ts';

/** The condition of `[?(…)]`, tested for one item. */
export type Filter = (item: JsonNode, root: JsonNode) => boolean;

/** A side of a comparison; undefined when its path leads nowhere. */
type Operand = (item: JsonNode, root: JsonNode) => JsonNode | undefined;

/** Reads a path that starts with `@` or `$`. */
type ReadPath = (reader: PathReader) => Operand;

type Comparison = (left: JsonNode | undefined, right: JsonNode | undefined) => boolean;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '==': (left, right) => left !== undefined && right !== undefined && isSame(left, right),
  '!=': (left, right) => !(left !== undefined && right !== undefined && isSame(left, right)),
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
  in: (left, right) => left !== undefined && items(right).some((item) => isSame(item, left)),
  nin: (left, right) => left !== undefined && !items(right).some((item) => isSame(item, left)),
  subsetof: (left, right) =>
    left?.kind === 'array' && left.items.every((one) => items(right).some((item) => isSame(item, one))),
  anyof: (left, right) => items(left).some((one) => items(right).some((item) => isSame(item, one))),
  noneof: (left, right) => !items(left).some((one) => items(right).some((item) => isSame(item, one))),
  contains: (left, right) => left !== undefined && right !== undefined && contains(left, right),
  size: (left, right) => right?.kind === 'number' && sizeOf(left) === Number(right.text),
  empty: (left, right) => right?.kind === 'boolean' && left !== undefined && (sizeOf(left) === 0) === right.value,
};

const OPERATOR = /==|!=|<=|>=|<|>|(?:in|nin|subsetof|anyof|noneof|contains|size|empty)\b/iy;

/**
 * Reads a condition: comparisons with `&&`, `||`, `!` and parentheses (spec mediators 4.3).
 * @throws ValueError
 */
export function compileFilter(reader: PathReader, readPath: ReadPath): Filter {
  const alternatives = separated(reader, '||', () => {
    const conditions = separated(reader, '&&', () => condition(reader, readPath));
    return (item: JsonNode, root: JsonNode) => conditions.every((test) => test(item, root));
  });
  return (item, root) => alternatives.some((test) => test(item, root));
}

function separated(reader: PathReader, separator: string, read: () => Filter): Filter[] {
  const found: Filter[] = [];
  do {
    reader.blanks();
    found.push(read());
    reader.blanks();
  } while (reader.take(separator));
  return found;
}

function condition(reader: PathReader, readPath: ReadPath): Filter {
  if (reader.take('!')) {
    reader.blanks();
    const negated = condition(reader, readPath);
    return (item, root) => !negated(item, root);
  }
  if (reader.take('(')) {
    const inner = compileFilter(reader, readPath);
    reader.expect(')');
    return inner;
  }
  return comparison(reader, readPath);
}

function comparison(reader: PathReader, readPath: ReadPath): Filter {
  const left = operand(reader, readPath);
  reader.blanks();
  if (reader.take('=~')) return regexTest(left, reader);
  const operator = reader.match(OPERATOR)?.[0].toLowerCase();
  if (operator === undefined) return (item, root) => left(item, root) !== undefined;
  reader.blanks();
  const right = operand(reader, readPath);
  const compare = COMPARISONS[operator] as Comparison;
  return (item, root) => compare(left(item, root), right(item, root));
}

function operand(reader: PathReader, readPath: ReadPath): Operand {
  const { next } = reader;
  if (next === '@' || next === '$') return readPath(reader);
  const value = literal(reader);
  return () => value;
}

function literal(reader: PathReader): JsonNode {
  if (reader.next === "'" || reader.next === '"') return { kind: 'string', value: reader.quoted() };
  if (reader.take('[')) {
    reader.blanks();
    const found = reader.next === ']' ? [] : reader.list(() => literal(reader));
    reader.expect(']');
    return { kind: 'array', items: found };
  }
  const word = reader.match(/true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y)?.[0];
  if (word === undefined) throw reader.unexpected('@, $, a string, a number, true, false, null or a list');
  try {
    return parseJson(word);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw reader.unexpected();
    throw error;
  }
}

/** `=~ /regex/i`: the whole text must match. */
function regexTest(left: Operand, reader: PathReader): Filter {
  reader.blanks();
  const match = reader.match(/\/((?:[^/\\]|\\.)*)\/([imsx]*)/y);
  if (!match) throw reader.unexpected('/regular expression/');
  const flags = match[2] ? `(?${match[2]})` : '';
  const matches = compileWholeMatch(flags + (match[1] ?? '').replaceAll('\\/', '/'));
  return (item, root) => {
    const value = left(item, root);
    if (!value || value.kind === 'object' || value.kind === 'array') return false;
    return matches(value.kind === 'string' ? value.value : jsonText(value)) !== undefined;
  };
}

/** Numbers compare by value, a number and a text by their text, everything else by its JSON. */
function isSame(left: JsonNode, right: JsonNode): boolean {
  if (left.kind === 'number' && right.kind === 'number') return Number(left.text) === Number(right.text);
  if (left.kind === 'number' && right.kind === 'string') return left.text === right.value;
  if (left.kind === 'string' && right.kind === 'number') return left.value === right.text;
  if (left.kind !== right.kind) return false;
  return jsonText(left) === jsonText(right);
}

function ordered(accept: (order: number) => boolean): Comparison {
  return (left, right) => {
    if (left?.kind === 'number' && right?.kind === 'number') return accept(Number(left.text) - Number(right.text));
    if (left?.kind !== 'string' || right?.kind !== 'string') return false;
    return accept(left.value < right.value ? -1 : left.value > right.value ? 1 : 0);
  };
}

function items(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}

function contains(left: JsonNode, right: JsonNode): boolean {
  if (left.kind === 'string') return right.kind === 'string' && left.value.includes(right.value);
  return items(left).some((item) => isSame(item, right));
}

function sizeOf(node: JsonNode | undefined): number | undefined {
  if (node?.kind === 'array') return node.items.length;
  return node?.kind === 'string' ? node.value.length : undefined;
}
