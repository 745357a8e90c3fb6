/** What is true of a kind of store however fast it is; each is held by the contract tests and the fault runs. */
export interface StoreFacts {
  readonly durability: string;
  readonly ordering: string;
  readonly serverGoneAtPut: string;
  readonly serverGoneWhileDelivering: string;
  readonly runtimeKilled: string;
  readonly diskFull: string;
}

const REFUSED = 'the client is answered 5xx within the store deadline, or the failover store takes the message';
const BROKER_FULL = "the server's own limit: puts are refused or wait until the store deadline; heals";

const broker: StoreFacts = {
  durability: 'on the broker’s disk before the client has its answer',
  ordering: 'as stored; released messages come again first',
  serverGoneAtPut: REFUSED,
  serverGoneWhileDelivering: 'reconnects by itself; what was in delivery comes again, and is not sent again',
  runtimeKilled: 'nothing lost; what was in delivery comes again, with the same id',
  diskFull: BROKER_FULL,
};

const database: StoreFacts = {
  ...broker,
  durability: 'committed before the client has its answer',
  runtimeKilled: 'nothing lost; what was in delivery comes again at the restart, or after its lease of 30 s elsewhere',
};

const noServer = { serverGoneAtPut: 'there is none', serverGoneWhileDelivering: 'there is none' };

export const STORE_FACTS: Readonly<Record<string, StoreFacts>> = {
  memory: {
    ...noServer,
    durability: 'none: gone with the process',
    ordering: 'as stored',
    runtimeKilled: 'everything in it is lost',
    diskFull: 'does not matter',
  },
  'memory, x.journal': {
    ...noServer,
    durability: 'on the disk of this machine (fsync) before the client has its answer',
    ordering: 'as stored',
    runtimeKilled: 'nothing lost; what was in delivery comes again, with the same id',
    diskFull: 'puts are refused with the reason, deliveries go on; heals',
  },
  'JMS, ActiveMQ': broker,
  'RabbitMQ, classic queue': broker,
  'RabbitMQ, quorum queue': { ...broker, durability: 'on the disks of most nodes before the client has its answer' },
  'JDBC, PostgreSQL': database,
  'JDBC, MariaDB': database,
  'JDBC, SQLite': {
    ...database,
    ...noServer,
    durability: 'committed to a file of this machine before the client has its answer',
    diskFull: 'puts are refused with the reason; heals',
  },
};
