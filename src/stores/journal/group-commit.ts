import { POINTS, reach } from '../../fault-points.ts';
import { HEADER_BYTES, RECORD, type RecordType, recordHeader } from './record.ts';
import type { JournalPlace, Segment } from './segment.ts';

/** A record that is to be written. */
export interface Write {
  readonly type: RecordType;
  readonly place: JournalPlace;
  readonly bytes: Uint8Array;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** One write takes at most so much, so that nobody waits long for others. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Each record is two pieces of memory, and systems take 1024 of them at once. */
const BATCH_RECORDS = 500;

/** Records that wait to be written together: one write and one fsync for all that came during those before. */
export class GroupCommit {
  #waiting: Write[] = [];

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  add(write: Write): void {
    this.#waiting.push(write);
  }

  /** The next batch, in the order in which they came. */
  take(): Write[] {
    let bytes = 0;
    let count = 0;
    for (const write of this.#waiting) {
      if (count === BATCH_RECORDS || (count > 0 && bytes + write.bytes.length > BATCH_BYTES)) break;
      bytes += HEADER_BYTES + write.bytes.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}

/** True when somebody waits for it to be on the disk. A removal that is lost with the machine's power comes as a duplicate. */
export function needsSync(batch: readonly Write[]): boolean {
  return batch.some(({ type }) => type !== RECORD.removed);
}

/**
 * Writes a batch behind the good end of a segment, and moves that.
 * @throws what the file system says; the good end is where it was
 */
export async function writeBatch(segment: Segment, batch: readonly Write[], sync: boolean): Promise<void> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (const { type, place, bytes: content } of batch) {
    parts.push(recordHeader(type, place.sequence, content, segment.salt));
    if (content.length > 0) parts.push(content);
    bytes += HEADER_BYTES + content.length;
  }
  await segment.write(parts, bytes);
  if (sync) {
    reach(POINTS.putSent, 'journal', batch.length);
    await segment.sync();
  }
  segment.advance(bytes);
}
