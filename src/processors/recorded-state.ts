import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { logger } from '../logging/index.ts';
import { fileNameOf, writeAtomically } from './durable-file.ts';
import type { ProcessorState } from './message-processor.ts';

const log = logger('ScheduledMessageProcessor');

/** What is remembered about a processor over restarts and redeployments (REQ-13, spec stores 4.2). Times are epoch ms. */
export interface RecordedState {
  /** The reference's words; the rest says why. */
  readonly state: 'RUNNING' | 'PAUSED';
  readonly condition: Extract<ProcessorState, 'ACTIVE' | 'PAUSED' | 'DEACTIVATED' | 'FAULTY'>;
  readonly since: number;
  readonly by: string;
  readonly reason?: string;
  readonly messageId?: string;
  readonly lastError?: string;
}

/**
 * The file `<dataDirectory>/message-processors/<name>.json`. It is written at transitions only: a processor that was never
 * activated or deactivated has none and follows `is.active`. Writes happen in the order in which they were asked for.
 */
export class RecordedStateFile {
  readonly #processor: string;
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();
  /** What was written last by this process: it holds even where the disk did not take it. */
  #latest: RecordedState | undefined;

  constructor(dataDirectory: string, processor: string) {
    this.#processor = processor;
    this.#path = join(dataDirectory, 'message-processors', `${fileNameOf(processor)}.json`);
  }

  /**
   * The recorded state; undefined when there is none. A file without a recognisable value counts as PAUSED, as in the reference:
   * not to send is the safe side of not knowing.
   */
  async read(): Promise<RecordedState | undefined> {
    await this.#last;
    if (this.#latest) return this.#latest;
    let content: string;
    try {
      content = await readFile(this.#path, 'utf8');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : this.#unreadable(error);
    }
    try {
      return recordedState(JSON.parse(content)) ?? this.#unreadable('it holds no state');
    } catch (error) {
      return this.#unreadable(error);
    }
  }

  /** Resolves when it is on the disk. Never throws: a failure is logged, the processor goes on with the state in memory. */
  write(state: RecordedState): Promise<void> {
    this.#latest = state;
    return this.#after('record', () => writeAtomically(this.#path, `${JSON.stringify(state, null, 2)}\n`));
  }

  /** Resolves when all that was asked for so far is on the disk. */
  flushed(): Promise<void> {
    return this.#last;
  }

  /** Forgets the state: the artifact was undeployed. */
  remove(): Promise<void> {
    this.#latest = undefined;
    return this.#after('remove', () => rm(this.#path, { force: true }));
  }

  #after(what: string, write: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(write).catch((error: unknown) => {
      log.error(`[${this.#processor}] Could not ${what} the state in ${this.#path}: ${String(error)}`);
    });
    return this.#last;
  }

  #unreadable(error: unknown): RecordedState {
    const reason = `the recorded state in ${this.#path} cannot be read: ${String(error)}`;
    log.warn(`[${this.#processor}] starts inactive, because ${reason}`);
    return { state: 'PAUSED', condition: 'PAUSED', since: Date.now(), by: 'recorded state', reason };
  }
}

function recordedState(value: unknown): RecordedState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { state, condition, since, by, reason, messageId, lastError } = value as Record<string, unknown>;
  if (state !== 'RUNNING' && state !== 'PAUSED') return undefined;
  const stopped = condition === 'DEACTIVATED' || condition === 'FAULTY' ? condition : 'PAUSED';
  return {
    state,
    condition: state === 'RUNNING' ? 'ACTIVE' : stopped,
    since: typeof since === 'number' ? since : Date.now(),
    by: typeof by === 'string' ? by : 'unknown',
    ...(typeof reason === 'string' && { reason }),
    ...(typeof messageId === 'string' && { messageId }),
    ...(typeof lastError === 'string' && { lastError }),
  };
}
