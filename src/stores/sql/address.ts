import { resolve } from 'node:path';
import { maskCredentials } from '../../logging/secrets.ts';

/** A JDBC URL cannot be used; the message names what is wrong, without secrets. */
export class JdbcUrlError extends Error {
  override readonly name = 'JdbcUrlError';
}

export type DatabaseKind = 'postgresql' | 'mysql' | 'sqlite';

export interface DatabaseHost {
  readonly host: string;
  readonly port: number;
}

/**
 * How a connection is protected: `off` plain text, `encrypt` TLS with any certificate, `verify-ca` TLS with a trusted certificate,
 * `verify-full` TLS with a trusted certificate for this host. There is no mode that falls back to plain text.
 */
export type TlsMode = 'off' | 'encrypt' | 'verify-ca' | 'verify-full';

/** PostgreSQL, MySQL or MariaDB behind TCP. */
export interface ServerDatabase {
  readonly kind: 'postgresql' | 'mysql';
  /** To be tried in turn. */
  readonly hosts: readonly DatabaseHost[];
  readonly database: string;
  /** From the URL; parameters of the store win. */
  readonly user: string | undefined;
  /** A function looks it up, as it may have changed since the last connection; it throws when nobody knows it. */
  readonly password: string | (() => string) | undefined;
  readonly tls: TlsMode;
  /** A PEM file with the certificates that are trusted, instead of the well-known ones. */
  readonly caFile: string | undefined;
  /** PEM certificates of the configuration, trusted beside the well-known ones when there is no `caFile`. */
  readonly trustedCertificates?: string | undefined;
  /** PostgreSQL: the schema in which names are looked up. */
  readonly schema: string | undefined;
  /** PostgreSQL: whether statements may be prepared (`prepareThreshold=0` says no, for connection poolers). */
  readonly prepares: boolean;
}

/** The same with the password as it is now. */
export type SignedInDatabase = ServerDatabase & { readonly password: string | undefined };

/** A file of SQLite. */
export interface FileDatabase {
  readonly kind: 'sqlite';
  /** As written; relative ones are meant from the data directory. */
  readonly file: string;
}

export type DatabaseAddress = ServerDatabase | FileDatabase;

export const JDBC_URL_FORMS =
  'jdbc:postgresql://HOST:5432/DATABASE, jdbc:mysql://HOST:3306/DATABASE, jdbc:mariadb://HOST:3306/DATABASE or jdbc:sqlite:FILE';

const DEFAULT_PORT = { postgresql: 5432, mysql: 3306 } as const;
const HOST = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([\w.-]+))(?::(\d{1,5}))?$/;
const MAX_PORT = 65_535;

/**
 * Reads a JDBC URL (spec stores 2.4).
 * @throws JdbcUrlError for what is no such URL, for databases that are not supported and for INIT expressions
 */
export function parseJdbcUrl(text: string): DatabaseAddress {
  const url = text.trim();
  if (hasInitExpression(url)) {
    throw new JdbcUrlError('INIT expressions are not allowed in the connection URL due to security reasons.');
  }
  const [, scheme = '', rest = ''] = /^jdbc:([a-z][\w+]*):(.*)$/is.exec(url) ?? [];
  switch (scheme.toLowerCase()) {
    case 'postgresql':
      return serverDatabase('postgresql', rest, url);
    case 'mysql':
    case 'mariadb':
      return serverDatabase('mysql', rest, url);
    case 'sqlite':
      return fileDatabase(rest);
    case '':
      throw new JdbcUrlError(`'${maskCredentials(url)}' is not a JDBC URL`);
    default:
      throw new JdbcUrlError(`databases of the kind '${scheme}' are not supported`);
  }
}

/** H2 runs what stands there (spec stores 1.4); its drivers skip blanks and backslashes. */
export function hasInitExpression(url: string): boolean {
  return /;init=/i.test(url.replace(/[\s\\]/g, ''));
}

