import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, logger } from '../../logging/index.ts';
import { FolderLock } from './folder-lock.ts';
import { GroupCommit, needsSync, type Write, writeBatch } from './group-commit.ts';
import { type LoadOptions, type LoadReport, loadJournal } from './load.ts';
import { HEADER_BYTES, RECORD, type RecordType, readRecords } from './record.ts';
import { JournalPlace, Segment } from './segment.ts';

/** A record could not be written; nothing is left of it. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

/** A segment of this size is finished and the next one begun. */
const SEGMENT_BYTES = 8 * 1024 * 1024;
/** So many segments may be there before half-empty ones are compacted. */
const SPARE_SEGMENTS = 4;
/** How long a removal may be in the system's cache only, ms. */
const SYNC_AFTER_MS = 1_000;
/** Kept back for the removals that make room again when the disk is full. */
const RESERVE_FILE = 'reserve';
const RESERVE_BYTES = 256 * 1024;
const RESERVE_AGAIN_MS = 5_000;
const NOTHING = Buffer.alloc(0);

export interface JournalOptions extends LoadOptions {
  readonly folder: string;
  /** The size of a segment, bytes; default 8 MiB. */
  readonly segmentBytes?: number;
  /** The store whose messages they are, for its log lines. */
  readonly store?: string;
}

/**
 * Messages in files, so that a process that is killed finds them again: an append-only log in segments.
 *
 * - A message is on the disk (fsync) when {@link append} resolves; all that come while one is written are written together.
 * - A removal is with the system when {@link remove} resolves, and on the disk a second later: a killed process loses none, a machine
 *   without power may deliver the last ones again.
 * - A segment whose messages are gone is deleted when it is the oldest one; only then, because later ones say what is gone from
 *   earlier ones. When the segments take more than twice what is needed, the messages that hold up the oldest one are copied to the
 *   end. So the disk holds at most about twice the messages and four segments.
 * - A write that failed, also for want of space, is cut off again and refused to whoever asked. The next one tries anew.
 */
export class Journal {
  readonly report: LoadReport;
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #segmentBytes: number;
  readonly #log: Logger;
  readonly #about: { readonly store?: string };
  /** Oldest first; the last one is written when `#writing` is set. */
  readonly #segments: Segment[];
  readonly #queue = new GroupCommit();
  #writing: Segment | undefined;
  #nextSequence: number;
  #nextSegment: number;
  /** The loop that writes; undefined when there is nothing to write. */
  #loop: Promise<void> | undefined;
  #unsynced = false;
  #syncTimer: NodeJS.Timeout | undefined;
  #reserved = false;
  #reserveAt = 0;
  #closed: Promise<void> | undefined;

  /**
   * Opens the journal of a folder, and reads what is in it.
   * @throws FolderInUseError while it is open elsewhere, in this process or another one; otherwise what the file system says
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const lock = await FolderLock.take(options.folder);
    try {
      const journal = new Journal(options, lock, await loadJournal(options.folder, options));
      await journal.#discardFinished();
      return journal;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  private constructor(options: JournalOptions, lock: FolderLock, loaded: Awaited<ReturnType<typeof loadJournal>>) {
    this.#folder = options.folder;
    this.#lock = lock;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#log = logger('Journal');
    this.#about = options.store === undefined ? {} : { store: options.store };
    this.report = loaded.report;
    this.#segments = loaded.segments;
    this.#nextSequence = loaded.nextSequence;
    this.#nextSegment = loaded.nextSegment;
  }

  /** What it takes on the disk, bytes. */
  get size(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  /**
   * Writes a message; resolves when it is on the disk, in the order of the calls.
   * @throws JournalError when it is not; it will not come back then
   */
  append(message: Uint8Array): Promise<JournalPlace> {
    const place = new JournalPlace(this.#nextSequence, HEADER_BYTES + message.length);
    this.#nextSequence += 1;
    return this.#write(RECORD.message, place, message).then(() => place);
  }

  /**
   * Takes a message away.
   * @throws JournalError when that could not be written; it is still there then
   */
  async remove(place: JournalPlace): Promise<void> {
    await this.#write(RECORD.removed, place, NOTHING);
  }

  /** Ends what is being written and lets the files go. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    while (this.#loop) await this.#loop;
    try {
      if (this.#unsynced) await this.#writing?.sync();
    } catch (error) {
      this.#log.warn(`The last removals of ${this.#folder} may come again: ${reasonOf(error)}`, this.#about);
    } finally {
      await this.#letGo();
    }
  }

  async #letGo(): Promise<void> {
    try {
      await this.#writing?.finish();
    } finally {
      await this.#lock.release();
    }
  }

  #write(type: RecordType, place: JournalPlace, bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new JournalError('the journal is closed'));
    return new Promise((done, failed) => {
      this.#queue.add({ type, place, bytes, done, failed });
      this.#loop ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // What is put in the same turn goes into the first batch.
    await null;
    while (!this.#queue.empty) {
      await this.#commit(this.#queue.take());
      await this.#tidy();
    }
    this.#loop = undefined;
  }

  async #commit(batch: Write[]): Promise<void> {
    try {
      await this.#writeDown(batch);
      for (const write of batch) write.done();
    } catch (error) {
      await this.#refuse(batch, error);
    }
  }

  /** Messages are refused; removals, which need little and make room, are tried once more. */
  async #refuse(batch: readonly Write[], error: unknown): Promise<void> {
    const removals = batch.filter(({ type }) => type === RECORD.removed);
    for (const write of batch) if (write.type !== RECORD.removed) write.failed(journalError(error));
    if (removals.length === 0) return;
    try {
      await this.#useReserve();
      await this.#writeDown(removals);
      for (const write of removals) write.done();
    } catch (again) {
      for (const write of removals) write.failed(journalError(again));
    }
  }

  async #writeDown(batch: readonly Write[]): Promise<void> {
    const sync = needsSync(batch);
    const segment = await this.#writable();
    try {
      await writeBatch(segment, batch, sync);
    } catch (error) {
      await this.#cut(segment);
      throw error;
    }
    for (const { type, place } of batch) {
      if (type !== RECORD.message) place.segment?.remove(place);
      if (type !== RECORD.removed) segment.add(place);
    }
    if (sync) this.#unsynced = false;
    else this.#syncSoon();
  }

