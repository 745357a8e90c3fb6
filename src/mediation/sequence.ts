import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import type { Caller } from '../message/caller.ts';
import { MediationError } from '../message/errors.ts';
import type { FaultHandler, MessageContext } from '../message/message-context.ts';
import { aboutMessage } from './about-message.ts';
import { FLOW_END } from './continuation.ts';
import { runSteps, type StepList } from './step.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    sequence: Sequence;
  }
}

const log = logger('SequenceMediator');
/** Sequences inside sequences; a deeper nesting is a loop (REQ-25, MREQ-48). */
const MAX_DEPTH = 500;

/**
 * A named list of mediators, or the anonymous one inside a proxy target or another mediator (spec proxies 4.3).
 */
export class Sequence {
  /** Undefined for an inline sequence. */
  readonly name: string | undefined;
  readonly onError: string | undefined;
  readonly list: StepList;
  readonly position: Position;

  constructor(options: { name?: string; onError?: string; list: StepList; position: Position }) {
    this.name = options.name;
    this.onError = options.onError;
    this.list = options.list;
    this.position = options.position;
  }

  /**
   * Runs the mediators. With `onError`, a fault inside runs that sequence; its handler leaves the stack again when the list ran to
   * its end, and stays for a `send` that is still out.
   * @param caller where messages go on that come to the end of the sequence later, by themselves
   */
  mediate(message: MessageContext, caller: Caller = FLOW_END): boolean | Promise<boolean> {
    if (message.sequenceDepth >= MAX_DEPTH) {
      throw new MediationError(`Sequences are nested more than ${MAX_DEPTH} deep: ${this.#described} calls itself`);
    }
    const height = message.faultStack.length;
    this.#pushErrorHandler(message);
    message.sequenceDepth += 1;
    message.callers.push(this.onError === undefined ? caller : withoutHandlers(caller, height));
    const outcome = runSteps(this.list, message);
    return typeof outcome === 'boolean'
      ? left(message, height, outcome)
      : outcome.then((end) => left(message, height, end));
  }

  get #described(): string {
    const { file, line } = this.position;
    return this.name === undefined ? `the sequence in ${file}:${line}` : `sequence '${this.name}'`;
  }

  #pushErrorHandler(message: MessageContext): void {
    if (this.onError === undefined) return;
    const handler = message.configuration.find('sequence', this.onError);
    if (handler) message.faultStack.push(sequenceFaultHandler(handler, `onError sequence '${this.onError}'`));
    else
      log.warn(`onError handler : ${this.onError} for sequence : ${this.name} cannot be found`, aboutMessage(message));
  }
}

/** As leaving the sequence in the usual way, the fault handlers inside are left behind. */
function withoutHandlers(caller: Caller, height: number): Caller {
  const { goOn } = caller;
  if (!goOn) return caller;
  return {
    goOn(message) {
      if (message.faultStack.length > height) message.faultStack.length = height;
      return goOn(message);
    },
  };
}

function left(message: MessageContext, height: number, outcome: boolean): boolean {
  message.sequenceDepth -= 1;
  message.callers.pop();
  if (outcome && message.faultStack.length > height) message.faultStack.length = height;
  return outcome;
}

/** A fault handler that runs a sequence with the faulty message. */
export function sequenceFaultHandler(sequence: Sequence, description: string): FaultHandler {
  return {
    description,
    async handleFault(message) {
      log.debug(`Executing fault sequence mediator : ${sequence.name ?? 'anonymous'}`, aboutMessage(message));
      message.sequenceDepth = 0;
      message.callers.length = 0;
      await sequence.mediate(message);
    },
  };
}
