import type { MessageContext } from './message-context.ts';

/**
 * The waiting client of a message: one request that must get exactly one answer (spec proxies 1.8, REQ-1 to REQ-3). The transport
 * implements it; mediators only use these few words.
 */
export interface Exchange {
  /** True once an answer was handed to the transport. */
  readonly answered: boolean;
  /** RESPONSE_WRITTEN=SKIP: the flow took over the answer, so the listener does not acknowledge by itself. */
  take(): void;
  /**
   * Answers the client with this message. A second answer is dropped with a WARN and counted (REQ-24).
   */
  respond(message: MessageContext): void;
  /**
   * True when an answer whose body still comes can be given to the client just as it comes; otherwise, and where this is absent, the
   * whole of it has to be held before {@link respond}.
   */
  passes?(answer: MessageContext): boolean;
  /**
   * Registers work that may still answer (an outstanding send). When the in-flow and all such work have ended without an answer,
   * the client gets 202, or 5xx when the flow failed (REQ-2). The promise must not reject.
   * @param kind `group` for what ends only when other messages come, such as the group of an aggregate; default `work`
   */
  track(work: Promise<void>, kind?: 'work' | 'group'): void;
  /**
   * Answers 202 (or as NIO-ACK-Requested says) now, for a flow that goes on without its client: it waits for something, and
   * FORCE_SC_ACCEPTED promised an answer at once. Absent where the in-flow has ended already.
   */
  acknowledge?(message: MessageContext): void;
  /** Calls back once when the client has its answer, or is gone; at once if that is so already. Absent where there is no client. */
  onEnd?(listener: (end?: ExchangeEnd) => void): void;
  /** The flow ended in its fault path because of this; decides the answer if nobody gives one (REQ-2). */
  failed(reason: FlowFailure): void;
}

/** What became of a waiting client. */
export interface ExchangeEnd {
  /** The HTTP status of its answer; undefined when it is gone, and where there are no statuses. */
  readonly status: number | undefined;
  /** Why its flow failed, if it did; the client may have been answered all the same. */
  readonly failure: FlowFailure | undefined;
}

/** Why a flow failed, as far as the client may know. */
export interface FlowFailure {
  readonly code: number | undefined;
  readonly message: string;
  /** The HTTP status that fits, 500 if nothing better is known. */
  readonly status?: number;
}
