/*
 * Most modules of the console are small, and most are wanted by every page: sent one by one, their headers weigh as much as they do. They are
 * sent as one module instead, each in a function of its own; the import map leads their addresses to it, so pages import what they did.
 * For modules written as ours are: imports and exports begin lines, exports are functions, classes and constants, and nothing imports in a
 * circle.
 */

/** The address of the one module, below the console's. */
export const CORE = 'core.js';

const IMPORT = /^import\s+(?:([\w$]+)\s+|\{([^}]*)\}\s*|\*\s+as\s+([\w$]+)\s+)from\s+'([^']+)';\n/gm;
const EXPORT = /^export (default )?((?:async )?(?:function|class|const) ([\w$]+))/gm;
const LIBRARY = /^[^.]/;

/** What a module says of itself. */
interface Parsed {
  /** Without its imports, and with `export` taken away. */
  readonly text: string;
  readonly imports: ReadonlyArray<{ readonly from: string; readonly pattern: string; readonly isDefault: boolean }>;
  /** Name for others -> name inside. */
  readonly exports: ReadonlyMap<string, string>;
}

/** Modules that cannot be one: they import in a circle, export the same name, or are not written as ours are. */
export class CoreModuleError extends Error {
  override readonly name = 'CoreModuleError';
}

/**
 * The modules of a console that are sent as one: all but pages and what is loaded with a single page, with what they import.
 * @param modules path -> text, of all modules
 */
export function coreOf(modules: ReadonlyMap<string, string>): readonly string[] {
  const order: string[] = [];
  const entering = new Set<string>();
  const enter = (path: string): void => {
    if (order.includes(path)) return;
    if (entering.has(path)) throw new CoreModuleError(`${path} imports itself by way of others`);
    entering.add(path);
    for (const { from } of parsed(textOf(modules, path)).imports) if (!LIBRARY.test(from)) enter(resolved(path, from));
    order.push(path);
  };
  for (const path of modules.keys()) if (!/^(?:pages|graph)\//.test(path) && path !== 'theme.js') enter(path);
  return order;
}

/**
 * The text of the one module.
 * @param modules path -> text
 * @param core in an order in which each stands behind what it imports
 * @throws CoreModuleError
 */
export function coreModule(modules: ReadonlyMap<string, string>, core: readonly string[]): string {
  const libraries = new Map<string, string>();
  const nameOf = (path: string) => `$${core.indexOf(path)}`;
  const sourceOf = (path: string, from: string) => {
    if (!LIBRARY.test(from)) return nameOf(resolved(path, from));
    const name = libraries.get(from) ?? `$l${libraries.size}`;
    libraries.set(from, name);
    return name;
  };
  const exported = new Set<string>();
  const parts = core.map((path) => {
    const { text, imports, exports } = parsed(textOf(modules, path));
    if (/^(?:import|export)\b/m.test(text)) throw new CoreModuleError(`${path} is not written as it should be`);
    const taken = imports.map(
      ({ from, pattern, isDefault }) => `const ${pattern} = ${sourceOf(path, from)}${isDefault ? '.default' : ''};\n`,
    );
    const given = [...exports].map(([name, inside]) => (name === inside ? name : `${name}: ${inside}`));
    const names = [...exports.keys()].filter((name) => name !== 'default');
    for (const name of names) {
      if (exported.has(name)) throw new CoreModuleError(`${path} exports ${name}, as another module does`);
      exported.add(name);
    }
    const own = `const ${nameOf(path)} = (() => {\n${taken.join('')}${text}return { ${given.join(', ')} };\n})();\n`;
    return names.length > 0 ? `${own}export const { ${names.join(', ')} } = ${nameOf(path)};\n` : own;
  });
  const heads = [...libraries].map(([from, name]) => `import * as ${name} from '${from}';\n`);
  return [...heads, ...parts].join('');
}

/** The page, with its import map leading to the one module, which is loaded first. */
export function withCore(page: string, core: readonly string[]): string {
  const preloads = /^ *<link rel="modulepreload" href="\.\/([^"]+)" \/>\n/gm;
  const mapped = page.replace(/(<script type="importmap">)([\s\S]*?)(<\/script>)/, (_all, open, json, close) => {
    const { imports } = JSON.parse(json) as { imports: Readonly<Record<string, string>> };
    const all = { ...imports, ...Object.fromEntries(core.map((path) => [`./${path}`, `./${CORE}`])) };
    return `${open}${JSON.stringify({ imports: all })}${close}`;
  });
  return mapped
    .replace(preloads, (link, path) => (core.includes(path) ? '' : link))
    .replace(
      /^( *)(<script type="module" src=")\.\/main\.js/m,
      `$1<link rel="modulepreload" href="./${CORE}" />\n$1$2./${CORE}`,
    );
}

function parsed(text: string): Parsed {
  const imports: Array<Parsed['imports'][number]> = [];
  const exports = new Map<string, string>();
  const inside = text
    .replace(IMPORT, (_all, name: string | undefined, names: string | undefined, whole: string | undefined, from) => {
      const pattern = names === undefined ? (name ?? whole ?? '') : `{ ${names.replace(/\s+as\s+/g, ': ').trim()} }`;
      imports.push({ from, pattern, isDefault: name !== undefined });
      return '';
    })
    .replace(EXPORT, (_all, isDefault: string | undefined, declared: string, name: string) => {
      exports.set(isDefault === undefined ? name : 'default', name);
      return declared;
    });
  return { text: inside.endsWith('\n') ? inside : `${inside}\n`, imports, exports };
}

function resolved(path: string, from: string): string {
  return new URL(from, `http://console/${path}`).pathname.slice(1);
}

function textOf(modules: ReadonlyMap<string, string>, path: string): string {
  const text = modules.get(path);
  if (text === undefined) throw new CoreModuleError(`${path} is imported, and is not there`);
  return text;
}
