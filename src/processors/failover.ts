import { ValueError, valueType } from '../grammar/attributes.ts';
import { backOff, planOf, processorSequences, retryPolicy } from './common-plan.ts';
import { messageProcessor } from './component.ts';
import { FailoverMethod } from './failover-method.ts';
import { BACKOFF_PARAMETERS, COMMON_PARAMETERS, requiredReference, SEQUENCE_PARAMETERS } from './parameters.ts';
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
    ...COMMON_PARAMETERS,
    ...BACKOFF_PARAMETERS,
    ...SEQUENCE_PARAMETERS,
    'message.target.store.name': targetStoreName('The message store that messages are moved to.'),
  },
  open(opening) {
    const { name, storeName, parameters, services } = opening;
    const targetStore = parameters['message.target.store.name'];
    const method = new FailoverMethod({ processor: name, sourceStore: storeName, targetStore });
    const policy = retryPolicy(parameters, services.profile, { maxAttempts: -1, lastResort: 'deactivate' });
    return new ScheduledProcessor(
      planOf(TYPE, opening, {
        method,
        policy: { ...policy, backOff: backOff(parameters, policy.retryIntervalMs) },
        sequences: processorSequences(name, parameters, method.service),
        schedule: { drains: true },
        members: parameters['member.count'],
      }),
    );
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
