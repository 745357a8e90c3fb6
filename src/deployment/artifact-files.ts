import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachBounded } from './bounded.ts';

const MAX_DEPTH = 16;
const MAX_FILES = 50_000;
const STATS_AT_ONCE = 16;
const IGNORED_DIRECTORIES: readonly string[] = ['node_modules'];

/** One look at a file: when two looks are equal, nobody has written to it in between. */
export interface FileLook {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  /** Size, times, inode and device as one text. */
  readonly stamp: string;
  readonly bytes: number;
  /** Epoch ms. */
  readonly modifiedAt: number;
}

/** What is in a directory now. */
export interface Listing {
  readonly files: ReadonlyMap<string, FileLook>;
  /** All directories looked into, relative, the top one as ''. */
  readonly directories: readonly string[];
  /** Directories that exist but could not be read, with the reason; nothing is known about what is below them. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Does a file of this name count? `*.xml`, but no hidden files and none that editors and the reference's own restore leave behind
 * (`.x.xml.swp`, `x.xml~`, `#x.xml#`, `~$x.xml`, `x.xml.back`, `x.xml.tmp`): those start with another character or end otherwise.
 */
export function isArtifactFile(name: string): boolean {
  return /^[^.~#].*\.xml$/i.test(name) && !/\.(?:tmp|back|bak|swp)\.xml$/i.test(name);
}

/**
 * Lists the artifact files below a directory, at any depth and in any layout (spec proxies 7.1 knows only fixed folders; here the
 * root element decides). Symbolic links are followed, since Kubernetes mounts ConfigMaps so; a directory is entered once.
 * @throws when the directory itself cannot be read
 */
export async function listArtifactFiles(directory: string): Promise<Listing> {
  const listing = new DirectoryWalk(directory);
  await listing.walk();
  return listing;
}

class DirectoryWalk implements Listing {
  readonly files = new Map<string, FileLook>();
  readonly directories: string[] = [];
  readonly unreadable = new Map<string, string>();
  readonly #directory: string;
  readonly #entered = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async walk(): Promise<void> {
    const top = await stat(this.#directory);
    this.#entered.add(identity(top));
    await this.#enter('', 0);
  }

  async #enter(path: string, depth: number): Promise<void> {
    let entries: Dirent[];
    try {
      entries = await readdir(join(this.#directory, path), { withFileTypes: true });
    } catch (error) {
      if (path === '') throw error;
      if (!isMissing(error)) this.unreadable.set(path, reason(error));
      return;
    }
    this.directories.push(path);
    const below: string[] = [];
    await forEachBounded(entries, STATS_AT_ONCE, async (entry) => {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (await this.#look(entry, child, depth)) below.push(child);
    });
    for (const child of below.sort()) await this.#enter(child, depth + 1);
  }

  /** Looks at one entry; true for a directory that is to be entered. */
  async #look(entry: Dirent, path: string, depth: number): Promise<boolean> {
    const { name } = entry;
    const mayBeDirectory = entry.isDirectory() || entry.isSymbolicLink();
    if (entry.isDirectory() ? isIgnoredDirectory(name) : !isArtifactFile(name) && !mayBeDirectory) return false;
    if (mayBeDirectory && (isIgnoredDirectory(name) || depth >= MAX_DEPTH)) return false;
    const found = await this.#stat(path);
    if (!found) return false;
    if (found.isDirectory()) return this.#isNewDirectory(found);
    if (found.isFile() && isArtifactFile(name) && this.files.size < MAX_FILES)
      this.files.set(path, lookOf(path, found));
    return false;
  }

  async #stat(path: string): Promise<Stats | undefined> {
    try {
      return await stat(join(this.#directory, path));
    } catch (error) {
      if (!isMissing(error)) this.unreadable.set(path, reason(error));
      return undefined;
    }
  }

  #isNewDirectory(found: Stats): boolean {
    const id = identity(found);
    if (this.#entered.has(id)) return false;
    this.#entered.add(id);
    return true;
  }
}

/** What a file's status says about its content; the time of status change is in it, because the others can be set back. */
export function lookOf(path: string, found: Stats): FileLook {
  const stamp = `${found.size} ${found.mtimeMs} ${found.ctimeMs} ${identity(found)}`;
  return { path, stamp, bytes: found.size, modifiedAt: found.mtimeMs };
}

function isIgnoredDirectory(name: string): boolean {
  return name.startsWith('.') || IGNORED_DIRECTORIES.includes(name);
}

function identity(found: Stats): string {
  return `${found.dev}:${found.ino}`;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
