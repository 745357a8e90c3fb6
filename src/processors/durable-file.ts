import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** File systems take 255 bytes; endings and temporary names need some. */
const LONGEST_NAME = 180;

/**
 * A name of an artifact or the id of a message as the name of a file: letters, digits, `_`, `-` and inner dots stay, every other byte
 * becomes `%XX`; a very long name is cut and made unique by its hash.
 */
export function fileNameOf(name: string): string {
  let safe = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === '.' && safe !== '');
    safe += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (safe.length <= LONGEST_NAME) return safe === '' ? '%' : safe;
  return `${safe.slice(0, LONGEST_NAME - 33)}~${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/**
 * Writes a file so that after a crash either the old or the new content is there, whole: temporary file, fsync, rename, fsync of
 * the directory.
 * @throws what the file system says
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const directory = dirname(path);
  await makeDirectory(directory);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeAndSync(temporary, content);
    await rename(temporary, path);
    await syncDirectory(directory);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a directory, and those above it that are not there, so that they outlive a loss of power.
 * @throws what the file system says
 */
export async function makeDirectory(path: string): Promise<void> {
  // The name of each new one stands in the one above it.
  for (const made of await makeMissing(resolve(path))) await syncDirectory(dirname(made));
}

/** Returns those that were not there. Node.js's own `recursive` never ends where nobody may make one, as in `/proc`. */
async function makeMissing(path: string): Promise<readonly string[]> {
  if (await isDirectory(path)) return [];
  const above = dirname(path) === path ? [] : await makeMissing(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Somebody else was quicker.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await isDirectory(path))) return above;
    throw error;
  }
  return [...above, path];
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function writeAndSync(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
