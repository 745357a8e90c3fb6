import { resolve } from 'node:path';
import { isSecretName, maskCredentials } from '../logging/secrets.ts';
import { OPTIONS, type Option, type OptionKey, type OptionValue, variableOf } from './options.ts';
import { ConfigurationError, type TomlReader } from './toml-reader.ts';

export type Origin = 'default' | 'file' | 'environment' | 'flag';

/** One setting as it is in effect, for `mini-synapse config` and the management API; secrets are masked. */
export interface EffectiveSetting {
  readonly key: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly origin: Origin;
  /** `deployment.toml:12`, the variable, or the flag. */
  readonly where?: string;
  readonly description: string;
  readonly type: string;
  readonly default: string | number | boolean | null;
}

type Scalar = string | number | boolean | readonly string[];

interface Found {
  readonly value: Scalar | undefined;
  readonly origin: Origin;
  readonly where?: string;
}

/**
 * Looks the options up: flags win over the environment, that over the file, that over the defaults. Whatever is written anywhere is
 * checked, also where something else wins. Remembers where each value came from.
 */
export class Settings {
  readonly #toml: TomlReader;
  readonly #flags: Readonly<Record<string, Scalar | undefined>>;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #found = new Map<OptionKey, Found>();

  constructor(
    toml: TomlReader,
    flags: Readonly<Record<string, Scalar | undefined>>,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#toml = toml;
    this.#flags = flags;
    this.#environment = environment;
  }

  /** @throws ConfigurationError for a value of the wrong type */
  get<K extends OptionKey>(key: K): OptionValue<K> {
    let found = this.#found.get(key);
    if (!found) {
      found = this.#find(key);
      this.#found.set(key, found);
    }
    return found.value as OptionValue<K>;
  }

  origin(key: OptionKey): Origin {
    this.get(key);
    return this.#found.get(key)?.origin ?? 'default';
  }

  /** Says what a setting amounts to, where that is more than what is written. */
  note(key: OptionKey, value: Scalar): void {
    this.get(key);
    const found = this.#found.get(key);
    if (found) this.#found.set(key, { ...found, value });
  }

  /** All options in the order of their table, and what else stands in the file. */
  effective(): EffectiveSetting[] {
    const keys = Object.keys(OPTIONS) as OptionKey[];
    return [...keys.map((key) => this.#effective(key)), ...this.#tables()];
  }

  #effective(key: OptionKey): EffectiveSetting {
    this.get(key);
    const option: Option = OPTIONS[key];
    const found = this.#found.get(key);
    const value = found?.value ?? null;
    return {
      key,
      value: typeof value === 'string' ? maskedText(key, value) : value,
      origin: found?.origin ?? 'default',
      ...(found?.where !== undefined && { where: found.where }),
      description: option.description,
      type: option.words?.join(' | ') ?? option.type,
      default: option.default ?? option.defaultText ?? null,
    };
  }

  /** Tables of other people's names: databases, brokers, extensions, users, values for artifacts. */
  #tables(): EffectiveSetting[] {
    return TABLES.filter(([key]) => this.#toml.has(key)).map(([key, description]) => ({
      key,
      value: JSON.stringify(masked(key, this.#toml.raw(key))),
      origin: 'file',
      where: this.#toml.whereIs(key),
      description,
      type: 'table',
      default: null,
    }));
  }

  #find(key: OptionKey): Found {
    const option: Option = OPTIONS[key];
    const path = option.path ?? key.split('.');
    const inFile = this.#inFile(path, option);
    const variable = variableOf(key);
    const written = this.#environment[variable];
    const inEnvironment = written === undefined || written === '' ? undefined : fromVariable(variable, written, option);
    const flag = option.flag === undefined ? undefined : this.#flags[option.flag];
    if (flag !== undefined) {
      const value = option.type === 'path' ? resolve(String(flag)) : flag;
      return { value, origin: 'flag', where: option.flag === 'artifacts' ? 'DIR' : `--${option.flag}` };
    }
    if (inEnvironment !== undefined) return { value: inEnvironment, origin: 'environment', where: variable };
    if (inFile !== undefined) return { value: inFile, origin: 'file', where: this.#toml.whereIs(path) };
    return { value: defaultOf(option), origin: 'default' };
  }

  #inFile(path: readonly string[], option: Option): Scalar | undefined {
    switch (option.type) {
      case 'integer':
        return this.#toml.integer(path, rangeOf(option));
      case 'boolean':
        return this.#toml.boolean(path);
      case 'word':
        return this.#toml.oneOf(path, option.words ?? []);
      case 'path':
        return this.#toml.path(path);
      case 'texts':
        return this.#toml.list(path);
      case 'paths':
        return this.#toml.has(path) ? this.#toml.paths(path) : undefined;
      default:
        return this.#toml.text(path);
    }
  }
}

const TABLES: ReadonlyArray<readonly [key: string, description: string]> = [
  ['datasource', 'Databases'],
  ['mini_synapse.jms', 'The STOMP addresses behind provider URLs'],
  ['mini_synapse.extension', 'Modules for class names in artifacts'],
  ['mini_synapse.configs', 'Values for artifacts, by name'],
  ['management.users', 'Users of the management API'],
  ['management.tokens', 'Access tokens of the management API'],
  ['internal_apis.users', "Users of the management API, as MI's configuration says them"],
];

function defaultOf(option: Option): Scalar | undefined {
  if (option.type === 'paths' || option.type === 'texts') return [];
  return option.type === 'path' && option.default !== undefined ? resolve(String(option.default)) : option.default;
}

function fromVariable(variable: string, text: string, option: Option): Scalar {
  const wrong = (expected: string) =>
    new ConfigurationError(`${variable} is ${JSON.stringify(text)}, expected ${expected}`);
  switch (option.type) {
    case 'integer': {
      const { minimum, maximum } = rangeOf(option);
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= minimum && value <= maximum) return value;
      throw wrong(`an integer from ${minimum} to ${maximum}`);
    }
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw wrong('true or false');
    case 'word':
      if (option.words?.includes(text)) return text;
      throw wrong(`one of: ${option.words?.join(', ')}`);
    case 'path':
      return resolve(text);
    case 'texts':
      return text.split(',').map((one) => one.trim());
    case 'paths':
      return text.split(',').map((path) => resolve(path.trim()));
    default:
      return text;
  }
}

function rangeOf({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Option): { minimum: number; maximum: number } {
  return { minimum, maximum };
}

/** They say where a secret is, and are none. */
const NO_SECRETS: readonly string[] = [
  'mini_synapse.secrets',
  'management.users.password_secret',
  'management.tokens.token_secret',
];

/** A table with its secrets masked; what stands in a list is called as the list. */
function masked(key: string, value: unknown): unknown {
  if (typeof value === 'string') return maskedText(key, value);
  if (Array.isArray(value)) return value.map((one: unknown) => masked(key, one));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, masked(`${key}.${name}`, one)]));
}

function maskedText(key: string, value: string): string {
  const secret = isSecretName(key.slice(key.lastIndexOf('.') + 1)) && !NO_SECRETS.includes(key);
  return secret ? '*****' : maskCredentials(value);
}
