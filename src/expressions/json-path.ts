import type { JsonNode } from '../message/json.ts';
import { TooLargeError } from '../xml/index.ts';
import { compileFilter, type Filter } from './json-filter.ts';
import { applyFunction, type PathFunction, pathFunction } from './json-functions.ts';
import { PathReader } from './json-path-reader.ts';

/**
 * JSONPath in the dialect of Jayway JsonPath 2 (spec mediators 4.3): a compiled path selects nodes of a document and keeps no state.
 */
export interface JsonPath {
  /** The path is just `$`. */
  readonly isRoot: boolean;
  /** At most one result: no `..`, `*`, filter, slice or union of indexes. */
  readonly definite: boolean;
  /**
   * The result: the node itself for a definite path, an array of what was found otherwise.
   * @throws JsonPathMissing when a definite path selects nothing
   */
  select(root: JsonNode): JsonNode;
}

/** More than a document has values: `..` several times over finds the same ones again and again. */
const MAX_FOUND = 10_000_000;

/** A definite path that leads nowhere, or a function that cannot be applied. */
export class JsonPathMissing extends Error {
  override readonly name = 'JsonPathMissing';
}

type Segment =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'indexes'; readonly indexes: readonly number[] }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: 'filter'; readonly filter: Filter }
  /** `..`: the rest of the path from the node and from everything below it. */
  | { readonly kind: 'scan' };

/**
 * Compiles a path. A missing `$.` in front is added and a trailing `.` dropped.
 * @throws ValueError with the column of what is wrong
 */
export function compileJsonPath(source: string): JsonPath {
  const trimmed = source.trim().replace(/\.$/, '');
  const text = trimmed.startsWith('$') ? trimmed : trimmed.startsWith('[') ? `$${trimmed}` : `$.${trimmed}`;
  const reader = new PathReader(text, text.length - trimmed.length);
  reader.expect('$');
  const { segments, end } = readSegments(reader, true);
  if (!reader.atEnd) throw reader.unexpected();
  const definite = segments.every(isDefinite);
  const isRoot = segments.length === 0 && !end;
  return { isRoot, definite, select: (root) => finished(walk(root, segments, root), definite, end) };
}

/** Compiles a path inside a filter, from `@` or `$` on; it gives undefined where it leads nowhere. */
export function compileFilterPath(reader: PathReader): (item: JsonNode, root: JsonNode) => JsonNode | undefined {
  const fromRoot = reader.take('$');
  if (!fromRoot) reader.expect('@');
  const { segments, end } = readSegments(reader, false);
  const definite = segments.every(isDefinite);
  return (item, root) => {
    try {
      return finished(walk(fromRoot ? root : item, segments, root), definite, end);
    } catch (error) {
      if (error instanceof JsonPathMissing) return undefined;
      throw error;
    }
  };
}

function finished(found: readonly JsonNode[], definite: boolean, end: PathFunction | undefined): JsonNode {
  const [first] = found;
  const result: JsonNode | undefined = definite ? first : { kind: 'array', items: found };
  if (!result) throw new JsonPathMissing('the path leads nowhere');
  if (!end) return result;
  const value = applyFunction(end, result);
  if (!value) throw new JsonPathMissing(`${end.name}() cannot be applied to this value`);
  return value;
}

function isDefinite(segment: Segment): boolean {
  return segment.kind === 'names' || (segment.kind === 'indexes' && segment.indexes.length === 1);
}

/** @param wholePath false inside a filter, where a path ends at the first character that cannot belong to it */
function readSegments(reader: PathReader, wholePath: boolean): { segments: Segment[]; end: PathFunction | undefined } {
  const segments: Segment[] = [];
  const name = wholePath ? ANY_NAME : FILTER_NAME;
  let afterBracket = false;
  for (;;) {
    if (reader.take('..')) {
      segments.push({ kind: 'scan' });
      if (reader.next !== '[') segments.push(readName(reader, name));
    } else if (reader.take('.')) {
      const end = readFunction(reader);
      if (end) return { segments, end };
      if (reader.next !== '[') segments.push(readName(reader, name));
    } else if (reader.take('[')) {
      segments.push(readBracket(reader));
      afterBracket = true;
      continue;
    } else if (wholePath && afterBracket && !reader.atEnd) {
      // The dot after a bracket may be missing: `list[0]name`.
      segments.push(readName(reader, name));
    } else if (wholePath && !reader.atEnd) {
      throw reader.unexpected();
    } else {
      return { segments, end: undefined };
    }
    afterBracket = false;
  }
}

