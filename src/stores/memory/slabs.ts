/** Small messages share memory of this size; it is freed when the last of them is gone. */
const SLAB_BYTES = 128 * 1024;
/** Larger messages have memory of their own, so that one message keeps at most a slab. */
const LARGEST_SHARED = SLAB_BYTES / 8;

/** Where some bytes are. Not a view of its own, because a view takes 100 bytes and more. */
export interface Stretch {
  readonly slab: Buffer;
  readonly offset: number;
  readonly length: number;
}

/**
 * Memory for many small things that come and go in about the same order: they are written one after the other into large pieces,
 * because a buffer for each would take more than what is in it.
 */
export class Slabs {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** Copies both parts, one after the other. */
  keep(first: Uint8Array, second: Uint8Array): Stretch {
    const length = first.length + second.length;
    const { slab, offset } = length > LARGEST_SHARED ? ownSlab(length) : this.#share(length);
    slab.set(first, offset);
    slab.set(second, offset + first.length);
    return { slab, offset, length };
  }

  #share(length: number): { slab: Buffer; offset: number } {
    if (this.#used + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const offset = this.#used;
    this.#used += length;
    return { slab: this.#slab, offset };
  }
}

function ownSlab(length: number): { slab: Buffer; offset: number } {
  return { slab: Buffer.allocUnsafeSlow(length), offset: 0 };
}
