import type { CommandDescription } from '../command.ts';
import { CONNECTION, DRY_RUN, ENVIRONMENT, HELP, LOOK_ANYWAY, MANY, MESSAGE_FILTER, REMOTE, YES } from './shared.ts';

const STORE = { names: 'message-stores' } as const;
const PROCESSOR = { names: 'message-processors' } as const;

export const STORE_BROWSE = {
  name: 'store browse',
  usage: 'STORE',
  summary: 'the messages of a store, oldest first; nothing is taken',
  options: {
    limit: { type: 'string', short: 'n', value: 'N', description: 'At most N; default 50' },
    after: { type: 'string', value: 'CURSOR', description: 'Go on where the page before has ended' },
    ...MESSAGE_FILTER,
    ...LOOK_ANYWAY,
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE],
  examples: [
    'mini-synapse store browse Orders',
    'mini-synapse store browse Failed --cause "connection refused" --since 2h',
  ],
} as const satisfies CommandDescription;

export const STORE_SHOW = {
  name: 'store show',
  usage: 'STORE ID',
  summary: 'one message with headers, properties, body and its failures',
  options: {
    body: { type: 'boolean', description: 'Only the body, byte for byte' },
    ...LOOK_ANYWAY,
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE],
  examples: ['mini-synapse store show Orders urn:uuid:1 --body > order.xml'],
} as const satisfies CommandDescription;

export const STORE_FAILURES = {
  name: 'store failures',
  usage: 'STORE',
  summary: 'what failed in the same way, together; with --resend a whole group is sent again',
  details: 'A group is sent to the store it failed in, and asked about first; scripts say --yes.',
  options: {
    resend: { type: 'string', value: 'GROUP', description: 'Send the messages of this group again, by its number' },
    rate: MANY.rate,
    ...LOOK_ANYWAY,
    ...YES,
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE],
  examples: ['mini-synapse store failures Failed', 'mini-synapse store failures Failed --resend 1 --rate 10'],
} as const satisfies CommandDescription;

export const STORE_HISTORY = {
  name: 'store history',
  usage: 'STORE',
  summary: 'depth and traffic of a store over the last hour',
  options: {
    minutes: { type: 'string', value: 'N', description: 'The last N minutes; default 60' },
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE],
  examples: ['mini-synapse store history Orders --minutes 15'],
} as const satisfies CommandDescription;

export const STORE_RESEND = {
  name: 'store resend',
  usage: 'STORE ID... | STORE --all | STORE FILTER',
  summary: 'send messages again: to the store they failed in, or elsewhere',
  details: 'What concerns more than the messages named by id is asked about first; scripts say --yes.',
  options: {
    'to-store': { type: 'string', value: 'STORE', names: 'message-stores', description: 'To this store' },
    at: { type: 'string', value: 'TIME', description: 'Not now: at 2026-01-31T12:00:00Z, or 15m, 2h, 3d from now' },
    'to-sequence': { type: 'string', value: 'NAME', names: 'sequences', description: 'Through this sequence' },
    'to-endpoint': { type: 'string', value: 'NAME', names: 'endpoints', description: 'To this endpoint' },
    ...MANY,
    ...DRY_RUN,
    ...LOOK_ANYWAY,
    ...YES,
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE],
  examples: [
    'mini-synapse store resend Failed --endpoint BackEnd1 --status 503',
    'mini-synapse store resend Failed --all --at 2h --rate 10',
  ],
} as const satisfies CommandDescription;

export const SCHEDULE_CANCEL = {
  name: 'schedule cancel',
  usage: 'ID',
  summary: 'take back a resend that waits for its time, or end one that runs',
  details: 'get scheduled-resends lists them.',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'scheduled-resends' }],
  examples: ['mini-synapse schedule cancel 1'],
} as const satisfies CommandDescription;

export const STORE_MOVE = {
  name: 'store move',
  usage: 'STORE ID... --to STORE | STORE --all --to STORE | …',
  summary: 'move messages to another store',
  options: {
    to: { type: 'string', value: 'STORE', names: 'message-stores', description: 'To this store' },
    ...MANY,
    ...DRY_RUN,
    ...LOOK_ANYWAY,
    ...YES,
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE],
  examples: ['mini-synapse store move Failed --cause timeout --to Orders'],
} as const satisfies CommandDescription;

export const STORE_DELETE = {
  name: 'store delete',
  usage: 'STORE ID... | STORE FILTER',
  summary: 'delete messages',
  details: 'Asks first; scripts say --yes.',
  options: { ...MANY, ...DRY_RUN, ...LOOK_ANYWAY, ...YES, ...REMOTE, ...HELP },
  arguments: [STORE],
  examples: ['mini-synapse store delete Failed --until 30d -y'],
} as const satisfies CommandDescription;

export const STORE_PURGE = {
  name: 'store purge',
  usage: 'STORE',
  summary: 'delete all messages of a store',
  details: 'Asks first; scripts say --yes.',
  options: { ...DRY_RUN, ...LOOK_ANYWAY, ...YES, ...REMOTE, ...HELP },
  arguments: [STORE],
  examples: ['mini-synapse store purge Failed', 'mini-synapse store purge Failed --dry-run'],
} as const satisfies CommandDescription;

