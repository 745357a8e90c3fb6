import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { causeChain } from '../mediation/fault.ts';
import type { Configuration } from '../message/configuration.ts';
import type { MessageContext } from '../message/message-context.ts';
import { DeliveryFlow } from './delivery-flow.ts';
import type { DeliveryAttempt, DeliveryMethod, DeliveryTexts } from './delivery-method.ts';
import type { Outcome } from './outcome.ts';

const SERVICE = 'SamplingService';
const log = logger(SERVICE);

/**
 * Delivers by running a sequence to the end of all that it started (spec stores 5.2). A failure that the sequence's own fault
 * handlers take is no failure.
 */
export class SamplingMethod implements DeliveryMethod {
  readonly service: string;
  readonly acknowledge: 'after' | 'before';
  readonly texts: DeliveryTexts;
  readonly #processor: string;
  readonly #sequence: string;

  constructor(options: { processor: string; sequence: string; acknowledge: 'after' | 'before'; service?: string }) {
    this.service = options.service ?? SERVICE;
    this.#processor = options.processor;
    this.#sequence = options.sequence;
    this.acknowledge = options.acknowledge;
    this.texts = samplingTexts(options.processor);
  }

  obstacle(configuration: Configuration): string | undefined {
    return configuration.find('sequence', this.#sequence) ? undefined : this.#missing();
  }

  async deliver({ stored, configuration }: DeliveryAttempt): Promise<Outcome> {
    const flow = new DeliveryFlow();
    let message: MessageContext;
    try {
      message = flow.restore(stored, configuration);
    } catch (error) {
      return { kind: 'poison', reason: causeChain(error) };
    }
    const sequence = configuration.find('sequence', this.#sequence);
    if (!sequence) {
      log.error(`[${this.#processor}] ${this.#missing()}`, {
        ...aboutMessage(message),
        processor: this.#processor,
      });
      return { kind: 'misconfigured', reason: this.#missing(), message };
    }
    try {
      await flow.runHandled(sequence, message);
      return { kind: 'delivered' };
    } catch (error) {
      return { kind: 'failed', failure: { message, cause: causeChain(error), status: undefined, endpoint: undefined } };
    }
  }

  #missing(): string {
    return `the sequence [${this.#sequence}] does not exist`;
  }
}

function samplingTexts(processor: string): DeliveryTexts {
  const failed = (attempts: number) => `Message processor [${processor}] failed to process a message ${attempts} times`;
  return {
    failed: () => 'Error occurred while executing the message',
    dropped: (attempts) => `${failed(attempts)}. Drop message and continue.`,
    moved: (attempts) => `${failed(attempts)}. Moved failed message to fail-messages-store and continue`,
    notMoved: (attempts) =>
      `${failed(attempts)} but the fail-messages-store did not take it. Hence deactivating message processor.`,
  };
}
