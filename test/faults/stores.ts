import { join } from 'node:path';
import { describe } from 'vitest';
import { activemq, findOrInstall, mariadb, postgresql, rabbitmq } from '../support/servers/index.ts';
import type { ServerState } from '../support/servers/process.ts';
import { type StoreServer, serverOfThisProcess } from './servers.ts';

/** A real server as far as faults are concerned. */
export interface FaultyServer {
  /** `stopped` also when it has ended by itself. */
  readonly state: ServerState;
  kill(): Promise<void>;
  /** Orderly. */
  stop(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Resolves when it answers again. */
  restart(): Promise<void>;
  /** Its last lines. */
  log(lines?: number): readonly string[];
}

/** Where a store of the flow keeps its messages. */
export interface Medium {
  /** Undefined for what is in the runtime's own files. */
  readonly server: FaultyServer | undefined;
  /** Of the server, as the store speaks to it; 0 without a server. */
  readonly port: number;
  /** The parameters of a store. `folder`: for files. `port`: another way to the server. */
  parameters(store: string, folder: string, port?: number): StoreParameters;
}

/** Name -> text, or what is to be an `expression` attribute. */
export type StoreParameters = Readonly<Record<string, string | { readonly expression: string }>>;

/** A kind of durable store. */
export interface DurableStore {
  readonly name: string;
  readonly storeClass: string;
  readonly server: StoreServer;
  /** It needs no server. */
  readonly embedded: boolean;
  /** Removals that its server confirms and forgets all the same when it is killed within so many ms; default 0. */
  readonly forgetsMs?: number;
  /** Removals that its server has read and ignores all the same when their reader is killed within so many ms; default 0. */
  readonly ignoresMs?: number;
  /** A queue of this kind that is younger when its server is killed may not come back, ms; default 0. */
  readonly matureMs?: number;
  /** It delivers by the numbers of orders; see sequenced.ts. Default false. */
  readonly sequenced?: boolean;
  /** `describe`, or `describe.skip` when its server is missing. */
  readonly describe: typeof describe | typeof describe.skip;
  /** Starts its server, if any, for all scenarios of the test file; it is closed at the end of that. */
  start(): Promise<Medium>;
}

/** The class of stores on ActiveMQ. */
export const JMS = 'org.apache.synapse.message.store.impl.jms.JmsStore';
const RABBITMQ = 'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore';
const JDBC = 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore';
/** The class of stores in memory. */
export const IN_MEMORY = 'org.apache.synapse.message.store.impl.memory.InMemoryStore';

/** AMQP has no answer to acknowledgements, and queues of both types write them later: seen up to 80 ms after the delivery. */
const RABBITMQ_FORGETS_MS = 500;
/** Quorum queues ignore acknowledgements whose channel has ended right after them (rabbitmq-server issue 10327): seen up to 30 ms. */
const QUORUM_IGNORES_MS = 200;
/**
 * RabbitMQ 3.10 that is killed within a second of declaring a quorum queue starts it without a leader ("leader not known"), for good:
 * it confirms nothing, and what it had confirmed is out of reach. Nothing that a client could do helps.
 */
const QUORUM_MATURE_MS = 5_000;

/** The scenarios of one file share their servers: starting one takes long. Every flow has queues and tables of its own. */
function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => {
    started ??= start();
    return started;
  };
}

/** The folder in which a server has its data; undefined: a temporary one. */
export type DataOf = (server: StoreServer) => string | undefined;

/**
 * To be awaited at the top of a test file: every durable store that is this process's to test, with its real server.
 * @param dataOf asked when the server is started
 */
export async function durableStores(dataOf: DataOf = () => undefined): Promise<readonly DurableStore[]> {
  const server = serverOfThisProcess();
  const stores = await allStores(dataOf);
  return server === undefined ? stores : stores.filter((store) => store.server === server);
}

