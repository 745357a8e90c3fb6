import type { Readable } from 'node:stream';
import { pause } from '../scheduling/index.ts';

const LINE_END = 0x0a;
/** A longer line is cut, bytes: more than a message may have that is logged as a whole. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** How long after its process the output of one is waited for, ms: what that process has started may keep it open for ever. */
export const LAST_LINES_MS = 5_000;

/**
 * Writes what several processes write to one stream, whole lines at a time: a pipe that they shared would cut lines of more than 4 KiB
 * into each other. A slow reader of the stream slows the writers down, as it would without this.
 */
export class LineRelay {
  readonly #stream: NodeJS.WritableStream;
  readonly #maxLineBytes: number;
  readonly #sources = new Set<Readable>();

  constructor(stream: NodeJS.WritableStream, { maxLineBytes = MAX_LINE_BYTES } = {}) {
    this.#stream = stream;
    this.#maxLineBytes = maxLineBytes;
    // Nothing of a stream that is closed can be waited for.
    stream.on('drain', this.#resume).on('close', this.#resume);
  }

  readonly #resume = (): void => {
    for (const source of this.#sources) source.resume();
  };

  /** Lets go of the stream, and of sources that are still open. */
  close(): void {
    this.#stream.off('drain', this.#resume).off('close', this.#resume);
    for (const source of this.#sources) source.destroy();
  }

  /**
   * @param exited resolves when the process is gone that the source is the output of
   * @returns what resolves when the source has ended and everything of it is written, or {@link LAST_LINES_MS} after the process has
   * exited; never rejects
   */
  relay(source: Readable, exited: Promise<void>): Promise<void> {
    const closed = this.#read(source);
    const over = new AbortController();
    void closed.then(() => over.abort());
    return Promise.race([closed, exited.then(() => pause(LAST_LINES_MS, over.signal))]);
  }

  /** Resolves when the source has ended. */
  #read(source: Readable): Promise<void> {
    let begun: Buffer[] = [];
    let begunBytes = 0;
    this.#sources.add(source);
    source.on('data', (chunk: Buffer) => {
      const end = chunk.lastIndexOf(LINE_END) + 1;
      if (end > 0) {
        const lines = chunk.subarray(0, end);
        this.#write(begun.length === 0 ? lines : Buffer.concat([...begun, lines]));
        begun = [];
        begunBytes = 0;
      }
      if (end === chunk.byteLength) return;
      begun.push(chunk.subarray(end));
      begunBytes += chunk.byteLength - end;
      if (begunBytes <= this.#maxLineBytes) return;
      this.#write(ended(begun));
      begun = [];
      begunBytes = 0;
    });
    return new Promise((resolve) => {
      source.once('close', () => {
        this.#sources.delete(source);
        // The line that it was writing when it was killed.
        if (begun.length > 0) this.#stream.write(ended(begun));
        resolve();
      });
      // The end of the process follows.
      source.on('error', () => {});
    });
  }

  #write(lines: Buffer): void {
    if (this.#stream.write(lines) || !this.#stream.writable) return;
    for (const one of this.#sources) one.pause();
  }
}

function ended(line: readonly Buffer[]): Buffer {
  return Buffer.concat([...line, Buffer.from([LINE_END])]);
}
