import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundle, ENTRIES, withoutFacades } from '../../packaging/bundle.ts';

describe('built-in modules', () => {
  const lines = {
    'import { readFileSync } from "node:fs";': 'const { readFileSync } = process.getBuiltinModule("node:fs");',
    'import { setTimeout as delay$1, x } from "node:timers/promises";':
      'const { setTimeout: delay$1, x } = process.getBuiltinModule("node:timers/promises");',
    'import * as zlib from "node:zlib";': 'const zlib = process.getBuiltinModule("node:zlib");',
    'import assert from "node:assert";': 'const assert = process.getBuiltinModule("node:assert");',
    'import crypto$1, { hash } from "node:crypto";':
      'const crypto$1 = process.getBuiltinModule("node:crypto"); const { hash } = process.getBuiltinModule("node:crypto");',
  };

  it('are asked for as objects', () => {
    expect(withoutFacades(Object.keys(lines).join('\n'))).toBe(Object.values(lines).join('\n'));
  });

  it('leave packages, parts and what is imported later alone', () => {
    const others = 'import koa from "koa";\nimport { a } from "./parts/a.js";\nconst b = await import("node:sqlite");';
    expect(withoutFacades(others)).toBe(others);
  });

  it.each(['import "node:fs";', 'export { readFileSync } from "node:fs";', 'import a, * as b from "node:fs" with {};'])(
    'are told when an import is not understood: %s',
    (line) => {
      expect(() => withoutFacades(line)).toThrow('this import is not understood');
    },
  );
});

describe('the bundle', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'mini-synapse-bundle-')));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function written(files: Readonly<Record<string, string>>): void {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  }

  it('does what the modules do, which find files beside themselves as before', async () => {
    const place = 'console.log(import.meta.url);';
    const shared = 'import { basename } from "node:path"; export class Shared {} export const base = basename;';
    written({
      ...Object.fromEntries(ENTRIES.map((entry) => [entry, place])),
      'src/main.js': `import { base, Shared } from './deep/shared.js'; ${place} const { later } = await import('./deep/later.js'); later(base, Shared);`,
      'src/deep/shared.js': shared,
      'src/deep/shared.d.ts': 'export declare class Shared {}',
      'src/deep/later.js': `import { Shared } from './shared.js'; ${place}
        export const later = (base, known) => console.log(base('/a/b'), Shared === known, known.name);`,
      'src/stores/sql/sqlite-worker.js': `import { Shared } from '../../deep/shared.js'; ${place} console.log(Shared.name);`,
      'samples/stockquote/client-cli.js': `import { Shared } from '../../src/deep/shared.js'; ${place} console.log(Shared.name);`,
      'samples/own/extension.js': place,
    });
    expect(await bundle(folder)).toEqual({ before: ENTRIES.length + 2, after: expect.any(Number) });
    const says = async (entry: string) => {
      const { stdout } = await promisify(execFile)(process.execPath, [join(folder, entry)]);
      return stdout.trim().replaceAll(`file://${folder}/`, '').split('\n');
    };
    expect(await says('src/main.js')).toEqual(['src/main.js', 'src/deep/later.js', 'b true Shared']);
    for (const entry of ['src/stores/sql/sqlite-worker.js', 'samples/stockquote/client-cli.js'])
      expect(await says(entry)).toEqual([entry, 'Shared']);
    expect(readdirSync(join(folder, 'src/deep'))).toEqual(['shared.d.ts']);
    expect(await says('samples/own/extension.js')).toEqual(['samples/own/extension.js']);
  });
});
