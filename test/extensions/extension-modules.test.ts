import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportedFunction } from '../../src/extensions/containment.ts';
import type { LoadedModule, ModuleAnswer } from '../../src/extensions/loaded-module.ts';
import { ModuleFolder, moduleOf } from './modules.ts';

let folder: ModuleFolder;

beforeEach(() => {
  folder = new ModuleFolder();
});

afterEach(() => folder.close());

function loaded(answer: ModuleAnswer | undefined): LoadedModule {
  if (answer && 'module' in answer) return answer.module;
  throw new Error(`not loaded: ${JSON.stringify(answer)}`);
}

const version = (module: LoadedModule) => exportedFunction<() => number>(module, 'version')();

describe('modules', () => {
  it('are loaded when they are asked for, and only then', async () => {
    const modules = folder.modules(folder.write('own.mjs', 'export const version = () => 1;'));
    expect(modules.ask('D')).toBeUndefined();
    expect(await modules.fetch()).toBe(false);
    expect(modules.ask('C')).toEqual({ pending: true });
    expect(await modules.fetch()).toBe(true);
    const module = loaded(modules.ask('C'));
    expect(version(module)).toBe(1);
    expect(JSON.stringify(modules.ask('C'))).toContain(module.version);
    expect(await modules.fetch()).toBe(false);
  });

  it.each([
    // TypeScript is loaded by Node itself: see test/flows/custom-store.test.ts.
    ['own.mjs', (n: number) => `export const version = () => ${n};`],
    ['own.cjs', (n: number) => `module.exports = { version: () => ${n} };`],
  ])('%s is loaded anew when its file has changed', async (name, text) => {
    const modules = folder.modules(folder.write(name, text(1)));
    modules.ask('C');
    await modules.fetch();
    const first = loaded(modules.ask('C'));
    expect(await modules.refresh()).toBe(false);
    folder.write(name, text(2));
    expect(await modules.refresh()).toBe(true);
    const second = loaded(modules.ask('C'));
    expect([version(first), version(second)]).toEqual([1, 2]);
    expect(JSON.stringify(first)).not.toBe(JSON.stringify(second));
  });

  it.each([
    ['that throws', 'throw new Error("no luck");', /own\.mjs cannot be loaded: no luck$/],
    ['with a mistake', 'export const = 1;', /own\.mjs cannot be loaded: /],
    ['that imports what is not there', 'import "./gone.ts";', /own\.mjs cannot be loaded: .*gone\.ts/],
  ])('a module %s is an error, until it is repaired', async (_, text, message) => {
    const modules = folder.modules(folder.write('own.mjs', text));
    modules.ask('C');
    await modules.fetch();
    expect(modules.ask('C')).toEqual({ error: expect.stringMatching(message) });
    folder.write('own.mjs', 'export const version = () => 3;');
    expect(await modules.refresh()).toBe(true);
    expect(version(loaded(modules.ask('C')))).toBe(3);
  });

  it('a file that is not there is one, too', async () => {
    const file = folder.write('own.mjs', '');
    rmSync(file);
    const modules = folder.modules(file);
    modules.ask('C');
    await modules.fetch();
    expect(modules.ask('C')).toEqual({ error: expect.stringMatching(/cannot be loaded: the file cannot be read/) });
  });

  it('a change is noticed while they are watched', async () => {
    const modules = folder.modules(folder.write('own.mjs', 'export const version = () => 1;'));
    modules.ask('C');
    await modules.fetch();
    const changed = new Promise<void>((resolve) => {
      modules.watch(async () => {
        await modules.refresh();
        resolve();
      });
    });
    folder.write('own.mjs', 'export const version = () => 2;');
    await changed;
    expect(version(loaded(modules.ask('C')))).toBe(2);
  });
});

describe('what a module exports', () => {
  it.each([
    [{}, "does not export a function 'openStore'; it exports nothing"],
    [{ openstore: () => 1 }, "it exports openstore, did you mean 'openStore'?"],
    [{ openStore: 7 }, 'exports openStore as 7, expected a function'],
  ])('%j', (exports, message) => {
    expect(() => exportedFunction(moduleOf(exports), 'openStore')).toThrow(message);
  });

  it('may be its default, as of CommonJS', () => {
    const open = () => 1;
    expect(exportedFunction(moduleOf({ default: { openStore: open } }), 'openStore')).toBe(open);
  });
});
