import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { logger } from '../logging/index.ts';
import { describe, reasonOf, shownFile } from './containment.ts';

const log = logger('ExtensionModules');
/** Code of our own: its mistakes are no module's. */
const OWN = fileURLToPath(new URL('../', import.meta.url));

/**
 * Errors that a module lets go astray: a promise that nobody waits for, a timer's callback that throws. Those would end the process.
 * What comes out of a module's folder, or is not even an error, is logged with the module's name and goes no further. Everything else
 * ends the process as if we were not here.
 */
export class StrayErrors {
  readonly #files = new Set<string>();
  readonly #onRejection = (reason: unknown) =>
    this.#take(reason, 'a promise that was rejected and that nobody waits for');
  readonly #onException = (error: unknown) => this.#take(error, 'an exception that nobody catches');
  #listening = false;

  /** From now on errors out of the folder of this module are contained. */
  watch(file: string): void {
    this.#files.add(file);
    if (this.#listening) return;
    this.#listening = true;
    process.on('unhandledRejection', this.#onRejection);
    process.on('uncaughtException', this.#onException);
  }

  close(): void {
    process.off('unhandledRejection', this.#onRejection);
    process.off('uncaughtException', this.#onException);
    this.#listening = false;
  }

  #take(error: unknown, what: string): void {
    const file = this.#source(error);
    if (file === undefined) {
      // Not a module's: as without us.
      process.off('uncaughtException', this.#onException);
      process.off('unhandledRejection', this.#onRejection);
      throw error;
    }
    log.error(`Module ${shownFile(file)} has left behind ${what}: ${reasonOf(error)}`, { extension: file });
  }

  /** The module that an error comes from; undefined when it is none's. */
  #source(error: unknown): string | undefined {
    const stack = error instanceof Error ? error.stack : undefined;
    // We reject with errors only.
    if (stack === undefined) return [...this.#files][0] ?? describe(error);
    const frames = [...stack.matchAll(/(?:file:\/\/)?\/[^\s()]+/g)].map(([place]) => pathOf(place));
    for (const file of this.#files) {
      const folder = `${dirname(file)}${sep}`;
      if (frames.some((path) => path === file || (path.startsWith(folder) && !path.startsWith(OWN)))) return file;
    }
    return undefined;
  }
}

/** `file:///a/b.ts?v=1:2:3` or `/a/b.cjs:2:3` as a path. */
function pathOf(place: string): string {
  const bare = place.replace(/:\d+(?::\d+)?$/, '');
  try {
    return fileURLToPath(new URL(bare.startsWith('file:') ? bare : pathToFileURL(bare)).href.replace(/[?#].*$/, ''));
  } catch {
    return bare;
  }
}
