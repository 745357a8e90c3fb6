import { randomInt } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SEGMENT_HEADER_BYTES, segmentHeader } from './record.ts';

const NAME = /^(\d{12})\.log$/;
const SALTS = 2 ** 32;

/** The place of a message in a journal; the journal moves it when it compacts. */
export class JournalPlace {
  readonly sequence: number;
  /** What its record takes on disk. */
  readonly bytes: number;
  segment: Segment | undefined;
  /** Its index among the segment's places. */
  index = 0;

  constructor(sequence: number, bytes: number) {
    this.sequence = sequence;
    this.bytes = bytes;
  }
}

/** The number of a segment's file; undefined for other files. */
export function segmentNumber(fileName: string): number | undefined {
  const [, digits] = NAME.exec(fileName) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** One file of a journal, and which of its messages are still needed. Written to its end by one writer, never changed before it. */
export class Segment {
  readonly number: number;
  readonly path: string;
  readonly salt: number;
  /** Up to here it is good, bytes. */
  size: number;
  /** Something before its end could not be read: it is kept aside when it is done with. */
  damaged = false;
  live = 0;
  liveBytes = 0;
  #places: Array<JournalPlace | undefined> = [];
  #file: FileHandle | undefined;

  constructor(folder: string, number: number, salt: number, size: number) {
    this.number = number;
    this.path = join(folder, `${String(number).padStart(12, '0')}.log`);
    this.salt = salt;
    this.size = size;
  }

  /** A new file with nothing but its header, durably. @throws what the file system says; then there is none */
  static async create(folder: string, number: number): Promise<Segment> {
    const segment = new Segment(folder, number, randomInt(SALTS), SEGMENT_HEADER_BYTES);
    const file = await open(segment.path, 'wx', 0o600);
    segment.#file = file;
    try {
      await file.write(segmentHeader(segment.salt), 0, SEGMENT_HEADER_BYTES, 0);
      await file.sync();
      await syncFolder(folder);
      return segment;
    } catch (error) {
      await file.close();
      await rm(segment.path, { force: true });
      throw error;
    }
  }

  /** Appends at the good end, which stays where it is until {@link advance}. @throws what the file system says */
  async write(parts: readonly Uint8Array[], bytes: number): Promise<void> {
    const file = this.#handle();
    let { bytesWritten: written } = await file.writev([...parts], this.size);
    if (written === bytes) return;
    // The disk is full, most likely, which only the next write says.
    const all = Buffer.concat(parts, bytes);
    while (written < bytes) {
      const { bytesWritten } = await file.write(all, written, bytes - written, this.size + written);
      written += bytesWritten;
      if (bytesWritten === 0) throw new Error(`only ${written} of ${bytes} bytes could be written`);
    }
  }

  advance(bytes: number): void {
    this.size += bytes;
  }

  async sync(): Promise<void> {
    await this.#handle().datasync();
  }

  /** Takes away what a failed write left behind the good end. */
  async cut(): Promise<void> {
    await this.#handle().truncate(this.size);
  }

  /** No more is written to it. */
  async finish(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  add(place: JournalPlace): void {
    place.segment = this;
    place.index = this.#places.length;
    this.#places.push(place);
    this.live += 1;
    this.liveBytes += place.bytes;
  }

  remove(place: JournalPlace): void {
    place.segment = undefined;
    this.#places[place.index] = undefined;
    this.live -= 1;
    this.liveBytes -= place.bytes;
    if (this.live === 0) this.#places = [];
  }

  /** The messages that are still needed, by their sequences. */
  livePlaces(): Map<number, JournalPlace> {
    return new Map(this.#places.flatMap((place) => (place ? [[place.sequence, place] as const] : [])));
  }

  read(): Promise<Buffer> {
    return readFile(this.path);
  }

  /** Deletes the file, or keeps it aside when it is damaged. */
  async discard(): Promise<void> {
    await this.finish();
    if (this.damaged) await rename(this.path, `${this.path}.damaged`);
    else await rm(this.path, { force: true });
    await syncFolder(dirname(this.path));
  }

  #handle(): FileHandle {
    if (!this.#file) throw new Error(`${this.path} is not being written`);
    return this.#file;
  }
}

/** Makes names of files that were made or taken away durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
