import type { CommandDescription } from '../command.ts';
import { CONNECTION, ENVIRONMENT, HELP, REMOTE, YES } from './shared.ts';

/** What `get` shows; reference words and singulars are understood, too. */
export const GET_WORDS = [
  'stores',
  'processors',
  'proxies',
  'apis',
  'endpoints',
  'sequences',
  'templates',
  'tasks',
  'inbound',
  'local-entries',
  'connectors',
  'applications',
  'data-sources',
  'artifacts',
  'jobs',
  'scheduled-resends',
  'loggers',
  'audit',
  'users',
  'roles',
  'sessions',
  'web-hooks',
  'log-files',
] as const;

export const GET = {
  name: 'get',
  usage: 'KIND [NAME]',
  summary: 'list what is deployed, or show one of them in detail',
  details: `KIND is one of ${GET_WORDS.join(', ')}, in the singular or the plural, or the reference's word for it (message-stores, message-processors, proxy-services, composite-apps, …).`,
  options: {
    search: { type: 'string', short: 's', value: 'TEXT', description: 'Only names that contain it' },
    limit: { type: 'string', value: 'N', description: 'At most so many, where a list may be long' },
    quiet: { type: 'boolean', short: 'q', description: 'Only names' },
    format: { type: 'string', value: 'TEMPLATE', description: "Lines like '{{.name}}\\t{{.type}}', or '{{json .}}'" },
    ...ENVIRONMENT,
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ words: GET_WORDS }],
  examples: [
    'mini-synapse get stores',
    'mini-synapse get processors Forwarder1',
    'mini-synapse get endpoints --json',
    "mini-synapse get stores --format 'table {{.name}}\\t{{.size}}'",
  ],
} as const satisfies CommandDescription;

export const TOP = {
  name: 'top',
  usage: '',
  summary: 'stores, processors and endpoints, live; q quits',
  options: {
    once: { type: 'boolean', description: 'Print it once; so it is also done without a terminal, and as JSON' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse top', 'mini-synapse top --once', 'mini-synapse top --json'],
} as const satisfies CommandDescription;

export const HEALTH = {
  name: 'health',
  usage: '',
  summary: 'is the server ready, and if not, why? Exits with 1 then',
  options: { ...REMOTE, ...HELP },
  examples: ['mini-synapse health || echo not ready'],
} as const satisfies CommandDescription;

export const DEPLOYMENTS = {
  name: 'deployments',
  usage: '',
  summary: 'what was deployed when, and the problems of what was not',
  options: {
    limit: { type: 'string', short: 'n', value: 'N', description: 'The last N; default 20' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse deployments -n 5'],
} as const satisfies CommandDescription;

export const LOGS = {
  name: 'logs',
  usage: '',
  summary: 'the last lines of the log; -f goes on with what comes',
  options: {
    follow: { type: 'boolean', short: 'f', description: 'Go on with what comes' },
    lines: { type: 'string', short: 'n', value: 'N', description: 'The last N lines; default 50' },
    level: {
      type: 'string',
      value: 'LEVEL',
      words: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
      description: 'This level and those above it',
    },
    artifact: { type: 'string', value: 'NAME', description: 'Of an artifact, store, processor or endpoint' },
    'message-id': { type: 'string', value: 'ID', description: 'About one message' },
    file: {
      type: 'string',
      value: 'NAME',
      names: 'log-files',
      description: 'Instead one of the files of get log-files',
    },
    json: { type: 'boolean', description: 'One object a line' },
    ...CONNECTION,
    ...HELP,
  },
  examples: ['mini-synapse logs -f --level warn', 'mini-synapse logs --artifact Orders -n 200'],
} as const satisfies CommandDescription;

export const TRACE = {
  name: 'trace',
  usage: '[ID]',
  summary: 'messages that were followed, or the way of one of them',
  details: 'ID is that of a trace or of the message. Nothing is followed until tracing is switched on.',
  options: {
    follow: { type: 'boolean', short: 'f', description: 'Go on with what comes' },
    artifact: { type: 'string', value: 'NAME', description: 'Where it came in, or a store or processor that it met' },
    errors: { type: 'boolean', description: 'Only what failed' },
    forget: { type: 'boolean', description: 'Forget all that were followed; asks first' },
    ...YES,
    limit: { type: 'string', short: 'n', value: 'N', description: 'The last N; default 20' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse trace', 'mini-synapse trace -f --errors'],
} as const satisfies CommandDescription;

export const TRACING = {
  name: 'tracing',
  usage: '[off|sampled|on|default]',
  summary: 'which messages are followed; without a word, what is set',
  options: {
    sample: { type: 'string', value: 'PERCENT', description: 'How many of them sampled follows' },
    bodies: { type: 'boolean', description: 'Keep up to 64 KiB of each body; --no-bodies does not' },
    artifact: { type: 'string', value: 'KIND:NAME', description: 'Only of this one, for example proxy:Orders' },
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ words: ['off', 'sampled', 'on', 'default'] }],
  examples: ['mini-synapse tracing sampled --sample 5', 'mini-synapse tracing on --artifact proxy:Orders'],
} as const satisfies CommandDescription;

export const GRAPH = {
  name: 'graph',
  usage: '',
  summary: 'how messages go through what is deployed, with counts',
  options: {
    mermaid: { type: 'boolean', description: 'As Mermaid text' },
    svg: { type: 'boolean', description: 'As a picture' },
    root: { type: 'string', value: 'KIND:NAME', description: 'Only what is reached from there' },
    out: { type: 'string', short: 'o', value: 'FILE', description: 'Write it there' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse graph --svg -o graph.svg', 'mini-synapse graph --root proxy:StockQuoteProxy'],
} as const satisfies CommandDescription;

export const LOGIN = {
  name: 'login',
  usage: '',
  summary: 'log in; the token is kept for further commands, readable by you alone',
  details:
    'Tokens of a login are valid for an hour. With --token a token of the configuration is kept, which does not expire.',
  options: { ...CONNECTION, ...HELP },
  examples: ['mini-synapse login --url https://host:9164 --user olga'],
} as const satisfies CommandDescription;

export const LOGOUT = {
  name: 'logout',
  usage: '',
  summary: 'revoke the token that was kept, and forget it',
  options: { ...CONNECTION, ...HELP },
  examples: ['mini-synapse logout --url https://host:9164'],
} as const satisfies CommandDescription;

/** The reference's older spelling. */
export const MESSAGESTORE_SHOW = {
  name: 'messagestore show',
  usage: '[NAME]',
  summary: 'the same as get message-stores',
  options: { ...ENVIRONMENT, ...REMOTE, ...HELP },
  arguments: [{ names: 'message-stores' }],
  hidden: true,
} as const satisfies CommandDescription;

/** The reference's older spelling. */
export const MESSAGEPROCESSOR_SHOW = {
  ...MESSAGESTORE_SHOW,
  name: 'messageprocessor show',
  summary: 'the same as get message-processors',
  arguments: [{ names: 'message-processors' }],
} as const satisfies CommandDescription;
