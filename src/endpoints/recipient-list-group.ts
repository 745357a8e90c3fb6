import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { causeChain, runFaultStack } from '../mediation/fault.ts';
import type { Split } from '../message/caller.ts';
import { ERROR_CODES, type MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { readyByContent } from './content-readiness.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';
import {
  type ChildOutcome,
  ChildrenReadiness,
  type GroupFrame,
  groupError,
  groupStatus,
  optionsInside,
  pushGroupErrorSequence,
  sendToChild,
  setGroupProperties,
} from './group.ts';
import type { Recipients } from './recipients.ts';
import { labelOf, nameOf } from './shown-name.ts';

const log = logger('RecipientListEndpoint');
const TITLE = 'RecipientList';

export interface RecipientListDefinition extends GroupFrame {
  readonly recipients: Recipients;
}

/**
 * A group that sends a copy of the message to every child at once (spec proxies 5.7). What becomes of the copies (REQ-18):
 *
 * - The first answer is the answer of the group; later ones go to `onFurtherAnswer`, in the order in which they come. A blocking or
 *   one-way send waits until all copies have come to their end, so that nothing is lost that its sender takes for settled.
 * - A recipient that fails is reported by itself, and its own `onError` sequence runs with its copy. The group fails, with 303000,
 *   when no recipient answered.
 */
export class RecipientListGroup implements Endpoint {
  readonly kind = 'recipientlist';
  readonly #definition: RecipientListDefinition;
  readonly #readiness = new ChildrenReadiness();

  constructor(definition: RecipientListDefinition) {
    this.#definition = definition;
  }

  get name(): string | undefined {
    return this.#definition.name;
  }

  get position(): Position {
    return this.#definition.position;
  }

  get members(): readonly Endpoint[] {
    return this.#definition.recipients.known;
  }

  /** The earliest time at which a recipient may be tried; at once when there are none, so that the send says so. */
  readyAt(message: MessageContext): number {
    return readyByContent(message, () => {
      const recipients = this.#definition.recipients.of(message);
      return recipients.length === 0 ? 0 : this.#readiness.earliest(recipients, message);
    });
  }

  describe(): EndpointStatus {
    return groupStatus(this.#definition.recipients.known);
  }

  /** @throws MediationError 303000 when there are no recipients, or none of them answered */
  async send(message: MessageContext, options: SendOptions = {}): Promise<MessageContext> {
    // Only one of the answers goes to the client; the others would wait for it.
    const inside = { ...optionsInside(this, TITLE, message, options), passesAnswer: false };
    const height = message.faultStack.length;
    setGroupProperties(message, this.#definition.properties);
    const recipients = this.#definition.recipients.of(message);
    try {
      if (recipients.length === 0)
        throw groupError(`${TITLE} endpoint : ${nameOf(this, message)} - no child endpoints`);
      return await this.#sendToAll(recipients, message, inside);
    } catch (error) {
      pushGroupErrorSequence(message, this.#definition, height);
      throw error;
    }
  }

  #sendToAll(recipients: readonly Endpoint[], message: MessageContext, options: SendOptions): Promise<MessageContext> {
    const split: Split = { id: undefined, outer: message.split, finishedBy: new Set() };
    const copies = recipients.map((_, index) => recipientCopy(message, split, index, recipients.length));
    const outcomes = recipients.map((child, index) => this.#sendCopy(child, copies[index] ?? message, options));
    if (options.blocking || options.outOnly) return this.#whenAllEnded(outcomes, message, options);
    return this.#firstAnswer(outcomes, message, options);
  }

  async #sendCopy(child: Endpoint, copy: MessageContext, options: SendOptions): Promise<ChildOutcome> {
    const outcome = await sendToChild(child, copy, options);
    if (outcome.kind === 'answered') return outcome;
    const { code, message: reason, skipsFaultHandlers } = outcome.error;
    log.warn(`${labelOf(this, copy)} Detect a Failure in a child endpoint : ${labelOf(child, copy)}`, {
      ...aboutMessage(copy),
      errorCode: code,
      cause: reason,
    });
    if (copy.faultStack.length > 0 && !skipsFaultHandlers) await runFaultStack(copy, outcome.error);
    return outcome;
  }

  async #whenAllEnded(
    sends: readonly Promise<ChildOutcome>[],
    message: MessageContext,
    options: SendOptions,
  ): Promise<MessageContext> {
    const outcomes = await Promise.all(sends);
    const [first, ...further] = outcomes.filter((outcome) => outcome.kind === 'answered');
    if (!first) return this.#nobodyAnswered(outcomes, message);
    for (const { answer } of further) await options.onFurtherAnswer?.(answer);
    return first.answer;
  }

  #firstAnswer(
    sends: readonly Promise<ChildOutcome>[],
    message: MessageContext,
    options: SendOptions,
  ): Promise<MessageContext> {
    const { exchange, configuration } = message;
    return new Promise((resolve, reject) => {
      let answered = false;
      const received = async (outcome: ChildOutcome): Promise<ChildOutcome> => {
        if (outcome.kind !== 'answered') return outcome;
        if (answered) await options.onFurtherAnswer?.(outcome.answer);
        else {
          answered = true;
          resolve(outcome.answer);
        }
        return outcome;
      };
      const all = Promise.all(sends.map((send) => send.then(received))).then((outcomes) => {
        if (!answered) resolve(this.#nobodyAnswered(outcomes, message));
      });
      const tracked = all.catch((error: unknown) => {
        if (answered) {
          log.error(`A further answer could not be handled: ${causeChain(error)}`, aboutMessage(message));
        } else reject(error);
      });
      if (exchange) exchange.track(tracked);
      else configuration.services.flows.track(tracked);
    });
  }

  /** An answer that the sender does not like says more than that there is none. */
  #nobodyAnswered(outcomes: readonly ChildOutcome[], message: MessageContext): MessageContext {
    const failing = outcomes.find((outcome) => outcome.kind === 'failing-answer');
    if (failing) return failing.answer;
    const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
    const last = errors.at(-1);
    const text = `${TITLE} endpoint : ${nameOf(this, message)} - no ready child endpoints`;
    log.warn(text, aboutMessage(message));
    if (last && errors.every(({ skipsFaultHandlers }) => skipsFaultHandlers)) throw last;
    throw unreadable(errors, message) ?? groupError(text, last);
  }
}

/**
 * The message for one recipient. The fault stack stays behind: what becomes of the message as a whole is decided here. An aggregate
 * can join the answers as it joins those of a clone, by `messageSequence` and `aggregateCorelation` (spec proxies 5.7, samples 62 and 63).
 * @param index from 0
 */
function recipientCopy(message: MessageContext, split: Split, index: number, count: number): MessageContext {
  const copy = message.copy();
  copy.faultStack.length = 0;
  copy.split = split;
  for (const name of ['messageSequence', 'MESSAGE_SEQUENCE']) copy.properties.set(name, `${index}/${count}`);
  return copy;
}

/** The message itself is at fault, not its recipients. As after any such failure, the fault flow meets an empty payload. */
function unreadable(errors: readonly MediationError[], { payload }: MessageContext): MediationError | undefined {
  if (!errors.every(({ code }) => code === ERROR_CODES.payloadParseFailed)) return undefined;
  payload.clear();
  return errors[0];
}
