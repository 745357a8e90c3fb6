import { randomUUID } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { copyFile, cp, link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { compileWholeMatch } from '../expressions/regex.ts';
import { ValueError } from '../grammar/attributes.ts';
import { fileFault } from './file-results.ts';

/*
 * What the file connector does with files. All paths have been checked; see file-access.ts.
 */

/** What a message may hold of a file, bytes. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_LISTED = 10_000;
const MAX_DEPTH = 32;

/** @throws MediationError for a file that is too large; errors of the file system */
export async function readWhole(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw fileFault('illegalPath', `'${path}' is no file`);
    if (found.size > MAX_FILE_BYTES) {
      throw fileFault(
        'operation',
        `'${path}' is larger than ${MAX_FILE_BYTES} bytes, the most that a message may hold`,
      );
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Writes a file as a whole: others see the one before or this one, never a part. */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  options: { readonly overwrite: boolean },
): Promise<void> {
  await throughTemporary(path, options, async (temporary) => {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

async function throughTemporary(
  path: string,
  { overwrite }: { readonly overwrite: boolean },
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.tmp`);
  try {
    await make(temporary);
    if (overwrite) await rename(temporary, path);
    else await link(temporary, path);
  } finally {
    await unlink(temporary).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

export async function appendTo(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'a');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Copies a file or a folder with all that is in it. */
export async function copyTo(source: string, target: string, options: { readonly overwrite: boolean }): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if ((await stat(source)).isDirectory()) {
    if (`${target}/`.startsWith(`${source}/`)) throw fileFault('illegalPath', `'${target}' is inside '${source}'`);
    await cp(source, target, { recursive: true, force: options.overwrite, errorOnExist: !options.overwrite });
  } else await throughTemporary(target, options, (temporary) => copyFile(source, temporary));
}

/** Moves a file or a folder, also to another file system. */
export async function moveTo(source: string, target: string, options: { readonly overwrite: boolean }): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if (!options.overwrite && (await statIfThere(target))) throw fileFault('alreadyExists', `'${target}' exists already`);
  try {
    await rename(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyTo(source, target, options);
    await rm(source, { recursive: true });
  }
}

export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export type NameFilter = (name: string) => boolean;

/** @throws MediationError for a pattern that is no regular expression */
export function nameFilter(pattern: string | undefined): NameFilter {
  if (pattern === undefined) return () => true;
  try {
    const matches = compileWholeMatch(pattern);
    return (name) => matches(name) !== undefined;
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    throw fileFault(
      'invalidConfiguration',
      `The pattern '${pattern}' is no regular expression: ${cause.message}`,
      cause,
    );
  }
}

/** The files of a folder whose names match, sorted by path; links are not followed. */
export async function listFiles(
  folder: string,
  filter: NameFilter,
  options: { readonly recursive: boolean },
): Promise<readonly string[]> {
  const found: string[] = [];
  await collect(folder, filter, options.recursive ? MAX_DEPTH : 0, found);
  return found.sort();
}

async function collect(folder: string, filter: NameFilter, depth: number, found: string[]): Promise<void> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) await collect(path, filter, depth - 1, found);
    if (!entry.isFile() || !filter(entry.name)) continue;
    if (found.length >= MAX_LISTED) throw fileFault('operation', `'${folder}' has more than ${MAX_LISTED} files`);
    found.push(path);
  }
}
