import { expression } from '../expressions/attribute-types.ts';
import type { Expression } from '../expressions/expression.ts';
import { integer, javaBoolean } from '../grammar/attributes.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { backOff, planOf, processorSequences, retryPolicy, shownParameters } from './common-plan.ts';
import { messageProcessor, type ProcessorServices } from './component.ts';
import { DeliveryFlow } from './delivery-flow.ts';
import { ForwardingMethod } from './forwarding-method.ts';
import {
  BACKOFF_PARAMETERS,
  COMMON_PARAMETERS,
  headerName,
  reference,
  SEQUENCE_PARAMETERS,
  statusCodes,
  unread,
} from './parameters.ts';
import { ScheduledProcessor } from './scheduled-processor.ts';
import { parseStatusCodes } from './status-codes.ts';

const TYPE = 'Scheduled-message-forwarding-processor';
/** More messages at a time help nobody. */
const MAX_CONCURRENCY = 100;
const DEFAULT_ATTEMPTS = { wso2: 4, apache: -1 } as const;
const NO_STATUS_CODES = parseStatusCodes('', () => undefined);

/** Forwards the messages of a store to an endpoint, and the answers to a sequence (spec stores 4). */
export const forwarding = messageProcessor({
  type: TYPE,
  doc: 'Takes messages from a store and sends them to an endpoint until it has accepted them.',
  classes: [
    'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor',
    'org.apache.synapse.message.processors.forward.ScheduledMessageForwardingProcessor',
  ],
  parameters: {
    ...COMMON_PARAMETERS,
    ...BACKOFF_PARAMETERS,
    ...SEQUENCE_PARAMETERS,
    'target.endpoint': reference(
      'endpoint',
      'The endpoint; the attribute targetEndpoint wins. Without both, the message property target.endpoint.',
    ),
    'message.processor.reply.sequence': reference(
      'sequence',
      'Takes the answers; needed unless messages are OUT_ONLY.',
    ),
    'non.retry.status.codes': statusCodes('HTTP statuses that count as delivered besides 2xx, for example 404, 4xx.'),
    'retry.http.status.codes': statusCodes(
      'Apache: the error statuses that are tried again; all others count as delivered.',
    ),
    'x.message.id.header': headerName({
      default: 'X-Message-ID',
      doc: 'The header that carries the message id, the same over retries, restarts and moves.',
    }),
    'x.dead.status.codes': statusCodes(
      'HTTP statuses after which a message is not tried again: it is dropped, moved or put aside at once.',
    ),
    'x.retry.status.codes': statusCodes('HTTP statuses that are failures to be tried again, whatever others say.'),
    'x.circuit': javaBoolean({
      default: false,
      doc: 'Whether a back end that is out of reach (no connection, timeout, 502, 503, 504, Retry-After) stops the attempts without counting against the message.',
    }),
    'x.concurrency': integer({
      minimum: 1,
      maximum: MAX_CONCURRENCY,
      default: 1,
      doc: 'Messages that one member delivers at a time; with more than one their order is that of x.ordering.key.',
    }),
    'x.ordering.key': expression({
      doc: 'An expression: messages for which it gives the same text are delivered one after the other, in their order.',
    }),
    'consume.all': javaBoolean({
      default: true,
      doc: 'Apache profile: whether messages follow each other without the interval.',
    }),
    'axis2.repo': unread('Java only.'),
    'axis2.config': unread('Java only.'),
  },
  open(opening) {
    const { name, targetEndpoint, parameters, written, services } = opening;
    const { profile } = services;
    const method = new ForwardingMethod({
      processor: name,
      position: opening.position,
      endpoint: targetEndpoint?.trim() || parameters['target.endpoint'] || undefined,
      replySequence: parameters['message.processor.reply.sequence'] || undefined,
      statuses: {
        nonRetry: parameters['non.retry.status.codes'],
        // Apache takes error statuses that are not listed for delivered, also where none is (spec stores 4.14).
        retry: parameters['retry.http.status.codes'] ?? (profile === 'apache' ? NO_STATUS_CODES : undefined),
        dead: parameters['x.dead.status.codes'],
        again: parameters['x.retry.status.codes'],
      },
      idHeader: parameters['x.message.id.header'],
    });
    const policy = retryPolicy(parameters, profile, {
      maxAttempts: DEFAULT_ATTEMPTS[profile],
      lastResort: 'deactivate',
    });
    const growing = backOff(parameters, policy.retryIntervalMs);
    const circuit = parameters['x.circuit'];
    return new ScheduledProcessor(
      planOf(TYPE, opening, {
        parameters: shownParameters(written, parameters, targetEndpoint),
        method,
        // The reference does not look at Retry-After: only who asks for more than its rules gets it.
        policy: { ...policy, backOff: growing, honoursRetryAfter: circuit || growing !== undefined },
        sequences: processorSequences(name, parameters, method.service),
        schedule: {
          drains: profile === 'wso2' || parameters['consume.all'],
          unspaced: profile === 'apache' && parameters['consume.all'],
        },
        members: parameters['member.count'],
        concurrency: parameters['x.concurrency'],
        circuit,
        keyOf: parameters['x.ordering.key'] && orderingKey(parameters['x.ordering.key'], services),
      }),
    );
  },
});

/** Messages without a key, and those whose key cannot be found out, need no order. */
function orderingKey(key: Expression, services: ProcessorServices): (stored: StoredMessage) => string | undefined {
  return (stored) => {
    try {
      return key.stringValue(new DeliveryFlow().restore(stored, services.configuration())) || undefined;
    } catch {
      // Its delivery finds out what is wrong with it, and says so.
      return undefined;
    }
  };
}
