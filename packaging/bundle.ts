import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { partGroups } from './parts.ts';

/*
 * The last step of `npm run build`: puts the nine hundred modules that tsc has compiled into a few files, which saves half of the time of a
 * start and 10 MB of memory (docs/bench). Packages stay outside: they are what package.json names, and a repaired version of one needs no
 * new version of this one.
 *
 *   node packaging/bundle.ts [FOLDER]     default dist
 */

/** What is started or imported by its path, relative to the folder of what was compiled. */
export const ENTRIES: readonly string[] = [
  'src/main.js',
  'src/stores/sql/sqlite-worker.js',
  'src/isolation/worker.js',
  'src/extensions/api.js',
  'samples/stockquote/service-cli.js',
  'samples/stockquote/client-cli.js',
  'samples/activemq/activemq-cli.js',
];
/** What goes into the bundle; extensions of other samples stay files of their own. */
const BUNDLED = /^(?:src|samples\/(?:stockquote|activemq))\/.*\.js$/;

/** The folder of the compiled sources, until it is known which file a module goes to. */
const FOLDER = 'file:compiled-sources/';

/**
 * Bundles compiled sources in place: the modules that went into the bundle are removed, declarations stay.
 * @param folder absolute
 * @returns how many files of code there were and are
 */
export async function bundle(folder: string): Promise<{ readonly before: number; readonly after: number }> {
  const input = Object.fromEntries(ENTRIES.map((entry) => [entry.replace(/\.js$/, ''), join(folder, entry)]));
  const build = await rolldown({
    input,
    platform: 'node',
    // As its modules may be in other files than an entry.
    preserveEntrySignatures: 'allow-extension',
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    plugins: [placeOf(folder), builtInModules()],
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'src/parts/[name]-[hash].js',
      codeSplitting: { groups: partGroups(folder, ENTRIES) },
      // The sources have them; a start would read them each time.
      comments: false,
      // In messages and stack traces, functions have the names that the sources give them.
      keepNames: true,
    });
    const modules = (await readdir(folder, { recursive: true })).filter((name) => BUNDLED.test(name));
    for (const name of modules) await rm(join(folder, name));
    for (const file of output) {
      if (file.type !== 'chunk') throw new Error(`${file.fileName} is no code`);
      await mkdir(dirname(join(folder, file.fileName)), { recursive: true });
      await writeFile(join(folder, file.fileName), file.code);
    }
    return { before: modules.length, after: output.length };
  } finally {
    await build.close();
  }
}

/** A module looks for files beside itself: `import.meta.url` is to be the address that it had. */
function placeOf(folder: string): Plugin {
  return {
    name: 'place-of-a-module',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return undefined;
      const place = `new URL(${JSON.stringify(FOLDER + relative(folder, id))}, import.meta.url).href`;
      return { code: code.replaceAll('import.meta.url', place), map: null };
    },
    renderChunk(code, { fileName }) {
      const up = relative(dirname(fileName), '.');
      return { code: code.replaceAll(FOLDER, up === '' ? './' : `${up}/`), map: null };
    },
  };
}

/**
 * Node.js makes a module with all exports of what is imported of it, and to do so loads parts that nobody has asked for: its own undici
 * behind node:http, all of Web Cryptography behind node:crypto, 90 ms in all. Asked for as objects, they stay away (src/node-http.ts).
 */
function builtInModules(): Plugin {
  return {
    name: 'built-in-modules',
    renderChunk: (code) => ({ code: withoutFacades(code), map: null }),
  };
}

const BUILT_IN = /^import (?:(\w[\w$]*)(?:, )?)?(\{[^}]*\}|\* as [\w$]+)? from "(node:[\w/]+)";$/gm;

/** @throws Error for an import of a built-in module that it does not understand */
export function withoutFacades(code: string): string {
  const rewritten = code.replace(BUILT_IN, (_, whole?: string, named?: string, name?: string) => {
    const names = [whole, named?.startsWith('*') ? named.slice('* as '.length) : named?.replaceAll(' as ', ': ')];
    const given = names.filter((part) => part !== undefined);
    return given.map((part) => `const ${part} = process.getBuiltinModule("${name}");`).join(' ');
  });
  const [left] = /^(?:import|export)\b.*["']node:.*$/m.exec(rewritten) ?? [];
  if (left !== undefined) throw new Error(`this import is not understood: ${left}`);
  return rewritten;
}

if (import.meta.main) {
  const [folder = fileURLToPath(new URL('../dist', import.meta.url))] = process.argv.slice(2);
  // What an earlier form was compiled to is of no use.
  await rm(join(folder, '.cache'), { recursive: true, force: true });
  const { before, after } = await bundle(resolve(folder));
  process.stdout.write(`${before} modules in ${after} files\n`);
}
