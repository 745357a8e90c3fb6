import type { ArtifactKinds, Configuration } from '../message/configuration.ts';
import { notFound } from './management-error.ts';
import type { JsonSchema } from './resource.ts';

/** The query parameter that every list has: part of a name, in any case (spec proxies 8.1). */
export const SEARCH_KEY = { type: 'string', description: 'Only names that contain this text, in any case' } as const;

/**
 * The query parameters of lists that may be long: part of a name, and which part of the list. Without the latter, which are ours, lists
 * are whole, as the reference's are.
 */
export const LIST_QUERY = {
  searchKey: SEARCH_KEY,
  limit: { type: 'integer', minimum: 1, maximum: 10_000, description: 'At most so many of the list' },
  offset: { type: 'integer', minimum: 0, maximum: 1_000_000, description: 'So many of the list are left out before' },
} as const;

/** Which part of a list is asked for. */
export interface WantedPart {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** That part of a list, and what is said of it beside `count`, which is of the part; nothing where the whole list is asked for. */
export function partOf<T>(
  all: readonly T[],
  { limit, offset }: WantedPart,
): { part: readonly T[]; beside: { total: number; offset: number } | undefined } {
  if (limit === undefined && offset === undefined) return { part: all, beside: undefined };
  const from = offset ?? 0;
  const part = all.slice(from, limit === undefined ? undefined : from + limit);
  return { part, beside: { total: all.length, offset: from } };
}

/** The running artifacts of a kind whose names contain a text, by name; a blank text is no filter. */
export function searched<K extends keyof ArtifactKinds>(
  configuration: Configuration,
  kind: K,
  searchKey: string | undefined,
): Array<ArtifactKinds[K]> {
  const wanted = searchKey?.trim().toLowerCase() ?? '';
  return configuration
    .names(kind)
    .filter((name) => name.toLowerCase().includes(wanted))
    .map((name) => configuration.find(kind, name))
    .filter((found) => found !== undefined);
}

/** @throws ManagementError 404 with this text and the nearest name */
export function named<K extends keyof ArtifactKinds>(
  configuration: Configuration,
  kind: K,
  name: string,
  text: string,
): ArtifactKinds[K] {
  const found = configuration.find(kind, name);
  if (found === undefined) throw notFound(text, name, configuration.names(kind));
  return found;
}

/** `{count, list}`, and what is beside them. */
export function listing<T, const B extends object | undefined = undefined>(list: readonly T[], beside?: B) {
  return { count: list.length, list, ...beside };
}

/** The schema of a list of items. */
export function listOf(item: JsonSchema, more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema {
  return {
    type: 'object',
    required: ['count', 'list'],
    properties: { count: { type: 'integer', minimum: 0 }, list: { type: 'array', items: item }, ...more },
  };
}

/** The schema of a list of which a part can be asked for ({@link LIST_QUERY}). */
export function partsOf(item: JsonSchema): JsonSchema {
  const count = { type: 'integer', minimum: 0 };
  return listOf(item, {
    total: { ...count, description: 'With limit or offset: how many there are in all' },
    offset: { ...count, description: 'With limit or offset: how many come before' },
  });
}
