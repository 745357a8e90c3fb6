import { describe, expect, it } from 'vitest';
import { type Imports, partsOfStart } from '../../packaging/parts.ts';

const ENTRIES = ['src/main.js', 'src/stores/sql/sqlite-worker.js', 'samples/stockquote/client-cli.js'];
const small = Array.from({ length: 5 }, (_, at) => `src/cli/small-${at}.js`);
/** Module -> what it imports. */
const STATIC: Readonly<Record<string, readonly string[]>> = {
  'src/main.js': ['src/cli/main.js'],
  'src/cli/main.js': ['src/cli/loaders.js'],
  'src/cli/loaders.js': [],
  'src/cli/start.js': ['src/server.js', 'src/table.js'],
  'src/cli/check.js': ['src/server.js', 'src/only-check.js'],
  'src/cli/rare.js': ['src/rare.js'],
  ...Object.fromEntries(small.map((id) => [id, ['src/table.js']])),
  'src/server.js': ['src/sql.js', 'src/rare.js', 'src/ring-1.js', 'src/http.js', 'src/table.js', 'src/inner.js'],
  'src/inner.js': [],
  'src/ring-1.js': ['src/ring-2.js'],
  'src/ring-2.js': ['src/ring-1.js', 'node:net'],
  'src/only-check.js': [],
  'src/rare.js': ['src/text.js', 'src/sql.js'],
  'src/table.js': ['src/text.js'],
  'src/text.js': [],
  'src/sql.js': ['src/text.js'],
  'src/http.js': [],
  'src/stores/sql/sqlite-worker.js': ['src/sql.js'],
  'samples/stockquote/client-cli.js': ['src/http.js', 'src/sql.js'],
};
const LATER = { 'src/cli/loaders.js': ['src/cli/start.js', 'src/cli/check.js', 'src/cli/rare.js', ...small] };

function importsOf(path: string): Imports | undefined {
  const id = path.replace('/dist/', '');
  const at = (ids: readonly string[] = []) => ids.map((name) => (name.startsWith('node:') ? name : `/dist/${name}`));
  const imported = STATIC[id];
  if (!imported) return undefined;
  return { importedIds: at(imported), dynamicallyImportedIds: at(LATER[id as keyof typeof LATER]) };
}

const partOf = partsOfStart('/dist', ENTRIES, importsOf);

describe('parts of a start', () => {
  it.each([
    ['src/cli/main.js', 'commands'],
    ['src/table.js', 'commands'],
    // Of the thread, too.
    ['src/text.js', 'commands'],
    ['src/sql.js', 'thread'],
    ['src/http.js', 'samples'],
    ['src/rare.js', 'shared'],
    // Of a command that needs most of the server anyway.
    ['src/server.js', 'server'],
    ['src/ring-2.js', 'server'],
    ['src/cli/start.js', 'server'],
  ])('%s goes to the part of those that need it: %s', (id, part) => {
    expect(partOf(`/dist/${id}`)).toBe(part);
  });

  it.each([...ENTRIES, 'src/only-check.js', 'src/cli/rare.js'])('%s stays by itself', (id) => {
    expect(partOf(`/dist/${id}`)).toBeUndefined();
  });

  it('import none below them', () => {
    const order = ['commands', 'thread', 'samples', 'shared', 'server'];
    for (const [id, imported] of Object.entries(STATIC)) {
      const part = partOf(`/dist/${id}`);
      if (part === undefined) continue;
      for (const name of imported.filter((other) => !other.startsWith('node:')))
        expect(order.indexOf(partOf(`/dist/${name}`) ?? ''), `${id} imports ${name}`).toBeLessThanOrEqual(
          order.indexOf(part),
        );
    }
  });
});
