import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { RegistryResource } from '../composite/registry-resources.ts';
import { logger } from '../logging/index.ts';
import type { Registry } from '../message/registry.ts';

const log = logger('MicroIntegratorRegistry');

/** Prefix of a key -> folder (spec proxies 6.6). */
const PARTS: Readonly<Record<string, string>> = {
  gov: 'governance',
  conf: 'config',
  local: 'local',
  resources: 'governance/mi-resources',
};
const PROPERTIES_SUFFIX = '.properties.json';
/** Resources are kept in memory; what is larger does not belong into a registry. */
const MAX_RESOURCE_BYTES = 16 * 1024 * 1024;
const MAX_RESOURCES = 10_000;

interface Resource {
  readonly text: string;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * A registry in a folder: one file per resource, its properties beside it. All of it is held in memory, so that reading never waits
 * for the disk; changes are written in order, each file as a whole.
 */
export class FileRegistry implements Registry {
  readonly #folder: string;
  readonly #resources = new Map<string, Resource>();
  /** What composite applications have brought: found where nothing has been stored under the key. */
  #provided: ReadonlyMap<string, Resource> = new Map();
  #writing: Promise<void> = Promise.resolve();
  /** Told of every change that is made here. */
  readonly #listeners = new Set<() => void>();
  /** Of each reading of the folder that has not ended: what was changed here since it was asked for. */
  readonly #changedSince = new Set<Set<string>>();
  /** The reading that has not begun. */
  #nextReload: Promise<void> | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads what an earlier run has left; a folder that does not exist is an empty registry. */
  static async open(folder: string): Promise<FileRegistry> {
    const registry = new FileRegistry(folder);
    await registry.#load(registry.#resources);
    return registry;
  }

  text(key: string): string | undefined {
    return this.#find(key)?.text;
  }

  property(key: string, name: string): string | undefined {
    return this.#find(key)?.properties[name];
  }

  store(key: string, text: string): void {
    const path = resourcePath(key);
    this.#put(path, { text, properties: this.#resources.get(path)?.properties ?? {} });
  }

  storeProperty(key: string, name: string, value: string): void {
    const path = resourcePath(key);
    this.#put(path, { text: '', properties: { ...this.#resources.get(path)?.properties, [name]: value } });
  }

