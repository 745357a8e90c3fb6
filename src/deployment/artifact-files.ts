import { type Dirent, type Stats, stat } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

const MAX_DEPTH = 16;
const MAX_FILES = 50_000;
const STATS_AT_ONCE = 32;
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
 * Does a file of this name count? `*.xml`, `*.car` and `*.zip`, but no hidden files and none that editors and the reference's own restore leave behind
 * (`.x.xml.swp`, `x.xml~`, `#x.xml#`, `~$x.xml`, `x.xml.back`, `x.xml.tmp`): those start with another character or end otherwise.
 */
export function isArtifactFile(name: string): boolean {
  return isArchive(name) || (/^[^.~#].*\.xml$/i.test(name) && !/\.(?:tmp|back|bak|swp)\.xml$/i.test(name));
}

/** Is it a composite application or a connector? */
export function isArchive(name: string): boolean {
  return /^[^.~#].*\.(?:car|zip)$/i.test(name);
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

/** Looks at some files only, wherever they are below the directory; those that are not there are left out. */
export async function lookAtFiles(directory: string, paths: Iterable<string>): Promise<Listing> {
  const files = new Map<string, FileLook>();
  const unreadable = new Map<string, string>();
  await statAll(directory, [...paths], (path, found) => {
    if (found instanceof Error) {
      if (!isMissing(found)) unreadable.set(path, found.message);
    } else if (found.isFile()) files.set(path, lookOf(path, found));
  });
  return { files, directories: [], unreadable };
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
    await statAll(this.#directory, [''], (_path, found) => {
      if (found instanceof Error) throw found;
      this.#entered.add(identity(found));
    });
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
    const inside = path === '' ? '' : `${path}/`;
    const children = entries.filter((entry) => isWorthALook(entry, depth)).map(({ name }) => `${inside}${name}`);
    const below: string[] = [];
    await statAll(this.#directory, children, (child, found) => {
      if (this.#look(child, found)) below.push(child);
    });
    for (const child of below.sort()) await this.#enter(child, depth + 1);
  }

  /** Notes what was found at a path; true for a directory that is to be entered. */
  #look(path: string, found: Stats | Error): boolean {
    if (found instanceof Error) {
      if (!isMissing(found)) this.unreadable.set(path, found.message);
      return false;
    }
    if (found.isDirectory()) return this.#isNewDirectory(found);
    const isArtifact = found.isFile() && isArtifactFile(basename(path));
    if (isArtifact && this.files.size < MAX_FILES) this.files.set(path, lookOf(path, found));
    return false;
  }

  #isNewDirectory(found: Stats): boolean {
    const id = identity(found);
    if (this.#entered.has(id)) return false;
    this.#entered.add(id);
    return true;
  }
}

/** Only links need to be followed to know what they are. */
function isWorthALook(entry: Dirent, depth: number): boolean {
  const { name } = entry;
  if (entry.isFile()) return isArtifactFile(name);
  if (entry.isDirectory()) return depth < MAX_DEPTH && !isIgnoredDirectory(name);
  return entry.isSymbolicLink() && !isIgnoredDirectory(name);
}

/**
 * Looks up the status of many files, some at a time. With callbacks, since a promise for each would make it four times as
 * expensive, which counts with thousands of files several times a second. Rejects when `note` throws.
 */
function statAll(
  directory: string,
  paths: readonly string[],
  note: (path: string, found: Stats | Error) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let pending = paths.length;
    if (pending === 0) resolve();
    const one = () => {
      const path = paths[next];
      if (path === undefined) return;
      next += 1;
      stat(`${directory}/${path}`, (error, found) => {
        try {
          note(path, error ?? found);
        } catch (cause) {
          reject(cause);
          return;
        }
        pending -= 1;
        if (pending === 0) resolve();
        else one();
      });
    };
    for (let lane = 0; lane < STATS_AT_ONCE; lane += 1) one();
  });
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
