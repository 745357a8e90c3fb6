import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { logger } from '../../logging/index.ts';
import { isLock, isUnfinishedLock, type LockRules, lockedName, sweepLock } from './lock.ts';

const log = logger('FilePollingConsumer');

/**
 * Takes locks away whose files are not there any more: a crash between a file's leaving its folder and its unlocking leaves the lock,
 * which nothing else would ever look at again. A lock whose file is there is dealt with when that file is taken.
 */
export class OrphanedLocks {
  readonly #label: string;
  readonly #rules: LockRules;
  /** Names of locks that cannot be dealt with, as of the last look. */
  #told: ReadonlySet<string> = new Set();

  /** @param label who looks, for the log */
  constructor(label: string, rules: LockRules) {
    this.#label = label;
    this.#rules = rules;
  }

  /**
   * @param items all that is in the folder
   * Never rejects: a lock that cannot be read or removed is told once, and tried again with the next look.
   */
  async sweep(folder: string, items: readonly Dirent[]): Promise<void> {
    const locks = items.filter((item) => isLock(item.name) && item.isFile());
    const told = new Set<string>();
    if (locks.length > 0) {
      const names = new Set(items.map(({ name }) => name));
      for (const { name } of locks) {
        if (names.has(lockedName(name))) continue;
        const problem = await this.#problemOf(join(folder, name));
        if (problem === undefined) continue;
        told.add(name);
        if (!this.#told.has(name))
          log.error(`${this.#label}: the lock ${join(folder, name)} cannot be looked at: ${problem}`);
      }
    }
    this.#told = told;
  }

  /**
   * The same around one file, where everything else is somebody else's: what locks were to be made of.
   * Never rejects; a folder that cannot be listed stays as it is.
   */
  async sweepAround(file: string): Promise<void> {
    const folder = dirname(file);
    try {
      const items = await readdir(folder, { withFileTypes: true });
      await this.sweep(
        folder,
        items.filter(({ name }) => isUnfinishedLock(name)),
      );
    } catch (error) {
      log.debug(`${this.#label}: ${folder} cannot be listed: ${messageOf(error)}`);
    }
  }

  async #problemOf(lock: string): Promise<string | undefined> {
    try {
      await sweepLock(lock, this.#rules);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
