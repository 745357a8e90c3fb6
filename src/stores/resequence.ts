import { integer, oneOf } from '../grammar/attributes.ts';
import { messageStore } from './component.ts';
import { dedupMisfit } from './dedup/parameters.ts';
import { sequenceNumber, sequenceNumberPath } from './sequence-number.ts';
import { connectMisfit } from './sql/connect-parameters.ts';
import { openSqlStore, SQL_STORE_PARAMETERS } from './sql/open-store.ts';
import { SequencedTable } from './sql/sequenced-table.ts';

const TYPE = 'resequence-message-store';

const PARAMETERS = {
  ...SQL_STORE_PARAMETERS,
  'store.resequence.id.path': sequenceNumberPath(
    'store.resequence.id.path',
    'Finds the sequence number of a message when it is stored, a 64 bit integer.',
  ),
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
  misfit: ({ parameters, written }) => connectMisfit(parameters) ?? dedupMisfit(written),
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