async function allStores(dataOf: DataOf): Promise<readonly DurableStore[]> {
  const [jms, amqp, pg, maria] = [
    await findOrInstall(activemq),
    await findOrInstall(rabbitmq),
    await findOrInstall(postgresql),
    await findOrInstall(mariadb),
  ];
  const classic = once(() => jms.start(given('dataDirectory', dataOf('ActiveMQ'))));
  const broker = once(() => amqp.start(given('dataDirectory', dataOf('RabbitMQ'))));
  const overAmqp = (type: 'classic' | 'quorum'): DurableStore => ({
    name: `RabbitMQ ${type}`,
    server: 'RabbitMQ',
    storeClass: RABBITMQ,
    embedded: false,
    forgetsMs: RABBITMQ_FORGETS_MS,
    matureMs: type === 'quorum' ? QUORUM_MATURE_MS : 0,
    ignoresMs: type === 'quorum' ? QUORUM_IGNORES_MS : 0,
    describe: amqp.describe,
    async start() {
      const server = await broker();
      return {
        server,
        port: server.port,
        parameters: (store, _, port = server.port) => ({
          'store.rabbitmq.host.name': '127.0.0.1',
          'store.rabbitmq.host.port': `${port}`,
          'store.rabbitmq.queue.name': store,
          'x.queue.type': type,
        }),
      };
    },
  });
  const inDatabase = (
    name: 'PostgreSQL' | 'MariaDB',
    kind: typeof pg,
    database = once(() => kind.start(given('parentFolder', dataOf(name)))),
  ): DurableStore => ({
    name,
    server: name,
    storeClass: JDBC,
    embedded: false,
    describe: kind.describe,
    async start() {
      const server = await database();
      return {
        server,
        port: server.port,
        parameters: (store, _, port = server.port) => ({
          'store.jdbc.driver': server.driverClass,
          'store.jdbc.connection.url': server.jdbcUrl.replace(`:${server.port}/`, `:${port}/`),
          'store.jdbc.username': server.user,
          'store.jdbc.password': server.password,
          'store.jdbc.table': store.toLowerCase(),
          'x.create.table': 'true',
        }),
      };
    },
  });
  return [
    {
      name: 'ActiveMQ',
      server: 'ActiveMQ',
      storeClass: JMS,
      embedded: false,
      describe: jms.describe,
      async start() {
        const server = await classic();
        return {
          server,
          port: server.stompPort,
          parameters: (store, _, port = server.stompPort) => ({
            'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
            'java.naming.provider.url': server.openwireUrl,
            'x.stomp.url': `stomp://127.0.0.1:${port}`,
            'store.jms.destination': store,
          }),
        };
      },
    },
    overAmqp('classic'),
    overAmqp('quorum'),
    inDatabase('PostgreSQL', pg),
    inDatabase('MariaDB', maria),
    SQLITE,
    JOURNAL,
  ];
}

/** An option that is there or not. */
function given<Name extends string>(name: Name, value: string | undefined): { readonly [name in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: string });
}

/** The embedded database. */
export const SQLITE: DurableStore = {
  name: 'SQLite',
  server: 'embedded',
  storeClass: JDBC,
  embedded: true,
  describe,
  start: async () => ({
    server: undefined,
    port: 0,
    parameters: (store, folder) => ({
      'store.jdbc.driver': 'org.sqlite.JDBC',
      'store.jdbc.connection.url': `jdbc:sqlite:${join(folder, `${store}.db`)}`,
      'store.jdbc.table': store.toLowerCase(),
      'x.create.table': 'true',
    }),
  }),
};

/** The store in memory that survives. */
export const JOURNAL: DurableStore = {
  name: 'in memory with x.journal',
  server: 'embedded',
  storeClass: IN_MEMORY,
  embedded: true,
  describe,
  start: async () => ({ server: undefined, port: 0, parameters: () => ({ 'x.journal': 'true' }) }),
};
