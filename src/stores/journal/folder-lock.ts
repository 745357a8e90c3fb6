import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { logger } from '../../logging/index.ts';
import { makeDirectory } from '../../processors/durable-file.ts';

const log = logger('Journal');

/** Stays there, empty: what counts is who has it locked. */
const LOCK_FILE = 'lock';
/** For people only: who that is. */
const HOLDER_FILE = 'lock-holder';
const SQLITE_BUSY = 5;

/** Somebody else has the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/** The file system takes no lock there; the message says which file, and why. */
export class FolderLockError extends Error {
  override readonly name = 'FolderLockError';
}

/**
 * The right of one process to a folder. The lock is the operating system's, on an empty file that SQLite opens, as Node.js itself can
 * lock none: it ends with its process, however that ends, so none is ever stale, whatever has become of process ids and host names.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #file: DatabaseSync;
  #released = false;

  private constructor(folder: string, file: DatabaseSync) {
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * Takes a folder, which is made when it is not there.
   * @throws FolderInUseError while another process, or another part of this one, has it; FolderLockError; otherwise what the file system
   *   says
   */
  static async take(folder: string): Promise<FolderLock> {
    await makeDirectory(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // Loaded when it is needed: `check` and the like lock nothing.
    const { DatabaseSync } = await import('node:sqlite');
    const path = join(folder, LOCK_FILE);
    const file = open(path, DatabaseSync);
    try {
      // A file that may only be read is opened all the same, and has no lock then.
      await access(path, constants.W_OK);
      lock(file, path);
    } catch (error) {
      file.close();
      if (!(error instanceof FolderInUseError)) throw error;
      throw new FolderInUseError(`${error.message}${await holderOf(folder)}`, { cause: error.cause });
    }
    await sayWho(folder);
    return new FolderLock(folder, file);
  }

  /** Lets others have it. Never throws. Idempotent. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await rm(join(this.#folder, HOLDER_FILE), { force: true }).catch((error: unknown) => {
      log.debug(`${this.#folder} goes on naming us as its holder: ${String(error)}`);
    });
    this.#file.close();
  }
}

function open(path: string, File: typeof DatabaseSync): DatabaseSync {
  try {
    return new File(path);
  } catch (cause) {
    throw new FolderLockError(`its file ${path} cannot be opened`, { cause });
  }
}

function lock(file: DatabaseSync, path: string): void {
  try {
    file.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) {
      throw new FolderInUseError('another process uses it', { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FolderLockError(`its file ${path} cannot be locked (${reason})`, { cause });
  }
}

async function sayWho(folder: string): Promise<void> {
  const who = `process ${process.pid} on ${hostname()} since ${new Date().toISOString()}`;
  try {
    await writeFile(join(folder, HOLDER_FILE), `${who}\n`);
  } catch (error) {
    // A full disk, most likely: the lock itself takes no room.
    log.debug(`Who uses ${folder} could not be written down: ${String(error)}`);
  }
}

async function holderOf(folder: string): Promise<string> {
  try {
    const who = (await readFile(join(folder, HOLDER_FILE), 'utf8')).trim().slice(0, 200);
    return who === '' ? '' : `: ${who}`;
  } catch {
    // Whoever has it could not say so.
    return '';
  }
}
