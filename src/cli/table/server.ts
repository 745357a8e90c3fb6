import type { CommandDescription } from '../command.ts';
import { HELP, JSON_OUTPUT, REMOTE } from './shared.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

export const START_OPTIONS = {
  'http-port': { type: 'string', value: 'PORT', description: 'HTTP; default 8280, 0 takes any free one' },
  'https-port': { type: 'string', value: 'PORT', description: 'HTTPS; default 8243' },
  'management-port': { type: 'string', value: 'PORT', description: 'Management API and console; default 9164' },
  host: { type: 'string', value: 'ADDRESS', description: 'Where HTTP and HTTPS listen; default 127.0.0.1' },
  data: { type: 'string', value: 'DIR', description: 'Durable stores, states and journals; default ./data' },
  config: { type: 'string', value: 'FILE', description: 'Default ./deployment.toml if there is one' },
  workers: { type: 'string', value: 'N', description: 'Processes that share the HTTP and HTTPS listeners; default 1' },
  watch: { type: 'boolean', description: 'Redeploy on change; --no-watch deploys once' },
  'keep-state': {
    type: 'string',
    value: 'yes|no',
    words: ['yes', 'no'],
    description: 'no: forget what was recorded about processors',
  },
  'log-level': { type: 'string', value: 'LEVEL', words: LOG_LEVELS, description: `${LOG_LEVELS.join(', ')}` },
  'log-format': { type: 'string', value: 'text|json', words: ['text', 'json'], description: 'json: one object a line' },
  ...HELP,
} as const;

export const START = {
  name: 'start',
  usage: '[DIR]',
  summary: 'serve the artifacts in DIR (default ./artifacts), redeploy on change',
  details:
    'Prints one line that begins with "mini-synapse ready" when all is open. SIGTERM, SIGINT, or a reader of its output that is gone (start | head) stop it with 0 once what is in flight has ended. On a terminal keys steer it: o opens the console, r deploys what has changed, p pauses all processors and resumes them, q quits.',
  options: START_OPTIONS,
  arguments: [{ files: true }],
  examples: ['mini-synapse start', 'mini-synapse start ./artifacts --http-port 0 --log-level debug'],
} as const satisfies CommandDescription;

export const RUN = {
  name: 'run',
  usage: '[DIR|FILE.xml|APP.car]',
  summary: 'serve a folder, a single artifact file or a packaged application',
  details: 'With the options of start. Without a path it is the demo.',
  options: {
    ...START_OPTIONS,
    keep: { type: 'boolean', description: 'Of the demo: stay up' },
    activemq: { type: 'boolean', description: 'Of the demo: on an ActiveMQ' },
    orders: { type: 'string', value: 'N', description: 'Of the demo: how many orders' },
  },
  arguments: [{ files: true }],
  examples: ['mini-synapse run StockQuoteProxy.xml --http-port 0'],
} as const satisfies CommandDescription;

export const CHECK = {
  name: 'check',
  usage: 'PATH...',
  summary: 'validate artifacts without running them',
  details:
    "A directory is checked as a whole, as 'start' would deploy it: names must be unique in it, and references that lead nowhere are warned about. A file is checked by itself. Modules of the configuration are not run. Exits with 1 when there are problems; warnings are allowed unless --strict or the configuration (strict_artifacts) says otherwise.",
  options: {
    format: {
      type: 'string',
      value: 'text|json|sarif',
      words: ['text', 'json', 'sarif'],
      description: 'sarif: SARIF 2.1.0, as code hosts and editors read it',
    },
    json: { type: 'boolean', description: 'The same as --format json' },
    strict: { type: 'boolean', description: 'Warnings are problems, too' },
    config: { type: 'string', value: 'FILE', description: 'What artifacts take from the configuration' },
    ...HELP,
  },
  arguments: [{ files: true }],
  examples: ['mini-synapse check artifacts', 'mini-synapse check artifacts --format sarif > results.sarif'],
} as const satisfies CommandDescription;

export const DEMO = {
  name: 'demo',
  usage: '',
  summary: 'three back ends, a proxy and orders',
  options: {
    keep: { type: 'boolean', description: 'Stay up until Ctrl-C' },
    activemq: { type: 'boolean', description: 'On an ActiveMQ, which is started when none answers' },
    orders: { type: 'string', value: 'N', description: 'How many orders; default 12' },
    ...HELP,
  },
  examples: ['mini-synapse demo --keep'],
} as const satisfies CommandDescription;

