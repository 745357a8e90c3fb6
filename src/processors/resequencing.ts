import { integer, javaBoolean, milliseconds, oneOf } from '../grammar/attributes.ts';
import { sequenceNumber, sequenceNumberPath } from '../stores/sequence-number.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { planOf, retryPolicy } from './common-plan.ts';
import { messageProcessor } from './component.ts';
import { COMMON_PARAMETERS, requiredReference } from './parameters.ts';
import type { ProcessorPlan } from './processor-plan.ts';
import { SequencePlace } from './resequencing-place.ts';
import { ResequencingSource } from './resequencing-source.ts';
import { SamplingMethod } from './sampling-method.ts';
import { ScheduledProcessor } from './scheduled-processor.ts';
import { StoreLink } from './store-link.ts';

const TYPE = 'Resequencing-processor';
const SERVICE = 'ResequencingProcessor';
/** `requiredInitMessagesDelay` counts waits of so long, ms (spec stores 5.3). */
const INIT_STEP_MS = 6000;
const MAX_WINDOW = 100_000;
/** A step has to find out which number is the next one, ms. */
const STEP_WAIT_MS = 2_500;
const MOST_STEP_WAIT_MS = 30_000;

// One worker: several would not keep an order.
const { 'member.count': _members, ...ONE_WORKER_PARAMETERS } = COMMON_PARAMETERS;

/**
 * Runs the messages of a store through a sequence in the order of their numbers (Apache's processor, spec stores 5.3). What is
 * better than there: it works with every kind of store; a message leaves the store when its sequence has ended, and one that fails
 * goes where those of the sampling processor go; the place survives a restart (REQ-50); numbers have 64 bits; a message without a
 * number does not stay in the way; and a gap need not be for ever.
 */
export const resequencing = messageProcessor({
  type: TYPE,
  doc: 'Takes messages from a store and runs them through a sequence in the order of their sequence numbers.',
  classes: ['org.apache.synapse.message.processors.resequence.ResequencingProcessor'],
  parameters: {
    ...ONE_WORKER_PARAMETERS,
    seqNumXpath: sequenceNumberPath('seqNumXpath', 'Finds the sequence number of a message, a 64 bit integer.'),
    nextEsbSequence: requiredReference('sequence', 'The sequence that messages run through.'),
    requiredInitMessages: integer({
      minimum: 0,
      default: 4,
      doc: 'While the store is empty at first: so many messages are waited for; the smallest number is then the first one.',
    }),
    requiredInitMessagesDelay: integer({
      minimum: 0,
      maximum: 10_000,
      default: 5,
      doc: 'How long they are waited for, in steps of 6000 ms.',
    }),
    deleteDuplicateMessages: javaBoolean({
      default: false,
      doc: 'Discards messages whose number was passed already; the same as x.resequence.late=drop.',
    }),
    'x.resequence.late': oneOf(['deliver', 'drop', 'fail'], {
      default: 'deliver',
      doc: 'What becomes of a message whose number was passed already; fail: it goes where failed messages go.',
    }),
    'x.resequence.timeout': milliseconds({ doc: 'How long a missing number is waited for, ms. Default: for ever.' }),
    'x.resequence.window': integer({
      minimum: 1,
      maximum: MAX_WINDOW,
      default: 1000,
      doc: 'The most messages that are held while a number is missing; with more of them it is given up.',
    }),
  },
  open(opening) {
    const { name, storeName, parameters, services } = opening;
    const sequence = parameters.nextEsbSequence;
    const method = new SamplingMethod({ processor: name, sequence, acknowledge: 'after', service: SERVICE });
    const place = new SequencePlace(services.dataDirectory, name, storeName);
    const rules = {
      processor: name,
      position: opening.position,
      numberOf: (stored: StoredMessage) => sequenceNumber(stored, parameters.seqNumXpath),
      initMessages: parameters.requiredInitMessages,
      initWaitMs: parameters.requiredInitMessagesDelay * INIT_STEP_MS,
      late: parameters.deleteDuplicateMessages ? 'drop' : parameters['x.resequence.late'],
      gapTimeoutMs: parameters['x.resequence.timeout'],
      window: parameters['x.resequence.window'],
    } as const;
    const plan = planOf(TYPE, opening, {
      method,
      policy: retryPolicy(parameters, services.profile, { maxAttempts: 1, lastResort: 'dead-letter' }),
      // The reference's tick takes all that is in order; here the next one goes as soon as it is there.
      schedule: { drains: true, unspaced: true },
      stepWaitMs: Math.min(rules.initWaitMs + STEP_WAIT_MS, MOST_STEP_WAIT_MS),
      source: (options) => {
        const { discarded } = options;
        return new ResequencingSource(
          { ...rules, discarded },
          place,
          () => new StoreLink({ ...options, shared: true }),
        );
      },
    });
    return new ResequencingProcessor(plan, place);
  },
});

/** Forgets its place with its artifact. */
class ResequencingProcessor extends ScheduledProcessor {
  readonly #place: SequencePlace;

  constructor(plan: ProcessorPlan, place: SequencePlace) {
    super(plan);
    this.#place = place;
  }

  override async stop(options: { readonly undeploy: boolean }): Promise<void> {
    await super.stop(options);
    if (options.undeploy) await this.#place.remove();
  }
}
