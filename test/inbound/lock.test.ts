import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import * as files from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lockFile, sweepLock } from '../../src/inbound/file/lock.ts';

vi.mock('node:fs/promises', { spy: true });

const NEVER = { releaseAfterMs: undefined };
const OLD = { releaseAfterMs: 60_000 };
const DEAD = `${hostname()} 999999999 someone\n`;
const UUID = '0b8a5f6e-4f0c-4a57-9d3b-6a1c1a2b3c4d';
const JAVA = '5577006791947779410:node-1:10.0.0.7:1700000000000';

let folder: string;
let file: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-lock-'));
  file = join(folder, 'x.txt');
  lock = `${file}.lock`;
});
afterEach(() => {
  vi.resetAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function aged(path: string, ms = 3_600_000): void {
  const then = new Date(Date.now() - ms);
  utimesSync(path, then, then);
}

function refuseLinks(code: string): void {
  vi.mocked(files.link).mockImplementation(() =>
    Promise.reject(Object.assign(new Error(`${code}: refused, link`), { code })),
  );
}

describe('a lock', () => {
  it('is had once, and again after unlocking', async () => {
    const unlock = await lockFile(file, NEVER);
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
    expect(readFileSync(lock, 'utf8')).toMatch(new RegExp(`^${hostname()} ${process.pid} \\S+\\n$`));
    expect(await lockFile(file, NEVER)).toBeUndefined();
    await unlock?.();
    expect(readdirSync(folder)).toEqual([]);
    expect(await lockFile(file, NEVER)).toBeDefined();
  });

  it('has its name only with its signature in it', async () => {
    const seen: string[] = [];
    vi.mocked(files.link).mockImplementationOnce(async (from, to) => {
      expect(existsSync(lock)).toBe(false);
      seen.push(readFileSync(String(from), 'utf8'));
      const { link } = await vi.importActual<typeof files>('node:fs/promises');
      await link(from, to);
    });
    await lockFile(file, NEVER);
    expect(seen).toEqual([readFileSync(lock, 'utf8')]);
    expect(seen[0]).toContain(` ${process.pid} `);
  });

  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'])(
    'works the same where links are refused with %s',
    async (code) => {
      refuseLinks(code);
      const unlock = await lockFile(file, NEVER);
      expect(readdirSync(folder)).toEqual(['x.txt.lock']);
      expect(readFileSync(lock, 'utf8')).toContain(` ${process.pid} `);
      expect(await lockFile(file, NEVER)).toBeUndefined();
      await unlock?.();
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('leaves nothing behind when it cannot be made', async () => {
    vi.mocked(files.link).mockImplementation(() =>
      Promise.reject(Object.assign(new Error('ENOENT: gone, link'), { code: 'ENOENT' })),
    );
    await expect(lockFile(file, NEVER)).rejects.toThrow('ENOENT');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of one of many that want it at once is had by one', async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, () => lockFile(file, NEVER)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
  });

  it('that somebody else has by now is not taken away on unlocking', async () => {
    const unlock = await lockFile(file, NEVER);
    writeFileSync(lock, 'elsewhere.example 1 x\n');
    await unlock?.();
    expect(readFileSync(lock, 'utf8')).toBe('elsewhere.example 1 x\n');
    rmSync(lock);
    await unlock?.();
  });
});

describe('a lock of somebody else', () => {
  it.each([
    ['another machine', 'elsewhere.example 1 x\n'],
    ['the reference', JAVA],
    ['an operator', ''],
    ['a program that says something else about this machine', `${hostname()} is busy\n`],
    ['a program that keeps much in it', `${hostname()} 999999999 ${'x'.repeat(100_000)}`],
  ])('of %s is taken away only when it is old and the artifact says so', async (_, text) => {
    writeFileSync(lock, text);
    expect(await lockFile(file, OLD)).toBeUndefined();
    aged(lock);
    expect(await lockFile(file, NEVER)).toBeUndefined();
    expect(readFileSync(lock, 'utf8')).toBe(text);
    expect(await lockFile(file, OLD)).toBeDefined();
    expect(readFileSync(lock, 'utf8')).toContain(` ${process.pid} `);
  });

  it('that is no file is never taken away', async () => {
    mkdirSync(lock);
    aged(lock);
    expect(await lockFile(file, OLD)).toBeUndefined();
    rmSync(lock, { recursive: true });
    symlinkSync('somebody@elsewhere.1', lock);
    expect(await lockFile(file, OLD)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
    expect(vi.mocked(files.writeFile)).not.toHaveBeenCalled();
  });

  it('is taken over by one of many when it is stale', async () => {
    writeFileSync(lock, DEAD);
    const taken = await Promise.all(Array.from({ length: 20 }, () => lockFile(file, NEVER)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
  });

  it('is taken over although an earlier taker died on that', async () => {
    writeFileSync(lock, DEAD);
    writeFileSync(join(folder, 'x.txt.takeover.lock'), DEAD);
    expect(await lockFile(file, NEVER)).toBeUndefined();
    expect(await lockFile(file, NEVER)).toBeDefined();
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
  });

  it('is left to the one who is about to clear the lock of the taker that died', async () => {
    writeFileSync(lock, DEAD);
    writeFileSync(join(folder, 'x.txt.takeover.lock'), DEAD);
    const clearing = join(folder, 'x.txt.takeover.takeover.lock');
    writeFileSync(clearing, `${hostname()} ${process.ppid} another\n`);
    expect(await lockFile(file, NEVER)).toBeUndefined();
    expect(await lockFile(file, NEVER)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['x.txt.lock', 'x.txt.takeover.lock', 'x.txt.takeover.takeover.lock']);
    rmSync(clearing);
    expect(await lockFile(file, NEVER)).toBeUndefined();
    expect(await lockFile(file, NEVER)).toBeDefined();
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
  });
});

describe('sweeping', () => {
  it('takes an orphaned lock away, and leaves a living one', async () => {
    await lockFile(file, NEVER);
    const gone = join(folder, 'gone.txt.lock');
    writeFileSync(gone, DEAD);
    await sweepLock(lock, NEVER);
    await sweepLock(gone, NEVER);
    await sweepLock(join(folder, 'never-there.lock'), NEVER);
    expect(readdirSync(folder)).toEqual(['x.txt.lock']);
  });

  it('takes away what a lock was made of when its writer is gone, or it is unsigned and old', async () => {
    const unfinished = join(folder, `.${UUID}.signing.lock`);
    writeFileSync(unfinished, DEAD);
    await sweepLock(unfinished, NEVER);
    expect(readdirSync(folder)).toEqual([]);
    for (const text of ['', 'elsewhere.example 1 x\n']) {
      writeFileSync(unfinished, text);
      await sweepLock(unfinished, NEVER);
      expect(readdirSync(folder)).toEqual([`.${UUID}.signing.lock`]);
      aged(unfinished);
      await sweepLock(unfinished, NEVER);
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
