import { isBuiltin } from 'node:module';
import { nearestName } from '../../grammar/diagnostic.ts';
import { maskCredentials } from '../../logging/secrets.ts';
import { requirePackage } from '../../optional-package.ts';
import { readTrusted } from '../broker/trust.ts';
import type { DataSource, StoreServices } from '../component.ts';
import {
  type DatabaseAddress,
  type DatabaseKind,
  DRIVER_CLASSES,
  describeAddress,
  JDBC_URL_FORMS,
  JdbcUrlError,
  parseJdbcUrl,
  type ServerDatabase,
} from './address.ts';
import type { SqlDriver } from './driver.ts';
import { mysqlDriver } from './mysql.ts';
import { postgresqlDriver } from './postgresql.ts';
import { sqliteDriver } from './sqlite.ts';

/*
 * From what an artifact or the configuration says about a database to the driver that reaches it; the same for stores and mediators.
 */

/** Settings that cannot be used together, or not here; the message names setting and value. */
export class ConnectParameterError extends Error {
  override readonly name = 'ConnectParameterError';
}

/** What a driver needs of the server. */
export type DatabaseServices = Pick<StoreServices, 'dataDirectory' | 'dataSources' | 'trustedCertificates'>;

export type User = Pick<DataSource, 'username' | 'password'>;

/** A data source of the configuration, also under the names that JNDI would have for it. */
export function findDataSource(
  name: string,
  dataSources: ReadonlyMap<string, DataSource> | undefined,
): DataSource | undefined {
  const bare = name.replace(/^(?:java:(?:comp\/env\/)?)?(?:jdbc\/)?/, '');
  return dataSources?.get(name) ?? dataSources?.get(bare);
}

/** What to say when there is none; it begins as the reference does. */
export function missingDataSource(name: string, dataSources: ReadonlyMap<string, DataSource> | undefined): string {
  const known = [...(dataSources?.keys() ?? [])];
  const near = nearestName(name, known);
  return (
    `Cannot find a DataSource ${name}: the configuration has ` +
    `${known.length === 0 ? 'none' : known.join(', ')}${near === undefined ? '' : `; did you mean '${near}'?`}.`
  );
}

/** @throws ConnectParameterError for a URL that is none, or for another database than the driver's */
export function dataSourceAddress(name: string, source: DataSource): DatabaseAddress {
  const what = `the url of the data source '${name}'`;
  const kind = sourceKind(source, name);
  const address = parsedUrl(source.url, what);
  if (kind !== undefined && address.kind !== kind) {
    throw new ConnectParameterError(`${what} is '${maskCredentials(source.url)}', and its driver is for ${kind}`);
  }
  return withUser(address, source);
}

function parsedUrl(url: string, what: string): DatabaseAddress {
  try {
    return parseJdbcUrl(url);
  } catch (cause) {
    if (!(cause instanceof JdbcUrlError)) throw cause;
    throw new ConnectParameterError(`${what}: ${cause.message}; expected ${JDBC_URL_FORMS}`, { cause });
  }
}

function sourceKind({ driver }: DataSource, name: string): DatabaseKind | undefined {
  if (driver === undefined) return undefined;
  const kind = DRIVER_CLASSES.get(driver);
  if (kind !== undefined) return kind;
  const known = [...DRIVER_CLASSES.keys()].join(', ');
  throw new ConnectParameterError(
    `the driver '${driver}' of the data source '${name}' is not supported; expected one of: ${known}`,
  );
}

/** Parameters win over what stands in the URL. */
export function withUser(address: DatabaseAddress, { username, password }: User): DatabaseAddress {
  if (address.kind === 'sqlite') return address;
  return { ...address, user: username ?? address.user, password: password ?? address.password };
}

/** @throws ConnectParameterError when the package for the database, or a file or secret that the address names, is missing */
export function driverFor(
  written: DatabaseAddress,
  { dataDirectory, trustedCertificates }: Pick<DatabaseServices, 'dataDirectory' | 'trustedCertificates'>,
): SqlDriver {
  const address: DatabaseAddress = written.kind === 'sqlite' ? written : { ...written, trustedCertificates };
  if (address.kind === 'sqlite') {
    requireSqlite(address);
    return sqliteDriver(address, dataDirectory);
  }
  requireTrusted(address);
  requirePassword(address);
  const name = address.kind === 'postgresql' ? 'pg' : 'mysql2';
  requireInstalled(name, address);
  return address.kind === 'postgresql' ? postgresqlDriver(address) : mysqlDriver(address);
}

/** Said at the deployment rather than at the first connection; it is loaded with that. */
function requireInstalled(name: string, address: DatabaseAddress): void {
  try {
    requirePackage(name, describeAddress(address));
  } catch (cause) {
    throw new ConnectParameterError((cause as Error).message, { cause });
  }
}

function requireSqlite(address: DatabaseAddress): void {
  if (!isBuiltin('node:sqlite'))
    throw new ConnectParameterError(`${describeAddress(address)} needs Node.js 22.13 or later`);
}

/** Said at the deployment; the file is read again with every connection, as it may be replaced. */
function requireTrusted(address: ServerDatabase): void {
  const { caFile } = address;
  if (caFile === undefined) return;
  try {
    readTrusted(caFile, 'the trusted certificates');
  } catch (cause) {
    throw new ConnectParameterError(`${describeAddress(address)}: ${(cause as Error).message}`, { cause });
  }
}

/** Said at the deployment; it is looked up again with every connection. */
function requirePassword({ password }: ServerDatabase): void {
  if (typeof password === 'function') password();
}
