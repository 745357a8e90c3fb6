import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { moveInto, writeAtomically } from '../../src/inbound/file/write-file.ts';

vi.mock('node:fs/promises', { spy: true });

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-write-'));
  file = join(folder, 'x.txt');
});
afterEach(() => {
  vi.resetAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: failed`), { code });
}

function refuseLinks(): void {
  vi.mocked(files.link).mockImplementation(() => Promise.reject(failure('EXDEV')));
}

/** Opening the folder for its synchronisation fails. */
async function refuseFolder(code: string): Promise<void> {
  const { open } = await vi.importActual<typeof files>('node:fs/promises');
  vi.mocked(files.open).mockImplementation((path, ...rest) =>
    path === dirname(file) ? Promise.reject(failure(code)) : open(path, ...rest),
  );
}

describe('writing', () => {
  it.each(['EACCES', 'EINVAL', 'EOPNOTSUPP'])('works where folders cannot be synchronised: %s', async (code) => {
    await refuseFolder(code);
    await writeAtomically(file, Buffer.from('one'));
    expect(vi.mocked(files.open)).toHaveBeenCalledWith(folder, 'r');
    expect(readFileSync(file, 'utf8')).toBe('one');
  });

  it('fails when nobody can say whether the name is on the disk', async () => {
    await refuseFolder('EIO');
    await expect(writeAtomically(file, Buffer.from('one'))).rejects.toThrow('EIO');
  });
});

describe('a move to where links do not reach', () => {
  it('keeps the time of the file, and overwrites nothing', async () => {
    refuseLinks();
    const to = join(folder, 'to');
    const then = new Date(Date.now() - 3_600_000);
    for (const text of ['1', '2']) {
      writeFileSync(file, text);
      utimesSync(file, then, then);
      await moveInto(file, to);
    }
    expect(vi.mocked(files.copyFile)).toHaveBeenCalledTimes(2);
    expect(readdirSync(folder)).toEqual(['to']);
    expect(readdirSync(to).sort()).toEqual(['x-1.txt', 'x.txt']);
    expect(readFileSync(join(to, 'x.txt'), 'utf8')).toBe('1');
    expect(Math.abs(statSync(join(to, 'x.txt')).mtimeMs - then.getTime())).toBeLessThan(2_000);
  });

  it('that fails leaves no empty file under the new name', async () => {
    refuseLinks();
    vi.mocked(files.rename).mockImplementationOnce(() => Promise.reject(failure('EIO')));
    writeFileSync(file, '1');
    await expect(moveInto(file, join(folder, 'to'))).rejects.toThrow('EIO');
    expect(readdirSync(join(folder, 'to'))).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe('1');
  });
});
