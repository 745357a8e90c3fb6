import { logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import type { Configuration } from '../message/configuration.ts';
import { DeliveryFlow } from './delivery-flow.ts';
import type { ProcessorState } from './message-processor.ts';

const log = logger('ScheduledMessageProcessor');

/** A processor that was activated, with what it comes from. */
export interface Activation {
  readonly processor: string;
  readonly by: string;
  readonly from: ProcessorState;
  /** Why it did not work. */
  readonly reason: string | undefined;
}

/**
 * Runs `x.activate.sequence` (OP-24) on an empty message with the properties `PROCESSOR_NAME`, `PROCESSOR_STATE`,
 * `PROCESSOR_PREVIOUS_STATE`, `PROCESSOR_PREVIOUS_REASON` and `PROCESSOR_CHANGED_BY`. Its failure is logged and changes nothing, as with
 * the deactivate sequence (OP-23). Resolves when all that it started has ended; never rejects.
 */
export async function runActivateSequence(
  name: string,
  { processor, by, from, reason }: Activation,
  configuration: () => Configuration,
): Promise<void> {
  const failed = (why: string) =>
    log.error(`The activate sequence [${name}] of message processor [${processor}] failed: ${why}`, { processor });
  try {
    const current = configuration();
    const sequence = current.find('sequence', name);
    if (!sequence) return failed('there is no such sequence');
    const flow = new DeliveryFlow();
    const message = flow.empty(current);
    message.properties.set('PROCESSOR_NAME', processor);
    message.properties.set('PROCESSOR_STATE', 'ACTIVE');
    message.properties.set('PROCESSOR_PREVIOUS_STATE', from);
    if (reason !== undefined) message.properties.set('PROCESSOR_PREVIOUS_REASON', reason);
    message.properties.set('PROCESSOR_CHANGED_BY', by);
    await flow.run(sequence, message);
  } catch (error) {
    failed(causeChain(error));
  }
}

/**
 * The sequences that follow the activations of one processor, one after the other. While one runs only the latest activation waits: what
 * an earlier one would tell is not true any more.
 *
 *     idle ──add──► running ──ended──► idle
 *                    │  ▲ └──ended, one waits──► running
 *                    └──┘ add: waits, in place of the one that waited            any ──leave──► left: no other one begins
 */
export class Activations {
  readonly #name: string;
  readonly #configuration: () => Configuration;
  #running: Promise<void> | undefined;
  #waiting: Activation | undefined;
  #left = false;

  /** `name`: of the sequence. */
  constructor(name: string, configuration: () => Configuration) {
    this.#name = name;
    this.#configuration = configuration;
  }

  add(activation: Activation): void {
    if (this.#left) return;
    if (this.#waiting) {
      const { processor, by } = this.#waiting;
      log.warn(
        `The activate sequence [${this.#name}] of message processor [${processor}] is still running and leaves out the activation by ${by}`,
        { processor },
      );
    }
    this.#waiting = activation;
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  /** Resolves when none runs and none waits. Never rejects. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Nobody waits for the running one any more, and the waiting one does not run. */
  leave(): void {
    this.#left = true;
    this.#waiting = undefined;
  }

  async #run(): Promise<void> {
    for (let activation = this.#next(); activation; activation = this.#next()) {
      await runActivateSequence(this.#name, activation, this.#configuration);
    }
    this.#running = undefined;
  }

  #next(): Activation | undefined {
    const activation = this.#waiting;
    this.#waiting = undefined;
    return activation;
  }
}
