import type { InboundTransport } from './component.ts';

/** All that takes messages in beside the server's own listeners: so that it can be told to end before the flows are waited for. */
export class RunningTransports {
  readonly #running = new Set<InboundTransport>();
  #ended = false;

  async start(transport: InboundTransport): Promise<void> {
    if (this.#ended) return;
    this.#running.add(transport);
    await transport.start();
  }

  async stop(transport: InboundTransport, deadlineMs: number): Promise<void> {
    this.#running.delete(transport);
    await transport.stop(deadlineMs);
  }

  /** Nothing comes in any more, and nothing is started. */
  async end(deadlineMs: number): Promise<void> {
    this.#ended = true;
    const running = [...this.#running];
    this.#running.clear();
    await Promise.all(running.map((transport) => transport.stop(deadlineMs)));
  }
}
