import type { Position } from '../grammar/diagnostic.ts';
import type { MessageContext } from '../message/message-context.ts';

/**
 * One compiled mediator in its place: the unit that runs, is counted, traced and drawn. Steps are shared by all messages and keep
 * no state of any one of them (spec mediators 2.8).
 */
export interface Step {
  /** Stable place in the configuration, for example `proxy/StockQuoteProxy/in/2`. */
  readonly id: string;
  /** The mediator's element name. */
  readonly mediator: string;
  readonly position: Position;
  /**
   * Runs the mediator. False (or a promise of it) stops this list and every list above it; nothing after it runs.
   * @throws MediationError to run the fault stack
   */
  mediate(message: MessageContext): boolean | Promise<boolean>;
  /** The lists inside, in document order, for counting, tracing and drawing. */
  readonly branches: readonly StepList[];
}

/** A list of mediators, run in order. */
export interface StepList {
  readonly id: string;
  readonly steps: readonly Step[];
}

/**
 * Runs a list in order (spec mediators 2.3). Stays synchronous as long as its mediators are, so that a message through plain
 * mediators costs no promise.
 */
export function runSteps(list: StepList, message: MessageContext, from = 0): boolean | Promise<boolean> {
  const { steps } = list;
  for (let index = from; index < steps.length; index += 1) {
    const outcome = (steps[index] as Step).mediate(message);
    if (outcome === false) return false;
    if (outcome !== true) return continueAfter(outcome, list, message, index + 1);
  }
  return true;
}

async function continueAfter(
  pending: Promise<boolean>,
  list: StepList,
  message: MessageContext,
  next: number,
): Promise<boolean> {
  return (await pending) ? runSteps(list, message, next) : false;
}
