import { logger } from '../logging/index.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Eventually } from './eventually.ts';
import { handleFault } from './fault.ts';

declare module '../message/configuration.ts' {
  interface Services {
    flows: FlowTracker;
  }
}

const log = logger('Flow');

/** Something that is kept open for messages that may still come, such as the group of an aggregate. */
export interface Waiting {
  /** No more messages will come: finish with those that are there. Must not throw. */
  giveUp(): void;
  /** Resolves when it has finished. */
  readonly done: Promise<void>;
}

/** Work that goes on without a waiting client; the server lets it end before it stops (OP-110). */
export class FlowTracker {
  readonly #running = new Set<Promise<void>>();
  readonly #waiting = new Set<Waiting>();
  #ending: NodeJS.Timeout | undefined;
  #ended = false;

  get size(): number {
    return this.#running.size;
  }

  /** The promise must not reject. */
  track(work: Promise<void>): void {
    this.#running.add(work);
    work.then(
      () => this.#running.delete(work),
      (error: unknown) => {
        this.#running.delete(work);
        log.error(`A flow ended with an unexpected error: ${String(error)}`);
      },
    );
  }

  /** Remembers what waits for messages, until the returned function is called; when nothing can come any more it is given up. */
  wait(waiting: Waiting): () => void {
    this.#waiting.add(waiting);
    if (this.#ended) setImmediate(() => this.#giveUp(waiting));
    return () => this.#waiting.delete(waiting);
  }

  /** The server stops: what still waits for messages gets so many ms more. */
  endWaiting(afterMs: number): void {
    this.#ending ??= setTimeout(() => {
      this.#ended = true;
      for (const waiting of this.#waiting) this.#giveUp(waiting);
    }, afterMs).unref();
  }

  #pending(): Promise<void>[] {
    const waiting = this.#ending ? [...this.#waiting].map(({ done }) => done) : [];
    return [...this.#running, ...waiting];
  }

  #giveUp(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    this.track(waiting.done);
    waiting.giveUp();
  }

  /**
   * Resolves when nothing is running, at the latest after the deadline (ms); false when it was reached. What waits for messages only
   * counts after {@link endWaiting}.
   */
  async idle(deadlineMs: number): Promise<boolean> {
    const deadline = AbortSignal.timeout(Math.ceil(deadlineMs));
    while (this.#pending().length > 0) {
      const expired = new Promise<true>((resolve) =>
        deadline.addEventListener('abort', () => resolve(true), { once: true }),
      );
      if (deadline.aborted || (await Promise.race([Promise.allSettled(this.#pending()).then(() => false), expired])))
        return false;
    }
    return true;
  }
}

/**
 * Runs one part of a flow; a failure goes to the message's fault stack. Never throws, never rejects.
 */
export function runFlow(message: MessageContext, part: () => unknown): Eventually<void> {
  try {
    const outcome = part();
    if (!(outcome instanceof Promise)) return undefined;
    return outcome.then(nothing, (error: unknown) => handleFault(message, error));
  } catch (error) {
    return handleFault(message, error);
  }
}

function nothing(): void {}
