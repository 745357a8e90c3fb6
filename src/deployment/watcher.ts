import { join } from 'node:path';
import { logger } from '../logging/index.ts';
import { eagerReader, type ReadContent, readContent } from './artifact-content.ts';
import { type FileLook, type Listing, listArtifactFiles, lookAtFiles } from './artifact-files.ts';
import { forEachBounded } from './bounded.ts';
import { EMPTY_BATCH, type FileBatch, type FileVersion, fileVersion, isEmpty } from './file-version.ts';
import { type Pauses, SHORTEST_PAUSE_MS, WatchLoop } from './watch-loop.ts';

const log = logger('ArtifactWatcher');

const READS_AT_ONCE = 32;
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** A removal waits this long for other files that are on the move: they may be where its artifacts went to. */
const REMOVAL_HOLD_MS = 3_000;
/** File systems keep time in ticks of some ms; a file read that soon after a write is read once more. */
const TICK_MS = 50;

export interface WatcherOptions {
  readonly directory: string;
  /** Between two looks when nothing happens, ms. Default 300. */
  readonly intervalMs?: number;
  /** How long a file must look the same before it is read, ms. Default 300 (OP-30). */
  readonly quietMs?: number;
  /** How long at most a file that is quiet waits for others that are not, so that what belongs together is deployed together. */
  readonly holdMs?: number;
  readonly maxFileBytes?: number;
  /** Epoch ms; for tests. */
  readonly now?: () => number;
}

/**
 * A file as the watcher knows it:
 *
 *     (not known) --seen--> UNSETTLED --same in two looks, quietMs apart--> QUIET --read--> READ
 *     READ --another stamp--> UNSETTLED
 *     any --not seen--> MISSING --seen--> UNSETTLED (or READ, with the stamp that was read)
 *     MISSING --in two looks, quietMs apart--> (not known), reported as removed when it had been read
 *
 * A QUIET file is read at once when no file is UNSETTLED, else after holdMs. Reading it finds a change only when the content's hash
 * is another one. A removal is reported when no file is UNSETTLED, at the latest after REMOVAL_HOLD_MS.
 */
interface WatchedFile {
  look: FileLook;
  /** When it was first seen with this stamp, and in how many looks since. */
  since: number;
  looks: number;
  /** The stamp with which it was read last; undefined before that. */
  readStamp: string | undefined;
  /** The content's hash, or why it cannot be read. */
  fingerprint: string | undefined;
  /** To be read again at the next look although it looks the same. */
  readAgain: boolean;
  /** When it was first not seen, and in how many looks since; 0 looks: it is there. */
  missingSince: number;
  missingLooks: number;
}

/**
 * Watches an artifact directory (OP-30): its own looks are the truth, file events only make them come sooner. A look costs one
 * `stat` per file; content is read only from files that look different and have been quiet, so atomic saves, slow copies, renames,
 * symlink swaps and checkouts lead to one change each.
 */
export class ArtifactWatcher {
  readonly #directory: string;
  readonly #intervalMs: number;
  readonly #quietMs: number;
  readonly #holdMs: number;
  readonly #maxFileBytes: number;
  readonly #now: () => number;
  readonly #files = new Map<string, WatchedFile>();
  #looked = false;
  #lost = false;
  #lastScanMs = 0;
  #directories: readonly string[] = [];
  #loop: WatchLoop | undefined;