export const INIT = {
  name: 'init',
  usage: '[DIR]',
  summary: 'write a commented deployment.toml and a first artifact; nothing is overwritten',
  options: { ...HELP },
  arguments: [{ files: true }],
  examples: ['mini-synapse init my-integration'],
} as const satisfies CommandDescription;

export const CRON = {
  name: 'cron',
  usage: '"<expression>"',
  summary: 'the next five runs of a Quartz expression',
  options: {
    timezone: { type: 'string', value: 'ZONE', description: "Default: the process's" },
    count: { type: 'string', value: 'N', description: 'How many; default 5' },
    from: { type: 'string', value: 'TIME', description: 'After this time; default now' },
    dst: {
      type: 'string',
      value: 'default|quartz',
      words: ['default', 'quartz'],
      description: 'On days with a clock change',
    },
    ...HELP,
  },
  examples: ['mini-synapse cron "0 0/5 * * * ?" --timezone Europe/Berlin'],
} as const satisfies CommandDescription;

export const CONFIG = {
  name: 'config',
  usage: '[TEXT]',
  summary: 'the configuration in effect, and where each value comes from',
  details:
    'Of the files and the environment here; with --running of the server that answers. TEXT: only settings whose key or description contains it. Secrets are masked.',
  options: {
    changed: { type: 'boolean', description: 'Only what is not the default' },
    config: { type: 'string', value: 'FILE', description: 'Default ./deployment.toml if there is one' },
    running: { type: 'boolean', description: 'Ask the running server' },
    ...REMOTE,
    ...HELP,
  },
  examples: ['mini-synapse config --changed', 'mini-synapse config port --running'],
} as const satisfies CommandDescription;

export const SCHEMA = {
  name: 'schema',
  usage: '[artifacts|configuration]',
  summary: 'what editors check and complete by: an XSD of artifacts, or a JSON schema of deployment.toml',
  details:
    'The XSD is for the namespace http://ws.apache.org/ns/synapse; connector operations are let through by it. In an editor, connect it with artifact files by their folder; the JSON schema with deployment.toml, for example by a first line "#:schema deployment.schema.json".',
  options: { ...HELP },
  arguments: [{ words: ['artifacts', 'configuration'] }],
  examples: ['mini-synapse schema > synapse.xsd', 'mini-synapse schema configuration > deployment.schema.json'],
} as const satisfies CommandDescription;

export const DOCTOR = {
  name: 'doctor',
  usage: '[DIR]',
  summary: 'check this machine, the configuration, the artifacts and what their stores need',
  details:
    'One line each. Message stores are connected to as the server would. Exits with 1 when something is wrong; warnings are allowed.',
  options: {
    config: START_OPTIONS.config,
    data: START_OPTIONS.data,
    'store-deadline': {
      type: 'string',
      value: 'SECONDS',
      description: 'How long a store may take to answer; default 10',
    },
    ...JSON_OUTPUT,
    ...HELP,
  },
  arguments: [{ files: true }],
  examples: ['mini-synapse doctor', 'mini-synapse doctor artifacts --json'],
} as const satisfies CommandDescription;

export const HASH_PASSWORD = {
  name: 'hash-password',
  usage: '',
  summary: 'the password_hash of a password, for [[management.users]]',
  details: 'Asks for it on a terminal; else the first line of the standard input is the password.',
  options: { ...HELP },
  examples: ['mini-synapse hash-password < password.txt'],
} as const satisfies CommandDescription;

export const COMPLETION = {
  name: 'completion',
  usage: 'bash|zsh|fish',
  summary: 'a script that completes commands, options and names in your shell',
  options: { ...HELP },
  arguments: [{ words: ['bash', 'zsh', 'fish'] }],
  examples: [
    'source <(mini-synapse completion bash)',
    'mini-synapse completion zsh > ~/.zfunc/_mini-synapse',
    'mini-synapse completion fish > ~/.config/fish/completions/mini-synapse.fish',
  ],
} as const satisfies CommandDescription;

/** What the completion scripts ask. */
export const COMPLETE = {
  name: '__complete',
  usage: '-- WORD...',
  summary: 'what could stand in the place of the last word',
  options: {},
  hidden: true,
} as const satisfies CommandDescription;
