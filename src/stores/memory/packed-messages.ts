import { readStoredMessageBytes, storedMessageId, storedMessageParts } from '../sql/stored-message-bytes.ts';
import type { StoredMessage } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';
import { packHead, unpackId, unpackMessage } from './packed-message.ts';
import { type Slab, Slabs, type Stretch } from './slabs.ts';
import { Vocabulary } from './vocabulary.ts';

/** What a message takes besides its bytes: the two objects that hold it in the queue, and their places in lists. */
const OBJECTS_BYTES = 200;
/** What its place in the journal takes. */
export const PLACE_BYTES = 80;
/** A head as it is written takes about five times as much as packed, which is what bounds are about. */
const HEAD_SHRINKS_TO = 0.2;

const NOTHING = new Uint8Array(0);

/** A message as it is kept in memory: bytes, because objects take five times as much. */
export class PackedMessage {
  /** What it takes, bytes, all included, as long as it is not compressed. */
  readonly size: number;
  readonly slab: Slab;
  readonly offset: number;
  readonly length: number;
  /** How much of it is the head; undefined for a message as it is written to media, which may turn out to be none. */
  readonly headLength: number | undefined;

  constructor({ slab, offset, length }: Stretch, headLength: number | undefined, size: number) {
    this.slab = slab;
    this.offset = offset;
    this.length = length;
    this.headLength = headLength;
    this.size = size;
  }

  /** All of its bytes, without a copy; they stay valid when it is released. */
  get bytes(): Buffer {
    return this.slab.bytes.subarray(this.offset, this.offset + this.length);
  }
}

/** Packs and unpacks the messages of one queue, which share their vocabulary and their memory. */
export class MessagePacker {
  readonly #vocabulary = new Vocabulary();
  readonly #slabs = new Slabs();
  readonly #extra: number;

  /** `extra`: what each message takes elsewhere, bytes. */
  constructor(extra: number) {
    this.#extra = extra;
  }

  /**
   * Packs a message; `fits` is asked with its size before memory is taken, and throws when it does not.
   * @throws StoredMessageError or XmlSerializationError when a property cannot be written; what `fits` throws
   */
  pack(message: StoredMessage, fits: (size: number) => void): PackedMessage {
    const head = packHead(message, this.#vocabulary);
    const { bytes } = message.body;
    const size = OBJECTS_BYTES + this.#extra + head.length + bytes.length;
    fits(size);
    return new PackedMessage(this.#slabs.keep(head, bytes), head.length, size);
  }

  /** Keeps a message as it is written to media: to read and to pack 100,000 of them would take seconds. */
  keepWritten(bytes: Uint8Array): PackedMessage {
    const { head, body } = storedMessageParts(bytes) ?? { head: 0, body: bytes.length };
    const size = OBJECTS_BYTES + this.#extra + Math.round(head * HEAD_SHRINKS_TO) + body;
    return new PackedMessage(this.#slabs.keep(bytes, NOTHING), undefined, size);
  }

  /** It is not in the queue any more. */
  release(packed: PackedMessage): void {
    this.#slabs.release(packed);
  }

  /** Resolves when most of what is kept is compressed; to be awaited now and then by those who bring much at once. */
  room(): Promise<void> {
    return this.#slabs.room();
  }

  /** Resolves when nothing is being compressed. */
  settled(): Promise<void> {
    return this.#slabs.settled();
  }

  /** Its id; undefined for bytes that are no message. */
  idOf({ bytes, headLength }: PackedMessage): string | undefined {
    if (headLength !== undefined) return unpackId(bytes.subarray(0, headLength), this.#vocabulary);
    return storedMessageId(bytes) ?? readIfMessage(bytes)?.id;
  }

  /** The message; undefined for bytes that are none. The body shares the packed message's memory. */
  unpack(packed: PackedMessage): StoredMessage | undefined {
    const { headLength } = packed;
    const { bytes } = packed;
    if (headLength === undefined) return readIfMessage(bytes);
    return unpackMessage(bytes.subarray(0, headLength), bytes.subarray(headLength), this.#vocabulary);
  }
}

function readIfMessage(bytes: Buffer): StoredMessage | undefined {
  try {
    return readStoredMessageBytes(bytes);
  } catch (error) {
    if (error instanceof StoredMessageError) return undefined;
    throw error;
  }
}
