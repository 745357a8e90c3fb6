import { integer, nonEmptyText } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { mediator } from '../../mediation/component.ts';
import { callerOf } from '../../mediation/continuation.ts';
import { runFlow } from '../../mediation/flow.ts';
import '../../mediation/priority-executor.ts';
import { MediationError } from '../../message/errors.ts';

const log = logger('EnqueueMediator');

/**
 * Leaves a copy of the message to a priority executor, which runs a sequence on it, and goes on (spec mediators 3.41). A copy,
 * because the sequence and the rest of this flow would change one message at the same time.
 */
export const enqueue = mediator({
  element: 'enqueue',
  doc: 'Runs a sequence on a copy of the message when a priority executor has the time for it.',
  attributes: {
    executor: nonEmptyText({ required: true, missing: 'Queue is a required attribue', doc: 'The priority executor.' }),
    sequence: nonEmptyText({ required: true, missing: 'sequence is a required attribue', doc: 'The sequence to run.' }),
    priority: integer({ default: 0, doc: 'Higher numbers are served more often.' }),
  },
  compile({ element, attributes, reader, rest }) {
    const { executor: name, sequence: key, priority } = attributes;
    reader.refer('sequence', key, element, 'sequence');
    const caller = callerOf(rest);
    return (message) => {
      const { configuration, exchange } = message;
      const sequence = configuration.find('sequence', key);
      if (!sequence) throw new MediationError(`Sequence cannot be found : ${key}`);
      const executor = configuration.find('priorityExecutor', name);
      if (!executor) {
        log.warn(`Cannot find executor ${name}. Using existing thread for mediation`, aboutMessage(message));
        return sequence.mediate(message, caller);
      }
      const copy = message.copy();
      copy.callers.length = 0;
      const work = executor.execute(priority, async () => runFlow(copy, () => sequence.mediate(copy)));
      exchange?.take();
      if (exchange) exchange.track(work);
      else configuration.services.flows.track(work);
      return true;
    };
  },
});
