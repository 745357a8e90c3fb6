import type { InboundTransport } from './component.ts';
import type { QueueReceiver } from './queue-receiver.ts';

export interface QueueListenerOptions {
  /** What it replaces. */
  readonly previous: InboundTransport | undefined;
  /** How long that may take to end, ms. */
  readonly handOverMs: number;
  readonly receiver: QueueReceiver;
  /** The connections to the broker. */
  readonly link: { start(): void; close(): Promise<unknown> };
  /** Says in the log what it is about to do. */
  announce(): void;
}

/** Listens to one queue of a broker. */
export class QueueListener implements InboundTransport {
  readonly #options: QueueListenerOptions;
  #previous: InboundTransport | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: QueueListenerOptions) {
    this.#options = options;
    this.#previous = options.previous;
  }

  async start(): Promise<void> {
    const previous = this.#previous;
    this.#previous = undefined;
    const { handOverMs, receiver, link, announce } = this.#options;
    // One after the other, or two versions would take messages at once.
    await previous?.stop(handOverMs);
    if (this.#stopped) return;
    announce();
    link.start();
    receiver.start();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    await this.#options.receiver.stop(deadlineMs);
    await this.#options.link.close();
  }
}
