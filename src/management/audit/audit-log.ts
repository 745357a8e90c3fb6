import { appendFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { logger } from '../../logging/index.ts';
import type { AuditEntry } from './audit-entry.ts';

/** The name is the reference's: monitoring looks for it (spec stores 7.2). */
const auditLog = logger('AUDIT_LOG');
const log = logger('AuditLog');
/** A file that is larger is put aside, bytes. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Files put aside that are kept. */
const MAX_FILES = 4;
/** Of an earlier run's file, bytes. */
const LOADED_BYTES = 1024 * 1024;
/** Entries that can be asked for. */
const MAX_ENTRIES = 1_000;

/**
 * What was done through the management API (OP-66): one line of the log each, one line of a file, and the last thousand in memory. A file
 * that cannot be written is told of and costs no request.
 */
export class AuditLog {
  readonly #file: string;
  readonly #entries: AuditEntry[] = [];
  readonly #listeners = new Set<(entry: AuditEntry) => void>();
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string) {
    this.#file = file;
  }

  /** Goes on with the file of an earlier run. */
  static async open(file: string): Promise<AuditLog> {
    const audit = new AuditLog(file);
    await mkdir(dirname(file), { recursive: true });
    await audit.#load();
    return audit;
  }

  /** Resolves when the entry is in the file. Never rejects. */
  record(entry: AuditEntry): Promise<void> {
    auditLog.info(auditLine(entry));
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    for (const listener of this.#listeners) listener(entry);
    this.#writing = this.#writing.then(() => this.#write(`${JSON.stringify(entry)}\n`));
    return this.#writing;
  }

  /** The last entries, newest first. */
  list(limit: number): readonly AuditEntry[] {
    return this.#entries.slice(-limit).reverse();
  }

  /** Hears every entry from now on. Must not throw. Returns how to stop. */
  subscribe(listener: (entry: AuditEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when all is in the file. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(line: string): Promise<void> {
    try {
      if (this.#bytes > 0 && this.#bytes + line.length > MAX_FILE_BYTES) await this.#rotate();
      await appendFile(this.#file, line, { mode: 0o600 });
      this.#bytes += Buffer.byteLength(line);
    } catch (error) {
      log.error(`${this.#file} cannot be written: ${(error as Error).message}`);
    }
  }

  /** `audit.ndjson` becomes `audit.ndjson.1`, that `.2`, and so on. */
  async #rotate(): Promise<void> {
    await rm(`${this.#file}.${MAX_FILES}`, { force: true });
    for (let number = MAX_FILES - 1; number >= 0; number -= 1) {
      const former = number === 0 ? this.#file : `${this.#file}.${number}`;
      await rename(former, `${this.#file}.${number + 1}`).catch(ifMissing);
    }
    this.#bytes = 0;
  }

  async #load(): Promise<void> {
    try {
      const { bytes, text } = await endOf(this.#file);
      this.#bytes = bytes;
      for (const line of text.trimEnd().split('\n').slice(-MAX_ENTRIES)) {
        const entry = parsed(line);
        if (entry) this.#entries.push(entry);
      }
    } catch (error) {
      ifMissing(error);
    }
  }
}

/** As the reference writes it; `info` is JSON in JSON there (spec stores 7.2). */
export function auditLine({ who, action, type, name, detail, count, result, from }: AuditEntry): string {
  const nameKey = `${type.replace(/[_-](\w)/g, (_, letter: string) => letter.toUpperCase())}Name`;
  const info = JSON.stringify({ [nameKey]: name });
  return JSON.stringify({ performedBy: who, action, type, info, from, detail, count, result });
}

/** The size of a file and the last part of it: a start is not to take longer because much was done. */
async function endOf(file: string): Promise<{ readonly bytes: number; readonly text: string }> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const part = Buffer.alloc(Math.min(size, LOADED_BYTES));
    const { bytesRead } = await handle.read(part, 0, part.length, size - part.length);
    return { bytes: size, text: part.toString('utf8', 0, bytesRead) };
  } finally {
    await handle.close();
  }
}

/** A line that is cut off is passed over, also one that a stopped process has left half written. */
function parsed(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry;
  } catch {
    return undefined;
  }
}

function ifMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
