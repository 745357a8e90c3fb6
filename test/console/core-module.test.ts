import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CORE, CoreModuleError, coreModule, coreOf, withCore } from '../../src/console/core-module.ts';
import { ConsoleFiles } from '../../src/console/serve.ts';

const STATIC = fileURLToPath(new URL('../../src/console/static/', import.meta.url));

function modulesOf(texts: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(texts));
}

/** What the one module of these exports. */
async function loaded(texts: Record<string, string>): Promise<Record<string, unknown>> {
  const modules = modulesOf(texts);
  const text = coreModule(modules, coreOf(modules));
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as Record<string, unknown>;
}

describe('the modules that are sent as one', () => {
  it('do what they did, each with names of its own', async () => {
    const one = await loaded({
      'main.js': `import { twice } from './parts/twice.js';\nimport * as words from './words.js';\nconst KIND = 'main';\nexport const told = () => [KIND, twice(2), words.hello, words.kindOf()];\n`,
      'parts/twice.js': `import { four as five } from '../numbers.js';\nconst KIND = 'twice';\nexport function twice(n) {\n  return n * 2 + five + five + KIND.length;\n}\n`,
      'numbers.js': `export const four = 4;\n`,
      'words.js': `const KIND = 'words';\nexport const hello = 'hello';\nexport function kindOf() {\n  return KIND;\n}\n`,
    });
    const told = one.told as () => unknown[];
    expect(told()).toEqual(['main', 2 * 2 + 4 + 4 + 5, 'hello', 'words']);
    expect(Object.keys(one).sort()).toEqual(['four', 'hello', 'kindOf', 'told', 'twice']);
  });

  it('stand behind what they import, and take libraries from where they were', () => {
    const modules = modulesOf({
      'a.js': `import { b } from './b.js';\nexport const a = b;\n`,
      'b.js': `import { h } from 'preact';\nexport const b = h;\n`,
      'theme.js': `{\n}\n`,
      'pages/x.js': `import { a } from '../a.js';\nexport default function X() {\n  return a;\n}\n`,
    });
    const core = coreOf(modules);
    expect(core).toEqual(['b.js', 'a.js']);
    expect(coreModule(modules, core)).toMatch(/^import \* as \$l0 from 'preact';\n/);
  });

  it('cannot import in a circle, export a name twice, or be written otherwise', () => {
    const circle = modulesOf({
      'a.js': `import { b } from './b.js';\nexport const a = 1;\n`,
      'b.js': `import { a } from './a.js';\nexport const b = 1;\n`,
    });
    expect(() => coreOf(circle)).toThrow(CoreModuleError);
    const twice = modulesOf({ 'a.js': 'export const a = 1;\n', 'b.js': 'export const a = 2;\n' });
    expect(() => coreModule(twice, coreOf(twice))).toThrow('b.js exports a, as another module does');
    const other = modulesOf({ 'a.js': `const a = 1;\nexport { a };\n` });
    expect(() => coreModule(other, coreOf(other))).toThrow('a.js is not written as it should be');
    const missing = modulesOf({ 'a.js': `import { b } from './b.js';\n` });
    expect(() => coreOf(missing)).toThrow('b.js is imported, and is not there');
  });

  it('are found through the import map of the page, which loads them first', () => {
    const page = `<script type="importmap">{ "imports": { "preact": "./lib/preact.js" } }</script>
    <link rel="modulepreload" href="./lib/preact.js" />
    <link rel="modulepreload" href="./a.js" />
    <script type="module" src="./main.js"></script>\n`;
    const served = withCore(page, ['a.js', 'main.js']);
    expect(JSON.parse(/importmap">(.*?)<\/script>/.exec(served)?.[1] ?? '')).toEqual({
      imports: { preact: './lib/preact.js', './a.js': `./${CORE}`, './main.js': `./${CORE}` },
    });
    expect(served.match(/modulepreload" href="[^"]*/g)).toEqual([
      'modulepreload" href="./lib/preact.js',
      `modulepreload" href="./${CORE}`,
    ]);
    expect(served).toContain(`<script type="module" src="./${CORE}"></script>`);
  });

  it('of the console export all that its pages import', async () => {
    const answer = await new ConsoleFiles().answer({ method: 'GET', headers: {} }, `/console/${CORE}`);
    if (!answer || !('text' in answer)) throw new Error('it has no text');
    const text = Buffer.from(answer.text).toString();
    const given = new Set(
      [...text.matchAll(/^export const \{ ([^}]*) \}/gm)].flatMap(([, names]) => names?.split(', ')),
    );
    expect(given.size).toBeGreaterThan(80);
    const files = readdirSync(STATIC, { recursive: true, withFileTypes: true }).filter(({ name }) =>
      /\.js$/.test(name),
    );
    const wanted = files.flatMap(({ parentPath, name }) => {
      const path = relative(STATIC, join(parentPath, name));
      if (!/^(?:pages|graph)\//.test(path)) return [];
      const imports = readFileSync(join(parentPath, name), 'utf8').matchAll(/^import \{([^}]*)\} from '(\.[^']*)'/gm);
      return [...imports].flatMap(([, names = '', from = '']) => {
        const target = new URL(from, `http://console/${path}`).pathname.slice(1);
        if (/^(?:pages|graph)\//.test(target)) return [];
        return names.split(',').map((one) => one.trim().split(' as ')[0] ?? '');
      });
    });
    expect(wanted.filter((name) => name !== '' && !given.has(name))).toEqual([]);
  });
});
