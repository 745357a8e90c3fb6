import type { IsolationLevel, PoolSettings } from '../../databases/connection-pool.ts';
import { ISOLATION_LEVELS } from '../../databases/connection-pool.ts';
import { type DatabaseReference, DRIVER_ADVICE, databaseTrouble } from '../../databases/databases.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import { resolvePlaceholders } from '../../grammar/placeholders.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { maskCredentials } from '../../logging/secrets.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';

/** The database of a dblookup or dbreport. */
export interface DatabaseConnection {
  /** As errors name it. */
  readonly name: string;
  readonly settings: PoolSettings;
  /** @throws MediationError when an entry that it names is not there */
  reference(message: MessageContext): DatabaseReference;
}

/** A value of `<pool>`: text, or what reads the entry that holds it. */
type Written = string | ((message: MessageContext) => string);

const NO_CONNECTION =
  'The DataSource connection information must be specified for using a custom DataSource connection pool or for a JNDI lookup';
const VALUES = ['driver', 'url', 'user', 'password'] as const;
/** What a JNDI look-up would need; here data sources are found by their name alone. */
const OF_JNDI = ['dsName', 'icClass', 'url', 'user', 'password'];

/** Reads `<connection><pool>…` (spec mediators 3.31); undefined after an error. */
export function readDatabaseConnection(parent: ConfigElement, reader: ArtifactReader): DatabaseConnection | undefined {
  const pool = parent.child('connection')?.child('pool');
  if (!pool) {
    reader.error(parent, NO_CONNECTION, { expected: '<connection><pool>…</pool></connection>' });
    return undefined;
  }
  const settings = readSettings(pool, reader);
  if (pool.child('dsName')) {
    reader.warnUnknownChildren(pool, [...OF_JNDI, 'property']);
    return readDataSource(pool, settings, reader);
  }
  reader.warnUnknownChildren(pool, [...VALUES, 'property']);
  if (pool.child('driver')) return readOwnPool(pool, settings, reader);
  reader.error(pool, NO_CONNECTION, { expected: '<dsName>…</dsName>, or <driver>, <url>, <user> and <password>' });
  return undefined;
}

function readDataSource(
  pool: ConfigElement,
  settings: PoolSettings | undefined,
  reader: ArtifactReader,
): DatabaseConnection | undefined {
  const value = readValue(pool, 'dsName', reader);
  if (value === undefined || !settings) return undefined;
  const name = typeof value === 'string' ? value : (pool.child('dsName')?.attribute('key') ?? '');
  return { name, settings, reference: (message) => ({ dataSource: textFor(value, message) }) };
}

function readOwnPool(
  pool: ConfigElement,
  settings: PoolSettings | undefined,
  reader: ArtifactReader,
): DatabaseConnection | undefined {
  const read = VALUES.map((name) => readValue(pool, name, reader));
  if (read.some((value) => value === undefined) || !settings) return undefined;
  const [driver, url, user, password] = read as [Written, Written, Written, Written];
  if (typeof driver === 'string' && typeof url === 'string') warnUnreachable(pool, driver, url, reader);
  const name = typeof url === 'string' ? maskCredentials(url) : (pool.child('url')?.attribute('key') ?? '');
  return { name, settings, reference: referenceTo({ driver, url, user, password }) };
}

/** By itself, since a closure beside one that looks at the element would keep the XML of the artifact with it. */
function referenceTo(written: Readonly<Record<(typeof VALUES)[number], Written>>): DatabaseConnection['reference'] {
  const { driver, url, user, password } = written;
  return (message) => ({
    driver: textFor(driver, message),
    url: textFor(url, message),
    user: textFor(user, message),
    password: textFor(password, message),
  });
}

function textFor(written: Written, message: MessageContext): string {
  return typeof written === 'string' ? written : written(message);
}

/** Like the reference, which finds out when a message comes: what else the artifact does is served. */
function warnUnreachable(pool: ConfigElement, driver: string, url: string, reader: ArtifactReader): void {
  const trouble = databaseTrouble(driver, url);
  if (trouble === undefined) return;
  reader.warning(pool.child('driver') ?? pool, `${trouble}; messages fail here`, { expected: DRIVER_ADVICE });
}