function serverDatabase(kind: 'postgresql' | 'mysql', rest: string, url: string): ServerDatabase {
  const shown = maskCredentials(url);
  const wrong = (what: string) => new JdbcUrlError(`'${shown}' ${what}`);
  if (/^\/\/[^/?#@]*\/[^?#]*@/.test(rest)) {
    // What is a password, and what a host? Nothing of it is shown.
    throw new JdbcUrlError("the URL has a '/' in its user name or password: write it as %2F");
  }
  const [, authority, path = '', query = ''] = /^\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  // PostgreSQL's short form without a host.
  const [, onlyPath, onlyQuery = ''] = /^\/?([\w.%-]+)(?:\?(.*))?$/s.exec(rest) ?? [];
  if (authority === undefined && (onlyPath === undefined || kind === 'mysql')) {
    throw wrong(`is not of the form jdbc:${kind}://HOST:PORT/DATABASE`);
  }
  const values = readQuery(authority === undefined ? onlyQuery : query, wrong);
  const database = decoded(authority === undefined ? (onlyPath ?? '') : path, wrong);
  if (database === '') throw wrong('does not name a database');
  const at = (authority ?? '').lastIndexOf('@');
  const [user, password] = at < 0 ? [] : splitOnce((authority ?? '').slice(0, at), ':');
  return {
    kind,
    hosts: readHosts((authority ?? '').slice(at + 1), DEFAULT_PORT[kind], wrong),
    database,
    user: values.get('user') ?? (user === undefined ? undefined : decoded(user, wrong)),
    password: values.get('password') ?? (password === undefined ? undefined : decoded(password, wrong)),
    ...(kind === 'postgresql' ? postgresqlTls(values, wrong) : mysqlTls(values, wrong)),
    schema: kind === 'postgresql' ? values.get('currentschema') : undefined,
    prepares: values.get('preparethreshold') !== '0',
  };
}

type Wrong = (what: string) => JdbcUrlError;

function readHosts(text: string, defaultPort: number, wrong: Wrong): DatabaseHost[] {
  if (text === '') return [{ host: 'localhost', port: defaultPort }];
  return text.split(',').map((part) => {
    const [match, ipv6, name, port] = HOST.exec(part.trim()) ?? [];
    const number = port === undefined ? defaultPort : Number(port);
    if (match === undefined) throw wrong(`has '${part}' where a host is expected`);
    if (number < 1 || number > MAX_PORT) throw wrong(`has a port that is not from 1 to ${MAX_PORT}`);
    return { host: ipv6 ?? name ?? '', port: number };
  });
}

/** Names in lower case: the drivers differ in how they take them. The last one wins. */
function readQuery(text: string, wrong: Wrong): Map<string, string> {
  const values = new Map<string, string>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const [name = '', value = ''] = splitOnce(part, '=');
    values.set(decoded(name, wrong).toLowerCase(), decoded(value, wrong));
  }
  return values;
}

type Tls = Pick<ServerDatabase, 'tls' | 'caFile'>;

const POSTGRESQL_MODES: Readonly<Record<string, TlsMode>> = {
  disable: 'off',
  // They ask for nothing: what may be plain text is plain text, rather than now this and now that.
  allow: 'off',
  prefer: 'off',
  require: 'encrypt',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
};

function postgresqlTls(values: ReadonlyMap<string, string>, wrong: Wrong): Tls {
  const caFile = values.get('sslrootcert');
  const mode = values.get('sslmode');
  const ssl = values.get('ssl');
  if (mode === undefined) return { tls: isOn(ssl) ? 'verify-full' : 'off', caFile };
  return { tls: modeOf('sslmode', mode, POSTGRESQL_MODES, wrong), caFile };
}

/** The words of MySQL Connector/J and of MariaDB Connector/J. */
const MYSQL_MODES: Readonly<Record<string, TlsMode>> = {
  disabled: 'off',
  disable: 'off',
  preferred: 'off',
  required: 'encrypt',
  trust: 'encrypt',
  verify_ca: 'verify-ca',
  'verify-ca': 'verify-ca',
  verify_identity: 'verify-full',
  'verify-full': 'verify-full',
};

function mysqlTls(values: ReadonlyMap<string, string>, wrong: Wrong): Tls {
  const caFile = values.get('serversslcert');
  const mode = values.get('sslmode');
  if (mode !== undefined) return { tls: modeOf('sslMode', mode, MYSQL_MODES, wrong), caFile };
  if (!isOn(values.get('usessl')) && !isOn(values.get('requiressl'))) return { tls: 'off', caFile };
  return { tls: isOn(values.get('verifyservercertificate')) ? 'verify-ca' : 'encrypt', caFile };
}

function modeOf(name: string, word: string, modes: Readonly<Record<string, TlsMode>>, wrong: Wrong): TlsMode {
  const mode = Object.hasOwn(modes, word.toLowerCase()) ? modes[word.toLowerCase()] : undefined;
  if (mode === undefined) throw wrong(`has ${name}=${word}, which is not one of: ${Object.keys(modes).join(', ')}`);
  return mode;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|)$/i.test(value);
}

function fileDatabase(rest: string): FileDatabase {
  const [path = ''] = splitOnce(rest.replace(/^file:/i, ''), '?');
  const file = path.trim();
  if (file === '' || file.toLowerCase() === ':memory:') {
    throw new JdbcUrlError('a database in memory keeps nothing: name a file, as in jdbc:sqlite:messages.db');
  }
  if (file.includes('\0')) throw new JdbcUrlError('the file name has a NUL character');
  return { kind: 'sqlite', file };
}

/** The file that is meant, as an absolute path. */
export function databaseFile({ file }: FileDatabase, dataDirectory: string): string {
  return resolve(dataDirectory, file);
}

function decoded(text: string, wrong: Wrong): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a % that is not followed by two hexadecimal digits');
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** The address for people: no credentials, no parameters. */
export function describeAddress(address: DatabaseAddress): string {
  if (address.kind === 'sqlite') return `sqlite:${address.file}`;
  const hosts = address.hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return `${address.kind}://${hosts.join(',')}/${address.database}`;
}

/** Driver classes of the reference's world and the databases that they are for (REQ-09). */
export const DRIVER_CLASSES: ReadonlyMap<string, DatabaseKind> = new Map([
  ['org.postgresql.Driver', 'postgresql'],
  ['com.mysql.jdbc.Driver', 'mysql'],
  ['com.mysql.cj.jdbc.Driver', 'mysql'],
  ['org.mariadb.jdbc.Driver', 'mysql'],
  ['org.sqlite.JDBC', 'sqlite'],
]);