function readFunction(reader: PathReader): PathFunction | undefined {
  const call = reader.match(/([A-Za-z]+)\(([^()]*)\)/y);
  return call && pathFunction(call[1] as string, call[2] as string, reader);
}

const ANY_NAME = /[^.[(\s]+/y;
const FILTER_NAME = /[^.[\]()\s,'"=!<>&|]+/y;

function readName(reader: PathReader, pattern: RegExp): Segment {
  if (reader.take('*')) return { kind: 'wildcard' };
  const name = reader.match(pattern);
  if (!name) throw reader.unexpected();
  return { kind: 'names', names: [name[0]] };
}

function readBracket(reader: PathReader): Segment {
  reader.blanks();
  let segment: Segment;
  if (reader.take('*')) segment = { kind: 'wildcard' };
  else if (reader.take('?')) segment = readFilter(reader);
  else if (reader.next === "'" || reader.next === '"')
    segment = { kind: 'names', names: reader.list(() => reader.quoted()) };
  else segment = readIndexes(reader);
  reader.blanks();
  reader.expect(']');
  return segment;
}

function readFilter(reader: PathReader): Segment {
  reader.blanks();
  reader.expect('(');
  const filter = compileFilter(reader, compileFilterPath);
  reader.expect(')');
  return { kind: 'filter', filter };
}

function readIndexes(reader: PathReader): Segment {
  const slice = reader.match(/(-?\d+)?\s*:\s*(-?\d+)?/y);
  if (slice) return { kind: 'slice', from: numberOrNone(slice[1]), to: numberOrNone(slice[2]) };
  return { kind: 'indexes', indexes: reader.list(() => reader.integer()) };
}

function numberOrNone(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/**
 * Follows segments from a node. What is missing is left out, except before the first segment that may find several: nothing to look in
 * is an error there, as in the reference.
 */
function walk(start: JsonNode, segments: readonly Segment[], root: JsonNode): JsonNode[] {
  let nodes: JsonNode[] = [start];
  let definite = true;
  for (const [index, segment] of segments.entries()) {
    const merged = segment.kind === 'names' && segment.names.length > 1 && index === segments.length - 1;
    const found: JsonNode[] = [];
    for (const node of nodes) {
      for (const next of merged ? mergedMembers(node, segment.names) : step(node, segment, root)) found.push(next);
      if (found.length > MAX_FOUND) throw new TooLargeError(`a path finds more than ${MAX_FOUND} values`);
    }
    nodes = found;
    if (definite && nodes.length === 0 && isDefinite(segment)) throw new JsonPathMissing('the path leads nowhere');
    definite &&= isDefinite(segment);
  }
  return nodes;
}

function step(node: JsonNode, segment: Segment, root: JsonNode): JsonNode[] {
  switch (segment.kind) {
    case 'names':
      return segment.names.map((name) => member(node, name)).filter((found) => found !== undefined);
    case 'wildcard':
      return children(node);
    case 'indexes':
      return node.kind === 'array'
        ? segment.indexes.map((index) => node.items.at(index)).filter((item) => item !== undefined)
        : [];
    case 'slice':
      return node.kind === 'array' ? node.items.slice(segment.from ?? 0, segment.to) : [];
    case 'filter':
      return candidates(node).filter((item) => segment.filter(item, root));
    case 'scan':
      return withDescendants(node);
  }
}

/** Of members with the same name the last one counts. */
function member(node: JsonNode, name: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.findLast(([key]) => key === name)?.[1] : undefined;
}

/** `$['a','b']` at the end of a path gives one object with those members that there are. */
function mergedMembers(node: JsonNode, names: readonly string[]): JsonNode[] {
  if (node.kind !== 'object') return [];
  const members: Array<readonly [string, JsonNode]> = [];
  for (const name of names) {
    const found = member(node, name);
    if (found) members.push([name, found]);
  }
  return [{ kind: 'object', members }];
}

function children(node: JsonNode): JsonNode[] {
  if (node.kind === 'array') return [...node.items];
  return node.kind === 'object' ? node.members.map(([, value]) => value) : [];
}

/** A filter tests the items of an array, or an object itself. */
function candidates(node: JsonNode): readonly JsonNode[] {
  if (node.kind === 'array') return node.items;
  return node.kind === 'object' ? [node] : [];
}

function withDescendants(node: JsonNode): JsonNode[] {
  const found: JsonNode[] = [];
  const pending: JsonNode[] = [node];
  for (let next = pending.pop(); next; next = pending.pop()) {
    found.push(next);
    // One by one: there may be more children than a call may have arguments.
    for (const child of children(next).reverse()) pending.push(child);
  }
  return found;
}
