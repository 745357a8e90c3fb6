import type { ArtifactKinds, Configuration } from '../message/configuration.ts';
import { notFound } from './management-error.ts';
import type { JsonSchema } from './resource.ts';

/** The query parameter that every list has: part of a name, in any case (spec proxies 8.1). */
export const SEARCH_KEY = { type: 'string', description: 'Only names that contain this text, in any case' } as const;

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

/** `{count, list}`. */
export function listing<T>(list: readonly T[]): { count: number; list: readonly T[] } {
  return { count: list.length, list };
}

/** The schema of a list of items. */
export function listOf(item: JsonSchema, more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema {
  return {
    type: 'object',
    required: ['count', 'list'],
    properties: { count: { type: 'integer', minimum: 0 }, list: { type: 'array', items: item }, ...more },
  };
}
