import { join } from 'node:path';
import type { DatabaseServer } from '../../support/servers/database-server.ts';
import type { RabbitMqBroker } from '../../support/servers/rabbitmq.ts';
import type { StoreArtifact } from '../backlog-artifacts.ts';
import type { Row } from './contestant.ts';
import { type HttpClients, type HttpRowLoad, httpBaseline } from './http-contestants.ts';
import { BYTES, freshName, storing } from './store-rows.ts';

const CONNECTIONS = 64;
const GOAL = 0.75;
const JDBC = 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore';
const RABBITMQ = 'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore';

interface RowParts {
  readonly id: string;
  readonly medium: string;
  /** Of `test/bench/baselines`. */
  readonly module: string;
  readonly driver: string;
  readonly args: readonly string[];
  readonly store: StoreArtifact;
}

/** A store in a file of SQLite; the baseline writes its own one into `folder`. */
export function sqliteRow(clients: HttpClients, folder: string): Row {
  return row(clients, {
    id: 'sqlite',
    medium: 'SQLite',
    module: 'sqlite-front.ts',
    driver: 'koa + node:sqlite, group commit',
    args: ['--file', join(folder, 'baseline.db')],
    store: jdbc({ driver: 'org.sqlite.JDBC', url: 'jdbc:sqlite:contest.db' }),
  });
}

export function postgresqlRow(clients: HttpClients, server: DatabaseServer): Row {
  const { host, port, database, user, password } = server;
  return row(clients, {
    id: 'postgresql',
    medium: 'PostgreSQL',
    module: 'postgresql-front.ts',
    driver: 'koa + pg, one INSERT per batch',
    args: ['--url', `postgresql://${user}:${password}@${host}:${port}/${database}`, '--table', freshName()],
    store: jdbc({ driver: server.driverClass, url: server.jdbcUrl, user, password }),
  });
}

export function rabbitmqRow(clients: HttpClients, { port }: RabbitMqBroker): Row {
  const parameters = {
    'store.rabbitmq.host.name': '127.0.0.1',
    'store.rabbitmq.host.port': `${port}`,
    'store.rabbitmq.queue.name': freshName(),
  };
  return row(clients, {
    id: 'rabbitmq',
    medium: 'RabbitMQ',
    module: 'rabbitmq-front.ts',
    driver: 'koa + amqplib, confirms',
    args: ['--port', `${port}`, '--queue', freshName()],
    store: { class: RABBITMQ, parameters },
  });
}

/** Both take their messages from the same clients: the bare drivers alone would have nothing to do but write. */
function row(clients: HttpClients, { id, medium, module, driver, args, store }: RowParts): Row {
  const load: HttpRowLoad = { bytes: BYTES, connections: CONNECTIONS, status: 202, echoed: false };
  return {
    id,
    path: `store on ${medium}, 0.6 KB, ${CONNECTIONS} clients`,
    goal: GOAL,
    baseline: httpBaseline(module, { name: driver, args, clients, load }),
    ours: storing(clients, store, CONNECTIONS),
  };
}

function jdbc(to: { driver: string; url: string; user?: string; password?: string }): StoreArtifact {
  const { driver, url, user, password } = to;
  const parameters = {
    'store.jdbc.driver': driver,
    'store.jdbc.connection.url': url,
    ...(user !== undefined && { 'store.jdbc.username': user }),
    ...(password !== undefined && { 'store.jdbc.password': password }),
    'store.jdbc.table': freshName(),
    'x.create.table': 'true',
  };
  return { class: JDBC, parameters };
}
