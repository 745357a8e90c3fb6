import { ALERT_KINDS } from '../../alerts/alert.ts';
import { ROLES } from '../../management/security/caller.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A table of `deployment.toml` whose entries are not single values of `src/config/options.ts`. */
export interface ConfigurationTable {
  /** Its place in the document. */
  readonly path: readonly string[];
  readonly schema: Schema;
}

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
const ROLE = { enum: [...ROLES], default: 'viewer', description: 'What it may do' };
/** A name that the Basic scheme can say. */
const NAME = text('Without blanks and colons', { pattern: '^[^:\\s]+$' });

/** Entries of ours know only these keys. */
function entries(description: string, properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  return { type: 'array', description, items: { type: 'object', properties, additionalProperties: false, ...more } };
}

function exactlyOne(...keys: readonly string[]): Schema {
  return { oneOf: keys.map((key) => ({ required: [key] })) };
}

const KEY_STORE = {
  password: text('$secret{alias} looks it up'),
  alias: text('Which key of it'),
  key_password: text('Of the key, where it is another one'),
};

/** What `readConfiguration` reads besides its single settings; a test holds it to that. */
export const CONFIGURATION_TABLES: readonly ConfigurationTable[] = [
  {
    path: ['management', 'users'],
    schema: entries(
      'Who may log in to the management API and the console',
      {
        name: NAME,
        role: ROLE,
        password_hash: text('As mini-synapse hash-password prints it'),
        password: text('In the clear; better password_hash or password_secret'),
        password_secret: text('What the password is called among the secrets'),
      },
      { required: ['name'], ...exactlyOne('password_hash', 'password', 'password_secret') },
    ),
  },
  {
    path: ['management', 'tokens'],
    schema: entries(
      'Tokens for programs, as Bearer',
      {
        name: NAME,
        role: ROLE,
        token: text('In the clear; better token_hash or token_secret', { minLength: 16 }),
        token_hash: text('SHA-256 in hexadecimal', { pattern: '^[0-9a-fA-F]{64}$' }),
        token_secret: text('What the token is called among the secrets'),
      },
      { required: ['name'], ...exactlyOne('token', 'token_hash', 'token_secret') },
    ),
  },
  {
    path: ['internal_apis', 'users'],
    schema: {
      type: 'array',
      description: "Users as the reference's configuration says them",
      items: {
        type: 'object',
        required: ['user'],
        properties: {
          user: {
            type: 'object',
            required: ['name', 'password'],
            properties: { name: { type: 'string' }, password: { type: 'string' }, is_admin: { type: 'boolean' } },
          },
        },
      },
    },
  },
  {
    path: ['datasource'],
    schema: {
      type: 'array',
      description: 'Databases that JDBC message stores and database mediators name by their id',
      items: {
        type: 'object',
        required: ['id', 'url'],
        properties: {
          id: text('Its name', { minLength: 1 }),
          url: text('A JDBC URL', { minLength: 1 }),
          username: { type: 'string' },
          password: text('$secret{alias} looks it up'),
          driver: text('The class of the JDBC driver; the URL tells enough without it'),
        },
      },
    },
  },
  {
    path: ['mini_synapse', 'jms'],
    schema: {
      type: 'array',
      description: 'Where STOMP is spoken by a broker that artifacts name by its provider URL',
      items: {
        type: 'object',
        required: ['provider_url', 'stomp_url'],
        properties: {
          provider_url: text('As artifacts say it, for example tcp://broker:61616', { minLength: 1 }),
          stomp_url: text('For example stomp://broker:61613', { minLength: 1 }),
        },
      },
    },
  },
  {
    path: ['mini_synapse', 'extension'],
    schema: entries(
      'Modules that stand for Java classes of artifacts',
      {
        class: text('The name of the class in artifacts', { pattern: '\\S' }),
        module: text('A file, relative to this one', { pattern: '\\.[cm]?[jt]s$' }),
        deadline_ms: { ...integer(1, 600_000), default: 30_000, description: 'ms that one call may take' },
      },
      { required: ['class', 'module'] },
    ),
  },
  {
    path: ['mini_synapse', 'configs'],
    schema: {
      type: 'object',
      description: 'Values for $' + '{configs.NAME} in artifacts',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
    },
  },
  {
    path: ['mini_synapse', 'security', 'keystore'],
    schema: entries(
      'Key stores for WS-Security',
      { file: text('JKS, PKCS12 or PEM'), ...KEY_STORE },
      {
        required: ['file', 'password'],
      },
    ),
  },
  {
    path: ['mini_synapse', 'security', 'user'],
    schema: entries(
      'Users of UsernameTokens',
      {
        name: text('Its name', { pattern: '\\S' }),
        password: text('$secret{alias} looks it up', { minLength: 1 }),
        roles: text('Separated by commas'),
      },
      { required: ['name', 'password'] },
    ),
  },
  {
    path: ['keystore', 'primary'],
    schema: keyStore("The reference's key store: of HTTPS and WS-Security"),
  },
  { path: ['truststore'], schema: keyStore("The reference's trust store") },
  {
    path: ['alerts', 'webhook'],
    schema: entries(
      'Who is told when a processor changes its state or is stuck, a store goes down, or an artifact is faulty',
      {
        name: text("Default: the host of the address, or the secret's name"),
        url: text('Is sent a POST', { pattern: '^\\s*https?:' }),
        url_secret: text('What the address is called among the secrets'),
        events: { type: 'array', items: { enum: [...ALERT_KINDS] }, minItems: 1, description: 'Default: all' },
        header: text('The name of a header', { pattern: "^[\\w!#$%&'*+.^`|~-]+$" }),
        header_secret: text('What its value is called among the secrets'),
      },
      {
        ...exactlyOne('url', 'url_secret'),
        dependentRequired: { header: ['header_secret'], header_secret: ['header'] },
      },
    ),
  },
];

function keyStore(description: string): Schema {
  const properties = { file_name: text('JKS, PKCS12 or PEM'), ...KEY_STORE };
  return { type: 'object', description, properties, dependentRequired: { file_name: ['password'] } };
}

/** Numbers may be written as texts, as the reference does in places. */
export function integer(minimum: number | undefined, maximum: number | undefined): Schema {
  return {
    type: ['integer', 'string'],
    pattern: '^[0-9]+$',
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  };
}

/** Tables of ours: a key that none of our settings has is refused in them. */
export const CLOSED_TABLES: ReadonlyArray<readonly string[]> = [
  ['management'],
  ['console'],
  ['alerts'],
  ['mini_synapse'],
  ['mini_synapse', 'cluster'],
  ['mini_synapse', 'security'],
];
