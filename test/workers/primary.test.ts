import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** The processes that a supervising process may have: it is one of its own here, as node:cluster wants the whole process. */
const SCRIPT = `
const { readConfiguration } = await import(SOURCES + 'config/config.ts');
const { superviseWorkers } = await import(SOURCES + 'workers/primary.ts');
const flags = { artifacts: FOLDER, data: FOLDER + '/data', workers: 2 };
process.execPath = '/nowhere/node';
const outcome = await superviseWorkers({
  configuration: readConfiguration(flags), flags, stdout: process.stdout, signal: new Promise(() => {}), onReady: () => {},
});
process.stdout.write(JSON.stringify(outcome) + '\\n');
`;
const DEADLINE_MS = 60_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-primary-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('ends when no process can be had, and leaves nothing', { timeout: 2 * DEADLINE_MS }, async () => {
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const sources = new URL('../../src/', import.meta.url).href;
  const script = SCRIPT.replaceAll('SOURCES', JSON.stringify(sources)).replaceAll('FOLDER', JSON.stringify(folder));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--experimental-strip-types', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    { timeout: DEADLINE_MS, env: { ...process.env, TMPDIR: temporary } },
  );
  expect(stdout).toContain('A process for the owner cannot be had: spawn /nowhere/node ENOENT');
  expect(stdout).toContain('{"kind":"not started","end":{"code":3,"signal":null}}');
  expect(readdirSync(temporary)).toEqual([]);
});
