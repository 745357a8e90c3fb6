import type { CommandDescription } from '../command.ts';
import { CONNECTION, HELP, REMOTE, YES } from './shared.ts';

const ROLE_WORDS = ['viewer', 'operator', 'admin'] as const;
const LEVEL_WORDS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'default'] as const;
const NEW_PASSWORD =
  'Asks for the password on a terminal; else the first line of the standard input is it. Of users of the configuration nothing is changed here.';

export const USER_ADD = {
  name: 'user add',
  usage: 'NAME',
  summary: 'make a user of the management API and the console',
  details: NEW_PASSWORD,
  options: {
    role: {
      type: 'string',
      value: 'ROLE',
      words: ROLE_WORDS,
      description: 'viewer, operator or admin; default viewer',
    },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse user add olga --role operator'],
} as const satisfies CommandDescription;

export const USER_PASSWORD = {
  name: 'user password',
  usage: 'NAME',
  summary: 'give a user another password; who is logged in as that user has to do so again',
  details: NEW_PASSWORD,
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'users' }],
  examples: ['mini-synapse user password olga < password.txt'],
} as const satisfies CommandDescription;

export const USER_ROLE = {
  name: 'user role',
  usage: 'NAME viewer|operator|admin',
  summary: 'give a user another role',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'users' }, { words: ROLE_WORDS }],
  examples: ['mini-synapse user role olga admin'],
} as const satisfies CommandDescription;

export const USER_REMOVE = {
  name: 'user remove',
  usage: 'NAME...',
  summary: 'remove users; their sessions and tokens end',
  details: 'Asks first; scripts say --yes.',
  options: { ...YES, ...REMOTE, ...HELP },
  arguments: [{ names: 'users' }],
  examples: ['mini-synapse user remove olga -y'],
} as const satisfies CommandDescription;

export const SESSION_REVOKE = {
  name: 'session revoke',
  usage: 'ID...',
  summary: 'end sessions of the console and revoke access tokens',
  details: 'get sessions lists them. Tokens of the configuration are taken out there.',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'sessions' }],
  examples: ['mini-synapse get sessions', 'mini-synapse session revoke 3f9a2c'],
} as const satisfies CommandDescription;

export const USER_COMMANDS: readonly CommandDescription[] = [
  USER_ADD,
  USER_PASSWORD,
  USER_ROLE,
  USER_REMOVE,
  SESSION_REVOKE,
];

export const WEB_HOOK_TEST = {
  name: 'web-hook test',
  usage: 'NAME',
  summary: 'call a web hook once with a test alert, and tell what came of it',
  details: 'get web-hooks lists them. Exits with 1 when it was not delivered.',
  options: { ...REMOTE, ...HELP },
  arguments: [{ names: 'web-hooks' }],
  examples: ['mini-synapse web-hook test operations'],
} as const satisfies CommandDescription;

export const LOG_LEVEL = {
  name: 'log-level',
  usage: '[LOGGER] LEVEL',
  summary: 'change how much is logged: of a logger, of all, or of the messages of one artifact',
  details:
    'LEVEL is fatal, error, warn, info, debug or trace. Without LOGGER it is that of all that have none of their own; get loggers lists them. Of an artifact, default takes its level away.',
  options: {
    artifact: {
      type: 'string',
      value: 'KIND:NAME',
      description: 'Of the messages of this one, for example proxy:Orders',
    },
    for: { type: 'string', value: 'TIME', description: 'Given back by itself after 90s, 15m, 2h; at most 24h' },
    ...REMOTE,
    ...HELP,
  },
  arguments: [{ names: 'loggers', words: LEVEL_WORDS }, { words: LEVEL_WORDS }],
  examples: [
    'mini-synapse log-level debug --artifact proxy:Orders --for 15m',
    'mini-synapse log-level LogMediator warn',
    'mini-synapse log-level info',
  ],
} as const satisfies CommandDescription;

