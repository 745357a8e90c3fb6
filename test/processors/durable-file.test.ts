import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeDirectory, writeAtomically } from '../../src/processors/durable-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mini-synapse-durable-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('files that outlive a loss of power', () => {
  test('directories are made with all that are above them, or left as they are', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    for (let again = 0; again < 2; again += 1) await makeDirectory(deep);
    expect((await stat(deep)).isDirectory()).toBe(true);
    // As the data folder is written most often.
    const relativePath = relative(process.cwd(), join(folder, 'd', 'e'));
    await makeDirectory(relativePath);
    expect((await stat(join(folder, 'd', 'e'))).isDirectory()).toBe(true);
  });

  test('a file stands where a directory should be: that is said', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(makeDirectory(join(folder, 'file', 'x'))).rejects.toThrow(/ENOTDIR|EEXIST/);
    await expect(writeAtomically(join(folder, 'file', 'x', 'y'), '')).rejects.toThrow(/ENOTDIR|EEXIST/);
  });

  test('several may make the same directory at once', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 5 }, () => makeDirectory(deep)));
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  test.skipIf(process.platform !== 'linux')('where nobody may make any, it fails', async () => {
    await expect(makeDirectory('/proc/data')).rejects.toThrow(/^E/);
  });

  test('a file is replaced as a whole, and nothing else is left there', async () => {
    const path = join(folder, 'new', 'state.json');
    await writeAtomically(path, 'first');
    await writeAtomically(path, Buffer.from('second'));
    expect(await readFile(path, 'utf8')).toBe('second');
    expect(await readdir(join(folder, 'new'))).toEqual(['state.json']);
  });
});
