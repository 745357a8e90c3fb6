/** Bytes that may wait for a slow reader of the log before info and debug lines are dropped. */
const WAITING_LIMIT = 1024 * 1024;
/** Bytes that may wait before warnings and errors are dropped too: more would cost the process, and all lines with it. */
const IMPORTANT_WAITING_LIMIT = 16 * 1024 * 1024;

/**
 * Writes formatted lines to a stream and never grows without bound (OP-71): while a slow reader leaves more than 1 MiB waiting,
 * lines below WARN are dropped and counted; more than 16 MiB, all are. The counts are written as soon as there is room again, at the
 * latest at the end.
 */
export class BoundedStream {
  readonly #stream: NodeJS.WritableStream;
  readonly #notice: (text: string) => string;
  #dropped = 0;
  /** Of those, warnings and errors. */
  #droppedImportant = 0;

  /** @param notice makes a line of what is said of dropped lines */
  constructor(stream: NodeJS.WritableStream, notice: (text: string) => string = (text) => `(${text})`) {
    this.#stream = stream;
    this.#notice = notice;
  }

  write(level: string, line: string): void {
    const important = level === 'fatal' || level === 'error' || level === 'warn';
    const waiting = (this.#stream as { writableLength?: number }).writableLength ?? 0;
    if (waiting > (important ? IMPORTANT_WAITING_LIMIT : WAITING_LIMIT)) {
      this.#dropped += 1;
      if (important) this.#droppedImportant += 1;
    } else {
      if (waiting <= WAITING_LIMIT) this.#reportDropped();
      this.#stream.write(`${line}\n`);
    }
  }

  close(): void {
    this.#reportDropped();
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const important = this.#droppedImportant === 0 ? '' : `, ${this.#droppedImportant} of them warnings or errors`;
    const text = `${this.#dropped} log lines dropped${important}: the reader of the log is too slow`;
    this.#stream.write(`${this.#notice(text)}\n`);
    this.#dropped = 0;
    this.#droppedImportant = 0;
  }
}
