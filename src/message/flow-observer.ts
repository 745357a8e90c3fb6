import type { Position } from '../grammar/diagnostic.ts';
import type { MessageContext } from './message-context.ts';

declare module './configuration.ts' {
  interface Services {
    /** Counts and follows messages; absent where nobody observes. */
    observer?: FlowObserver;
  }
}

/** A mediator in its place, as traces and log lines name it. */
export interface MessagePlace {
  readonly id: string;
  readonly mediator: string;
  readonly position: Position;
}

/** Where messages come in. */
export type EntryKind = 'proxy' | 'api' | 'inboundEndpoint' | 'sequence';

/** What the parts of the server tell about the messages that pass them. Must not throw, and must be cheap: it is asked per message. */
export interface FlowObserver {
  /**
   * A message comes in. Counts it and may begin to follow it.
   * @returns to be called when its flow has ended; undefined when the message's exchange tells that
   */
  enters(message: MessageContext, kind: EntryKind, name: string): ((failure?: unknown) => void) | undefined;
  /** A message is discarded for good (OP-04). */
  dropped(reason: DropReason): void;
}

/** - `drop`: by the mediator. - `no fault handler`: nobody handled its fault. */
export type DropReason = 'drop' | 'no fault handler';

/**
 * Follows one message, or one copy of it, step by step; the message has it as `trace`. A message that nobody follows has none, which
 * costs one look per list of mediators.
 */
export interface MessageTrace {
  /** A list of mediators is entered: a branch was taken. */
  enters(listId: string): void;
  /** A mediator is about to run. @returns its number, for {@link ends} */
  begins(place: MessagePlace, message: MessageContext): number;
  /** `stopped`: nothing after it runs. */
  ends(step: number, message: MessageContext, outcome: 'on' | 'stopped'): void;
  fails(step: number, message: MessageContext, error: unknown): void;
  /** The message is about to be sent. @returns its number, for {@link sent} */
  sends(endpoint: string | undefined, kind: string, position: Position): number;
  sent(send: number, end: SendEnd): void;
  /** A copy of the message is about to be stored: whoever takes it out may be quicker than the confirmation. */
  storing(id: string): void;
  /** A store has confirmed a copy of the message. */
  stored(store: string, id: string): void;
  /** For a copy of the message, or the answer to it. */
  fork(): MessageTrace;
}

export interface SendEnd {
  readonly status?: number | undefined;
  readonly error?: unknown;
}

/** The OpenTelemetry span that a message belongs to (OP-73). */
export interface FlowSpan {
  /** A request to a back end. */
  sends(endpoint: string | undefined, address: string, method: string): OutgoingSpan;
  /** A put into a store. */
  stores(store: StoreFacts, messageId: string): OutgoingSpan;
}

export interface StoreFacts {
  readonly name: string;
  readonly type: string;
}

/** A span of work that somebody else goes on with. */
export interface OutgoingSpan {
  /** What the other side is told, for the header of this name (W3C Trace Context). */
  readonly traceparent: string;
  end(result: SendEnd): void;
}
