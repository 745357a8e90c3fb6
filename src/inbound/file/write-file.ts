import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import { syncFolder } from '../../stores/journal/segment.ts';

const MAX_NAMES = 1_000;
/** Said of folders that may be written to and not be read, and by file systems that cannot do what is asked. */
const NOT_POSSIBLE = new Set(['EACCES', 'EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Writes a whole file under its name, or nothing: readers never see a part of it, and it is on the disk when this resolves.
 * @throws when it could not be written
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await keepName(path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Its name is on the disk, too, where that can be had. */
async function keepName(path: string): Promise<void> {
  await wherePossible(syncFolder(dirname(path)));
}

async function wherePossible(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!NOT_POSSIBLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/**
 * Moves a file into a folder, which is made if need be. Nothing there is overwritten: the name gets a number then.
 * @returns where it is now
 * @throws when it could not be moved; it is still in its old place then
 */
export async function moveInto(path: string, folder: string, name = basename(path)): Promise<string> {
  await mkdir(folder, { recursive: true });
  const { name: stem, ext } = parse(name);
  for (let number = 0; number < MAX_NAMES; number += 1) {
    const target = join(folder, number === 0 ? name : `${stem}-${number}${ext}`);
    if (await linkOrCopy(path, target)) {
      await rm(path);
      return target;
    }
  }
  throw new Error(`there are ${MAX_NAMES} files with names like '${name}' in ${folder} already`);
}

/**
 * Gives a file another name as well, at once and with all that is in it; by a copy where links are refused. A link is refused where
 * rename would overwrite.
 * @returns false when the name is taken
 * @throws when it is not to be had; it is not there then
 */
export async function linkOrCopy(path: string, target: string): Promise<boolean> {
  try {
    await link(path, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return isSameFile(path, target);
    if (code === 'ENOENT') throw error;
  }
  // Another file system, or one without links.
  return copyInto(path, target);
}

/** After a crash between the two steps of a move the file has both names. */
async function isSameFile(path: string, target: string): Promise<boolean> {
  const [source, there] = await Promise.all([stat(path), stat(target).catch(() => undefined)]);
  return source.ino === there?.ino && source.dev === there.dev;
}

async function copyInto(path: string, target: string): Promise<boolean> {
  // Nothing is copied in vain.
  if (await isThere(target)) return false;
  const temporary = `${target}.${randomUUID()}.part`;
  try {
    await copyFile(path, temporary);
    await settle(temporary, await stat(path));
    const reserved = await open(target, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (!reserved) return false;
    await reserved.close();
    try {
      await rename(temporary, target);
      await keepName(target);
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    }
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** Its times are those of the original, and it is on the disk: that one is removed soon. */
async function settle(copy: string, { atime, mtime }: Stats): Promise<void> {
  // A file that nobody may write to has a copy of that kind.
  const handle = await open(copy, 'r');
  try {
    await wherePossible(handle.utimes(atime, mtime));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
