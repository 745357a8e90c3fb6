import { nonEmptyText, text, ValueError, valueType } from '../../grammar/attributes.ts';
import { nearestName } from '../../grammar/diagnostic.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import { maskCredentials } from '../../logging/secrets.ts';
import type { Misfit, StoreServices } from '../component.ts';
import { StoreError } from '../message-store.ts';
import {
  type DatabaseAddress,
  type DatabaseKind,
  DRIVER_CLASSES,
  hasInitExpression,
  JDBC_URL_FORMS,
  JdbcUrlError,
  parseJdbcUrl,
} from './address.ts';
import {
  ConnectParameterError,
  dataSourceAddress,
  driverFor,
  findDataSource,
  missingDataSource,
  withUser,
} from './data-source.ts';
import type { SqlDriver } from './driver.ts';
import { LONGEST_TABLE_NAME, TABLE_NAME } from './message-table.ts';

/** A JDBC URL as written; without an address it is something else, such as the provider URL of a JNDI lookup. */
export interface JdbcUrl {
  readonly text: string;
  readonly address: DatabaseAddress | undefined;
}

const driverClass = valueType<DatabaseKind & string, { doc: string }>(
  `one of: ${[...DRIVER_CLASSES.keys()].join(', ')}`,
  (value) => {
    const kind = DRIVER_CLASSES.get(value);
    if (kind !== undefined) return kind;
    const known = [...DRIVER_CLASSES.keys()];
    const expected = `one of: ${known.join(', ')}; or the name of a [[datasource]] of the configuration as store.jdbc.dsName`;
    throw new ValueError(`the driver class '${value}' is not supported`, expected, nearestName(value, known));
  },
  { doc: 'The JDBC driver class: tells which database it is.' },
);

const jdbcUrl = valueType<JdbcUrl, { doc: string }>(
  JDBC_URL_FORMS,
  (value) => {
    try {
      return { text: value, address: parseJdbcUrl(value) };
    } catch (error) {
      if (!(error instanceof JdbcUrlError)) throw error;
      if (!/^jdbc:/i.test(value) && !hasInitExpression(value)) return { text: value, address: undefined };
      throw new ValueError(error.message, JDBC_URL_FORMS, undefined, { cause: error });
    }
  },
  { doc: 'The JDBC URL. A relative file of SQLite is meant from the data directory.' },
);

const tableName = valueType(
  'a table name, or schema.table',
  (value) => {
    // It becomes part of the statements.
    if (!TABLE_NAME.test(value)) throw new ValueError(`'${value}' is no table name`, 'letters, digits, _ and $');
    if (value.length <= LONGEST_TABLE_NAME) return value;
    throw new ValueError(`'${value}' is too long`, `at most ${LONGEST_TABLE_NAME} characters`);
  },
  { default: 'jdbc_message_store', doc: 'The table; as documented, or made with x.create.table.' },
);

/** What every store in a database is told about it (spec stores 2.4). */
export const CONNECT_PARAMETERS = {
  'store.jdbc.dsName': nonEmptyText({ doc: 'A data source of the configuration; if it is given it wins.' }),
  'store.jdbc.icClass': text({ doc: 'The initial context factory of a JNDI lookup; there is no JNDI here.' }),
  'store.jdbc.driver': driverClass,
  'store.jdbc.connection.url': jdbcUrl,
  'store.jdbc.username': text({
    doc: 'The user; may be empty, but must be there unless the URL has it or needs none.',
  }),
  'store.jdbc.password': text({ doc: 'The password.' }),
  'store.jdbc.table': tableName,
} as const;

export type ConnectParameters = ParametersOf<typeof CONNECT_PARAMETERS>;

/** How to reach the database that is meant, and the line for the log that says how it was found. */
export interface Connecting {
  readonly driver: SqlDriver;
  readonly found: string;
}

/**
 * Finds the database by data source or by driver and URL.
 * @throws ConnectParameterError (REQ-03)
 */
function connectingBy(parameters: ConnectParameters, services: StoreServices): Connecting {
  const dsName = parameters['store.jdbc.dsName'];
  const { address, found } = dsName === undefined ? ownPool(parameters) : dataSource(dsName, parameters, services);
  return { driver: driverFor(address, services), found };
}

/**
 * {@link connectingBy} for the opening of a store: what is wrong is an error of the deployment (REQ-03).
 * @throws StoreError
 */
export function connectingFor(store: string, parameters: ConnectParameters, services: StoreServices): Connecting {
  try {
    return connectingBy(parameters, services);
  } catch (cause) {
    if (!(cause instanceof ConnectParameterError)) throw cause;
    throw new StoreError(store, `Store [${store}]: ${cause.message}`, { cause });
  }
}

/** What is wrong with the parameters as far as it can be said without the data sources of the configuration. */
export function connectMisfit(parameters: ConnectParameters): Misfit | undefined {
  if (parameters['store.jdbc.dsName'] !== undefined) return undefined;
  try {
    ownPool(parameters);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConnectParameterError)) throw error;
    return { parameter: 'store.jdbc.connection.url', message: error.message };
  }
}

interface Found {
  readonly address: DatabaseAddress;
  readonly found: string;
}

function ownPool(parameters: ConnectParameters): Found {
  const kind = parameters['store.jdbc.driver'];
  const url = parameters['store.jdbc.connection.url'];
  if (kind === undefined) {
    throw new ConnectParameterError(
      'The DataSource connection information must be specified for using a custom DataSource connection pool or for a ' +
        "JNDI lookup: set 'store.jdbc.dsName', or 'store.jdbc.driver' and 'store.jdbc.connection.url'",
    );
  }
  if (url === undefined) throw new ConnectParameterError("parameter 'store.jdbc.connection.url' is required");
  const address = checkedAddress(url, "parameter 'store.jdbc.connection.url'");
  if (address.kind !== kind) {
    throw new ConnectParameterError(
      `parameter 'store.jdbc.driver' is for ${kind}, and 'store.jdbc.connection.url' is '${maskCredentials(url.text)}'`,
    );
  }
  const user = { username: parameters['store.jdbc.username'], password: parameters['store.jdbc.password'] };
  const complete = withUser(address, user);
  if (complete.kind !== 'sqlite' && complete.user === undefined) {
    throw new ConnectParameterError("parameter 'store.jdbc.username' is required (it may be empty)");
  }
  return { address: complete, found: `Successfully created data source for ${maskCredentials(url.text)}` };
}

function dataSource(dsName: string, parameters: ConnectParameters, { dataSources }: StoreServices): Found {
  const source = findDataSource(dsName, dataSources);
  if (source) {
    return { address: dataSourceAddress(dsName, source), found: `Successfully looked up datasource ${dsName}` };
  }
  const icClass = parameters['store.jdbc.icClass'];
  const jndi = icClass === undefined ? '' : ` There is no JNDI here (store.jdbc.icClass is '${icClass}').`;
  throw new ConnectParameterError(`parameter 'store.jdbc.dsName': ${missingDataSource(dsName, dataSources)}${jndi}`);
}

function checkedAddress({ text: url, address }: JdbcUrl, what: string): DatabaseAddress {
  if (address) return address;
  throw new ConnectParameterError(`${what}: '${maskCredentials(url)}' is not a JDBC URL; expected ${JDBC_URL_FORMS}`);
}
