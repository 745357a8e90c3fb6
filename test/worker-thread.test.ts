import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const MODULE = new URL('../src/worker-thread.ts', import.meta.url).href;
const START_THREAD = `
  import { once } from 'node:events';
  const { startThread } = await import('${MODULE}');
  await once(startThread(new URL('data:text/javascript,'), {}), 'exit');`;
/** Runs WebAssembly until V8 compiles it better and has no more use for what it had compiled first, and tells when that is collected. */
const WASM = `
  import { stripTypeScriptTypes } from 'node:module';
  import { setFlagsFromString } from 'node:v8';
  setFlagsFromString('--stress-wasm-code-gc');
  setFlagsFromString('--trace-wasm-code-gc');
  const source = 'function f(a: number, b?: string): void { const c = a as unknown; }\\n'.repeat(100);
  for (let round = 0; round < 200; round += 1) stripTypeScriptTypes(source);`;

function collectionsOf(script: string): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(status, stderr).toBe(0);
  return stdout.split('\n').filter((line) => line.startsWith('[wasm-gc] Starting GC')).length;
}

describe('a process with threads', () => {
  it('frees no code of WebAssembly that another thread may just be asking for', { timeout: 120_000 }, () => {
    expect(collectionsOf(WASM)).toBeGreaterThan(0);
    expect(collectionsOf(`${START_THREAD}\n${WASM}`)).toBe(0);
  });
});
