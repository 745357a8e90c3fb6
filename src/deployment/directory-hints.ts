import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { logger } from '../logging/index.ts';

const MAX_WATCHED = 256;
const log = logger('ArtifactWatcher');

/**
 * File events as hints that a look is worthwhile (OP-30): one watch per directory, kept in step with the directories that the last
 * look has found. (Node's own recursive watch takes one watch per file on Linux.) Where events are not to be had – network drives,
 * no watches left – the regular looks alone find every change, only later.
 */
export class DirectoryHints {
  readonly #top: string;
  readonly #onHint: (path: string | undefined) => void;
  readonly #watches = new Map<string, FSWatcher>();
  #refused = false;

  /** @param onHint called with the path, relative to the top directory, of what has changed; undefined when that is not known */
  constructor(top: string, onHint: (path: string | undefined) => void) {
    this.#top = top;
    this.#onHint = onHint;
  }

  /** Watches exactly these directories (relative to the top one) from now on. */
  follow(directories: readonly string[]): void {
    const wanted = new Set(directories.slice(0, MAX_WATCHED));
    for (const [directory, watcher] of this.#watches) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watches.delete(directory);
    }
    for (const directory of wanted) if (!this.#watches.has(directory)) this.#watch(directory);
  }

  close(): void {
    this.follow([]);
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(join(this.#top, directory), { persistent: false }, (_event, name) => {
        this.#onHint(name === null ? undefined : directory === '' ? name : `${directory}/${name}`);
      });
      watcher.on('error', () => this.#drop(directory, watcher));
      this.#watches.set(directory, watcher);
    } catch (error) {
      if (!this.#refused) log.debug(`No file events for '${join(this.#top, directory)}': ${String(error)}`);
      this.#refused = true;
    }
  }

  /** The directory went away or its events failed; the next look decides whether to watch it again. */
  #drop(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watches.get(directory) === watcher) this.#watches.delete(directory);
  }
}
