/** Bytes that may wait for a slow reader of the log before info and debug lines are dropped. */
const WAITING_LIMIT = 1024 * 1024;
/** Bytes that may wait before warnings and errors are dropped too: more would cost the process, and all lines with it. */
const IMPORTANT_WAITING_LIMIT = 16 * 1024 * 1024;

/** So many lines within {@link WINDOW_MS} are each written at once. */
const WRITTEN_SINGLY = 50;
const WINDOW_MS = 100;
/** Characters of a turn that are written without waiting for its end. */
const AT_ONCE = 64 * 1024;

/** Those with lines that are not written yet. */
const unwritten = new Set<BoundedStream>();
/** There is no end of the turn any more. */
let exiting = false;
const writeAll = () => {
  for (const stream of [...unwritten]) stream.flush();
};
process.on('exit', () => {
  exiting = true;
  writeAll();
});
// Where somebody handles the exception and throws another one, there is no exit.
process.on('uncaughtExceptionMonitor', writeAll);

/**
 * Writes formatted lines to a stream and never grows without bound (OP-71): while a slow reader leaves more than 1 MiB waiting,
 * lines below WARN are dropped and counted; more than 16 MiB, all are. The counts are written as soon as there is room again, at the
 * latest at the end.
 *
 * Each write to a file or a pipe is a system call of some 10 µs. So a line is written at once as long as there are few; of many, those below WARN wait for the
 * end of their turn of the event loop and are written together:
 *
 * ```
 * SINGLY ──line: written──► SINGLY ──more than 50 within 100 ms──► TOGETHER ──line: waits──► TOGETHER ──100 ms over, none waits──► SINGLY
 *                                    the turn ends, a warning, or 64 KB: written ──► TOGETHER
 * ```
 *
 * Lines that wait are there however the process ends, unless it is killed, aborts or runs out of memory; what blocks the event loop delays them.
 */
export class BoundedStream {
  readonly #stream: NodeJS.WritableStream;
  readonly #notice: (text: string) => string;
  /** Those that wait for the end of this turn. */
  #lines = '';
  #endOfTurn: NodeJS.Immediate | undefined;
  /** When the last 100 ms began, on the monotonic clock, and how many lines were written singly in them. */
  #window = { begun: Number.NEGATIVE_INFINITY, lines: 0 };
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
    if (this.#lines === '') return;
    unwritten.delete(this);
    clearImmediate(this.#endOfTurn);
    const lines = this.#lines;
    this.#lines = '';
    this.#stream.write(lines);
  }

  close(): void {
    this.#reportDropped();
    this.flush();
  }

  #add(line: string): void {
    if (this.#lines !== '') {
      this.#lines += line;
    } else if (exiting || this.#maySingly()) {
      this.#stream.write(line);
    } else {
      this.#lines = line;
      unwritten.add(this);
      this.#endOfTurn = setImmediate(() => this.flush());
    }
  }

  #maySingly(): boolean {
    const now = performance.now();
    if (now - this.#window.begun >= WINDOW_MS) this.#window = { begun: now, lines: 0 };
    this.#window.lines += 1;
    return this.#window.lines <= WRITTEN_SINGLY;
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const important = this.#droppedImportant === 0 ? '' : `, ${this.#droppedImportant} of them warnings or errors`;
    const text = `${this.#dropped} log lines dropped${important}: the reader of the log is too slow`;
    this.#add(`${this.#notice(text)}\n`);
    this.#dropped = 0;
    this.#droppedImportant = 0;
  }
}
