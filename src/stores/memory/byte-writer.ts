const FIRST_CAPACITY = 16 * 1024;
/** After a larger message the memory is given back. */
const LARGEST_KEPT = 256 * 1024;
const LONGEST_VARINT = 8;
const BYTES_PER_NUMBER = 8;

/** Writes numbers and texts into memory that it uses again for the next message. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #length = 0;

  /** Begins anew. */
  reset(): void {
    this.#length = 0;
    if (this.#bytes.length > LARGEST_KEPT) this.#bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  }

  /** What was written since the last reset; valid until the next one. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    this.#need(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** A whole number from 0 to 2^53, in as few bytes as it needs. */
  varint(value: number): void {
    this.#need(LONGEST_VARINT);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  number(value: number): void {
    this.#need(BYTES_PER_NUMBER);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** The text alone; the reader must know how many bytes it has. */
  text(text: string, bytes: number, encoding: 'utf8' | 'utf16le' | 'hex'): void {
    this.#need(bytes);
    this.#bytes.write(text, this.#length, bytes, encoding);
    this.#length += bytes;
  }

  #need(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads what a {@link ByteWriter} wrote. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    this.#at += 1;
    return this.#bytes.readUInt8(this.#at - 1);
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      if (byte < 0x80) return value + byte * unit;
      value += (byte - 0x80) * unit;
      unit *= 0x80;
    }
  }

  number(): number {
    this.#at += BYTES_PER_NUMBER;
    return this.#bytes.readDoubleLE(this.#at - BYTES_PER_NUMBER);
  }

  text(bytes: number, encoding: 'utf8' | 'utf16le' | 'hex'): string {
    this.#at += bytes;
    return this.#bytes.toString(encoding, this.#at - bytes, this.#at);
  }
}
