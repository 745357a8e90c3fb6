import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endOwner, isDeadOwner, newOwner } from '../../../src/stores/sql/owner.ts';

describe('the owner of claims', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mini-synapse-owner-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The same store, but of another process. */
  const ofProcess = (owner: string, pid: number) => owner.replace(/\.\d+\.([0-9a-f]{8})$/, `.${pid}.$1`);

  test('is a new one each time, on a node that keeps its name in the data directory', () => {
    const [first, second] = [newOwner(folder), newOwner(folder)];
    const node = readFileSync(join(folder, 'node-id'), 'utf8').trim();
    expect(first).not.toBe(second);
    expect(first.startsWith(`${node}.`) && second.startsWith(`${node}.`)).toBe(true);
    expect(first.length).toBeLessThanOrEqual(100);
  });

  test('is dead when its store has ended in this process, or its process has', () => {
    const [ours, other] = [newOwner(folder), newOwner(folder)];
    expect(isDeadOwner(other, ours), 'alive in this process').toBe(false);
    endOwner(other);
    expect(isDeadOwner(other, ours)).toBe(true);
    expect(isDeadOwner(ofProcess(other, process.ppid), ours), 'another process runs').toBe(false);
    const { pid } = spawnSync(process.execPath, ['--version']);
    expect(isDeadOwner(ofProcess(other, pid), ours)).toBe(true);
  });

  test('is never called dead when it is of another node, or of nobody', () => {
    const ours = newOwner(folder);
    const elsewhere = mkdtempSync(join(folder, 'other-'));
    const other = newOwner(elsewhere);
    endOwner(other);
    expect(isDeadOwner(other, ours)).toBe(false);
    for (const odd of ['', 'x', 'a.b.c', `${ours}x`]) expect(isDeadOwner(odd, ours)).toBe(false);
  });

  test('is there even where nothing can be kept', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(newOwner(file)).not.toBe(newOwner(file));
  });
});