  /** All resources by their paths below the folder, those of composite applications included. */
  list(): Array<{ readonly path: string; readonly bytes: number; readonly provided: boolean }> {
    const paths = new Set([...this.#resources.keys(), ...this.#provided.keys()]);
    return [...paths].sort().map((path) => {
      const own = this.#resources.get(path);
      const text = (own ?? this.#provided.get(path))?.text ?? '';
      return { path, bytes: Buffer.byteLength(text), provided: own === undefined };
    });
  }

  /** Properties of a resource; undefined where there is none. */
  properties(key: string): Readonly<Record<string, string>> | undefined {
    return this.#find(key)?.properties;
  }

  /** Takes a property away; false when there was none. */
  removeProperty(key: string, name: string): boolean {
    const path = resourcePath(key);
    const resource = this.#resources.get(path);
    if (!resource || !Object.hasOwn(resource.properties, name)) return false;
    const { [name]: _, ...properties } = resource.properties;
    this.#put(path, { ...resource, properties });
    return true;
  }

  /** Sets a property and keeps the content. */
  setProperty(key: string, name: string, value: string): void {
    const path = resourcePath(key);
    const resource = this.#find(key);
    this.#put(path, { text: resource?.text ?? '', properties: { ...resource?.properties, [name]: value } });
  }

  /** Takes a resource away; what an application brings under the key appears again. False when there was none. */
  remove(key: string): boolean {
    const path = resourcePath(key);
    if (!this.#resources.delete(path)) return false;
    this.#writing = this.#writing.then(() => this.#unlink(path));
    this.#changed(path);
    return true;
  }

  /** Makes exactly these resources of composite applications available, beside those in the folder. */
  provide(resources: readonly RegistryResource[]): void {
    const provided = new Map<string, Resource>();
    for (const { key, content, properties } of resources) {
      const path = validPath(key);
      if (path !== undefined) provided.set(path, { text: content.toString('utf8'), properties });
    }
    this.#provided = provided;
  }

  /** Calls back when something is changed here, before it is on disk. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads the folder again, which another process has written to; what was changed here meanwhile stays.
   * @throws the system's error; everything stays as it is then
   */
  reload(): Promise<void> {
    this.#nextReload ??= this.#reloadAfterWriting();
    return this.#nextReload;
  }

  #reloadAfterWriting(): Promise<void> {
    const own = new Set<string>();
    this.#changedSince.add(own);
    const reloaded = this.#writing.then(() => {
      this.#nextReload = undefined;
      return this.#reload(own);
    });
    this.#writing = reloaded.catch(() => undefined);
    return reloaded;
  }

  /** @param own paths that are newer here than in the folder: they are written after this */
  async #reload(own: Set<string>): Promise<void> {
    const resources = new Map<string, Resource>();
    try {
      await this.#load(resources);
    } finally {
      this.#changedSince.delete(own);
    }
    for (const path of this.#resources.keys()) if (!resources.has(path) && !own.has(path)) this.#resources.delete(path);
    for (const [path, resource] of resources) if (!own.has(path)) this.#resources.set(path, resource);
  }

  /** Resolves when everything is on disk. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** What is no key of the registry names nothing in it. */
  #find(key: string): Resource | undefined {
    // Names that nothing has are asked for by every message.
    if (this.#resources.size === 0 && this.#provided.size === 0) return undefined;
    const path = validPath(key);
    return path === undefined ? undefined : (this.#resources.get(path) ?? this.#provided.get(path));
  }

  #put(path: string, resource: Resource): void {
    if (!this.#resources.has(path) && this.#resources.size >= MAX_RESOURCES) {
      throw new RegistryError(`The registry holds ${MAX_RESOURCES} resources; '${path}' is not stored`);
    }
    if (Buffer.byteLength(resource.text) > MAX_RESOURCE_BYTES) {
      throw new RegistryError(`'${path}' is larger than ${MAX_RESOURCE_BYTES} bytes and is not stored`);
    }
    this.#resources.set(path, resource);
    this.#writing = this.#writing.then(() => this.#write(path, resource));
    this.#changed(path);
  }

  #changed(path: string): void {
    for (const paths of this.#changedSince) paths.add(path);
    for (const listener of this.#listeners) listener();
  }

  async #write(path: string, { text, properties }: Resource): Promise<void> {
    const file = join(this.#folder, path);
    try {
      await mkdir(dirname(file), { recursive: true });
      await replaceFile(file, text);
      if (Object.keys(properties).length > 0) await replaceFile(file + PROPERTIES_SUFFIX, JSON.stringify(properties));
      else await rm(file + PROPERTIES_SUFFIX, { force: true });
    } catch (error) {
      log.error(`The registry resource '${path}' cannot be written: ${(error as Error).message}`);
    }
  }

  async #unlink(path: string): Promise<void> {
    try {
      // It may have been stored again meanwhile.
      if (this.#resources.has(path)) return;
      await rm(join(this.#folder, path), { force: true });
      await rm(join(this.#folder, path) + PROPERTIES_SUFFIX, { force: true });
    } catch (error) {
      log.error(`The registry resource '${path}' cannot be removed: ${(error as Error).message}`);
    }
  }

  async #load(resources: Map<string, Resource>): Promise<void> {
    for (const entry of await entriesOf(this.#folder)) {
      if (!entry.isFile() || entry.name.endsWith(PROPERTIES_SUFFIX) || entry.name.endsWith('.new')) continue;
      const file = join(entry.parentPath, entry.name);
      const path = relative(this.#folder, file).split(sep).join('/');
      resources.set(path, { text: await readFile(file, 'utf8'), properties: await readProperties(file) });
    }
  }
}

/** A key or a resource that the registry does not take. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
}

/** The place of a resource below the registry's folder. @throws RegistryError for a key that leads out of it */
export function resourcePath(key: string): string {
  const path = validPath(key);
  if (path === undefined) throw new RegistryError(`'${key}' is no key of the registry`);
  return path;
}

function validPath(key: string): string | undefined {
  const [, prefix, rest = key] = /^(gov|conf|local|resources):(.*)$/s.exec(key) ?? [];
  const part = prefix === undefined ? 'governance' : (PARTS[prefix] ?? 'governance');
  const segments = rest.split(/[\\/]+/).filter((segment) => segment !== '' && segment !== '.');
  if (segments.length === 0 || segments.includes('..') || rest.includes('\0')) return undefined;
  return [part, ...segments].join('/');
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function readProperties(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file + PROPERTIES_SUFFIX, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn(`The properties of ${file} cannot be read`);
    return {};
  }
}
