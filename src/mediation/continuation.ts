import type { Caller } from '../message/caller.ts';
import type { MessageContext } from '../message/message-context.ts';
import { runSteps, type StepList } from './step.ts';

/*
 * How a flow goes on somewhere else (spec mediators 2.6).
 *
 * Flows are direct: a step returns whether the next one runs, and a step that waits returns a promise of it. What comes after a step
 * is therefore on JavaScript's own stack, and costs nothing. That stack can be continued once, by the message that is on it. Some
 * messages need to go on where they never were:
 *
 *   - the result of an aggregate whose time is up: every message that it was made of has long returned false;
 *   - a part of a message that waited for the answer of a `call` inside iterate or clone: it goes on after the mediator that split
 *     it off, as in the reference, where people put the aggregate (`<iterate>…<call/>…</iterate><aggregate/>`);
 *   - the result of such an aggregate inside a branch of foreach or scatter-gather, which is then that branch's result.
 *
 * For them, where to go on is written down, in two halves:
 *
 *   Rest     in the compiled configuration: the rest of the list that a step stands in, and of the lists around that list, up to the
 *            end of the sequence. Made once, when the artifact is compiled.
 *   Caller   on the message: one entry per sequence entered and not left, the innermost last; what comes after it. Entries are shared
 *            constants, so that entering a sequence is a push and leaving it a pop. A copy of the message has a copy of the entries:
 *            it can go on from there any number of times.
 *
 *     goOn(message, rest):  rest of the list ──true──▶ rest of the list around ─ … ─▶ end of the sequence ──pop──▶ its caller's goOn
 *                                  └──false──▶ stops                                                   └─none──▶ the flow has ended
 *
 * A fault clears the callers: what a fault handler does is a flow of its own.
 */

/** What comes after a step, to the end of the sequence that it is written in. */
export interface Rest {
  readonly list: StepList;
  /** Index of the first step. */
  readonly from: number;
  /** What comes after the mediator that the list is a branch of; undefined at the end of the sequence. */
  readonly outer: Rest | undefined;
}

/** The end of a flow: nobody waits for the sequence to end. */
export const FLOW_END: Caller = { goOn: undefined };

/** For a mediator that runs a sequence: what comes after it goes on after that mediator. */
export function callerOf(rest: Rest): Caller {
  return { goOn: (message) => goOn(message, rest) };
}

/**
 * For a mediator that runs parts of the message: a part goes on after it only when it waited for an answer on the way, because the
 * reference then resumes it from its continuation stack (spec mediators 2.6).
 */
export function splitterOf(rest: Rest): Caller {
  return { goOn: async (message) => (message.resumed ? goOn(message, rest) : true) };
}

/**
 * Runs what is left of a flow for a message that did not come there by itself.
 * @throws MediationError for the fault stack of the message
 */
export async function goOn(message: MessageContext, rest: Rest): Promise<boolean> {
  for (let place: Rest | undefined = rest; place; place = place.outer) {
    if (!(await runSteps(place.list, message, place.from))) return false;
  }
  message.sequenceDepth = Math.max(0, message.sequenceDepth - 1);
  const caller = message.callers.pop();
  return caller?.goOn ? caller.goOn(message) : true;
}
