import { messageLine } from '../management/operations/message-lines.ts';
import { MAX_REPLAYS } from '../management/operations/treatment.ts';
import { type FoundLetter, letterAsStored, letterBytes, removeLetter } from '../processors/dead-letter-files.ts';
import { type ManagementClient, UnreachableError } from './remote/client.ts';

/*
 * Dead letters go back into stores by imports of many, since each import that refuses duplicates looks through the whole store. A letter:
 *
 *     pending --(refused, unreadable)--> failed
 *     pending --(sent in a batch)--> failed, when the answer does not say that it is stored
 *                                --> stored --(files removed)--> done
 *
 * Files go only after the answer: what ends in between leaves a letter of a message that is stored, and never loses one.
 */

/** Of one import. */
const MAX_LINES = 100;
/** Of one import, unless one letter alone is longer. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Of one import: for a look through the store, and for each message as long as a server tries to store it. */
const LOOK_DEADLINE_MS = 60_000;
const PUT_DEADLINE_MS = 10_000;

export interface ReplayWishes {
  /** Not into the store they came from. */
  readonly to?: string | undefined;
  /** Also those that are refused otherwise; no look for duplicates. */
  readonly force?: boolean | undefined;
}

export interface ReplayResult {
  /** How many are stored. */
  readonly done: number;
  readonly count: number;
  /** Why which ones were not, or are but could not be taken out of the area. */
  readonly failed: ReadonlyArray<{ readonly id: string; readonly Error: string }>;
}

interface Line {
  readonly letter: FoundLetter;
  readonly bytes: Buffer;
}

/** Stores letters again (OP-62). What goes wrong with one of them is told in the result, and the others go on. */
export class Replay {
  readonly #client: ManagementClient;
  readonly #wishes: ReplayWishes;
  readonly #progress: (settled: number, total: number, failed: number) => void;
  readonly #pending: Set<FoundLetter>;
  readonly #failed: Array<{ readonly id: string; readonly Error: string }> = [];
  readonly #count: number;
  #done = 0;

  constructor(
    letters: readonly FoundLetter[],
    wishes: ReplayWishes,
    client: ManagementClient,
    progress: (settled: number, total: number, failed: number) => void,
  ) {
    this.#pending = new Set(letters);
    this.#count = letters.length;
    this.#wishes = wishes;
    this.#client = client;
    this.#progress = progress;
  }

  async run(): Promise<ReplayResult> {
    for (const letter of this.#pending) {
      const reason = this.#wishes.force ? undefined : refusal(letter);
      if (reason !== undefined) this.#fail(letter, reason);
    }
    try {
      for (const [store, letters] of Map.groupBy(this.#pending, ({ store }) => this.#wishes.to ?? store))
        for await (const batch of this.#batches(letters)) await this.#send(store, batch);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      for (const letter of this.#pending) this.#fail(letter, `It was not sent: ${error.message}`);
    }
    return { done: this.#done, count: this.#count, failed: this.#failed };
  }

  async *#batches(letters: readonly FoundLetter[]): AsyncGenerator<readonly Line[]> {
    let batch: Line[] = [];
    let length = 0;
    for (const letter of letters) {
      const line = await this.#lineOf(letter);
      if (!line) continue;
      if (batch.length === MAX_LINES || (batch.length > 0 && length + line.bytes.length > MAX_BYTES)) {
        yield batch;
        batch = [];
        length = 0;
      }
      batch.push(line);
      length += line.bytes.length;
    }
    if (batch.length > 0) yield batch;
  }

  async #lineOf(letter: FoundLetter): Promise<Line | undefined> {
    try {
      const line = messageLine(letterAsStored(letter, await letterBytes(letter)));
      return { letter, bytes: Buffer.from(`${line}\n`) };
    } catch (error) {
      this.#fail(letter, `It cannot be read: ${textOf(error)}`);
      return undefined;
    }
  }

  /** @throws UnreachableError, after which nothing more need be tried; the letters of the batch have failed then */
  async #send(store: string, batch: readonly Line[]): Promise<void> {
    let problems: ReadonlyMap<number, string>;
    try {
      problems = problemsOf(await this.#import(store, batch), batch.length);
    } catch (error) {
      for (const { letter } of batch) this.#fail(letter, textOf(error));
      if (error instanceof UnreachableError) throw error;
      return;
    }
    for (const [index, { letter }] of batch.entries()) {
      const problem = problems.get(index + 1);
      if (problem === undefined) await this.#remove(letter);
      else this.#fail(letter, problem);
    }
  }

  async #import(store: string, batch: readonly Line[]): Promise<unknown> {
    const path = `/management/message-stores/${encodeURIComponent(store)}/import`;
    const { body } = await this.#client.send('POST', path, {
      headers: { 'Content-Type': 'application/x-ndjson' },
      query: this.#wishes.force ? { duplicates: 'allow', force: true } : {},
      body: Buffer.concat(batch.map(({ bytes }) => bytes)),
      deadlineMs: LOOK_DEADLINE_MS + batch.length * PUT_DEADLINE_MS,
    });
    return body;
  }

  async #remove(letter: FoundLetter): Promise<void> {
    this.#done += 1;
    try {
      await removeLetter(letter);
      this.#settled(letter);
    } catch (error) {
      this.#fail(letter, `It is stored, but its letter cannot be removed: ${textOf(error)}`);
    }
  }

  #fail(letter: FoundLetter, reason: string): void {
    this.#failed.push({ id: letter.id, Error: reason });
    this.#settled(letter);
  }

  #settled(letter: FoundLetter): void {
    this.#pending.delete(letter);
    this.#progress(this.#count - this.#pending.size, this.#count, this.#failed.length);
  }
}

/** Why it is not sent without --force. */
function refusal({ replays = 0, undecoded, reason }: FoundLetter): string | undefined {
  if (undecoded) return `Its store could not decode it (${reason}); its bytes as they are with --force`;
  return replays >= MAX_REPLAYS ? `It was sent again ${replays} times already; once more with --force` : undefined;
}

interface ImportAnswer {
  readonly count: number;
  readonly failed: ReadonlyArray<{ readonly line: number; readonly Error: string }>;
  readonly stopped?: string;
}

/**
 * Which lines, from 1 on, are not stored, and why; those behind the end of an import that stopped were not looked at.
 * @throws Error when it is not the answer of an import: nothing is known to be stored then
 */
function problemsOf(answer: unknown, lines: number): ReadonlyMap<number, string> {
  const { count, failed, stopped } = answer as Partial<ImportAnswer>;
  if (typeof count !== 'number' || !Array.isArray(failed)) throw new Error('The answer does not tell what was stored');
  const problems = new Map<number, string>();
  for (const { line, Error: reason } of failed as ImportAnswer['failed']) problems.set(line, reason);
  for (let line = count + 1; line <= lines; line += 1) problems.set(line, stopped ?? 'The import ended before it');
  return problems;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
