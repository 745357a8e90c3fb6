import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModuleFolder } from './modules.ts';

/* In processes of their own: what is tested is whether they live on. */

let folder: ModuleFolder;

beforeEach(() => {
  folder = new ModuleFolder();
});

afterEach(() => folder.close());

const source = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;

/** Runs `body` beside a watched module; `survived` is printed when nothing has ended the process. */
function run(moduleText: string, body: string) {
  const own = folder.write('own.mjs', moduleText);
  const other = new ModuleFolder();
  const script = other.write(
    'main.mjs',
    `import { StrayErrors } from ${JSON.stringify(source('extensions/stray-errors.ts'))};
     import { configureLogging } from ${JSON.stringify(source('logging/index.ts'))};
     configureLogging({});
     const stray = new StrayErrors();
     stray.watch(${JSON.stringify(own)});
     const own = await import(${JSON.stringify(own)});
     setTimeout(() => { stray.close(); console.log('survived'); }, 200);
     ${body}`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 15_000 });
  rmSync(other.path, { recursive: true, force: true });
  return { status, output: stdout + stderr };
}

describe('an error that nobody handles', () => {
  it.each([
    ['a rejection', 'export const fail = () => void Promise.reject(new Error("lost"));'],
    ['an exception', 'export const fail = () => void setTimeout(() => { throw new Error("lost"); });'],
    ['no error at all', 'export const fail = () => void Promise.reject("lost");'],
  ])('of a module, %s, is logged with its name', (_, text) => {
    const { status, output } = run(text, 'own.fail();');
    expect([status, output]).toEqual([0, expect.stringMatching(/Module .*own\.mjs has left behind .*lost.*survived/s)]);
  });

  it.each([
    ['a rejection', 'void Promise.reject(new Error("ours"));'],
    ['an exception', 'setTimeout(() => { throw new Error("ours"); });'],
  ])('of anybody else, %s, ends the process, and is shown', (_, body) => {
    const { status, output } = run('export const fail = 1;', body);
    expect(status).not.toBe(0);
    expect(output).toContain('Error: ours');
    expect(output).not.toContain('survived');
  });
});
