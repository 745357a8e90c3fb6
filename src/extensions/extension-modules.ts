import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { logger } from '../logging/index.ts';
import { contained, reasonOf, shownFile } from './containment.ts';
import type { LoadedModule, ModuleAnswer } from './loaded-module.ts';
import { StrayErrors } from './stray-errors.ts';

const log = logger('ExtensionModules');
/** How long a module may take to load, ms. */
const LOAD_DEADLINE_MS = 10_000;
/** How often it is looked whether a module's file has changed, ms. */
const LOOK_MS = 1000;

/** `[[mini_synapse.extension]]`: which module a class name stands for. */
export interface ExtensionMapping {
  readonly className: string;
  /** Absolute. */
  readonly file: string;
  /** How long any call into it may take, ms. */
  readonly deadlineMs: number;
}

interface FileState {
  /** Of its content; `missing` when it cannot be read. */
  readonly digest: string;
  readonly version: string;
  readonly outcome: { readonly exports: Readonly<Record<string, unknown>> } | { readonly error: string };
}

/**
 * The modules that class names are mapped to, loaded when an artifact asks for them:
 *
 *   unknown ──ask──► wanted ──fetch──► loaded ──┐
 *                                 └──► failed ──┴── its file has changed, or it had failed: refresh loads it anew
 *
 * Reading artifacts waits for nothing: who asks first is told `pending`, and reads again after {@link fetch}. A module that is loaded
 * anew is another instance; the earlier ones stay in memory until the process ends, and what a module itself imports is not loaded
 * anew.
 */
export class ExtensionModules {
  readonly #mappings: ReadonlyMap<string, ExtensionMapping>;
  readonly #files = new Map<string, FileState>();
  readonly #wanted = new Set<string>();
  readonly #stray = new StrayErrors();
  #loads = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(mappings: ReadonlyMap<string, ExtensionMapping>) {
    this.#mappings = mappings;
  }

  /** What is known about a class; undefined when it is not mapped. */
  ask(className: string): ModuleAnswer | undefined {
    const mapping = this.#mappings.get(className);
    if (!mapping) return undefined;
    const { file, deadlineMs } = mapping;
    const state = this.#files.get(file);
    if (!state) {
      this.#wanted.add(file);
      return { pending: true };
    }
    const { outcome, version } = state;
    if ('error' in outcome) return outcome;
    return { module: new Loaded(className, file, version, outcome.exports, deadlineMs) };
  }

  /** Loads what was asked for and is not there yet; true if there was anything. Never rejects. */
  async fetch(): Promise<boolean> {
    const files = [...this.#wanted];
    this.#wanted.clear();
    for (const file of files) await this.#load(file, await digestOf(file));
    return files.length > 0;
  }

  /** Loads those anew whose files have changed, and those that could not be loaded; true if there were any. Never rejects. */
  async refresh(): Promise<boolean> {
    let any = false;
    for (const [file, state] of this.#files) {
      const digest = await digestOf(file);
      if (digest === state.digest && !('error' in state.outcome)) continue;
      await this.#load(file, digest);
      any = true;
    }
    return any;
  }

  /** Calls back when the file of a module in use has changed, until {@link close}. */
  watch(changed: () => Promise<unknown>): void {
    this.#timer ??= setInterval(() => {
      this.#looking ??= this.#look(changed).finally(() => {
        this.#looking = undefined;
      });
    }, LOOK_MS).unref();
  }

  /** Ends the watching and lets go of errors that modules may still cause. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    this.#stray.close();
  }

  async #look(changed: () => Promise<unknown>): Promise<void> {
    for (const [file, { digest }] of this.#files) {
      if ((await digestOf(file)) === digest) continue;
      log.info(`Module ${shownFile(file)} has changed`);
      try {
        await changed();
      } catch (error) {
        log.error(`Deploying a changed module failed: ${reasonOf(error)}`);
      }
      return;
    }
  }

  async #load(file: string, digest: string): Promise<void> {
    this.#loads += 1;
    const version = `${digest}.${this.#loads}`;
    this.#stray.watch(file);
    try {
      if (digest === MISSING) throw new Error('the file cannot be read');
      // A CommonJS module is found there whatever the query says.
      delete createRequire(import.meta.url).cache[file];
      const url = pathToFileURL(file);
      url.search = `v=${version}`;
      const exports: Record<string, unknown> = await contained('loading it', LOAD_DEADLINE_MS, () => import(url.href));
      this.#files.set(file, { digest, version, outcome: { exports } });
      log.info(`Loaded module ${shownFile(file)}`);
    } catch (error) {
      const reason = `module ${shownFile(file)} cannot be loaded: ${reasonOf((error as Error).cause ?? error)}`;
      const former = this.#files.get(file);
      // The same failure again is nothing new to whoever has asked.
      const same = former && 'error' in former.outcome && former.outcome.error === reason;
      this.#files.set(file, { digest, version: same ? former.version : version, outcome: { error: reason } });
    }
  }
}

const MISSING = 'missing';

async function digestOf(file: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
      .slice(0, 16);
  } catch {
    // Why is told by whoever loads it.
    return MISSING;
  }
}

class Loaded implements LoadedModule {
  readonly className: string;
  readonly file: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly deadlineMs: number;

  constructor(
    className: string,
    file: string,
    version: string,
    exports: Readonly<Record<string, unknown>>,
    deadlineMs: number,
  ) {
    this.className = className;
    this.file = file;
    this.version = version;
    this.exports = exports;
    this.deadlineMs = deadlineMs;
  }

  toJSON(): string {
    return `${this.file} ${this.version} ${this.deadlineMs}`;
  }
}
