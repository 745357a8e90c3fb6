import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { logger } from '../logging/index.ts';
import { fileNameOf, writeAtomically } from './durable-file.ts';

const log = logger('ResequencingProcessor');

/**
 * Where a resequencing processor stands: the file `<dataDirectory>/message-processors/sequence-places/<name>.json` with the number
 * that comes next. The reference has it in memory, so that a restart may begin anywhere (REQ-50).
 */
export class SequencePlace {
  readonly #processor: string;
  readonly #store: string;
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  /** A place belongs to a processor and its store: with another one it begins anew. */
  constructor(dataDirectory: string, processor: string, store: string) {
    this.#processor = processor;
    this.#store = store;
    this.#path = join(dataDirectory, 'message-processors', 'sequence-places', `${fileNameOf(processor)}.json`);
  }

  /** The recorded number; undefined when there is none that can be used. Never throws. */
  async read(): Promise<bigint | undefined> {
    await this.#last;
    try {
      const { store, next } = JSON.parse(await readFile(this.#path, 'utf8')) as Record<string, unknown>;
      if (store !== this.#store) return undefined;
      if (typeof next === 'string' && /^-?\d{1,20}$/.test(next)) return BigInt(next);
      throw new Error('it holds no number');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      log.warn(`[${this.#processor}] The place in ${this.#path} cannot be read: ${String(error)}`);
      return undefined;
    }
  }

  /** Resolves when it is on the disk. Never throws: a failure is logged, and a restart may then begin too early. */
  write(next: bigint): Promise<void> {
    const content = `${JSON.stringify({ store: this.#store, next: String(next) })}\n`;
    return this.#after('recorded', () => writeAtomically(this.#path, content));
  }

  /** Forgets it: the artifact was undeployed. */
  remove(): Promise<void> {
    return this.#after('removed', () => rm(this.#path, { force: true }));
  }

  #after(what: string, write: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(write).catch((error: unknown) => {
      log.error(`[${this.#processor}] The place in ${this.#path} could not be ${what}: ${String(error)}`);
    });
    return this.#last;
  }
}
