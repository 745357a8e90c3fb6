import type { Logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { causeChain } from '../mediation/fault.ts';
import type { MessageContext } from '../message/message-context.ts';
import { runQuietly } from './delivery-flow.ts';

/** The names of the sequences that a processor runs beside its deliveries (spec stores 4.1). */
export interface ProcessorSequenceNames {
  readonly fault: string | undefined;
  readonly deactivate: string | undefined;
}

/** Runs the fault and the deactivate sequence. Their own failures are logged and change nothing (OP-23). */
export class ProcessorSequences {
  readonly #processor: string;
  readonly #names: ProcessorSequenceNames | 'none';
  readonly #log: Logger;

  /** `none`: the kind has no such sequences at all, so none is missed. */
  constructor(processor: string, names: ProcessorSequenceNames | 'none', log: Logger) {
    this.#processor = processor;
    this.#names = names;
    this.#log = log;
  }

  /** After every failed attempt (REQ-20). */
  fault(message: MessageContext): Promise<void> {
    return this.#run('fault', message);
  }

  /** After an automatic deactivation, on the message that led to it (spec stores 4.10). */
  deactivate(message: MessageContext): Promise<void> {
    return this.#run('deactivate', message);
  }

  async #run(kind: 'fault' | 'deactivate', message: MessageContext): Promise<void> {
    if (this.#names === 'none') return;
    const name = this.#names[kind];
    const about = { ...aboutMessage(message), processor: this.#processor };
    const text = `Failed to send the message through the ${kind} sequence.`;
    if (name === undefined) {
      this.#log.warn(`${text} Sequence name does not Exist.`, about);
      return;
    }
    const sequence = message.configuration.find('sequence', name);
    if (!sequence) {
      this.#log.warn(`${text} Sequence [${name}] does not Exist.`, about);
      return;
    }
    const failure = await runQuietly(sequence, message);
    if (!failure) return;
    this.#log.error(
      `The ${kind} sequence [${name}] of message processor [${this.#processor}] failed: ${failure.message}`,
      { ...aboutMessage(message), processor: this.#processor, cause: causeChain(failure) },
    );
  }
}
