import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { ERROR_CODES } from '../message/errors.ts';
import type { Exchange, ExchangeEnd, FlowFailure } from '../message/exchange.ts';
import type { FaultHandler, MessageContext } from '../message/message-context.ts';
import { isFlagSet } from '../message/property-value.ts';
import type { MessageEntry } from './entry.ts';

const log = logger('InboundEndpoint');

/** How the flow of a message ended: it may be removed from where it came from, or must be given back. */
export type FlowEnd = { readonly taken: true } | FlowFailed;

export interface FlowFailed {
  readonly taken: false;
  readonly reason: string;
  /** What log lines say of the message (OP-70). */
  readonly about?: LogDetails;
}

/** Sends a message to whoever the request says is waiting for an answer. */
export type Reply = (message: MessageContext) => Promise<void>;

/** Responses of one message that are looked at when it ends. */
const MAX_CONTEXTS = 1_000;
const TAKEN: FlowEnd = { taken: true };

/**
 * Runs a message through its entry and resolves when everything that it started has ended: the in-flow, outstanding sends, their
 * response flows, and the reply. Never rejects.
 *
 * | what happened                                                      | the message is |
 * |--------------------------------------------------------------------|----------------|
 * | the flow ended, or a fault sequence handled its fault              | taken          |
 * | SET_ROLLBACK_ONLY is set on the message or on a response            | given back     |
 * | a fault that no sequence handled, a send that expired in silence   | given back     |
 * | the reply could not be sent                                        | given back     |
 *
 * What waits for other messages, such as the group of an aggregate, is not waited for: those messages may come only after this one.
 */
export async function runToItsEnd(entry: MessageEntry, message: MessageContext, reply?: Reply): Promise<FlowEnd> {
  const exchange = new InboundExchange(message, reply);
  message.exchange = exchange;
  try {
    await entry.enter(message, (context) => exchange.begin(context));
    await exchange.quiet();
    exchange.ended();
  } catch (error) {
    exchange.ended();
    return notTaken(message, error instanceof Error ? error.message : String(error));
  }
  return exchange.outcome();
}

/** The exchange of a message whose sender does not wait on a connection. */
class InboundExchange implements Exchange {
  /** At the bottom of every fault stack: reached by faults that nothing above has handled. */
  readonly #lastResort: FaultHandler;
  readonly #request: MessageContext;
  /** The request and the responses to its sends. */
  readonly #contexts: MessageContext[] = [];
  readonly #reply: Reply | undefined;
  readonly #pending = new Set<Promise<void>>();
  #replied: MessageContext | undefined;
  #unhandled: string | undefined;
  #failure: FlowFailure | undefined;
  readonly #endListeners: Array<(end?: ExchangeEnd) => void> = [];

  constructor(request: MessageContext, reply: Reply | undefined) {
    this.#request = request;
    this.#reply = reply;
    this.#lastResort = {
      description: 'the transport that the message came in by',
      handleFault: async (message) => {
        this.#notTaken(message.text('ERROR_MESSAGE') ?? 'the flow failed');
      },
    };
  }

  begin(context: MessageContext): void {
    context.faultStack.push(this.#lastResort);
    if (this.#contexts.length < MAX_CONTEXTS) this.#contexts.push(context);
  }

  get answered(): boolean {
    return this.#replied !== undefined;
  }

  take(): void {
    // Nobody is acknowledged before the end of the flow anyway.
  }

  respond(message: MessageContext): void {
    if (this.#replied) {
      log.warn('Trying to send a response to an already responded client request', aboutMessage(message));
      return;
    }
    this.#replied = message;
    if (this.#reply) this.track(this.#reply(message));
    else log.debug('An answer is dropped: nobody waits for it', aboutMessage(message));
  }

  track(work: Promise<void>, kind: 'work' | 'group' = 'work'): void {
    const ended = work.catch((error: unknown) =>
      this.#notTaken(error instanceof Error ? error.message : String(error)),
    );
    if (kind === 'group') return;
    this.#pending.add(ended);
    void ended.finally(() => this.#pending.delete(ended));
  }

  onEnd(listener: (end?: ExchangeEnd) => void): void {
    this.#endListeners.push(listener);
  }

  /** Nothing is outstanding any more, or nobody waits for it. */
  ended(): void {
    const end = { status: undefined, failure: this.#failure };
    for (const listener of this.#endListeners.splice(0)) listener(end);
  }

  failed(failure: FlowFailure): void {
    this.#failure ??= failure;
    const { code, message, status } = failure;
    // A send that expired without a timeout action runs no fault sequence: nobody has dealt with it.
    const silent = status === 504 && code === ERROR_CODES.sendTimeout && !this.#request.properties.has('ERROR_CODE');
    if (silent) this.#notTaken(message);
  }

  /** Resolves when nothing is outstanding. */
  async quiet(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  outcome(): FlowEnd {
    if (this.#unhandled !== undefined) return notTaken(this.#request, this.#unhandled);
    if (this.#contexts.some(wantsRollback) || (this.#replied && wantsRollback(this.#replied)))
      return notTaken(this.#request, 'SET_ROLLBACK_ONLY is set');
    return TAKEN;
  }

  #notTaken(reason: string): void {
    this.#unhandled ??= reason;
  }
}

function notTaken(message: MessageContext, reason: string): FlowFailed {
  return { taken: false, reason, about: { ...aboutMessage(message), cause: reason } };
}

/** In either scope: artifacts set it in axis2 scope and in the default scope (spec proxies 3.3). */
function wantsRollback({ axis2, properties }: MessageContext): boolean {
  return isFlagSet(axis2.get('SET_ROLLBACK_ONLY')) || isFlagSet(properties.get('SET_ROLLBACK_ONLY'));
}
