import { crc32 } from 'node:zlib';

/*
 * What a segment of a journal is made of. A segment begins with a line that names the format and its salt, and goes on with records:
 *
 *     mini-synapse journal 1 <salt: 8 hex digits>\n
 *     ┌───────┬──────────┬──────────┬────────────┬──────┬───────┬──────────┬────────┐
 *     │ 0x96  │ "msj"    │ CRC-32   │ bytes of   │ type │ 0 0 0 │ sequence │ bytes  │   little endian
 *     │       │          │ (u32)    │ them (u32) │ (u8) │       │ (f64)    │        │
 *     └───────┴──────────┴──────────┴────────────┴──────┴───────┴──────────┴────────┘
 *
 * The checksum is over all that follows it and begins with the salt. So a record that stands inside of a message's body, put there by
 * whoever sent it, is never taken for a record of the journal.
 */

export const RECORD = {
  /** A message was put; the bytes are the stored message. */
  message: 1,
  /** The message of this sequence is gone. */
  removed: 2,
  /** The message of this sequence, copied here from a segment that is to be deleted. */
  moved: 3,
} as const;

export type RecordType = (typeof RECORD)[keyof typeof RECORD];

export interface JournalEntry {
  readonly type: RecordType;
  readonly sequence: number;
  /** A view into the segment that was read. */
  readonly bytes: Buffer;
  /** All that it takes in the segment. */
  readonly length: number;
}

/** A stretch of a segment that is no record. */
export interface Gap {
  readonly offset: number;
  readonly length: number;
}

export const HEADER_BYTES = 24;
export const SEGMENT_HEADER_BYTES = 32;
/** No message is larger; a length beyond it is garbage. */
const MOST_BYTES = 2 ** 31 - 1;
const MAGIC = Buffer.from([0x96, 0x6d, 0x73, 0x6a]);
const CHECKED_FROM = 8;
const SEGMENT_HEADER = /^mini-synapse journal 1 ([0-9a-f]{8})\n$/;

/** The first line of a segment. */
export function segmentHeader(salt: number): Buffer {
  return Buffer.from(`mini-synapse journal 1 ${salt.toString(16).padStart(8, '0')}\n`, 'latin1');
}

/** The salt of a segment; undefined when it does not begin as one. */
export function saltOf(segment: Buffer): number | undefined {
  const [, salt] = SEGMENT_HEADER.exec(segment.toString('latin1', 0, SEGMENT_HEADER_BYTES)) ?? [];
  return salt === undefined ? undefined : Number.parseInt(salt, 16);
}

/** What goes before the bytes of a record. */
export function recordHeader(type: RecordType, sequence: number, bytes: Uint8Array, salt: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(bytes.length, 8);
  header.writeUInt8(type, 12);
  header.writeDoubleLE(sequence, 16);
  header.writeUInt32LE(crc32(bytes, crc32(header.subarray(CHECKED_FROM), salt)), 4);
  return header;
}

/**
 * Reads the records of a segment, beginning behind its header. What is no record is told as a gap, and reading goes on at the next
 * one that is whole; a gap that reaches to the end is what a crash leaves of a write.
 */
export function* readRecords(segment: Buffer, salt: number, onGap: (gap: Gap) => void): Generator<JournalEntry, void> {
  let at = SEGMENT_HEADER_BYTES;
  while (at < segment.length) {
    const entry = recordAt(segment, at, salt);
    if (entry) {
      at += entry.length;
      yield entry;
    } else {
      const next = nextRecord(segment, at + 1, salt);
      onGap({ offset: at, length: next - at });
      at = next;
    }
  }
}

function nextRecord(segment: Buffer, from: number, salt: number): number {
  for (let at = segment.indexOf(MAGIC, from); at >= 0; at = segment.indexOf(MAGIC, at + 1)) {
    if (recordAt(segment, at, salt)) return at;
  }
  return segment.length;
}

function recordAt(segment: Buffer, at: number, salt: number): JournalEntry | undefined {
  const start = at + HEADER_BYTES;
  if (start > segment.length || segment.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) !== 0) return undefined;
  const size = segment.readUInt32LE(at + 8);
  if (size > MOST_BYTES || start + size > segment.length) return undefined;
  if (crc32(segment.subarray(at + CHECKED_FROM, start + size), salt) !== segment.readUInt32LE(at + 4)) return undefined;
  const type = segment.readUInt8(at + 12);
  if (type !== RECORD.message && type !== RECORD.removed && type !== RECORD.moved) return undefined;
  const bytes = segment.subarray(start, start + size);
  return { type, sequence: segment.readDoubleLE(at + 16), bytes, length: HEADER_BYTES + size };
}
