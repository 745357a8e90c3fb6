import { javaBoolean } from '../../grammar/attributes.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import { logger } from '../../logging/index.ts';
import type { StoreOpening } from '../component.ts';
import { IdRegister } from '../dedup/id-register.ts';
import { DEDUP_PARAMETERS, dedupRules } from '../dedup/parameters.ts';
import { FAILOVER_PARAMETERS } from '../failover-parameters.ts';
import type { StoredMessage } from '../stored-message.ts';
import { CONNECT_PARAMETERS, connectingFor } from './connect-parameters.ts';
import type { MessageTable, TableOptions } from './message-table.ts';
import { newOwner } from './owner.ts';
import { SqlStore } from './sql-store.ts';

/** The parameters of every store in a database. */
export const SQL_STORE_PARAMETERS = {
  ...CONNECT_PARAMETERS,
  'x.create.table': javaBoolean({ default: false, doc: 'Creates what is missing, with a column for large messages.' }),
  ...DEDUP_PARAMETERS,
  ...FAILOVER_PARAMETERS,
} as const;

type SqlStoreParameters = typeof SQL_STORE_PARAMETERS;

/** What makes one kind of store in a database differ from another. */
export interface SqlStoreKind {
  readonly type: string;
  /** The name under which it logs. */
  readonly logName: string;
  table(options: TableOptions): MessageTable;
  /** See SqlStoreOptions. */
  sequenceOf?(message: StoredMessage): bigint;
}

/** @throws StoreError when the parameters do not fit together (REQ-03) */
export function openSqlStore(
  opening: Omit<StoreOpening<SqlStoreParameters>, 'parameters'> & { parameters: ParametersOf<SqlStoreParameters> },
  kind: SqlStoreKind,
): SqlStore {
  const { name, parameters, written, services, previous } = opening;
  const { type, logName, sequenceOf } = kind;
  const { driver, found } = connectingFor(name, parameters, services);
  const owner = newOwner(services.dataDirectory);
  const { dialect } = driver;
  const dedup = dedupRules(parameters);
  const tableName = parameters['store.jdbc.table'];
  const ids = dedup && new IdRegister({ table: tableName, dialect, maxIds: dedup.maxIds });
  const table = kind.table({ name: tableName, dialect, owner, ...(ids && { ids }) });
  logger(logName).info(`Store [${name}] keeps its messages in table [${table.name}]. ${found}`, { store: name });
  const failover = parameters['store.producer.guaranteed.delivery.enable'];
  const options = {
    name,
    type,
    parameters: written,
    driver,
    table,
    owner,
    createsTable: parameters['x.create.table'],
    deadlineMs: services.putDeadlineMs,
    patient: !(failover && parameters['store.failover.message.store.name']),
    logName,
    ...(sequenceOf && { sequenceOf }),
    ...(dedup && { dedup }),
  };
  return new SqlStore(options, previous instanceof SqlStore ? previous : undefined);
}
