import { asMediationError } from '../mediation/fault.ts';
import { FlowTracker, runFlow } from '../mediation/flow.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { Configuration } from '../message/configuration.ts';
import { MediationError } from '../message/errors.ts';
import type { Exchange } from '../message/exchange.ts';
import { type FaultHandler, MessageContext, type ResponseReceiver } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { restoreMessage } from '../stores/capture.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import './delivery-observer.ts';

/** Endpoints end their sends by themselves; this bounds a flow whose sends start new ones for ever, ms. */
const FLOW_DEADLINE_MS = 10 * 60 * 1000;

/**
 * The surroundings of one delivery attempt. There is no client, so answers are dropped; but the attempt has only ended when all
 * that its sequences started has ended (OP-01): sends that wait for an answer, one-way sends, and the sequences that take answers.
 * What fails there without a handler of its own fails the attempt.
 */
export class DeliveryFlow extends FlowTracker implements Exchange, FaultHandler, ResponseReceiver {
  readonly answered = false;
  readonly description = 'the message processor';
  #failure: MediationError | undefined;

  /**
   * Makes the stored message a message again, with this flow around it (REQ-17, REQ-18).
   * @throws when it cannot be decoded
   */
  restore(stored: StoredMessage, configuration: Configuration): MessageContext {
    const message = restoreMessage(stored, this.#tracked(configuration));
    message.exchange = this;
    message.responseReceiver = this;
    configuration.services.deliveries?.restored(stored, message);
    return message;
  }

  /** An empty message with this flow around it, for a sequence that runs beside the deliveries. */
  empty(configuration: Configuration): MessageContext {
    const message = new MessageContext(this.#tracked(configuration), Payload.empty());
    message.exchange = this;
    message.responseReceiver = this;
    return message;
  }

  /**
   * Runs a sequence to the end of all that it started. Whether it stopped early, for example by `drop`, makes no difference (REQ-21).
   * @throws MediationError when it failed; its `onError` is left to the caller
   */
  async run(sequence: Sequence, message: MessageContext): Promise<void> {
    this.#begin(message);
    await sequence.mediate(message);
    await this.#end();
  }

  /**
   * The same for a flow that handles its own faults: the message's fault handlers are asked first, and only what none of them took
   * is thrown.
   * @throws MediationError
   */
  async runHandled(sequence: Sequence, message: MessageContext): Promise<void> {
    this.#begin(message);
    await runFlow(message, () => sequence.mediate(message));
    await this.#end();
  }

  /** There is no client to keep waiting. */
  take(): void {}

  /** There is no client to answer: dropped. */
  respond(): void {}

  /** Called also for faults that a handler took; {@link handleFault} hears of the others. */
  failed(): void {}

  /** The last handler of every fault stack of this flow. */
  async handleFault(message: MessageContext): Promise<void> {
    const code = message.properties.get('ERROR_CODE');
    const text = message.text('ERROR_MESSAGE') ?? 'the flow failed';
    this.#failure ??= new MediationError(text, { ...(code !== undefined && { code: Number(String(code)) }) });
  }

  /** The answer of a send goes to the sequence that the send named, else nowhere. */
  async injectResponse(response: MessageContext): Promise<void> {
    const receiving = response.text('RECEIVING_SEQUENCE');
    const sequence = receiving === undefined ? undefined : response.configuration.find('sequence', receiving);
    if (!sequence) return;
    response.properties.delete('RECEIVING_SEQUENCE');
    this.#adopt(response);
    await sequence.mediate(response);
  }

  #begin(message: MessageContext): void {
    this.#failure = undefined;
    this.#adopt(message);
  }

  #adopt(message: MessageContext): void {
    message.sequenceDepth = 0;
    message.callers.length = 0;
    message.faultStack.length = 0;
    message.faultStack.push(this);
  }

  async #end(): Promise<void> {
    if (this.size > 0 && !(await this.idle(FLOW_DEADLINE_MS))) {
      throw new MediationError(`The flow did not end within ${FLOW_DEADLINE_MS / 60_000} minutes`);
    }
    if (this.#failure) throw this.#failure;
  }

  /** One-way sends announce themselves to the configuration's flow tracker: for this message, that is us. */
  #tracked(configuration: Configuration): Configuration {
    const services = { ...configuration.services, flows: this };
    return {
      version: configuration.version,
      services,
      find: (kind, name) => configuration.find(kind, name),
      names: (kind) => configuration.names(kind),
    };
  }
}

/** The flow that a message belongs to. */
export function flowOf(message: MessageContext): DeliveryFlow {
  return message.exchange instanceof DeliveryFlow ? message.exchange : new DeliveryFlow();
}

/** Runs a sequence whose failure must not change anything: what went wrong, or undefined. */
export async function runQuietly(sequence: Sequence, message: MessageContext): Promise<MediationError | undefined> {
  try {
    await flowOf(message).run(sequence, message);
    return undefined;
  } catch (error) {
    return asMediationError(error);
  }
}
