/** How the server is reached, the same for every command that talks to one. */
export const CONNECTION = {
  url: {
    type: 'string',
    value: 'URL',
    description: 'The management API; default MINI_SYNAPSE_URL, else http://127.0.0.1:9164',
  },
  token: {
    type: 'string',
    value: 'TOKEN',
    description: 'An access token; better in MINI_SYNAPSE_TOKEN, where others cannot see it',
  },
  user: {
    type: 'string',
    value: 'NAME',
    description: 'Log in as this user; the password comes from MINI_SYNAPSE_PASSWORD, or is asked for',
  },
  ca: { type: 'string', value: 'FILE', description: "PEM certificate that the server's is verified with" },
  insecure: { type: 'boolean', description: "Do not verify the server's certificate" },
} as const;

export const JSON_OUTPUT = { json: { type: 'boolean', description: 'JSON for scripts' } } as const;

/** Talks to a server, and shows what it answers. */
export const REMOTE = { ...JSON_OUTPUT, ...CONNECTION } as const;

export const YES = { yes: { type: 'boolean', short: 'y', description: 'Do not ask first' } } as const;

/** Which messages of a store are meant. */
export const MESSAGE_FILTER = {
  id: { type: 'string', value: 'TEXT', description: 'Part of the message id' },
  text: { type: 'string', value: 'TEXT', description: 'Part of the body' },
  header: { type: 'string', value: 'TEXT', description: "Part of a header, as 'Name: value'" },
  cause: { type: 'string', value: 'TEXT', description: 'Part of the last cause of failure' },
  endpoint: { type: 'string', value: 'NAME', description: 'Where it failed', names: 'endpoints' },
  status: { type: 'string', value: 'CODE', description: 'The HTTP status with which it failed' },
  since: {
    type: 'string',
    value: 'TIME',
    description: 'Stored then or later: 2026-01-31T12:00:00Z, or 15m, 2h, 3d ago',
  },
  until: { type: 'string', value: 'TIME', description: 'Stored before then' },
} as const;

/** For brokers where a look counts as a delivery. */
export const LOOK_ANYWAY = {
  force: {
    type: 'boolean',
    description: 'Also where the broker counts a look as a delivery, or after too many replays',
  },
} as const;

/** What is done with many messages at once. */
export const MANY = {
  all: { type: 'boolean', description: 'All messages of the store' },
  rate: { type: 'string', value: 'N', description: 'At most N messages a second' },
  ...MESSAGE_FILTER,
} as const;

/** Of what changes many messages. */
export const DRY_RUN = {
  'dry-run': { type: 'boolean', description: 'Only tell how many messages it would be' },
} as const;

/** The reference's commands demand it; here --url says which server is meant. */
export const ENVIRONMENT = {
  environment: {
    type: 'string',
    short: 'e',
    value: 'NAME',
    description: "Ignored: the reference's commands demand it; --url says which server",
  },
} as const;

export const HELP = { help: { type: 'boolean', short: 'h', description: 'Show this' } } as const;
