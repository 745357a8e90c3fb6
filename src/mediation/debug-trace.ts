import { logger } from '../logging/index.ts';
import type { MessagePlace, MessageTrace } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import { aboutMessage, artifactNamed } from './about-message.ts';

const log = logger('MediatorFlow');

/** What {@link runSteps} tells about the mediators of a list. */
export type StepTrace = Pick<MessageTrace, 'enters' | 'begins' | 'ends' | 'fails'>;

/**
 * Who follows a message: its own trace, and at level DEBUG the log, with one line for each mediator and what came of it (MREQ-47). Otherwise
 * it costs one look at the level for each list of mediators, and no object.
 */
export function stepTraceOf(message: MessageContext): StepTrace | undefined {
  if (!log.enabled('debug')) return message.trace;
  // While one artifact is looked at, the messages of all others go on as they were.
  const artifact = artifactNamed(message.text('ARTIFACT_NAME'));
  return log.enabledFor('debug', artifact) ? new DebugTrace(message.trace) : message.trace;
}

/** The lines of one list of mediators; the message's own trace goes on as if there were none. */
class DebugTrace implements StepTrace {
  readonly #inner: MessageTrace | undefined;
  readonly #begun: Array<{ readonly place: MessagePlace; readonly at: number; readonly inner: number }> = [];

  constructor(inner: MessageTrace | undefined) {
    this.#inner = inner;
  }

  enters(listId: string): void {
    this.#inner?.enters(listId);
  }

  begins(place: MessagePlace, message: MessageContext): number {
    const inner = this.#inner?.begins(place, message) ?? 0;
    return this.#begun.push({ place, at: performance.now(), inner }) - 1;
  }

  ends(step: number, message: MessageContext, outcome: 'on' | 'stopped'): void {
    const begun = this.#begun[step];
    if (!begun) return;
    this.#inner?.ends(begun.inner, message, outcome);
    this.#line(begun, message, outcome === 'on' ? 'the message goes on' : 'the flow ends here');
  }

  fails(step: number, message: MessageContext, error: unknown): void {
    const begun = this.#begun[step];
    if (!begun) return;
    this.#inner?.fails(begun.inner, message, error);
    this.#line(begun, message, `it failed: ${error instanceof Error ? error.message : String(error)}`);
  }

  #line({ place, at }: { place: MessagePlace; at: number }, message: MessageContext, result: string): void {
    const { mediator, id, position } = place;
    const ms = performance.now() - at;
    // Of the mediator, not of the one that ran last: that may be inside of it.
    const details = { ...aboutMessage(message), file: position.file, line: position.line };
    log.debug(`<${mediator}> ${id}: ${result} (${ms.toFixed(3)} ms)`, details);
  }
}
