import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Position } from '../grammar/diagnostic.ts';
import type { Reference } from '../grammar/reader.ts';
import type { MessagePlace } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import { type StepTrace, stepTraceOf } from './debug-trace.ts';

/**
 * One compiled mediator in its place: the unit that runs, is counted, traced and drawn. Steps are shared by all messages and keep
 * no state of any one of them (spec mediators 2.8).
 */
export interface Step extends MessagePlace {
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
  /** It leaves the message's body alone; see `body-passing.ts`. */
  readonly leavesBody?: LeavesBody | undefined;
  /** What people call it: its name, a property's name, …; for pictures. */
  readonly label: string | undefined;
  /** The artifacts that it names itself, not those that mediators inside name. */
  readonly references: readonly Reference[];
  /** The endpoints that are written inside it. */
  readonly endpoints: readonly Endpoint[];
  readonly counts: StepCounts;
}

/**
 * When a mediator leaves the body alone. `after a failure`: also a body of which only the beginning is left is good enough, as for a log of
 * what went wrong; else it reads all of it.
 */
export type LeavesBody = 'always' | 'after a failure';

/** Messages since the configuration with the mediator was deployed. */
export interface StepCounts {
  entered: number;
  /** It ended the list: `drop`, `send`, `respond`. */
  stopped: number;
  faults: number;
}

/** A list of mediators, run in order. */
export interface StepList {
  readonly id: string;
  readonly steps: readonly Step[];
  readonly counts: ListCounts;
}

export interface ListCounts {
  entered: number;
  /** Messages that came to its end. */
  completed: number;
}

/** Errors that were counted where they were thrown: the lists around do not count them again. */
const counted = new WeakSet<object>();

/**
 * Runs a list in order (spec mediators 2.3). Stays synchronous as long as its mediators are, so that a message through plain
 * mediators costs no promise.
 */
export function runSteps(list: StepList, message: MessageContext, from = 0): boolean | Promise<boolean> {
  if (from === 0) list.counts.entered += 1;
  const trace = stepTraceOf(message);
  if (trace !== undefined) return runTraced(list, message, from, trace);
  const { steps } = list;
  let step: Step | undefined;
  try {
    for (let index = from; index < steps.length; index += 1) {
      step = steps[index] as Step;
      step.counts.entered += 1;
      message.at = step;
      const outcome = step.mediate(message);
      if (outcome === false) {
        step.counts.stopped += 1;
        return false;
      }
      if (outcome !== true) return continueAfter(outcome, list, message, index);
    }
  } catch (error) {
    countFault(step, error);
    throw error;
  }
  list.counts.completed += 1;
  return true;
}

async function continueAfter(
  pending: Promise<boolean>,
  list: StepList,
  message: MessageContext,
  index: number,
): Promise<boolean> {
  const step = list.steps[index] as Step;
  let goesOn: boolean;
  try {
    goesOn = await pending;
  } catch (error) {
    countFault(step, error);
    throw error;
  }
  if (goesOn) return runSteps(list, message, index + 1);
  step.counts.stopped += 1;
  return false;
}

/** The same for a message that is followed, by its trace or by the log. A trace that was begun or given up meanwhile takes effect with the next list. */
function runTraced(
  list: StepList,
  message: MessageContext,
  from: number,
  trace: StepTrace,
): boolean | Promise<boolean> {
  if (from === 0) trace.enters(list.id);
  const { steps } = list;
  for (let index = from; index < steps.length; index += 1) {
    const step = steps[index] as Step;
    step.counts.entered += 1;
    message.at = step;
    const number = trace.begins(step, message);
    let outcome: boolean | Promise<boolean>;
    try {
      outcome = step.mediate(message);
    } catch (error) {
      throw tracedFault(step, number, message, trace, error);
    }
    if (typeof outcome !== 'boolean') return continueTraced(outcome, list, message, { index, number, trace });
    trace.ends(number, message, outcome ? 'on' : 'stopped');
    if (!outcome) {
      step.counts.stopped += 1;
      return false;
    }
  }
  list.counts.completed += 1;
  return true;
}

async function continueTraced(
  pending: Promise<boolean>,
  list: StepList,
  message: MessageContext,
  { index, number, trace }: { index: number; number: number; trace: StepTrace },
): Promise<boolean> {
  const step = list.steps[index] as Step;
  let goesOn: boolean;
  try {
    goesOn = await pending;
  } catch (error) {
    throw tracedFault(step, number, message, trace, error);
  }
  trace.ends(number, message, goesOn ? 'on' : 'stopped');
  if (goesOn) return runTraced(list, message, index + 1, trace);
  step.counts.stopped += 1;
  return false;
}

function tracedFault(step: Step, number: number, message: MessageContext, trace: StepTrace, error: unknown): unknown {
  countFault(step, error);
  trace.fails(number, message, error);
  return error;
}

function countFault(step: Step | undefined, error: unknown): void {
  if (!step || typeof error !== 'object' || error === null || counted.has(error)) return;
  counted.add(error);
  step.counts.faults += 1;
}
