import type { ExchangeEnd } from '../message/exchange.ts';
import type { EntryKind } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { ObservedAttempt } from '../processors/delivery-observer.ts';
import type { Outcome } from '../processors/outcome.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { EventHub } from './events.ts';
import { shownTrace } from './shown-trace.ts';
import type { AttemptSpan, Spans } from './spans.ts';
import type { TraceRecord } from './trace-record.ts';
import { TraceRing } from './trace-ring.ts';
import { type TracedArtifact, TracingModes } from './tracing-modes.ts';

/** What is followed of an attempt that is going on. */
interface FollowedAttempt {
  readonly record: TraceRecord | undefined;
  readonly span: AttemptSpan | undefined;
}

/** Decides which messages are followed, and follows them: into the ring of traces, and out as spans. */
export class Tracing {
  readonly modes = new TracingModes();
  readonly ring = new TraceRing();
  readonly #events: EventHub;
  readonly #spans: Spans | undefined;
  /** Attempts that are going on, by the message that they are about. */
  readonly #attempts = new WeakMap<StoredMessage, FollowedAttempt>();
  /** The trace of each test message, until its flow begins. */
  readonly #wanted = new WeakMap<object, (record: TraceRecord) => void>();
  #wantedEver = false;

  constructor({ events, spans }: { readonly events: EventHub; readonly spans: Spans | undefined }) {
    this.#events = events;
    this.#spans = spans;
  }

  /** Follows whatever flow begins with this exchange, with bodies, and tells its trace. */
  followExchange(exchange: object, begun: (record: TraceRecord) => void): void {
    this.#wantedEver = true;
    this.#wanted.set(exchange, begun);
  }

  /** Follows a message from here on, with bodies. */
  follow(message: MessageContext, artifact: TracedArtifact): TraceRecord {
    return this.ring.begin(message, artifact, true);
  }

  /** @returns to be called at the end of the flow; undefined when it is not followed */
  enters(message: MessageContext, kind: EntryKind, name: string): ((end: ExchangeEnd | undefined) => void) | undefined {
    const record = message.trace === undefined ? this.#begin(message, kind, name) : undefined;
    const ended = message.span === undefined ? this.#spans?.enters(message, kind, name) : undefined;
    if (!record) return ended;
    return (end) => {
      ended?.(end);
      record.end(end?.status, end?.failure);
      this.#tell(record);
    };
  }

  begins(attempt: ObservedAttempt): ((outcome: Outcome | undefined) => void) | undefined {
    const span = this.#spans?.begins(attempt);
    const record = this.#recordOf(attempt);
    if (!span && !record) return undefined;
    this.#attempts.set(attempt.stored, { record, span });
    const startedAt = Date.now();
    const began = performance.now();
    return (outcome) => {
      this.#attempts.delete(attempt.stored);
      span?.end(outcome);
      if (record) this.#attemptEnded(record, attempt, { startedAt, began, outcome });
    };
  }

  restored(stored: StoredMessage, message: MessageContext): void {
    const followed = this.#attempts.get(stored);
    if (!followed) return;
    if (followed.record) this.ring.continue(followed.record, message);
    message.span = followed.span?.span;
  }

  #begin(message: MessageContext, kind: EntryKind, name: string): TraceRecord | undefined {
    const { exchange } = message;
    const begun = this.#wantedEver && exchange ? this.#wanted.get(exchange) : undefined;
    const setting = begun ? { bodies: true } : this.modes.idle ? undefined : this.modes.choose(kind, name);
    if (!setting) return undefined;
    const record = this.ring.begin(message, { kind, name }, setting.bodies);
    if (begun) {
      if (exchange) this.#wanted.delete(exchange);
      begun(record);
    }
    return record;
  }

  /** The trace of the message that was stored, or one that begins here. */
  #recordOf({ stored, processor }: ObservedAttempt): TraceRecord | undefined {
    if (this.ring.size > 0) {
      const known = this.ring.find(stored.id);
      if (known) return known;
    }
    if (this.modes.idle) return undefined;
    const setting = this.modes.choose('messageProcessor', processor);
    if (!setting) return undefined;
    return this.ring.beginStored(stored.id, { kind: 'messageProcessor', name: processor }, setting.bodies);
  }

  #attemptEnded(
    record: TraceRecord,
    { processor, store, number }: ObservedAttempt,
    { startedAt, began, outcome }: { startedAt: number; began: number; outcome: Outcome | undefined },
  ): void {
    // Nothing was attempted.
    if (outcome?.kind === 'not-ready' || outcome?.kind === 'lost' || outcome?.kind === 'aborted') return;
    const failure = outcome?.kind === 'failed' ? outcome.failure : undefined;
    record.addDelivery({
      processor,
      store,
      attempt: number,
      startedAt,
      durationMs: performance.now() - began,
      endpoint: failure?.endpoint ?? lastEndpoint(record),
      status: outcome?.kind === 'delivered' ? outcome.status : failure?.status,
      outcome: outcome?.kind ?? 'error',
      cause: failure?.cause ?? (outcome && 'reason' in outcome ? outcome.reason : undefined),
    });
    if (record.artifact.kind === 'messageProcessor')
      record.outcome = outcome?.kind === 'delivered' || outcome?.kind === 'settled' ? 'ok' : 'fault';
    this.#tell(record);
  }

  #tell(record: TraceRecord): void {
    if (this.#events.wants('trace')) this.#events.publish('trace', shownTrace(record));
  }
}

function lastEndpoint({ steps }: TraceRecord): string | undefined {
  return steps.findLast(({ mediator }) => mediator === 'endpoint')?.name;
}
