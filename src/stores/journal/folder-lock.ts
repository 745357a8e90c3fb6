import { readFile, rm, writeFile } from 'node:fs/promises';
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

/**
 * The right of one process to a folder. The lock is the operating system's, on an empty file that SQLite opens, as Node.js itself can
 * lock none: it ends with its process, however that ends, so none is ever stale, whatever has become of process ids and host names.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #file: DatabaseSync;

  private constructor(folder: string, file: DatabaseSync) {
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * Takes a folder, which is made when it is not there.
   * @throws FolderInUseError while another process, or another part of this one, has it; otherwise what the file system says
   */
  static async take(folder: string): Promise<FolderLock> {
    await makeDirectory(folder);
    // Loaded when it is needed: most servers have no journal.
    const sqlite = await import('node:sqlite');
    const file = new sqlite.DatabaseSync(join(folder, LOCK_FILE));
    try {
      file.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    } catch (cause) {
      file.close();
      if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause;
      throw new FolderInUseError(`another process uses it${await holderOf(folder)}`, { cause });
    }
    await sayWho(folder);
    return new FolderLock(folder, file);
  }

  /** Lets others have it. Never throws. */
  async release(): Promise<void> {
    await rm(join(this.#folder, HOLDER_FILE), { force: true }).catch((error: unknown) => {
      log.debug(`${this.#folder} goes on naming us as its holder: ${String(error)}`);
    });
    this.#file.close();
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