export const STORE_EXPORT = {
  name: 'store export',
  usage: 'STORE [ID...]',
  summary: 'write messages as lines of JSON; they stay where they are',
  options: {
    out: { type: 'string', short: 'o', value: 'FILE', description: 'Write them there, readable by you alone' },
    ...MESSAGE_FILTER,
    ...LOOK_ANYWAY,
    ...CONNECTION,
    ...HELP,
  },
  arguments: [STORE],
  examples: ['mini-synapse store export Failed --since 1d -o failed.ndjson'],
} as const satisfies CommandDescription;

export const STORE_IMPORT = {
  name: 'store import',
  usage: 'STORE [FILE]',
  summary: 'store messages that were exported; they keep their ids',
  details: 'Without FILE they are read from the standard input.',
  options: {
    duplicates: {
      type: 'string',
      value: 'refuse|skip|allow',
      words: ['refuse', 'skip', 'allow'],
      description: 'What becomes of a message that is there already; default refuse',
    },
    'dry-run': { type: 'boolean', description: 'Only look whether it could be done' },
    ...LOOK_ANYWAY,
    ...REMOTE,
    ...HELP,
  },
  arguments: [STORE, { files: true }],
  examples: ['mini-synapse store import Orders failed.ndjson --duplicates skip'],
} as const satisfies CommandDescription;

export const JOB_WAIT = {
  name: 'job wait',
  usage: 'ID',
  summary: 'show how far a job is until it has ended',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'jobs' }],
  examples: ['mini-synapse job wait 1'],
} as const satisfies CommandDescription;

export const JOB_CANCEL = {
  name: 'job cancel',
  usage: 'ID',
  summary: 'end a job after the message that it has in hand',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'jobs' }],
  examples: ['mini-synapse job cancel 1'],
} as const satisfies CommandDescription;

const processor = <N extends string>(action: N, summary: string) =>
  ({
    name: `processor ${action}` as const,
    usage: 'NAME...',
    summary,
    options: { ...REMOTE, ...HELP },
    arguments: [PROCESSOR],
    examples: [`mini-synapse processor ${action} Forwarder1`],
  }) as const satisfies CommandDescription;

export const PROCESSOR_COMMANDS: readonly CommandDescription[] = [
  processor('activate', 'let message processors work'),
  processor('deactivate', 'stop message processors; the attempt in flight ends'),
  processor('pause', 'the same as deactivate'),
  processor('resume', 'the same as activate'),
  processor('step', 'exactly one delivery now, while it does not work'),
];

const EXAMPLE_NAMES = {
  endpoints: 'BackEnd1 BackEnd2',
  'proxy-services': 'StockQuoteProxy',
  tasks: 'Nightly',
  'inbound-endpoints': 'OrderFiles',
  connectors: 'email',
} as const;

const switched = (name: string, names: keyof typeof EXAMPLE_NAMES, summary: string) =>
  ({
    name,
    usage: 'NAME...',
    summary,
    options: { ...REMOTE, ...HELP },
    arguments: [{ names }],
    examples: [`mini-synapse ${name} ${EXAMPLE_NAMES[names]}`],
  }) satisfies CommandDescription;

export const SWITCH_COMMANDS: readonly CommandDescription[] = [
  switched('endpoint on', 'endpoints', 'switch endpoints on'),
  switched('endpoint off', 'endpoints', 'switch endpoints off; what is sent to them fails at once'),
  switched('proxy start', 'proxy-services', 'start proxy services'),
  switched('proxy stop', 'proxy-services', 'stop proxy services'),
  switched('task start', 'tasks', 'activate tasks'),
  switched('task stop', 'tasks', 'deactivate tasks'),
  switched('task trigger', 'tasks', 'run tasks once now'),
  switched('inbound start', 'inbound-endpoints', 'start inbound endpoints'),
  switched('inbound stop', 'inbound-endpoints', 'stop inbound endpoints'),
  switched('connector enable', 'connectors', 'switch connectors on by their import'),
  switched('connector disable', 'connectors', 'switch connectors off by their import: their operations fail'),
];

const REFERENCE_KINDS = ['message-processor', 'proxy-service', 'endpoint', 'task', 'inbound-endpoint'] as const;

export const ACTIVATE = {
  name: 'activate',
  usage: 'KIND NAME',
  summary: "start one, in the reference's words: activate message-processor NAME",
  options: { ...ENVIRONMENT, ...REMOTE, ...HELP },
  arguments: [{ words: REFERENCE_KINDS }],
  examples: ['mini-synapse activate message-processor Forwarder1'],
} as const satisfies CommandDescription;

export const DEACTIVATE = {
  ...ACTIVATE,
  name: 'deactivate',
  summary: "stop one, in the reference's words",
  examples: ['mini-synapse deactivate message-processor Forwarder1'],
} as const satisfies CommandDescription;

/** The reference's older spelling. */
export const MESSAGEPROCESSOR_UPDATE = {
  name: 'messageprocessor update',
  usage: 'NAME state active|inactive',
  summary: 'the same as activate message-processor and deactivate message-processor',
  options: { ...ENVIRONMENT, ...REMOTE, ...HELP },
  arguments: [PROCESSOR, { words: ['state'] }, { words: ['active', 'inactive'] }],
  hidden: true,
} as const satisfies CommandDescription;
