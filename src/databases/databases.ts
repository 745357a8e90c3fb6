import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import type { MessageContext } from '../message/message-context.ts';
import { type DatabaseAddress, DRIVER_CLASSES, JdbcUrlError, parseJdbcUrl } from '../stores/sql/address.ts';
import {
  ConnectParameterError,
  type DatabaseServices,
  dataSourceAddress,
  driverFor,
  findDataSource,
  missingDataSource,
  withUser,
} from '../stores/sql/data-source.ts';
import { MEDIATION_TRANSACTION_MS } from '../stores/sql/driver.ts';
import { ConnectionPool, PoolError, type PoolSettings } from './connection-pool.ts';
import { DatabaseTransaction } from './transaction.ts';

declare module '../message/configuration.ts' {
  interface Services {
    databases: Databases;
  }
}

const log = logger('DataSource');

/** The database that a mediator says: by the name of a data source, or by driver and URL. */
export type DatabaseReference =
  | { readonly dataSource: string }
  | { readonly driver: string; readonly url: string; readonly user: string; readonly password: string };

/** What to do about a driver that is not there. */
export const DRIVER_ADVICE =
  'PostgreSQL, MySQL, MariaDB or SQLite; or a [[datasource]] of the configuration whose id is the URL, which then stands for it';

/**
 * The databases that mediators use: a pool of connections for each, opened when the first message needs one and closed with the server.
 * After a deployment only the connections in use stay, so that those of mediators that are gone do not.
 */
export class Databases {
  readonly #services: DatabaseServices;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #transactions = new WeakMap<MessageContext, DatabaseTransaction>();
  readonly #open = new Set<DatabaseTransaction>();
  #closed = false;

  constructor(services: DatabaseServices) {
    this.#services = services;
  }

  /**
   * The connections for these settings.
   * @throws ConnectParameterError when there is no such data source, or no driver for it
   */
  pool(reference: DatabaseReference, settings: PoolSettings): ConnectionPool {
    const key = JSON.stringify([reference, settings]);
    let pool = this.#pools.get(key);
    if (pool) return pool;
    if (this.#closed) throw new PoolError('the server stops');
    const driver = driverFor(addressOf(reference, this.#services), this.#services);
    pool = new ConnectionPool(driver, settings, (empty) => {
      if (this.#pools.get(key) === empty) this.#pools.delete(key);
    });
    this.#pools.set(key, pool);
    return pool;
  }

  /** The transaction that a flow is in. */
  transactionOf(message: MessageContext): DatabaseTransaction | undefined {
    const transaction = this.#transactions.get(message);
    return transaction?.ended ? undefined : transaction;
  }

  /** Begins one for a flow that is in none. */
  begin(message: MessageContext): DatabaseTransaction {
    const seconds = MEDIATION_TRANSACTION_MS / 1000;
    const transaction: DatabaseTransaction = new DatabaseTransaction(MEDIATION_TRANSACTION_MS, () => {
      this.#open.delete(transaction);
      log.warn(`A transaction that was not ended within ${seconds} s is rolled back`, aboutMessage(message));
    });
    this.#transactions.set(message, transaction);
    this.#open.add(transaction);
    return transaction;
  }

  /** The flow has ended its transaction. */
  forget(message: MessageContext): void {
    const transaction = this.#transactions.get(message);
    this.#transactions.delete(message);
    if (transaction) this.#open.delete(transaction);
  }

  /** Something else is deployed now: unused connections are closed. */
  drain(): void {
    for (const pool of [...this.#pools.values()]) pool.drain();
  }

  /** Rolls back what is open and closes all connections. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#open].map((transaction) => transaction.rollBack()));
    await Promise.allSettled([...this.#pools.values()].map((pool) => pool.close()));
    this.#pools.clear();
  }
}

/** @throws ConnectParameterError */
function addressOf(reference: DatabaseReference, { dataSources }: DatabaseServices): DatabaseAddress {
  if ('dataSource' in reference) {
    const name = reference.dataSource;
    const source = findDataSource(name, dataSources);
    if (!source) throw new ConnectParameterError(missingDataSource(name, dataSources));
    return dataSourceAddress(name, source);
  }
  const { driver, url, user, password } = reference;
  const standIn = dataSources?.get(url);
  if (standIn) return dataSourceAddress(url, standIn);
  const trouble = databaseTrouble(driver, url);
  if (trouble !== undefined) throw new ConnectParameterError(`${trouble}; expected ${DRIVER_ADVICE}`);
  return withUser(parseJdbcUrl(url), { username: user, password });
}

/** What is wrong with a driver class and a URL; undefined when a database can be reached by them. */
export function databaseTrouble(driver: string, url: string): string | undefined {
  const kind = DRIVER_CLASSES.get(driver);
  if (kind === undefined) return `the driver class '${driver}' is not supported`;
  try {
    const address = parseJdbcUrl(url);
    return address.kind === kind ? undefined : `the driver '${driver}' is for ${kind}, and the URL for ${address.kind}`;
  } catch (error) {
    if (!(error instanceof JdbcUrlError)) throw error;
    return error.message;
  }
}
