import { relative } from 'node:path';
import { nearestName } from '../grammar/diagnostic.ts';
import { type Logger, logger } from '../logging/index.ts';
import { pause } from '../scheduling/index.ts';
import type { ExtensionLog } from './api.ts';
import type { LoadedModule } from './loaded-module.ts';

/** A module has failed: it threw, took too long, or gave something that it must not give. The message says which module. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError';
}

type AnyFunction = (...values: never[]) => unknown;

/** The file of a module as people know it. */
export function shownFile(file: string): string {
  const path = relative(process.cwd(), file);
  return path === '' || path.startsWith('..') ? file : path;
}

/**
 * The function that a module exports under a name.
 * @throws ExtensionError naming what it exports instead
 */
export function exportedFunction<F extends AnyFunction>(module: LoadedModule, name: string): F {
  const found = exportsOf(module)[name];
  if (typeof found === 'function') return found as F;
  const exported = Object.keys(exportsOf(module)).filter((key) => key !== 'default');
  const nearest = nearestName(name, exported);
  const instead =
    found !== undefined
      ? `exports ${name} as ${describe(found)}, expected a function`
      : `does not export a function '${name}'; it exports ${exported.length === 0 ? 'nothing' : exported.join(', ')}`;
  throw new ExtensionError(`module ${shownFile(module.file)} ${instead}${nearest ? `, did you mean '${name}'?` : ''}`);
}

/** CommonJS modules have all of their exports in `default`. */
function exportsOf({ exports }: LoadedModule): Readonly<Record<string, unknown>> {
  const fallback = exports.default;
  return typeof fallback === 'object' && fallback !== null
    ? { ...(fallback as Record<string, unknown>), ...exports }
    : exports;
}

/**
 * Makes an object with a function that a module exports, and looks whether it has what is called later.
 * @throws ExtensionError
 */
export function opened<T extends object>(
  module: LoadedModule,
  functionName: string,
  context: unknown,
  members: Readonly<Record<string, 'function' | 'boolean'>>,
): T {
  const open = exportedFunction<(context: unknown) => unknown>(module, functionName);
  const what = `${functionName}() of module ${shownFile(module.file)}`;
  let made: unknown;
  try {
    made = open(context);
  } catch (cause) {
    throw new ExtensionError(`${what} failed: ${reasonOf(cause)}`, { cause });
  }
  if (made instanceof Promise) {
    // Whatever comes of it, it is not wanted.
    made.catch(() => undefined);
    throw new ExtensionError(`${what} returned a promise, expected the object itself`);
  }
  if (typeof made !== 'object' || made === null) {
    throw new ExtensionError(`${what} returned ${describe(made)}, expected an object`);
  }
  for (const [member, type] of Object.entries(members)) {
    const found = (made as Record<string, unknown>)[member];
    if (typeof found === type) continue;
    throw new ExtensionError(`${what} returned an object whose '${member}' is ${describe(found)}, expected a ${type}`);
  }
  return made as T;
}

/**
 * Runs something of a module. Settles within the deadline, whatever the module does: what it comes to later is ignored.
 * @throws ExtensionError
 */
export async function contained<T>(what: string, deadlineMs: number, run: () => T | Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = pause(deadlineMs, timer.signal).then((): never => {
    throw new ExtensionError(`${what} did not end within ${deadlineMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promised(run), late]);
  } catch (cause) {
    if (cause instanceof ExtensionError) throw cause;
    throw new ExtensionError(`${what} failed: ${reasonOf(cause)}`, { cause });
  } finally {
    timer.abort();
  }
}

async function promised<T>(run: () => T | Promise<T>): Promise<T> {
  return run();
}

/** What a module has thrown, in one line. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Error && cause.message !== '') return cause.message.split('\n', 1)[0] ?? '';
  return cause instanceof Error ? cause.name : describe(cause);
}

/** A value that was not expected, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The log of one extension. */
export function extensionLog(className: string, name: string): ExtensionLog {
  const log: Logger = logger(className.slice(className.lastIndexOf('.') + 1));
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (text: string) =>
    log.log(level, `[${name}] ${String(text)}`, { extension: className });
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
