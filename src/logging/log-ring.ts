import { LEVELS, type LogLevel, type LogRecord, onLogRecord } from './logger.ts';

const MAX_LINES = 2_000;
/** Of one line this much is kept, in characters. */
const LINE_CHARACTERS = 8 * 1024;
/** Of all lines together. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export interface TailFilter {
  /** How many of the last ones. */
  readonly lines: number;
  /** Only this level and those above it. */
  readonly level?: LogLevel | undefined;
  /** Only about this artifact, store, processor or endpoint. */
  readonly artifact?: string | undefined;
  readonly messageId?: string | undefined;
}

/** The last lines of the log, for people who look at it from elsewhere. */
export class LogRing {
  readonly #records: LogRecord[] = [];
  #characters = 0;
  #stop: (() => void) | undefined;

  /** Begins to keep what is logged. */
  start(): void {
    this.#stop ??= onLogRecord((record) => this.add(record));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  add(record: LogRecord): void {
    const kept = shortened(record);
    this.#records.push(kept);
    this.#characters += kept.message.length;
    while (this.#records.length > MAX_LINES || this.#characters > MAX_CHARACTERS)
      this.#characters -= this.#records.shift()?.message.length ?? 0;
  }

  /** The oldest first. */
  tail({ lines, level = 'trace', artifact, messageId }: TailFilter): LogRecord[] {
    const found: LogRecord[] = [];
    for (let index = this.#records.length - 1; index >= 0 && found.length < lines; index -= 1) {
      const record = this.#records[index] as LogRecord;
      if (LEVELS[record.level] > LEVELS[level]) continue;
      if (artifact !== undefined && !isAbout(record, artifact)) continue;
      if (messageId !== undefined && record.details.messageId !== messageId) continue;
      found.push(record);
    }
    return found.reverse();
  }
}

function isAbout({ details }: LogRecord, name: string): boolean {
  const { artifact, store, processor, endpoint } = details;
  return artifact === name || store === name || processor === name || endpoint === name;
}

/** Copied, so that a short line of a large message does not keep all of it. */
function shortened(record: LogRecord): LogRecord {
  if (record.message.length <= LINE_CHARACTERS) return record;
  const part = Buffer.from(record.message.slice(0, LINE_CHARACTERS), 'utf16le').toString('utf16le');
  return { ...record, message: `${part}… (${record.message.length - LINE_CHARACTERS} more characters)` };
}
