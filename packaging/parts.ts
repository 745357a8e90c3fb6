import { join } from 'node:path';
import type { CodeSplittingGroup } from 'rolldown';

/*
 * Which file a module of the server goes to. Each file costs a start half a millisecond (its address is resolved, it is found, read,
 * compiled and linked), and left to itself the bundler makes one for each set of commands that share something: 72 of them in a start.
 * So what nobody but the server needs is one file. What others need as well is not put there, as they would read the whole server with it:
 *
 *   part       modules that are needed by
 *   commands   every command, or many
 *   thread     the thread of SQLite
 *   samples    the back ends of the samples
 *   shared     one of the other commands, or few
 *   server     nobody else
 *
 * A module that several of these need goes to the first. As what a module imports is needed by all that need the module, no part imports
 * one below it. Whatever a start does not import stays as the bundler has it, and so do the entries: what is imported must not run one.
 */

const START = 'src/cli/start.js';
const MAIN = 'src/main.js';
/** Imports a command when it is called. */
const COMMANDS = 'src/cli/loaders.js';
const THREAD = 'src/stores/sql/sqlite-worker.js';
const MANY_COMMANDS = 5;

export type Part = 'commands' | 'thread' | 'samples' | 'shared' | 'server';

/** What is known about a module: which others it imports with itself, and which when it needs them. */
export interface Imports {
  readonly importedIds: readonly string[];
  readonly dynamicallyImportedIds: readonly string[];
}

/** @param id the path of a module; undefined for what is not bundled */
export type ImportsOf = (id: string) => Imports | null | undefined;

/**
 * @param folder absolute
 * @param entries relative to it
 */
export function partGroups(folder: string, entries: readonly string[]): CodeSplittingGroup[] {
  let partOf: ((id: string) => Part | undefined) | undefined;
  return [
    {
      debugName: 'parts of a start',
      // A part has all that its modules import, but for what is in a part above it.
      includeDependenciesRecursively: false,
      name: (id, context) => {
        partOf ??= partsOfStart(folder, entries, (module) => context.getModuleInfo(module));
        return partOf(id) ?? null;
      },
    },
  ];
}

/** @returns the part of a module; undefined when a start does not import it */
export function partsOfStart(
  folder: string,
  entries: readonly string[],
  importsOf: ImportsOf,
): (id: string) => Part | undefined {
  const neededBy = (...ids: readonly string[]) => closure(ids, importsOf);
  const at = (path: string) => neededBy(join(folder, path));
  const start = neededBy(join(folder, MAIN), join(folder, START));
  const run = new Set(entries.map((entry) => join(folder, entry)));
  const commands = (importsOf(join(folder, COMMANDS))?.dynamicallyImportedIds ?? []).map((id) => neededBy(id));
  // `check` and the like need as much of the server as a start: they read its file, too.
  const others = commands.filter((command) => sharedBy(command, start) < start.size / 2);
  const always = at(MAIN);
  const thread = at(THREAD);
  const samples = entries.filter((entry) => entry.startsWith('samples/')).map(at);
  return (id) => {
    if (!start.has(id) || run.has(id)) return undefined;
    const users = others.filter((command) => command.has(id)).length;
    if (always.has(id) || users >= MANY_COMMANDS) return 'commands';
    if (thread.has(id)) return 'thread';
    if (samples.some((sample) => sample.has(id))) return 'samples';
    return users > 0 ? 'shared' : 'server';
  };
}

function sharedBy(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  return [...one].filter((id) => other.has(id)).length;
}

/** Modules with all that is read when they are. */
function closure(ids: readonly string[], importsOf: ImportsOf): ReadonlySet<string> {
  const found = new Set<string>();
  const left = [...ids];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const imports = found.has(next) ? undefined : importsOf(next);
    if (!imports) continue;
    found.add(next);
    left.push(...imports.importedIds);
  }
  return found;
}
