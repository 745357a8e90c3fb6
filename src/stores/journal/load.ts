import { readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
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

/** Told every message of the journal, not always in the order of the sequences; the bytes are only lent. */
export type OnMessage = (place: JournalPlace, bytes: Buffer) => void;

/**
 * Reads what a process before this one has left in a folder, which must be there. Twice: first to know which messages are gone, then the others, so that it takes no
 * more memory than what is still needed.
 * @throws what the file system says
 */
export async function loadJournal(folder: string, onMessage: OnMessage): Promise<LoadedJournal> {
  const loading = new Loading(folder, onMessage);
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
  readonly #onMessage: OnMessage;
  readonly #removed = new Set<number>();
  /** Sequence -> number of the segment with its last copy. */
  readonly #moved = new Map<number, number>();
  readonly #damage: Array<Gap & { file: string }> = [];
  #tornBytes = 0;

  constructor(folder: string, onMessage: OnMessage) {
    this.#folder = folder;
    this.#onMessage = onMessage;
  }

  get report(): LoadReport {
    return { tornBytes: this.#tornBytes, damage: this.#damage };
  }

  /** Finds out what is gone and what was copied, and cuts off what a crash has left. */
  async survey(number: number): Promise<void> {
    this.nextSegment = number + 1;
    const probe = new Segment(this.#folder, number, 0, 0);
    const bytes = await readFile(probe.path);
    const salt = saltOf(bytes);
    if (salt === undefined) return this.#setAside(probe.path, bytes.length);
    const gaps: Gap[] = [];
    const turns = new Turns();
    for (const { type, sequence, length } of readRecords(bytes, salt, (gap) => gaps.push(gap))) {
      this.nextSequence = Math.max(this.nextSequence, sequence + 1);
      if (type === RECORD.removed) this.#removed.add(sequence);
      if (type === RECORD.moved) this.#moved.set(sequence, number);
      await turns.after(length);
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
      const bytes = await segment.read();
      for (const record of readRecords(bytes, segment.salt, () => undefined)) {
        if (record.type !== RECORD.removed && this.#isLive(record.sequence, segment)) {
          const place = new JournalPlace(record.sequence, record.length);
          segment.add(place);
          this.#onMessage(place, record.bytes);
        }
        await turns.after(record.length);
      }
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

  async after(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_PER_TURN) return;
    this.#bytes = 0;
    await nextTurn();
  }
}
