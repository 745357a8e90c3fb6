/** Bytes that may wait for a slow reader of the log before info and debug lines are dropped. */
const WAITING_LIMIT = 1024 * 1024;
/** Bytes that may wait before warnings and errors are dropped too: more would cost the process, and all lines with it. */
const IMPORTANT_WAITING_LIMIT = 16 * 1024 * 1024;

/** Characters of a turn that are written without waiting for its end. */
const AT_ONCE = 64 * 1024;

/** Those with lines that are not written yet: whatever ends the process, but a signal that nobody catches, they are. */
const unwritten = new Set<BoundedStream>();
process.on('exit', () => {
  for (const stream of [...unwritten]) stream.flush();
});

/**
 * Writes formatted lines to a stream and never grows without bound (OP-71): while a slow reader leaves more than 1 MiB waiting,
 * lines below WARN are dropped and counted; more than 16 MiB, all are. The counts are written as soon as there is room again, at the
 * latest at the end.
 *
 * A line is written at once; those below WARN that follow in the same turn of the event loop wait for its end and are written together, as each write
 * to a file or a pipe is a system call of some 10 µs.
 *
 * ```
 * EMPTY ──line: written──► OPEN ──line──► OPEN ──the turn ends, a warning, or 64 KB: all are written──► EMPTY
 * ```
 */
export class BoundedStream {
  readonly #stream: NodeJS.WritableStream;
  readonly #notice: (text: string) => string;
  /** Of this turn, behind the first one. */
  #lines = '';
  #open = false;
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
    const waiting = ((this.#stream as { writableLength?: number }).writableLength ?? 0) + this.#lines.length;
    if (waiting > (important ? IMPORTANT_WAITING_LIMIT : WAITING_LIMIT)) {
      this.#dropped += 1;
      if (important) this.#droppedImportant += 1;
    } else {
      if (waiting <= WAITING_LIMIT) this.#reportDropped();
      this.#add(`${line}\n`);
      if (important || this.#lines.length >= AT_ONCE) this.flush();
    }
  }

  /** Writes what waits for the end of the turn. */
  flush(): void {
    unwritten.delete(this);
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#stream.write(lines);
  }

  close(): void {
    this.#reportDropped();
    this.flush();
  }

  #add(line: string): void {
    if (this.#open) {
      if (this.#lines === '') unwritten.add(this);
      this.#lines += line;
      return;
    }
    this.#open = true;
    setImmediate(this.#endOfTurn);
    this.#stream.write(line);
  }

  readonly #endOfTurn = () => {
    this.#open = false;
    this.flush();
  };

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const important = this.#droppedImportant === 0 ? '' : `, ${this.#droppedImportant} of them warnings or errors`;
    const text = `${this.#dropped} log lines dropped${important}: the reader of the log is too slow`;
    this.#add(`${this.#notice(text)}\n`);
    this.#dropped = 0;
    this.#droppedImportant = 0;
  }
}
