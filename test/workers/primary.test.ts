import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** A process of its own: node:cluster takes hold of the whole process. */
const SCRIPT = `
const { readConfiguration } = await import(SOURCES + 'config/config.ts');
const { superviseWorkers } = await import(SOURCES + 'workers/primary.ts');
const flags = { artifacts: FOLDER, data: FOLDER + '/data', workers: 2 };
process.argv[1] = 'main.js';
BROKEN;
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

it.each([
  ['is said later', "process.execPath = '/nowhere/node'", 'spawn /nowhere/node ENOENT'],
  ['is said at once', 'process.argv.pop()', '"modulePath"'],
])(
  'ends when no process can be had, which %s, and leaves nothing',
  {
    timeout: 2 * DEADLINE_MS,
  },
  async (_, broken, reason) => {
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    const sources = new URL('../../src/', import.meta.url).href;
    const script = SCRIPT.replace('BROKEN', broken)
      .replaceAll('SOURCES', JSON.stringify(sources))
      .replaceAll('FOLDER', JSON.stringify(folder));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--experimental-strip-types', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
      { timeout: DEADLINE_MS, env: { ...process.env, TMPDIR: temporary } },
    );
    expect(stdout).toMatch(/A process for the owner cannot be had: .*/);
    expect(stdout).toContain(reason);
    expect(stdout).toContain('{"kind":"not started","end":{"code":3,"signal":null}}');
    expect(readdirSync(temporary)).toEqual([]);
  },
);
