import { open, readdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Gap, RECORD, readRecords, SEGMENT_HEADER_BYTES, saltOf } from './record.ts';
import { JournalPlace, Segment, segmentNumber } from './segment.ts';

/** After so many bytes others get their turn. */
const BYTES_PER_TURN = 512 * 1024;

export interface LoadReport {
  /** What a crash left of writes that nobody was told to be done; cut off. */
  readonly tornBytes: number;
  /** Stretches that were good once. Messages may be missing. */
  readonly damage: ReadonlyArray<Gap & { readonly file: string }>;
}

export interface LoadedJournal {
  readonly segments: Segment[];
  readonly nextSequence: number;
  readonly nextSegment: number;
  readonly report: LoadReport;
}

/** Who hears what is in a journal. */
export interface LoadOptions {
  /** Told every message, not always in the order of the sequences; the bytes are only lent. */
  readonly onMessage: (place: JournalPlace, bytes: Buffer) => void;
  /** Awaited after the messages of a segment, so that it takes no more memory than there is. */
  readonly onSegment?: () => Promise<void>;
}

/**
 * Reads what a process before this one has left in a folder, which must be there. Twice: first to know which messages are gone, then
 * the others, so that it takes no more memory than what is still needed.
 * No file is in memory longer than it is read.
 * @throws what the file system says
 */
export async function loadJournal(folder: string, options: LoadOptions): Promise<LoadedJournal> {
  const loading = new Loading(folder, options);
  for (const number of await segmentNumbers(folder)) await loading.survey(number);
  await loading.readMessages();
  return loading;
}

async function segmentNumbers(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map(segmentNumber).filter((number) => number !== undefined);
  return numbers.sort((one, other) => one - other);
}

class Loading implements LoadedJournal {
  readonly segments: Segment[] = [];
  nextSequence = 1;
  nextSegment = 1;
  readonly #folder: string;
  readonly #options: LoadOptions;
  readonly #file = new FileBytes();
  readonly #removed = new Set<number>();
  /** Sequence -> number of the segment with its last copy. */
  readonly #moved = new Map<number, number>();
  readonly #damage: Array<Gap & { file: string }> = [];
  #tornBytes = 0;

  constructor(folder: string, options: LoadOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  get report(): LoadReport {
    return { tornBytes: this.#tornBytes, damage: this.#damage };
  }

  /** Finds out what is gone and what was copied, and cuts off what a crash has left. */
  async survey(number: number): Promise<void> {
    this.nextSegment = number + 1;
    const probe = new Segment(this.#folder, number, 0, 0);
    const bytes = await this.#file.read(probe.path);
    const salt = saltOf(bytes);
    if (salt === undefined) return this.#setAside(probe.path, bytes.length);
    const gaps: Gap[] = [];
    const turns = new Turns();
    for (const { type, sequence, length } of readRecords(bytes, salt, (gap) => gaps.push(gap))) {
      this.nextSequence = Math.max(this.nextSequence, sequence + 1);
      if (type === RECORD.removed) this.#removed.add(sequence);
      if (type === RECORD.moved) this.#moved.set(sequence, number);
      if (turns.over(length)) await nextTurn();
    }
    const torn = gaps.at(-1);
    const size = torn && torn.offset + torn.length === bytes.length ? torn.offset : bytes.length;
    if (size < bytes.length) {
      gaps.pop();
      this.#tornBytes += bytes.length - size;
      await truncate(probe.path, size);
    }
    const segment = new Segment(this.#folder, number, salt, size);
    segment.damaged = gaps.length > 0;
    this.#damage.push(...gaps.map((gap) => ({ ...gap, file: probe.path })));
    this.segments.push(segment);
  }

  async readMessages(): Promise<void> {
    for (const segment of this.segments) {
      const turns = new Turns();
      const bytes = await this.#file.read(segment.path);
      for (const record of readRecords(bytes, segment.salt, () => undefined)) {
        if (record.type !== RECORD.removed && this.#isLive(record.sequence, segment)) {
          const place = new JournalPlace(record.sequence, record.length);
          segment.add(place);
          this.#options.onMessage(place, record.bytes);
        }
        if (turns.over(record.length)) await nextTurn();
      }
      await this.#options.onSegment?.();
    }
  }

  #isLive(sequence: number, segment: Segment): boolean {
    return !this.#removed.has(sequence) && (this.#moved.get(sequence) ?? segment.number) === segment.number;
  }

  /** A file without a header: a crash came while it was made, or it is no segment at all. */
  async #setAside(path: string, length: number): Promise<void> {
    if (length <= SEGMENT_HEADER_BYTES) {
      this.#tornBytes += length;
      await rm(path);
    } else {
      this.#damage.push({ file: path, offset: 0, length });
      await rename(path, join(this.#folder, `${path.slice(this.#folder.length + 1)}.damaged`));
    }
  }
}

class Turns {
  #bytes = 0;

  /** Whether it is the others' turn after so many bytes. */
  over(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_PER_TURN) return false;
    this.#bytes = 0;
    return true;
  }
}

/** Reads files one after the other into the same memory, which would be garbage for some time otherwise. */
class FileBytes {
  #memory = Buffer.alloc(0);

  /** The bytes of a file, until the next one is read. @throws what the file system says */
  async read(path: string): Promise<Buffer> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(size);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(this.#memory, filled, size - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return this.#memory.subarray(0, filled);
    } finally {
      await file.close();
    }
  }
}
