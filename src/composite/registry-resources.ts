import { posix } from 'node:path';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArchiveFiles } from './car-archive.ts';

/** A resource that an application puts into the registry. */
export interface RegistryResource {
  /** With `gov:`, `conf:` or `local:`. */
  readonly key: string;
  readonly content: Buffer;
  readonly properties: Readonly<Record<string, string>>;
}

/** Paths of WSO2's registry -> prefix of keys (spec proxies 7.6). */
const PREFIXES: ReadonlyArray<readonly [path: string, prefix: string]> = [
  ['/_system/governance', 'gov:'],
  ['/_system/config', 'conf:'],
  ['/_system/local', 'local:'],
];

export interface ReadResources {
  readonly resources: readonly RegistryResource[];
  /** Files that the list names and the archive lacks. */
  readonly missing: ReadonlyArray<{ readonly element: ConfigElement; readonly path: string }>;
}

/**
 * Reads the list of an artifact of type `registry/resource`: `<item>`s with a file and a path, `<collection>`s with a directory.
 * @param folder where the artifact's contents are in the archive
 */
export function readRegistryResources(list: ConfigElement, folder: string, files: ArchiveFiles): ReadResources {
  const resources: RegistryResource[] = [];
  const missing: { element: ConfigElement; path: string }[] = [];
  for (const item of list.childrenNamed('item')) {
    const file = textOf(item, 'file');
    const path = posix.join(folder, file);
    const content = files.get(path);
    if (content) resources.push({ key: keyOf(textOf(item, 'path'), file), content, properties: propertiesOf(item) });
    else missing.push({ element: item, path });
  }
  for (const collection of list.childrenNamed('collection')) {
    const inside = `${posix.join(folder, textOf(collection, 'directory'))}/`;
    for (const [path, content] of files) {
      if (!path.startsWith(inside)) continue;
      resources.push({ key: keyOf(textOf(collection, 'path'), path.slice(inside.length)), content, properties: {} });
    }
  }
  return { resources, missing };
}

function keyOf(path: string, file: string): string {
  const full = posix.join('/', path, file);
  for (const [place, prefix] of PREFIXES) {
    if (full.startsWith(`${place}/`)) return `${prefix}${full.slice(place.length + 1)}`;
  }
  return `gov:${full.slice(1)}`;
}

function textOf(parent: ConfigElement, name: string): string {
  return parent.child(name)?.text.trim() ?? '';
}

function propertiesOf(item: ConfigElement): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const property of item.child('properties')?.childrenNamed('property') ?? []) {
    const key = property.attribute('key');
    if (key) properties[key] = property.attribute('value') ?? '';
  }
  return properties;
}
