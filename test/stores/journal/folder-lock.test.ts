import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { FolderInUseError, FolderLock } from '../../../src/stores/journal/folder-lock.ts';
import { Folders } from '../in-memory-stores.ts';

const folders = new Folders();
const taken: FolderLock[] = [];

afterEach(async () => {
  await Promise.all(taken.splice(0).map((lock) => lock.release()));
  await folders.removeAll();
});

async function take(folder: string): Promise<FolderLock> {
  const lock = await FolderLock.take(folder);
  taken.push(lock);
  return lock;
}

describe('the lock of a folder', () => {
  test('is one at a time, also within a process, and names its holder', async () => {
    const folder = join(await folders.make(), 'new');
    const lock = await take(folder);
    await expect(take(folder)).rejects.toThrow(
      new RegExp(`^another process uses it: process ${process.pid} on \\S+ since \\d{4}-\\d\\d-\\d\\dT`),
    );
    await expect(take(folder)).rejects.toBeInstanceOf(FolderInUseError);
    await lock.release();
    taken.length = 0;
    await take(folder);
  });

  test('takes no room on the disk, and leaves nobody named when it is given back', async () => {
    const folder = await folders.make();
    const lock = await take(folder);
    expect((await stat(join(folder, 'lock'))).size).toBe(0);
    await lock.release();
    taken.length = 0;
    expect(existsSync(join(folder, 'lock-holder'))).toBe(false);
  });

  test('what a process before has left behind does not matter', async () => {
    const folder = await folders.make();
    await writeFile(join(folder, 'lock'), '');
    await writeFile(join(folder, 'lock-holder'), 'process 1 on elsewhere since long ago\n');
    await take(folder);
    expect(await readFile(join(folder, 'lock-holder'), 'utf8')).toContain(`process ${process.pid}`);
  });

  test('a folder that cannot be locked is told for what it is', async () => {
    const folder = await folders.make();
    await mkdir(join(folder, 'lock'));
    await expect(take(folder)).rejects.not.toBeInstanceOf(FolderInUseError);
    await writeFile(join(folder, 'file'), '');
    await expect(take(join(folder, 'file'))).rejects.toThrow(/EEXIST|ENOTDIR/);
  });
});
