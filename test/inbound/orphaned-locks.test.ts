import { type Dirent, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as files from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OrphanedLocks } from '../../src/inbound/file/orphaned-locks.ts';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';

vi.mock('node:fs/promises', { spy: true });

const DEAD = `${hostname()} 999999999 someone\n`;
let folder: string;
let records: LogRecord[];
let stopListening: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-orphans-'));
  records = [];
  stopListening = onLogRecord((record) => records.push(record));
});
afterEach(() => {
  stopListening();
  vi.resetAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const items = (): Dirent[] => readdirSync(folder, { withFileTypes: true });

it('a lock that cannot be removed is told once, and keeps no other one', async () => {
  for (const name of ['a.lock', 'b.lock', 'c.lock']) writeFileSync(join(folder, name), DEAD);
  const real = await vi.importActual<typeof files>('node:fs/promises');
  let refused = 0;
  vi.mocked(files.rm).mockImplementation((path, options) => {
    if (!String(path).endsWith('b.lock') || refused === 2) return real.rm(path, options);
    refused += 1;
    return Promise.reject(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
  });
  const orphans = new OrphanedLocks('Inbound endpoint [i]', { releaseAfterMs: undefined });
  const told = () => records.filter(({ level }) => level === 'error').map(({ message }) => message);
  await orphans.sweep(folder, items());
  expect(readdirSync(folder)).toEqual(['b.lock']);
  expect(told()).toEqual([expect.stringMatching(/^Inbound endpoint \[i\]: .*b\.lock cannot be .*: EACCES/)]);
  await orphans.sweep(folder, items());
  expect(readdirSync(folder)).toEqual(['b.lock']);
  expect(told()).toHaveLength(1);
  await orphans.sweep(folder, items());
  expect(readdirSync(folder)).toEqual([]);
  expect(told()).toHaveLength(1);
});

it('a lock whose file is there is left to whoever takes that file', async () => {
  for (const name of ['a.txt.lock', 'b.txt.lock']) writeFileSync(join(folder, name), DEAD);
  writeFileSync(join(folder, 'a.txt'), '1');
  await new OrphanedLocks('i', { releaseAfterMs: undefined }).sweep(folder, items());
  expect(readdirSync(folder)).toEqual(['a.txt', 'a.txt.lock']);
});
