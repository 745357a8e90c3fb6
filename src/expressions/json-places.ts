import type { JsonNode } from '../message/json.ts';
import { type JsonPath, JsonPathMissing } from './json-path.ts';

/** What becomes of a value: another one, or undefined to remove it from its object or array. */
export type JsonEdit = (value: JsonNode) => JsonNode | undefined;

/**
 * The document with everything that a path leads to edited, of a definite path as of an indefinite one; undefined when the document
 * itself was removed.
 * @returns also how many places there were
 * @throws JsonPathMissing when a definite path leads nowhere
 */
export function editPlaces(
  root: JsonNode,
  path: JsonPath,
  edit: JsonEdit,
): { readonly root: JsonNode | undefined; readonly count: number } {
  const tree = distinct(root);
  const places = placesIn(tree, path);
  return { root: edited(tree, places, edit), count: places.size };
}

/** The nodes that a path leads to. A union of names selects an object made for the purpose: its members are the places. */
function placesIn(tree: JsonNode, path: JsonPath): ReadonlySet<JsonNode> {
  const selected = path.select(tree);
  const found = path.definite ? [selected] : selected.kind === 'array' ? selected.items : [];
  const known = new Set<JsonNode>();
  collect(tree, known);
  const places = found.flatMap((node) => {
    if (known.has(node)) return [node];
    return node.kind === 'object' ? node.members.map(([, value]) => value) : [];
  });
  return new Set(places);
}

function collect(node: JsonNode, into: Set<JsonNode>): void {
  into.add(node);
  if (node.kind === 'array') for (const item of node.items) collect(item, into);
  else if (node.kind === 'object') for (const [, value] of node.members) collect(value, into);
}

/** A copy in which no node stands in two places, as true, false and null may. */
function distinct(node: JsonNode): JsonNode {
  if (node.kind === 'array') return { kind: 'array', items: node.items.map(distinct) };
  if (node.kind !== 'object') return { ...node };
  return { kind: 'object', members: node.members.map(([key, value]) => [key, distinct(value)] as const) };
}

function edited(node: JsonNode, places: ReadonlySet<JsonNode>, edit: JsonEdit): JsonNode | undefined {
  if (places.has(node)) return edit(node);
  if (node.kind === 'array') {
    const items = node.items.flatMap((item) => edited(item, places, edit) ?? []);
    return { kind: 'array', items };
  }
  if (node.kind !== 'object') return node;
  const members: Array<readonly [string, JsonNode]> = [];
  for (const [key, value] of node.members) {
    const changed = edited(value, places, edit);
    if (changed) members.push([key, changed]);
  }
  return { kind: 'object', members };
}

/** Gives the member that a path leads to another key; it moves to the end of its object, as in the reference. */
export function renamePlaces(root: JsonNode, path: JsonPath, key: string): JsonNode {
  const tree = distinct(root);
  const places = placesIn(tree, path);
  if (places.size === 0) throw new JsonPathMissing('the path leads nowhere');
  return renamed(tree, places, key);
}

function renamed(node: JsonNode, places: ReadonlySet<JsonNode>, key: string): JsonNode {
  if (node.kind === 'array') return { kind: 'array', items: node.items.map((item) => renamed(item, places, key)) };
  if (node.kind !== 'object') return node;
  const stays = node.members.filter(([name, value]) => !places.has(value) && name !== key);
  const moved = node.members.filter(([, value]) => places.has(value));
  const kept = moved.length === 0 ? node.members : stays;
  const members = kept.map(([name, value]) => [name, renamed(value, places, key)] as const);
  return { kind: 'object', members: [...members, ...moved.slice(0, 1).map(([, value]) => [key, value] as const)] };
}
