import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import { logger } from '../../logging/index.ts';

const deflate = promisify(deflateRaw);
const log = logger('InMemoryStore');

/** Small messages share memory of this size; it is freed when it is full and the last of them is gone. */
const SLAB_BYTES = 128 * 1024;
/** Larger messages have memory of their own, so that one message keeps at most a slab. */
const LARGEST_SHARED = SLAB_BYTES / 8;
/** Full slabs that stay as they are: what is consumed as fast as it comes is never compressed. */
const FRESH_SLABS = 8;
/** So many full slabs are soon compressed. */
const MOST_WAITING = 64;
/** Slabs that are kept open for reading: one is being consumed, some are looked at. */
const OPEN_SLABS = 4;
/** Only what becomes clearly smaller is worth the way back. */
const WORTH_IT = 0.75;

/** Where some bytes are. Not a view of its own, because a view takes 100 bytes and more. */
export interface Stretch {
  readonly slab: Slab;
  readonly offset: number;
  readonly length: number;
}

/**
 * A piece of memory with many messages:
 *
 *     filling ──full──▶ fresh ──FRESH_SLABS newer ones──▶ compressed ──read──▶ open ──OPEN_SLABS others read──▶ compressed
 */
export class Slab {
  readonly #owner: Slabs;
  #bytes: Buffer | undefined;
  #deflated: Buffer | undefined;
  /** Stretches that somebody still wants. */
  live = 0;

  constructor(owner: Slabs, bytes: Buffer) {
    this.#owner = owner;
    this.#bytes = bytes;
  }

  /** @throws RangeError when there is no memory to inflate it */
  get bytes(): Buffer {
    if (this.#bytes) return this.#bytes;
    this.#bytes = inflateRawSync(this.#deflated as Buffer);
    this.#owner.opened(this);
    return this.#bytes;
  }

  /** Bytes that it takes now. */
  get taken(): number {
    return (this.#bytes?.length ?? 0) + (this.#deflated?.length ?? 0);
  }

  /** Never rejects: what cannot be compressed, for want of memory, say, stays as it is. */
  async compress(): Promise<void> {
    const bytes = this.#bytes;
    if (!bytes || this.#deflated || this.live === 0) return;
    try {
      const deflated = await deflate(bytes, { level: 1 });
      if (deflated.length > bytes.length * WORTH_IT) return;
      // A copy, as what zlib answers with may lie in a larger piece of memory.
      const copy = Buffer.allocUnsafeSlow(deflated.length);
      deflated.copy(copy);
      this.#deflated = copy;
      this.#bytes = undefined;
    } catch (error) {
      log.debug(`Messages that wait could not be compressed: ${String(error)}`);
    }
  }

  /** Its bytes can be had from what is compressed. */
  close(): void {
    if (this.#deflated) this.#bytes = undefined;
  }
}

/**
 * Memory for many small things that come and go in about the same order: they are written one after the other into large pieces,
 * because a buffer for each would take more than what is in it. When many wait, the older pieces are compressed, in zlib's threads:
 * messages of one flow differ in little.
 */
export class Slabs {
  #slab = new Slab(this, Buffer.alloc(0));
  #used = 0;
  readonly #full: Slab[] = [];
  readonly #open: Slab[] = [];
  #compressing: Promise<void> | undefined;
  /** The slab that is being compressed. */
  #step: Promise<void> | undefined;

  /** Copies both parts, one after the other. */
  keep(first: Uint8Array, second: Uint8Array): Stretch {
    const length = first.length + second.length;
    const { slab, offset } = length > LARGEST_SHARED ? this.#own(length) : this.#share(length);
    slab.bytes.set(first, offset);
    slab.bytes.set(second, offset + first.length);
    slab.live += 1;
    return { slab, offset, length };
  }

  /** Nobody wants it any more. What was read from it stays valid. */
  release({ slab }: Stretch): void {
    slab.live -= 1;
    if (slab.live > 0) return;
    for (const list of [this.#full, this.#open]) {
      const at = list.indexOf(slab);
      if (at >= 0) list.splice(at, 1);
    }
  }

  /** A compressed slab was read. */
  opened(slab: Slab): void {
    this.#open.push(slab);
    if (this.#open.length > OPEN_SLABS) this.#open.shift()?.close();
  }

  /** Resolves when nothing is being compressed. */
  async settled(): Promise<void> {
    while (this.#compressing) await this.#compressing;
  }

  /** Resolves when few slabs wait to be compressed: for those who bring more than they take. */
  async room(): Promise<void> {
    while (this.#step && this.#full.length > MOST_WAITING) await this.#step;
  }

  #own(length: number): { slab: Slab; offset: number } {
    return { slab: new Slab(this, Buffer.allocUnsafeSlow(length)), offset: 0 };
  }

  #share(length: number): { slab: Slab; offset: number } {
    if (this.#used + length > this.#slab.bytes.length) {
      this.#full.push(this.#slab);
      this.#slab = new Slab(this, Buffer.allocUnsafeSlow(SLAB_BYTES));
      this.#used = 0;
      this.#startCompressing();
    }
    const offset = this.#used;
    this.#used += length;
    return { slab: this.#slab, offset };
  }

  #startCompressing(): void {
    if (this.#compressing || this.#full.length <= FRESH_SLABS) return;
    this.#compressing = this.#compressOld().finally(() => {
      this.#compressing = undefined;
      this.#startCompressing();
    });
  }

  /** One after the other, so that one thread is busy with it at most. Never rejects. */
  async #compressOld(): Promise<void> {
    while (this.#full.length > FRESH_SLABS) {
      this.#step = this.#full.shift()?.compress();
      await this.#step;
    }
    this.#step = undefined;
  }
}
