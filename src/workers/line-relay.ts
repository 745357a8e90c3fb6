import type { Readable } from 'node:stream';

const LINE_END = 0x0a;

/**
 * Writes what several processes write to one stream, whole lines at a time: a pipe that they shared would cut lines of more than 4 KiB
 * into each other. A slow reader of the stream slows the writers down, as it would without this.
 */
export class LineRelay {
  readonly #stream: NodeJS.WritableStream;
  readonly #sources = new Set<Readable>();

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('drain', this.#resume);
  }

  readonly #resume = (): void => {
    for (const source of this.#sources) source.resume();
  };

  /** Lets go of the stream; whatever is written later is not slowed down any more. */
  close(): void {
    this.#stream.off('drain', this.#resume);
    this.#resume();
  }

  /** Resolves when the source has ended and everything of it is written. */
  relay(source: Readable): Promise<void> {
    let begun: Buffer[] = [];
    this.#sources.add(source);
    source.on('data', (chunk: Buffer) => {
      const end = chunk.lastIndexOf(LINE_END) + 1;
      if (end === 0) {
        begun.push(chunk);
        return;
      }
      const lines = begun.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...begun, chunk.subarray(0, end)]);
      begun = end === chunk.byteLength ? [] : [chunk.subarray(end)];
      if (!this.#stream.write(lines)) for (const one of this.#sources) one.pause();
    });
    return new Promise((resolve) => {
      source.once('close', () => {
        this.#sources.delete(source);
        // The line that it was writing when it was killed.
        if (begun.length > 0) this.#stream.write(Buffer.concat([...begun, Buffer.from('\n')]));
        resolve();
      });
      // The end of the process follows.
      source.on('error', () => {});
    });
  }
}
