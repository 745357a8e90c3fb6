import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { logger } from '../logging/index.ts';
import type { ReadableRegistry } from '../message/registry.ts';
import { decodeXml } from '../xml/decode.ts';
import { resourcePaths } from './resource-files.ts';

const log = logger('SimpleURLRegistry');
/** Read while a message waits: what is larger does not belong there. */
const MAX_BYTES = 1024 * 1024;
const MAX_CACHED = 1_000;

/** A `<registry>` as read from its artifact. */
export interface RegistryDefinition {
  /** Where it stands; there may be one in every file. */
  readonly name: string;
  /** `file:…`; undefined: it has nothing of its own. */
  readonly root: string | undefined;
  readonly cachableMs: number;
}

interface Cached {
  readonly text: string | undefined;
  readonly untilMs: number;
}

/**
 * The reference's SimpleURLRegistry with a `file:` root: the key is a path below it. What was read (or not found) is kept for the cachable
 * duration, so an edited file takes effect after that. A path that leads out of the root is refused (spec proxies 6.6).
 */
export class UrlRegistry implements ReadableRegistry {
  readonly #roots: readonly string[];
  readonly #cachableMs: number;
  readonly #now: () => number;
  readonly #cache = new Map<string, Cached>();

  /**
   * @param directories where a relative root is looked for, in this order
   * @param now ms of a clock that does not go back
   */
  constructor(
    { root, cachableMs }: RegistryDefinition,
    directories: readonly string[],
    now: () => number = () => performance.now(),
  ) {
    this.#roots = root === undefined ? [] : resourcePaths(root, directories);
    this.#cachableMs = cachableMs;
    this.#now = now;
  }

  text(key: string): string | undefined {
    const now = this.#now();
    const known = this.#cache.get(key);
    if (known && known.untilMs > now) return known.text;
    const text = this.#read(key);
    this.#cache.delete(key);
    this.#cache.set(key, { text, untilMs: now + this.#cachableMs });
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > MAX_CACHED && oldest !== undefined) this.#cache.delete(oldest);
    return text;
  }

  #read(key: string): string | undefined {
    for (const root of this.#roots) {
      const file = join(root, key);
      if (isOutside(root, file)) continue;
      try {
        return readBounded(file);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EISDIR') {
          log.warn(`The registry resource '${key}' cannot be read: ${message}`);
        }
      }
    }
    return undefined;
  }
}

function isOutside(root: string, file: string): boolean {
  const path = relative(root, file);
  return path === '' || path.startsWith('..') || isAbsolute(path) || path.includes('\0');
}

function readBounded(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    return decodeXml(readFileSync(handle));
  } finally {
    closeSync(handle);
  }
}
