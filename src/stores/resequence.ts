import { expression } from '../expressions/attribute-types.ts';
import type { Expression } from '../expressions/expression.ts';
import { integer, oneOf, ValueError, valueType } from '../grammar/attributes.ts';
import type { Configuration } from '../message/configuration.ts';
import { restoreMessage } from './capture.ts';
import { messageStore } from './component.ts';
import { connectMisfit } from './sql/connect-parameters.ts';
import { openSqlStore, SQL_STORE_PARAMETERS } from './sql/open-store.ts';
import { SequencedTable } from './sql/sequenced-table.ts';
import type { StoredMessage } from './stored-message.ts';

const TYPE = 'resequence-message-store';
const SIXTY_FOUR_BITS = { least: -(2n ** 63n), most: 2n ** 63n - 1n } as const;

const anyExpression = expression({ required: true, doc: '' });

const idPath = valueType<Expression, { required: true; missing: string; doc: string }>(
  anyExpression.expected,
  (value, context) => {
    if (context.element.attribute('expression') !== undefined) return anyExpression.parse(value, context);
    throw new ValueError(
      `'${value}' is text`,
      'an expression: <parameter name="store.resequence.id.path" expression="//id"/>',
    );
  },
  {
    required: true,
    missing: "parameter 'store.resequence.id.path' is required, as an expression",
    doc: 'Finds the sequence number of a message when it is stored, a 64 bit integer.',
  },
);

const PARAMETERS = {
  ...SQL_STORE_PARAMETERS,
  'store.resequence.id.path': idPath,
  'store.resequence.timeout': integer({
    required: true,
    doc: 'How long to wait for a number that is missing, in seconds; negative: for ever, 0: never.',
  }),
  'x.resequence.late': oneOf(['deliver', 'drop', 'fail'], {
    default: 'deliver',
    doc: 'What becomes of a message whose number was passed already; fail: it goes where poison messages go (REQ-50).',
  }),
} as const;

/** A message store in a table of a database that delivers messages by their sequence numbers (spec stores 2.6, REQ-10, REQ-50). */
export const resequenceStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages in a table of a database and delivers them in the order of their sequence numbers.',
  classes: ['org.apache.synapse.message.store.impl.resequencer.ResequenceMessageStore'],
  parameters: PARAMETERS,
  misfit: ({ parameters }) => connectMisfit(parameters),
  open(opening) {
    const { name, parameters } = opening;
    const seconds = parameters['store.resequence.timeout'];
    const sequence = {
      storeName: name,
      gapTimeoutMs: seconds < 0 ? undefined : seconds * 1_000,
      late: parameters['x.resequence.late'],
    };
    return openSqlStore(opening, {
      type: TYPE,
      logName: 'ResequenceMessageStore',
      table: (options) => new SequencedTable({ ...options, ...sequence }),
      sequenceOf: (message) => sequenceNumber(message, parameters['store.resequence.id.path']),
    });
  },
});

/** A number is found in the message alone, whatever is deployed. */
const NO_CONFIGURATION: Configuration = {
  version: 0,
  services: {} as Configuration['services'],
  find: () => undefined,
  names: () => [],
};

/** @throws an error when the message has no number: it is not stored then */
function sequenceNumber(message: StoredMessage, path: Expression): bigint {
  const found = path.stringValue(restoreMessage(message, NO_CONFIGURATION))?.trim() ?? '';
  const number = /^[+-]?\d{1,19}$/.test(found) ? BigInt(found.replace('+', '')) : undefined;
  if (number !== undefined && number >= SIXTY_FOUR_BITS.least && number <= SIXTY_FOUR_BITS.most) return number;
  throw new Error(`'${path.source}' gives '${found}', which is no 64 bit integer`);
}
