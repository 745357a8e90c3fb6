import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import type { Exchange, FlowFailure } from '../../message/exchange.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { WebSocketClient } from './client.ts';

const log = logger('InboundWebSocket');

/**
 * The client of a message that came in a frame. It waits for nothing, and may be sent any number of frames; a message without a body is
 * none.
 */
export class WebSocketExchange implements Exchange {
  readonly client: WebSocketClient;
  readonly answered = false;
  readonly #pending = new Set<Promise<void>>();
  readonly #message: MessageContext;

  /** `message`: the one that the frame became, for what is said about it. */
  constructor(client: WebSocketClient, message: MessageContext) {
    this.client = client;
    this.#message = message;
  }

  take(): void {
    // Nobody is owed an answer.
  }

  respond(message: MessageContext): void {
    this.client.deliver(message);
  }

  track(work: Promise<void>, kind: 'work' | 'group' = 'work'): void {
    const ended = work.catch((error: unknown) =>
      log.error(`${this.client.label}: ${String(error)}`, aboutMessage(this.#message)),
    );
    if (kind === 'group') return;
    this.#pending.add(ended);
    void ended.finally(() => this.#pending.delete(ended));
  }

  failed({ message }: FlowFailure): void {
    log.warn(`${this.client.label}: the flow of a frame failed: ${message}`, {
      ...aboutMessage(this.#message),
      cause: message,
    });
  }

  /** Resolves when nothing is outstanding. */
  async quiet(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}
