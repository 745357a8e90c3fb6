import { ValueError, valueType } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { messageProcessor } from './component.ts';
import { FailoverMethod } from './failover-method.ts';
import {
  BACKOFF_PARAMETERS,
  backOff,
  COMPUTED_PARAMETERS,
  RETRY_PARAMETERS,
  reference,
  requiredReference,
  retryPolicy,
  SCHEDULE_PARAMETERS,
  STORE_PARAMETERS,
  shownParameters,
  storeLimits,
  workerSchedule,
} from './parameters.ts';
import { ProcessorSequences } from './processor-sequences.ts';
import { ScheduledProcessor } from './scheduled-processor.ts';

const TYPE = 'Failover-scheduled-message-forwarding-processor';

/**
 * Moves the messages of a failover store into the store that they were meant for, as soon as that one is back (spec stores 5.1). The
 * rules after failures are those of forwarding (REQ-23), without a limit of attempts by default.
 */
export const failover = messageProcessor({
  type: TYPE,
  doc: 'Takes messages from a failover store and puts them into the store that they were meant for.',
  classes: ['org.apache.synapse.message.processor.impl.failover.FailoverScheduledMessageForwardingProcessor'],
  parameters: {
    ...SCHEDULE_PARAMETERS,
    ...STORE_PARAMETERS,
    ...RETRY_PARAMETERS,
    ...BACKOFF_PARAMETERS,
    ...COMPUTED_PARAMETERS,
    'message.target.store.name': targetStoreName('The message store that messages are moved to.'),
    'message.processor.fault.sequence': reference('sequence', 'Runs after each failed attempt.'),
    'message.processor.deactivate.sequence': reference('sequence', 'Runs after the processor deactivated itself.'),
  },
  open({ name, storeName, parameters, written, services, previous }) {
    const fault = parameters['message.processor.fault.sequence'] || undefined;
    const deactivate = parameters['message.processor.deactivate.sequence'] || undefined;
    const targetStore = parameters['message.target.store.name'];
    const method = new FailoverMethod({ processor: name, sourceStore: storeName, targetStore });
    const policy = retryPolicy(parameters, services.profile, { maxAttempts: -1, lastResort: 'deactivate' });
    return new ScheduledProcessor({
      name,
      type: TYPE,
      storeName,
      parameters: shownParameters(written, parameters),
      services,
      previous,
      method,
      policy: { ...policy, backOff: backOff(parameters, policy.retryIntervalMs) },
      sequences: new ProcessorSequences(name, { fault, deactivate }, logger(method.service)),
      schedule: workerSchedule(parameters, { drains: true }),
      limits: storeLimits(parameters),
      members: parameters['member.count'],
      concurrency: 1,
      startsActive: parameters['is.active'],
      reactivateAfterMs: parameters['x.reactivate.after'],
    });
  },
});

/** A store that is to be emptied into itself would never be empty. */
function targetStoreName(doc: string) {
  const type = requiredReference('messageStore', doc);
  return valueType<string, { doc: string; required: true }>(
    type.expected,
    (value, context) => {
      const name = type.parse(value, context);
      if (name === context.element.parent?.attribute('messageStore')?.trim())
        throw new ValueError(`'${name}' is the store that the messages are taken from`, 'another message store');
      return name;
    },
    { doc, required: true },
  );
}