  constructor(options: WatcherOptions) {
    this.#directory = options.directory;
    this.#intervalMs = options.intervalMs ?? 300;
    this.#quietMs = options.quietMs ?? 300;
    this.#holdMs = options.holdMs ?? 250;
    this.#maxFileBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Takes one look at all files. The first one reports every file at once; later ones what has changed and has been quiet since. Not
   * to be called again before it has ended, nor while the watcher runs by itself. Never rejects: an unreadable directory is logged
   * and changes nothing.
   */
  async scan(): Promise<FileBatch> {
    const started = performance.now();
    const listing = await this.#list();
    this.#lastScanMs = performance.now() - started;
    if (!listing) return EMPTY_BATCH;
    const first = !this.#looked;
    this.#looked = true;
    this.#directories = listing.directories;
    this.#noteMissing(listing, this.#files.keys());
    return this.#note(listing, first);
  }

  /** Looks again and again, and hands over what has changed. One batch at a time: no look is taken while one is being handled. */
  start(deliver: (batch: FileBatch) => Promise<void>): void {
    this.#loop ??= new WatchLoop({
      directory: this.#directory,
      look: async (hinted) => {
        const batch = hinted === 'all' ? await this.scan() : await this.#glance(hinted);
        if (!isEmpty(batch)) await deliver(batch);
      },
      directories: () => this.#directories,
      glanceWanted: () => this.#moving().length > 0,
      pauses: () => this.#pauses(),
    });
    this.#loop.start();
  }

  /** Ends the looks; resolves when the last one has ended. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
    this.#loop = undefined;
  }

  /** Looks only at some files and at those that are not settled: what makes a change count soon however many files there are. */
  async #glance(paths: ReadonlySet<string>): Promise<FileBatch> {
    const wanted = new Set([...paths, ...this.#moving()]);
    const listing = await lookAtFiles(this.#directory, wanted);
    this.#noteMissing(listing, wanted);
    return this.#note(listing, false);
  }

  async #note(listing: Listing, first: boolean): Promise<FileBatch> {
    this.#noteSeen(listing);
    const changed: FileVersion[] = [];
    const read = first ? eagerReader() : readContent;
    await forEachBounded(this.#quietFiles(first), READS_AT_ONCE, async (file) => {
      const version = await this.#read(file, read);
      if (version) changed.push(version);
    });
    const removed = this.#takeRemoved();
    const leaving = [...this.#files.values()].filter((file) => file.missingLooks > 0).map((file) => file.look.path);
    return { changed: changed.sort(byPath), removed: removed.sort(), leaving };
  }

  /** The files that are neither as they were read nor gone for good. */
  #moving(): string[] {
    const moving: string[] = [];
    for (const [path, file] of this.#files) {
      if (isUnread(file) || file.readAgain || file.missingLooks > 0) moving.push(path);
    }
    return moving;
  }

  /** Looks at everything never take more than a tenth of the time, a quarter after a hint. */
  #pauses(): Pauses {
    return {
      scanMs: Math.max(this.#intervalMs, 9 * this.#lastScanMs),
      hintedScanMs: Math.max(SHORTEST_PAUSE_MS, 3 * this.#lastScanMs),
      glanceMs: Math.max(SHORTEST_PAUSE_MS, Math.min(this.#quietMs / 3, this.#intervalMs)),
    };
  }

  async #list(): Promise<Listing | undefined> {
    try {
      const listing = await listArtifactFiles(this.#directory);
      if (this.#lost) log.info(`The artifact directory '${this.#directory}' can be read again`);
      this.#lost = false;
      for (const [path, reason] of listing.unreadable)
        log.warn(`Cannot read '${join(this.#directory, path)}': ${reason}`);
      return listing;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#lost) log.warn(`The artifact directory cannot be read; what is deployed stays: ${reason}`);
      this.#lost = true;
      return undefined;
    }
  }

  #noteSeen(listing: Listing): void {
    const now = this.#now();
    for (const look of listing.files.values()) {
      const file = this.#files.get(look.path);
      if (!file) this.#files.set(look.path, newFile(look, now));
      else {
        if (file.look.stamp !== look.stamp) Object.assign(file, { look, since: now, looks: 0 });
        file.looks += 1;
        file.missingLooks = 0;
      }
    }
  }

  #noteMissing(listing: Listing, looked: Iterable<string>): void {
    const now = this.#now();
    for (const path of looked) {
      const file = this.#files.get(path);
      if (!file || listing.files.has(path) || isBelowUnreadable(path, listing)) continue;
      if (file.fingerprint === undefined) {
        this.#files.delete(path);
        continue;
      }
      if (file.missingLooks === 0) file.missingSince = now;
      file.missingLooks += 1;
    }
  }

  #quietFiles(first: boolean): WatchedFile[] {
    const now = this.#now();
    const present = [...this.#files.values()].filter((file) => file.missingLooks === 0);
    if (first) return present;
    const unread = present.filter(isUnread);
    const quiet = unread.filter((file) => this.#isQuiet(file, now));
    const hold = quiet.length < unread.length;
    const due = hold ? quiet.filter((file) => now - file.since >= this.#quietMs + this.#holdMs) : quiet;
    return [...due, ...present.filter((file) => !isUnread(file) && file.readAgain)];
  }

  #isQuiet(file: WatchedFile, now: number): boolean {
    return file.looks >= 2 && now - file.since >= this.#quietMs;
  }

  #takeRemoved(): string[] {
    const now = this.#now();
    const unsettled = [...this.#files.values()].some((file) => file.missingLooks === 0 && isUnread(file));
    const removed: string[] = [];
    for (const [path, file] of this.#files) {
      const missingMs = now - file.missingSince;
      if (file.missingLooks < 2 || missingMs < this.#quietMs) continue;
      if (unsettled && missingMs < REMOVAL_HOLD_MS) continue;
      this.#files.delete(path);
      removed.push(path);
    }
    return removed;
  }

  /** Reads a quiet file; its new version if its content is another one than before. */
  async #read(file: WatchedFile, read: ReadContent): Promise<FileVersion | undefined> {
    const { look } = file;
    const name = join(this.#directory, look.path);
    const content = await read(name, look, this.#maxFileBytes);
    if (content === 'moving') {
      Object.assign(file, { since: this.#now(), looks: 0 });
      return undefined;
    }
    file.readStamp = look.stamp;
    file.readAgain = 'reason' in content ? content.mayPass : Math.abs(Date.now() - look.modifiedAt) < TICK_MS;
    const fingerprint = 'reason' in content ? `unreadable: ${content.reason}` : content.hash;
    if (fingerprint === file.fingerprint) return undefined;
    file.fingerprint = fingerprint;
    if ('reason' in content) return { path: look.path, source: { file: name, text: '' }, unreadable: content.reason };
    return fileVersion(look.path, name, content.bytes);
  }
}

function newFile(look: FileLook, now: number): WatchedFile {
  return {
    look,
    since: now,
    looks: 1,
    readStamp: undefined,
    fingerprint: undefined,
    readAgain: false,
    missingSince: 0,
    missingLooks: 0,
  };
}

function isUnread(file: WatchedFile): boolean {
  return file.readStamp !== file.look.stamp;
}

function isBelowUnreadable(path: string, listing: Listing): boolean {
  for (const directory of listing.unreadable.keys()) {
    if (path === directory || path.startsWith(`${directory}/`)) return true;
  }
  return false;
}

function byPath(left: FileVersion, right: FileVersion): number {
  return left.path < right.path ? -1 : 1;
}