export const AUDIT = {
  name: 'audit',
  usage: '',
  summary: 'who did what, the newest last',
  options: {
    limit: { type: 'string', short: 'n', value: 'N', description: 'Of the last N entries; default 100, at most 1000' },
    who: { type: 'string', value: 'NAME', description: 'Only of this user or token' },
    action: { type: 'string', value: 'WORD', description: 'Only this action, for example deleted' },
    name: { type: 'string', value: 'NAME', description: 'Only what concerns this artifact, message or user' },
    failed: { type: 'boolean', description: 'Only what was refused or has failed' },
    since: { type: 'string', value: 'TIME', description: 'Then or later: 2026-01-31T12:00:00Z, or 15m, 2h, 3d ago' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse audit --since 2h --who olga'],
} as const satisfies CommandDescription;

export const SEND = {
  name: 'send',
  usage: 'KIND:NAME',
  summary: 'send a test message through a proxy, an api or a sequence, or into a store, and follow it',
  details:
    'KIND is proxy, api, sequence or store. Prints what was answered; what became of the message is shown with --trace. Exits with 1 when the answer is a fault.',
  options: {
    data: { type: 'string', short: 'd', value: 'TEXT', description: 'The body' },
    file: { type: 'string', value: 'FILE', description: 'The body; - is the standard input' },
    sample: { type: 'string', value: 'NAME', description: 'A sample message; --samples lists them' },
    samples: { type: 'boolean', description: 'List the sample messages' },
    type: { type: 'string', value: 'TYPE', description: 'Content-Type; default by what the body looks like' },
    method: { type: 'string', value: 'METHOD', description: 'Default POST with a body, else GET' },
    path: { type: 'string', value: 'PATH', description: 'What follows the address of the proxy or the api' },
    header: { type: 'string', multiple: true, value: "'NAME: VALUE'", description: 'A header; may be given again' },
    trace: { type: 'boolean', description: 'Show its way, too' },
    ...REMOTE,
    ...HELP,
  },
  examples: [
    `mini-synapse send proxy:Orders -d '{"order": 1}' --trace`,
    'mini-synapse send api:Shop --path /items/7',
    'mini-synapse send store:Orders --sample "JSON: order"',
  ],
} as const satisfies CommandDescription;

export const SERVER_SHOW = {
  name: 'server show',
  usage: '',
  summary: 'version, folders and machine of the running server',
  options: { ...REMOTE, ...HELP },
  examples: ['mini-synapse server show --json'],
} as const satisfies CommandDescription;

export const SERVER_RESTART = {
  name: 'server restart',
  usage: '',
  summary: 'start the server anew, with its configuration read again; what is in flight ends first',
  details: 'Asks first; scripts say --yes.',
  options: { ...YES, ...REMOTE, ...HELP },
  examples: ['mini-synapse server restart -y'],
} as const satisfies CommandDescription;

export const SERVER_SHUTDOWN = {
  ...SERVER_RESTART,
  name: 'server shutdown',
  summary: 'stop the server; what is in flight ends first',
  examples: ['mini-synapse server shutdown -y'],
} as const satisfies CommandDescription;

export const SERVER_COMMANDS: readonly CommandDescription[] = [SERVER_SHOW, SERVER_RESTART, SERVER_SHUTDOWN];

export const METRICS = {
  name: 'metrics',
  usage: '[TEXT]',
  summary: 'the metrics as Prometheus reads them, or those whose names contain a text',
  options: { ...CONNECTION, ...HELP },
  examples: ['mini-synapse metrics store_depth'],
} as const satisfies CommandDescription;

export const OPENAPI = {
  name: 'openapi',
  usage: '',
  summary: 'the description of the management API, as OpenAPI 3.1',
  options: { ...CONNECTION, ...HELP },
  examples: ['mini-synapse openapi > management-api.json'],
} as const satisfies CommandDescription;
