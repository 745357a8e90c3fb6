import { oneOf } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { messageProcessor } from './component.ts';
import {
  COMPUTED_PARAMETERS,
  concurrency,
  RETRY_PARAMETERS,
  requiredReference,
  retryPolicy,
  SCHEDULE_PARAMETERS,
  STORE_PARAMETERS,
  shownParameters,
  storeLimits,
  workerSchedule,
} from './parameters.ts';
import { ProcessorSequences } from './processor-sequences.ts';
import { SamplingMethod } from './sampling-method.ts';
import { ScheduledProcessor } from './scheduled-processor.ts';

const TYPE = 'Sampling-processor';

/**
 * Runs the messages of a store through a sequence (spec stores 5.2). A message leaves the store when its sequence has ended (OP-01,
 * REQ-24); `ack.mode=before` is the reference's way. A run that fails is one attempt, as anywhere else; by default there is one,
 * and what failed goes to the fail store, else to the dead-letter area.
 */
export const sampling = messageProcessor({
  type: TYPE,
  doc: 'Takes messages from a store and runs each of them through a sequence.',
  classes: [
    'org.apache.synapse.message.processor.impl.sampler.SamplingProcessor',
    'org.apache.synapse.message.processors.sampler.SamplingProcessor',
  ],
  parameters: {
    ...SCHEDULE_PARAMETERS,
    ...STORE_PARAMETERS,
    ...RETRY_PARAMETERS,
    ...COMPUTED_PARAMETERS,
    sequence: requiredReference('sequence', 'The sequence that messages run through.'),
    concurrency: concurrency('Messages per interval, and at most in the sequence at a time.'),
    'ack.mode': oneOf(['after', 'before'], {
      default: 'after',
      doc: 'When a message leaves the store: after its sequence has ended, or before (a failure then loses it).',
    }),
  },
  open({ name, storeName, parameters, written, services, previous }) {
    const method = new SamplingMethod({
      processor: name,
      sequence: parameters.sequence,
      acknowledge: parameters['ack.mode'],
    });
    return new ScheduledProcessor({
      name,
      type: TYPE,
      storeName,
      parameters: shownParameters(written, parameters),
      services,
      previous,
      method,
      policy: retryPolicy(parameters, services.profile, { maxAttempts: 1, lastResort: 'dead-letter' }),
      sequences: new ProcessorSequences(name, 'none', logger(method.service)),
      schedule: workerSchedule(parameters, { drains: false }),
      limits: storeLimits(parameters),
      members: parameters['member.count'],
      concurrency: parameters.concurrency,
      startsActive: parameters['is.active'],
      reactivateAfterMs: parameters['x.reactivate.after'],
    });
  },
});
