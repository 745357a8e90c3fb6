import type { Logger } from '../logging/index.ts';

/** Tells of the connection to a broker in the log. That there is none is an error once, and not with every attempt. */
export class ConnectionLog {
  readonly #label: string;
  readonly #log: Logger;
  #failed = false;

  /** `label` as of the entry: `Inbound endpoint [orders]`. */
  constructor(label: string, log: Logger) {
    this.#label = label;
    this.#log = log;
  }

  /** `generation` counts connections from 1. */
  connected(where: string, generation: number): void {
    this.#failed = false;
    this.#log.info(`${this.#label} is connected${generation > 1 ? ' again' : ''} to ${where}`);
  }

  failed(reason: string, phase: 'connecting' | 'connected'): void {
    if (phase === 'connected') {
      this.#log.warn(`${this.#label} has lost its connection and reconnects by itself: ${reason}`);
    } else if (this.#failed) this.#log.debug(`${this.#label} cannot connect to its broker: ${reason}`);
    else this.#log.error(`${this.#label} cannot connect to its broker and tries again until it can: ${reason}`);
    this.#failed = true;
  }
}