function readValue(pool: ConfigElement, name: string, reader: ArtifactReader): Written | undefined {
  const element = pool.child(name);
  const key = element?.attribute('key');
  if (key) return (message) => entryText(key, message);
  const text = element?.text.trim();
  if (element && text) return resolvePlaceholders(text, element, reader);
  // An empty password is one.
  if (element && (name === 'password' || name === 'user')) return '';
  reader.error(element ?? pool, `Unable to read configuration value for : {${pool.namespace}}${name}`, {
    expected: `<${name}>…</${name}>, or the key of an entry that holds it`,
  });
  return undefined;
}

function entryText(key: string, { configuration }: MessageContext): string {
  const text = configuration.find('localEntry', key)?.text ?? configuration.services.registry?.text(key);
  if (text !== undefined && text.trim() !== '') return text.trim();
  throw new MediationError(`Unable to read configuration value for : ${key}`);
}

const NUMBERS = ['initialsize', 'maxactive', 'maxidle', 'maxopenstatements', 'maxwait', 'minidle'] as const;
const FLAGS = ['autocommit', 'poolstatements', 'testonborrow', 'testonreturn', 'testwhileidle'] as const;
type NumberSetting = (typeof NUMBERS)[number];
const MAX_CONNECTIONS = 200;
const LONGEST_WAIT_MS = 600_000;
/** As in the reference's pool, but for the wait, which has no end there. */
const DEFAULTS = { maxActive: 8, maxIdle: 8, minIdle: 0, maxWaitMs: 10_000 };

/**
 * The properties of the pool. Connections are opened when they are needed, whatever `initialsize` says; statements are always kept
 * prepared, connections always asked after a while without use, and statements outside of transactions always committed by themselves.
 */
function readSettings(pool: ConfigElement, reader: ArtifactReader): PoolSettings | undefined {
  const numbers = new Map<NumberSetting, number>();
  const settings = {
    testOnBorrow: false,
    validationQuery: 'SELECT 1',
    isolation: undefined as IsolationLevel | undefined,
  };
  let complete = true;
  for (const property of pool.childrenNamed('property')) {
    const name = property.attribute('name')?.trim().toLowerCase() ?? '';
    const value = property.attribute('value')?.trim() ?? '';
    if (isOneOf(name, NUMBERS)) {
      const number = /^-?\d{1,9}$/.test(value) ? Number(value) : undefined;
      if (number !== undefined) numbers.set(name, number);
      else complete = wrong(property, name, value, 'an integer', reader);
    } else if (name === 'validationquery') settings.validationQuery = value || settings.validationQuery;
    else if (name === 'testonborrow') settings.testOnBorrow = value === 'true';
    else if (name === 'isolation') {
      const level = isolationLevel(value);
      if (level !== 'invalid') settings.isolation = level;
      else complete = wrong(property, name, value, 'Connection.TRANSACTION_READ_COMMITTED or another level', reader);
    } else if (!isOneOf(name, FLAGS)) {
      reader.warning(property, `unknown property '${name}' of a pool is ignored`, {
        expected: `one of: ${[...NUMBERS, ...FLAGS, 'isolation', 'validationquery'].sort().join(', ')}`,
      });
    }
  }
  return complete ? { ...settings, ...sizes(numbers) } : undefined;
}

function sizes(numbers: ReadonlyMap<NumberSetting, number>) {
  const bounded = (name: NumberSetting, fallback: number, most: number) => {
    const value = numbers.get(name) ?? fallback;
    // Without bound, there.
    return value < 0 ? most : Math.min(value, most);
  };
  return {
    maxActive: Math.max(1, bounded('maxactive', DEFAULTS.maxActive, MAX_CONNECTIONS)),
    maxIdle: bounded('maxidle', DEFAULTS.maxIdle, MAX_CONNECTIONS),
    minIdle: bounded('minidle', DEFAULTS.minIdle, MAX_CONNECTIONS),
    maxWaitMs: bounded('maxwait', DEFAULTS.maxWaitMs, LONGEST_WAIT_MS),
  };
}

function isolationLevel(value: string): IsolationLevel | undefined | 'invalid' {
  const name = value.replace(/^Connection\./, '');
  if (name === 'TRANSACTION_NONE') return undefined;
  const level = name.replace(/^TRANSACTION_/, '').replaceAll('_', ' ');
  return isOneOf(level, ISOLATION_LEVELS) ? level : 'invalid';
}

function isOneOf<const W extends readonly string[]>(word: string, words: W): word is W[number] {
  return words.includes(word);
}

function wrong(element: ConfigElement, name: string, value: string, expected: string, reader: ArtifactReader): false {
  reader.error(element, `property '${name}' of a pool: '${value}' cannot be used`, { attribute: 'value', expected });
  return false;
}
