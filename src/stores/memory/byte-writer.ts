const FIRST_CAPACITY = 16 * 1024;
/** After a larger message the memory is given back. */
const LARGEST_KEPT = 256 * 1024;
const LONGEST_VARINT = 8;
const BYTES_PER_NUMBER = 8;
const UUID_LENGTH = 36;
const UUID_BYTES = 16;
const HYPHEN = 0x2d;
/** By character code: the value of a hexadecimal digit in lower case; negative for any other character. */
const NIBBLES = new Int8Array(0x80).fill(-1);
for (let value = 0; value < 16; value += 1) NIBBLES[value.toString(16).charCodeAt(0)] = value;

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

  /**
   * A number, and the UUID that stands in a text from there on, as 16 bytes; false, and nothing is written, when none in lower case does. Much quicker
   * than to ask a regular expression first and a decoder then.
   */
  uuid(text: string, from: number, prefix: number): boolean {
    const before = this.#length;
    this.varint(prefix);
    this.#need(UUID_BYTES);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < UUID_LENGTH; index += 1) {
      const code = text.charCodeAt(from + index);
      if (index === 8 || index === 13 || index === 18 || index === 23) {
        if (code === HYPHEN) continue;
        this.#length = before;
        return false;
      }
      index += 1;
      const high = NIBBLES[code] ?? -1;
      const low = NIBBLES[text.charCodeAt(from + index)] ?? -1;
      if (high < 0 || low < 0) {
        this.#length = before;
        return false;
      }
      bytes[at] = high * 16 + low;
      at += 1;
    }
    this.#length = at;
    return true;
  }

  /** A number, and a text of ASCII characters alone, a byte each; false, and nothing is written, when there are others. */
  ascii(text: string, prefix: number): boolean {
    const { length } = text;
    const before = this.#length;
    this.varint(prefix);
    this.#need(length);
    const bytes = this.#bytes;
    const from = this.#length;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#length = before;
        return false;
      }
      bytes[from + index] = code;
    }
    this.#length = from + length;
    return true;
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
