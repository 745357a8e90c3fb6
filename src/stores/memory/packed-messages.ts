import type { StoredMessage } from '../stored-message.ts';
import { packHead, unpackId, unpackMessage } from './packed-message.ts';
import { type Slab, Slabs, type Stretch } from './slabs.ts';
import { Vocabulary } from './vocabulary.ts';

/** What a message takes besides its bytes: the two objects that hold it in the queue, and their places in lists. */
const OBJECTS_BYTES = 200;
/** What its place in the journal takes. */
export const PLACE_BYTES = 80;

/** A message as it is kept in memory: bytes, because objects take five times as much. */
export class PackedMessage {
  /** What it takes, bytes, all included, as long as it is not compressed. */
  readonly size: number;
  readonly slab: Slab;
  readonly offset: number;
  readonly length: number;
  /** How much of it is the head; undefined for bytes that are no message. */
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

  /** Keeps bytes that are no message, for whoever asks. */
  packBroken(bytes: Uint8Array): PackedMessage {
    const size = OBJECTS_BYTES + this.#extra + bytes.length;
    return new PackedMessage(this.#slabs.keep(bytes, new Uint8Array(0)), undefined, size);
  }

  /** It is not in the queue any more. */
  release(packed: PackedMessage): void {
    this.#slabs.release(packed);
  }

  /** Resolves when nothing is being compressed. */
  settled(): Promise<void> {
    return this.#slabs.settled();
  }

  /** Its id; undefined for bytes that are no message. */
  idOf({ bytes, headLength }: PackedMessage): string | undefined {
    return headLength === undefined ? undefined : unpackId(bytes.subarray(0, headLength), this.#vocabulary);
  }

  /** The message; undefined for bytes that are none. The body shares the packed message's memory. */
  unpack(packed: PackedMessage): StoredMessage | undefined {
    const { headLength } = packed;
    if (headLength === undefined) return undefined;
    const { bytes } = packed;
    return unpackMessage(bytes.subarray(0, headLength), bytes.subarray(headLength), this.#vocabulary);
  }
}
