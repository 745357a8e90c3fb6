import { isActiveState } from './message-processor.ts';
import { type RecordedState, RecordedStateFile } from './recorded-state.ts';

/** What an operator, a deployment or the processor itself has decided, and why. */
export type Condition = Pick<RecordedState, 'condition' | 'since' | 'by'> & { readonly reason: string | undefined };

/**
 * The condition of a processor, which is kept over restarts and redeployments, and the last thing that went wrong. A change holds at
 * once and is then recorded.
 */
export class KeptCondition {
  readonly #file: RecordedStateFile;
  #current: Condition;
  #lastError: string | undefined;
  #failingMessageId: string | undefined;
  #loading: Promise<void> | undefined;

  /** `startsActive` counts only while nothing is recorded. `previous`: of the processor that is replaced. */
  constructor(
    { dataDirectory, processor, startsActive }: { dataDirectory: string; processor: string; startsActive: boolean },
    previous: KeptCondition | undefined,
  ) {
    this.#file = previous ? previous.#file : new RecordedStateFile(dataDirectory, processor);
    const since = Date.now();
    this.#current = startsActive
      ? { condition: 'ACTIVE', since, by: 'deployment', reason: undefined }
      : { condition: 'PAUSED', since, by: 'deployment', reason: 'is.active is false' };
  }

  get current(): Condition {
    return this.#current;
  }

  get active(): boolean {
    return isActiveState(this.#current.condition);
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  get failingMessageId(): string | undefined {
    return this.#failingMessageId;
  }

  /** Once: the recorded condition, if there is one, becomes the present one. */
  load(): Promise<void> {
    this.#loading ??= this.#read();
    return this.#loading;
  }

  /** It holds from now on; the promise is that of its record. */
  enter(condition: Condition): Promise<void> {
    this.#current = condition;
    const { reason, ...rest } = condition;
    return this.#file.write({
      state: condition.condition === 'ACTIVE' ? 'RUNNING' : 'PAUSED',
      ...rest,
      ...(reason !== undefined && { reason }),
      ...(this.#failingMessageId !== undefined && { messageId: this.#failingMessageId }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    });
  }

  /** Recorded with the next change; undefined: as before. */
  noteFailure({ error, messageId }: { readonly error?: string; readonly messageId?: string | undefined }): void {
    if (error !== undefined) this.#lastError = error;
    if (messageId !== undefined) this.#failingMessageId = messageId;
  }

  /** Goes on with what went wrong before. */
  takeOver(previous: KeptCondition): void {
    this.#lastError = previous.#lastError;
    this.#failingMessageId = previous.#failingMessageId;
  }

  /** Forgets the record: the artifact was undeployed. */
  remove(): Promise<void> {
    return this.#file.remove();
  }

  /** Resolves when all that was entered so far is on the disk. */
  flushed(): Promise<void> {
    return this.#file.flushed();
  }

  async #read(): Promise<void> {
    const recorded = await this.#file.read();
    if (!recorded) return;
    const { condition, since, by, reason, messageId, lastError } = recorded;
    this.#current = { condition, since, by, reason };
    this.#lastError ??= lastError;
    this.#failingMessageId ??= messageId;
  }
}
