/** The length of a packet is written in at most so many bytes. */
const MAX_LENGTH_BYTES = 4;

/**
 * Follows the fixed headers of MQTT packets in a stream, so that a packet which is too large is known by its first bytes, before
 * anybody gathers it in memory:
 *
 *     TYPE ──byte──► LENGTH ──last byte──► BODY, so many bytes are skipped ──► TYPE
 */
export class PacketSizes {
  readonly #limit: number;
  #part: 'type' | 'length' | 'body' = 'type';
  #length = 0;
  #lengthBytes = 0;

  /** @param limit of what follows the fixed header, bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The length of the first packet in these bytes that is larger than the limit; undefined when all are in order. */
  tooLarge(chunk: Uint8Array): number | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.#part === 'body') {
        const skipped = Math.min(this.#length, chunk.length - at);
        at += skipped;
        this.#length -= skipped;
        if (this.#length === 0) this.#part = 'type';
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#part === 'type') {
        this.#part = 'length';
        this.#length = 0;
        this.#lengthBytes = 0;
      } else if (this.#lengthByte(byte)) return this.#length;
    }
    return undefined;
  }

  /** True when the packet is too large. */
  #lengthByte(byte: number): boolean {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    if ((byte & 0x80) !== 0 && this.#lengthBytes < MAX_LENGTH_BYTES) return false;
    this.#part = this.#length === 0 ? 'type' : 'body';
    return this.#length > this.#limit;
  }
}
