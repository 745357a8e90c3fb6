import type { CommandDescription } from '../command.ts';
import { START_OPTIONS } from './server.ts';
import { HELP, JSON_OUTPUT, REMOTE, YES } from './shared.ts';

/** The area is files of the server's data folder: these commands run where it is. */
const AREA = { config: START_OPTIONS.config, data: START_OPTIONS.data } as const;

export const DEAD_LETTER_LIST = {
  name: 'dead-letter list',
  usage: '',
  summary: 'messages that had no place to go, oldest first, with the reason',
  details: 'They are files below dead-letter/ of the data folder; run this on the machine of the server.',
  options: {
    store: { type: 'string', value: 'STORE', description: 'Only those of this store' },
    ...AREA,
    ...JSON_OUTPUT,
    ...HELP,
  },
  examples: [
    'mini-synapse dead-letter list',
    'mini-synapse dead-letter list --store Orders --data /var/lib/mini-synapse',
  ],
} as const satisfies CommandDescription;

export const DEAD_LETTER_SHOW = {
  name: 'dead-letter show',
  usage: 'ID',
  summary: 'one of them with its headers, its failures and its body',
  options: {
    body: { type: 'boolean', description: 'Only the body, byte for byte' },
    ...AREA,
    ...JSON_OUTPUT,
    ...HELP,
  },
  examples: ['mini-synapse dead-letter show urn:uuid:1 --body > order.xml'],
} as const satisfies CommandDescription;

export const DEAD_LETTER_REPLAY = {
  name: 'dead-letter replay',
  usage: 'ID... | --all',
  summary: 'store them again in a running server; what is stored leaves the area',
  details:
    'They keep their ids, headers and bodies; properties are not kept in the area. Asks first; scripts say --yes.',
  options: {
    all: { type: 'boolean', description: 'All of them, or all of --store' },
    store: { type: 'string', value: 'STORE', description: 'Only those of this store' },
    to: { type: 'string', value: 'STORE', names: 'message-stores', description: 'Not into the store they came from' },
    force: {
      type: 'boolean',
      description:
        'Also after too many replays, also what its store could not decode, and without looking whether the store has it already',
    },
    ...AREA,
    ...YES,
    ...REMOTE,
    ...HELP,
  },
  examples: [
    'mini-synapse dead-letter replay --all --store Orders -y',
    'mini-synapse dead-letter replay urn:uuid:1 --to Spare',
  ],
} as const satisfies CommandDescription;
