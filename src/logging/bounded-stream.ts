import Transport from 'winston-transport';

const MESSAGE = Symbol.for('message');
/** Bytes that may wait for a slow reader of the log before info and debug lines are dropped. */
const WAITING_LIMIT = 1024 * 1024;

/**
 * Writes formatted lines to a stream and never grows without bound (OP-71): while a slow reader leaves more than 1 MiB waiting,
 * lines below WARN are dropped and counted, and the count is written as soon as there is room again.
 */
export class BoundedStreamTransport extends Transport {
  readonly #stream: NodeJS.WritableStream;
  #dropped = 0;

  constructor(stream: NodeJS.WritableStream) {
    super();
    this.#stream = stream;
  }

  override log(info: { level: string; [MESSAGE]?: string }, next: () => void): void {
    const important = info.level === 'fatal' || info.level === 'error' || info.level === 'warn';
    const waiting = (this.#stream as { writableLength?: number }).writableLength ?? 0;
    if (waiting > WAITING_LIMIT && !important) {
      this.#dropped += 1;
    } else {
      if (this.#dropped > 0 && waiting <= WAITING_LIMIT) this.#reportDropped();
      this.#stream.write(`${info[MESSAGE] ?? ''}\n`);
    }
    next();
  }

  #reportDropped(): void {
    this.#stream.write(`(${this.#dropped} log lines dropped: the reader of the log is too slow)\n`);
    this.#dropped = 0;
  }
}
