import { oneOf } from '../grammar/attributes.ts';
import { planOf, retryPolicy } from './common-plan.ts';
import { messageProcessor } from './component.ts';
import { COMMON_PARAMETERS, concurrency, requiredReference } from './parameters.ts';
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
    ...COMMON_PARAMETERS,
    sequence: requiredReference('sequence', 'The sequence that messages run through.'),
    concurrency: concurrency('Messages per interval, and at most in the sequence at a time.'),
    'ack.mode': oneOf(['after', 'before'], {
      default: 'after',
      doc: 'When a message leaves the store: after its sequence has ended, or before (a failure then loses it).',
    }),
  },
  open(opening) {
    const { name, parameters, services } = opening;
    const { sequence, 'ack.mode': acknowledge, concurrency } = parameters;
    return new ScheduledProcessor(
      planOf(TYPE, opening, {
        method: new SamplingMethod({ processor: name, sequence, acknowledge }),
        policy: retryPolicy(parameters, services.profile, { maxAttempts: 1, lastResort: 'dead-letter' }),
        schedule: { drains: false },
        members: parameters['member.count'],
        concurrency,
      }),
    );
  },
});
