import { logger } from '../logging/index.ts';
import type { MessageContext } from '../message/message-context.ts';
import { handleFault } from './fault.ts';

declare module '../message/configuration.ts' {
  interface Services {
    flows: FlowTracker;
  }
}

const log = logger('Flow');

/** Work that goes on without a waiting client; the server lets it end before it stops (OP-110). */
export class FlowTracker {
  readonly #running = new Set<Promise<void>>();

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

  /** Resolves when nothing is running, at the latest after the deadline (ms); false when it was reached. */
  async idle(deadlineMs: number): Promise<boolean> {
    const deadline = AbortSignal.timeout(Math.ceil(deadlineMs));
    while (this.#running.size > 0) {
      const expired = new Promise<true>((resolve) =>
        deadline.addEventListener('abort', () => resolve(true), { once: true }),
      );
      if (deadline.aborted || (await Promise.race([Promise.allSettled(this.#running).then(() => false), expired])))
        return false;
    }
    return true;
  }
}

/**
 * Runs one part of a flow; a failure goes to the message's fault stack. Never rejects.
 */
export async function runFlow(message: MessageContext, part: () => unknown): Promise<void> {
  try {
    await part();
  } catch (error) {
    await handleFault(message, error);
  }
}
