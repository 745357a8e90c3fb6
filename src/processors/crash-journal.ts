import { hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { POINTS, reach } from '../fault-points.ts';
import { logger } from '../logging/index.ts';
import { Turn } from './turn.ts';

const log = logger('CrashJournal');

const FILE = 'deliveries-in-flight';
/** State, crashes, key: `> 1 0f3a…\n`. All rows are equally long, so that one can be written over. */
const ROW = /^([>-]) ([0-9]) ([0-9a-f]{64})$/;
const ROW_BYTES = 69;
/** So many crashes in a row, and a message is not tried again (OP-06). */
export const MAX_CRASHES = 3;
/** What a row can hold. */
const MOST_CRASHES = 9;
/** Messages that are remembered for an earlier crash; more cannot have been in flight. */
const MAX_SUSPECTS = 10_000;

/** A message during whose processing the process has crashed. */
interface Suspect {
  readonly crashes: number;
  readonly row: number;
}

/** An attempt that the journal knows of. */
export interface JournalledAttempt {
  /** `true`: it came to an end, whatever that was. `false`: it was not made, or was cut off; nothing is known. */
  ended(conclusive: boolean): void;
}

/**
 * Knows over restarts which messages were being processed when the process crashed, and how often (OP-06). A message is counted for
 * a crash when an attempt on it was under way, not while it waits for one; an attempt that ends clears it. How it crashed makes no
 * difference: `abort`, a full heap and `kill -9` look the same afterwards. An orderly stop ends or cuts off every attempt and counts
 * nothing.
 *
 *     unknown ── attempt ──► in flight (>) ── ended ──► unknown
 *                              │    ▲  └── not made, and never crashed ──► unknown
 *                        crash │    │ attempt
 *                              ▼    │
 *                            suspect (-), crashes + 1
 *
 * After a crash several messages may be suspects of which one is to blame. Only one suspect is processed at a time, so that the next
 * crash meets at most one of them.
 *
 * `<dataDirectory>/deliveries-in-flight` has one row per message in flight, written at the begin and at the end of an attempt:
 * some microseconds each, without fsync, as what has been written survives the process; the crash of the whole machine is nobody's fault.
 */
export class CrashJournal {
  #users = 0;
  /** Grows when it is closed: what began before has no row any more. */
  #generation = 0;
  #file: number | undefined;
  #broken = false;
  readonly #suspects = new Map<string, Suspect>();
  readonly #freeRows: number[] = [];
  #rows = 0;
  readonly #suspectsTurn = new Turn();
  readonly #row = Buffer.alloc(ROW_BYTES);

  /** Opens it for one processor more. Without a file (full disk) it knows this process only. @returns how to let it go */
  use(dataDirectory: string): () => void {
    if (this.#users === 0) this.#open(dataDirectory);
    this.#users += 1;
    let using = true;
    return () => {
      if (!using) return;
      using = false;
      this.#users -= 1;
      if (this.#users === 0) this.#close();
    };
  }

  /** Crashes in a row during attempts on this message. */
  crashes(store: string, id: string): number {
    return this.#suspects.size === 0 ? 0 : (this.#suspects.get(keyOf(store, id))?.crashes ?? 0);
  }

  /**
   * To be called right before an attempt; a suspect waits until no other one is being processed. Undefined when the signal was
   * aborted meanwhile.
   */
  async begin(store: string, id: string, signal: AbortSignal): Promise<JournalledAttempt | undefined> {
    const key = keyOf(store, id);
    const suspect = this.#suspects.get(key);
    if (suspect && !(await this.#suspectsTurn.take({ signal }))) return undefined;
    const row = suspect?.row ?? this.#takeRow();
    const generation = this.#generation;
    this.#write(row, '>', suspect?.crashes ?? 0, key);
    reach(POINTS.crashJournal, store, id);
    return {
      ended: (conclusive) => {
        if (suspect) this.#suspectsTurn.release();
        if (generation !== this.#generation) return;
        if (suspect && !conclusive) this.#write(row, '-', suspect.crashes, key);
        else this.#free(row, key);
      },
    };
  }

  /** The message is gone: it was put aside or moved. */
  forget(store: string, id: string): void {
    const key = keyOf(store, id);
    const suspect = this.#suspects.get(key);
    if (suspect) this.#free(suspect.row, key);
  }

  #open(dataDirectory: string): void {
    const path = join(dataDirectory, FILE);
    try {
      mkdirSync(dataDirectory, { recursive: true });
      this.#read(path);
      // Whole or not at all: a crash right now must not forget the earlier ones.
      writeFileSync(`${path}.new`, this.#rowsOfSuspects());
      renameSync(`${path}.new`, path);
      this.#file = openSync(path, 'r+');
    } catch (error) {
      this.#fail(error);
    }
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#generation += 1;
    this.#broken = false;
    this.#suspects.clear();
    this.#freeRows.length = 0;
    this.#rows = 0;
  }

  #read(path: string): void {
    for (const line of contentOf(path).split('\n')) {
      const [, state, count, key] = ROW.exec(line) ?? [];
      if (key === undefined || this.#suspects.size >= MAX_SUSPECTS) continue;
      const crashes = Math.min(Number(count) + (state === '>' ? 1 : 0), MOST_CRASHES);
      this.#suspects.set(key, { crashes, row: this.#takeRow() });
    }
    if (this.#suspects.size === 0) return;
    log.warn(
      `The process crashed while ${this.#suspects.size} messages were being processed; they are tried one by one`,
    );
  }

  #rowsOfSuspects(): string {
    return [...this.#suspects].map(([key, { crashes }]) => `- ${crashes} ${key}\n`).join('');
  }

  #takeRow(): number {
    const free = this.#freeRows.pop();
    if (free !== undefined) return free;
    this.#rows += 1;
    return this.#rows - 1;
  }

  #free(row: number, key: string): void {
    this.#suspects.delete(key);
    this.#write(row, ' ', 0, '');
    this.#freeRows.push(row);
  }

  #write(row: number, state: '>' | '-' | ' ', crashes: number, key: string): void {
    if (this.#file === undefined) return;
    this.#row.fill(' ');
    if (key !== '') this.#row.write(`${state} ${crashes} ${key}`, 'latin1');
    this.#row[ROW_BYTES - 1] = 0x0a;
    try {
      writeSync(this.#file, this.#row, 0, ROW_BYTES, row * ROW_BYTES);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Deliveries go on: that nobody is protected from a message that crashes the process is the smaller evil. */
  #fail(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    log.error(`The journal of deliveries cannot be written, crashes are not counted: ${String(error)}`);
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function keyOf(store: string, id: string): string {
  return hash('sha256', `${store}\n${id}`);
}
