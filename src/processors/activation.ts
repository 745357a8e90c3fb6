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
  configuration: Configuration,
): Promise<void> {
  const failed = (why: string) =>
    log.error(`The activate sequence [${name}] of message processor [${processor}] failed: ${why}`, { processor });
  const sequence = configuration.find('sequence', name);
  if (!sequence) return failed('there is no such sequence');
  try {
    const flow = new DeliveryFlow();
    const message = flow.empty(configuration);
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