  /** The segment that is written, or a new one when it is full. */
  async #writable(): Promise<Segment> {
    if (this.#writing && this.#writing.size < this.#segmentBytes) return this.#writing;
    if (this.#writing) await this.#finishWriting();
    const segment = await Segment.create(this.#folder, this.#nextSegment);
    this.#nextSegment += 1;
    this.#segments.push(segment);
    this.#writing = segment;
    return segment;
  }

  async #finishWriting(): Promise<void> {
    if (this.#unsynced) await this.#writing?.sync();
    this.#unsynced = false;
    await this.#writing?.finish();
    this.#writing = undefined;
  }

  /** After a failure nobody knows what the file holds behind its good end: that is cut off, or else the next write goes into a new file. */
  async #cut(segment: Segment): Promise<void> {
    try {
      await segment.cut();
      await segment.sync();
    } catch (error) {
      this.#writing = undefined;
      this.#log.warn(`${segment.path} may end with records that were refused: ${reasonOf(error)}`, this.#about);
      const told = (failure: unknown) => this.#log.warn(`${segment.path}: ${reasonOf(failure)}`, this.#about);
      await segment.finish().catch(told);
    }
  }

  #syncSoon(): void {
    this.#unsynced = true;
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      void this.#syncNow();
    }, SYNC_AFTER_MS).unref();
  }

  async #syncNow(): Promise<void> {
    if (!this.#unsynced || this.#closed) return;
    this.#unsynced = false;
    try {
      await this.#writing?.sync();
    } catch (error) {
      this.#log.warn(`Removals of ${this.#folder} are not on the disk yet: ${reasonOf(error)}`, this.#about);
    }
  }

  /** Never throws: what cannot be tidied now is tidied later. */
  async #tidy(): Promise<void> {
    try {
      await this.#discardFinished();
      if (this.#isWasteful()) await this.#compactOldest();
      if (!this.#reserved && performance.now() >= this.#reserveAt) await this.#makeReserve();
    } catch (error) {
      this.#log.debug(`${this.#folder} cannot be compacted now: ${reasonOf(error)}`, this.#about);
    }
  }

  async #discardFinished(): Promise<void> {
    for (;;) {
      const [oldest] = this.#segments;
      if (!oldest || oldest.live > 0 || oldest === this.#writing) return;
      await oldest.discard();
      this.#segments.shift();
    }
  }

  #isWasteful(): boolean {
    const [oldest] = this.#segments;
    if (!oldest || oldest === this.#writing) return false;
    const needed = this.#segments.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
    const files = 2 * Math.ceil(needed / this.#segmentBytes) + 2 * SPARE_SEGMENTS;
    return this.size > 2 * needed + SPARE_SEGMENTS * this.#segmentBytes || this.#segments.length > files;
  }

  /** Copies what is still needed of the oldest segment to the end and deletes it. */
  async #compactOldest(): Promise<void> {
    const [oldest] = this.#segments;
    if (!oldest) return;
    const live = oldest.livePlaces();
    const bytes = await oldest.read();
    let batch: Write[] = [];
    for (const record of readRecords(bytes, oldest.salt, () => undefined)) {
      const place = record.type === RECORD.removed ? undefined : live.get(record.sequence);
      if (!place) continue;
      batch.push({ type: RECORD.moved, place, bytes: record.bytes, done: ignore, failed: ignore });
      if (batch.length < COPIED_AT_ONCE) continue;
      await this.#writeDown(batch);
      batch = [];
    }
    if (batch.length > 0) await this.#writeDown(batch);
    await this.#discardFinished();
  }

  async #makeReserve(): Promise<void> {
    const file = join(this.#folder, RESERVE_FILE);
    try {
      await writeFile(file, Buffer.alloc(RESERVE_BYTES, 0x2e), { mode: 0o600 });
      this.#reserved = true;
    } catch (error) {
      this.#reserveAt = performance.now() + RESERVE_AGAIN_MS;
      await rm(file, { force: true });
      throw error;
    }
  }

  async #useReserve(): Promise<void> {
    await rm(join(this.#folder, RESERVE_FILE), { force: true });
    this.#reserved = false;
    this.#reserveAt = performance.now() + RESERVE_AGAIN_MS;
  }
}

const COPIED_AT_ONCE = 256;
const ignore = () => undefined;

function journalError(error: unknown): JournalError {
  if (error instanceof JournalError) return error;
  return new JournalError(`the journal could not be written: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'no space is left on the disk';
  return message ?? String(error);
}
