import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FolderInUseError, FolderLock } from './stores/journal/folder-lock.ts';

/** How long a server that has just been killed may take to be gone: all of its memory is given back first, ms. */
const PATIENCE_MS = 1_000;
const LOOK_EVERY_MS = 50;

/** The data folder is not to be had; the message says which one, and who has it or what is wrong with it. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/**
 * The data folder of a server, which no other one may use: journals, recorded states of processors, the counts of crashes and the
 * node id in it are those of one process. It is free as soon as its server has ended, by `kill -9` too.
 */
export class DataFolder {
  readonly #lock: FolderLock;

  private constructor(lock: FolderLock) {
    this.#lock = lock;
  }

  /**
   * Takes the folder, which is made when it is not there; waits for a moment when somebody has it, who may be about to end.
   * @throws DataFolderError while another server uses it, or when it cannot be written
   */
  static async take(path: string, { patienceMs = PATIENCE_MS } = {}): Promise<DataFolder> {
    const folder = resolve(path);
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return new DataFolder(await FolderLock.take(folder));
      } catch (error) {
        if (!(error instanceof FolderInUseError)) throw unusable(folder, error);
        if (performance.now() >= deadline) throw inUse(folder, error);
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Lets another server have it. Never throws. */
  release(): Promise<void> {
    return this.#lock.release();
  }
}

function inUse(folder: string, cause: FolderInUseError): DataFolderError {
  return new DataFolderError(
    `the data folder ${folder} is taken, ${cause.message}; every server needs one of its own (--data DIR)`,
    { cause },
  );
}

function unusable(folder: string, cause: unknown): DataFolderError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DataFolderError(`the data folder ${folder} cannot be used: ${reason}`, { cause });
}
