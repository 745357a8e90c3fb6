import type { ConfigElement } from '../../src/grammar/element.ts';
import { readParameters, type WrittenParameter } from '../../src/grammar/parameters.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { findStoreKind } from '../../src/stores/index.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { activemq, mariadb, postgresql } from '../support/servers/index.ts';
import type { StoreArtifact } from './backlog-artifacts.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { closeServers, startRoomyRabbitMq, startServer } from './servers.ts';

const CLASSES = {
  jms: 'org.apache.synapse.message.store.impl.jms.JmsStore',
  jdbc: 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore',
  rabbitmq: 'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore',
};

/** A medium that is running. */
export interface Medium {
  readonly artifact: StoreArtifact;
  /** For direct access, when it is a database. */
  readonly database?: DatabaseServer;
}

export interface BenchKind {
  readonly name: string;
  /** Starts the real server; undefined when there is none here. */
  start(): Promise<Medium | undefined>;
}

let names = 0;
/** A name that no other store of this run has. */
function unique(): string {
  names += 1;
  return `bench_${process.pid}_${names}`;
}

const startedOnce = new Map<string, Promise<unknown>>();
/** One server for all kinds that use it. */
function once<T>(name: string, start: () => Promise<T>): Promise<T> {
  const started = startedOnce.get(name) ?? start();
  startedOnce.set(name, started);
  return started as Promise<T>;
}

async function database(name: string, start: () => Promise<DatabaseServer | undefined>): Promise<Medium | undefined> {
  const server = await once(name, start);
  if (!server) return undefined;
  const parameters = {
    'store.jdbc.driver': server.driverClass,
    'store.jdbc.connection.url': server.jdbcUrl,
    'store.jdbc.username': server.user,
    'store.jdbc.password': server.password,
    'store.jdbc.table': unique(),
    'x.create.table': 'true',
  };
  return { artifact: { class: CLASSES.jdbc, parameters }, database: server };
}

async function rabbitQueue(type: 'classic' | 'quorum'): Promise<Medium | undefined> {
  const server = await once('rabbitmq', startRoomyRabbitMq);
  if (!server) return undefined;
  const parameters = {
    'store.rabbitmq.host.name': '127.0.0.1',
    'store.rabbitmq.host.port': String(server.port),
    'store.rabbitmq.queue.name': unique(),
    'x.queue.type': type,
  };
  return { artifact: { class: CLASSES.rabbitmq, parameters } };
}

const bounds = { 'x.max.messages': '2000000', 'x.max.bytes': '2147483647' };

/** Every kind of store that has a medium of its own. */
export const BENCH_KINDS: readonly BenchKind[] = [
  { name: 'memory', start: async () => ({ artifact: { parameters: bounds } }) },
  { name: 'memory, x.journal', start: async () => ({ artifact: { parameters: { ...bounds, 'x.journal': 'true' } } }) },
  {
    name: 'JMS, ActiveMQ',
    async start() {
      const broker = await once('activemq', () => startServer(activemq, { heapMiB: 1024 }));
      if (!broker) return undefined;
      const parameters = {
        'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
        'java.naming.provider.url': broker.openwireUrl,
        'x.stomp.url': `stomp://127.0.0.1:${broker.stompPort}`,
        'store.jms.destination': unique(),
      };
      return { artifact: { class: CLASSES.jms, parameters } };
    },
  },
  { name: 'RabbitMQ, classic queue', start: () => rabbitQueue('classic') },
  { name: 'RabbitMQ, quorum queue', start: () => rabbitQueue('quorum') },
  { name: 'JDBC, PostgreSQL', start: () => database('postgresql', () => startServer(postgresql)) },
  { name: 'JDBC, MariaDB', start: () => database('mariadb', () => startServer(mariadb)) },
  {
    name: 'JDBC, SQLite',
    start: async () => ({
      artifact: {
        class: CLASSES.jdbc,
        parameters: {
          'store.jdbc.driver': 'org.sqlite.JDBC',
          'store.jdbc.connection.url': 'jdbc:sqlite:bench.db',
          'store.jdbc.table': unique(),
          'x.create.table': 'true',
        },
      },
    }),
  },
];

const folders: string[] = [];

/** A temporary folder of this run. */
export async function temporaryFolder(): Promise<string> {
  const folder = benchFolder();
  folders.push(folder);
  return folder;
}

/** Ends all servers and removes all folders. */
export async function cleanUp(): Promise<void> {
  await closeServers();
  startedOnce.clear();
  for (const folder of folders.splice(0)) removeFolder(folder);
}

/** Opens a store in this process as a deployment would. @throws with all diagnostics when a parameter is wrong */
export function openStore({ class: className, parameters }: StoreArtifact, dataDirectory: string): MessageStore {
  const kind = findStoreKind(className);
  if (!kind) throw new Error(`no store has the class ${className}`);
  const position = { file: 'bench.xml', line: 1, column: 1 };
  const element = { name: 'messageStore', path: 'messageStore[Bench]', position } as ConfigElement;
  const written = new Map<string, WrittenParameter>(
    Object.entries(parameters).map(([name, value]) => [name, { name, value, element }]),
  );
  const reader = new ArtifactReader();
  const values = readParameters(element, kind.parameters, written, reader);
  if (!values) throw new Error(reader.diagnostics.map(({ message }) => message).join('\n'));
  return kind.open({
    name: 'OrderStore',
    position,
    parameters: values,
    written: new Map(Object.entries(parameters)),
    services: { dataDirectory, putDeadlineMs: 10_000, stompUrls: new Map(), dataSources: new Map() },
    previous: undefined,
  });
}
