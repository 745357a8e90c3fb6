import type { ExchangeEnd } from '../message/exchange.ts';
import type { EntryKind, FlowSpan } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { ObservedAttempt } from '../processors/delivery-observer.ts';
import type { Outcome } from '../processors/outcome.ts';

/** Makes OpenTelemetry spans of flows (OP-73). Must not throw. */
export interface Spans {
  /**
   * A message comes in: continues the trace that it says it belongs to, and gives it its span.
   * @returns to be called at its end; undefined when it is not sampled
   */
  enters(message: MessageContext, kind: EntryKind, name: string): ((end: ExchangeEnd | undefined) => void) | undefined;
  /** A message is delivered out of a store; undefined when it is not sampled. */
  begins(attempt: ObservedAttempt): AttemptSpan | undefined;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

export interface AttemptSpan {
  /** For the message that the attempt works on. */
  readonly span: FlowSpan;
  end(outcome: Outcome | undefined): void;
}
