import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finding, STORE_CHECKS } from '../../src/cli/doctor/finding.ts';
import { main } from '../../src/cli/main.ts';
import { openAmqpConnection } from '../../src/stores/amqp/connection.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { activemq, findOrInstall, mariadb, postgresql, rabbitmq } from '../support/servers/index.ts';

const CLASSES = {
  jms: 'org.apache.synapse.message.store.impl.jms.JmsStore',
  rabbitmq: 'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore',
  jdbc: 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore',
} as const;
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const FAIL_STORE = 'message.processor.failMessagesStore';

let folder: string;
let number = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Parameters = Readonly<Record<string, string | number>>;

function store(name: string, kind: keyof typeof CLASSES | undefined, parameters: Parameters = {}): string {
  const written = Object.entries(parameters).map(([key, value]) => `<parameter name="${key}">${value}</parameter>`);
  return `<messageStore name="${name}"${kind ? ` class="${CLASSES[kind]}"` : ''}>${written.join('')}</messageStore>`;
}

function forwarder(from: string, parameters: Parameters): string {
  const written = Object.entries(parameters).map(([key, value]) => `<parameter name="${key}">${value}</parameter>`);
  return `<messageProcessor name="${from}Forwarder" class="${FORWARDER}" messageStore="${from}" targetEndpoint="E">${written.join('')}</messageProcessor>
  <endpoint name="E"><default/></endpoint>`;
}

/** What doctor says of stores, and its exit code. */
async function doctor(artifacts: string, toml = '') {
  number += 1;
  const here = join(folder, String(number));
  mkdirSync(join(here, 'artifacts'), { recursive: true });
  const content = `<definitions xmlns="http://ws.apache.org/ns/synapse">${artifacts}</definitions>`;
  writeFileSync(join(here, 'artifacts', 'all.xml'), content);
  // Ports of the machine of the test are no matter here.
  const ports = '[transport.http]\nlistener.port = 0\nlistener.secured_port = 0\n[management_api]\nport = 0\n';
  const config = join(here, 'deployment.toml');
  writeFileSync(config, `${ports}${toml}`);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const args = ['doctor', join(here, 'artifacts'), '--config', config, '--data', join(here, 'data'), '--json'];
  const code = await main(args, { stdout, stderr, environment: {} });
  const { list } = JSON.parse(String(stdout.read())) as { list: readonly Finding[] };
  return { code, list: list.filter(({ subject }) => subject.startsWith('store ')) };
}

/** By check, of the one store that there is. */
function byCheck(list: readonly Finding[], subject = 'store Orders') {
  const own = list.filter((finding) => finding.subject === subject);
  return Object.fromEntries(own.map(({ check, status, text }) => [check, `${status}: ${text}`]));
}

const all = (list: readonly Finding[]) => [...new Set(list.map(({ check }) => check))].sort();

it('in memory: one line for every check, and none is wrong (OP-19)', async () => {
  const { code, list } = await doctor(store('Orders', undefined) + forwarder('Orders', { 'max.delivery.attempts': 7 }));
  expect(code).toBe(0);
  expect(all(list)).toEqual([...STORE_CHECKS].sort());
  expect(byCheck(list)).toMatchObject({
    persistence: expect.stringMatching(/^warning: .*x\.journal/),
    'dead-letter target': 'ok: data/dead-letter/Orders, by message processor OrdersForwarder',
    'delivery limit': 'ok: none: attempts are counted by OrdersForwarder (max.delivery.attempts 7)',
  });
});

it('a fail store that is not there is wrong: exit 1', async () => {
  const { code, list } = await doctor(store('Orders', undefined) + forwarder('Orders', { [FAIL_STORE]: 'Failed' }));
  expect(code).toBe(1);
  expect(byCheck(list)['dead-letter target']).toMatch(/^wrong: .*Failed, which is not there/);
});

describe('SQLite', () => {
  const sqlite = (file: string) =>
    store('Orders', 'jdbc', {
      'store.jdbc.driver': 'org.sqlite.JDBC',
      'store.jdbc.connection.url': `jdbc:sqlite:${file}`,
      'store.jdbc.username': '',
      'store.jdbc.password': '',
      'store.jdbc.table': 'orders',
    });

  it('one line for every check; a table that is missing is a warning; no file and no folder is made', async () => {
    const { code, list } = await doctor(sqlite(join(folder, 'none', 'deep', 'orders.db')));
    expect(code).toBe(0);
    expect(existsSync(join(folder, 'none'))).toBe(false);
    expect(all(list)).toEqual([...STORE_CHECKS].sort());
    expect(byCheck(list)).toMatchObject({
      reachability: expect.stringMatching(/^warning: SQLite .*table orders is not there/),
      'size limits': expect.stringMatching(/^ok: .*SQLite takes 953\.7 MiB/),
      'clock skew': expect.stringMatching(/^ok: clocks differ by /),
    });
  });

  it('a file that cannot be opened is wrong: exit 1', async () => {
    const { code, list } = await doctor(sqlite('/dev/null/orders.db'));
    expect(code).toBe(1);
    expect(list).toMatchObject([{ check: 'reachability', status: 'wrong' }]);
  });
});

const stomp = await findOrInstall(activemq);
stomp.describe('ActiveMQ', () => {
  const jms = (port: number, password: string) =>
    store('Orders', 'jms', {
      'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
      'java.naming.provider.url': 'tcp://127.0.0.1:61616',
      'x.stomp.url': `stomp://127.0.0.1:${port}`,
      'store.jms.destination': 'orders.in',
      'store.jms.username': 'orders',
      'store.jms.password': password,
    });

  it('one line for every check; a wrong password and a port without a broker are told apart (OP-19)', async () => {
    const broker = await stomp.start({ users: [{ name: 'orders', password: 'right' }] });
    const { code, list } = await doctor(jms(broker.stompPort, 'right'), '[mini_synapse]\nmax_body_bytes = 209715200\n');
    expect(code).toBe(0);
    expect(all(list)).toEqual([...STORE_CHECKS].sort());
    expect(byCheck(list)).toMatchObject({
      reachability: expect.stringMatching(/^ok: ActiveMQ.*queue orders\.in$/),
      credentials: expect.stringMatching(/^ok: .*takes orders$/),
      'heart-beat': 'ok: every 10.0 s, both ways',
      'size limits': expect.stringMatching(/^warning: requests have at most 200\.0 MiB/),
    });
    const refused = await doctor(jms(broker.stompPort, 'wrong'));
    expect(refused).toMatchObject({ code: 1, list: [{ check: 'credentials', status: 'wrong' }] });
    expect(await doctor(jms(1, 'right'))).toMatchObject({
      code: 1,
      list: [{ check: 'reachability', status: 'wrong' }],
    });
  });
});

const amqp = await findOrInstall(rabbitmq);
amqp.describe('RabbitMQ', () => {
  const rabbit = (port: number, more: Parameters = {}) =>
    store('Orders', 'rabbitmq', {
      'store.rabbitmq.host.name': '127.0.0.1',
      'store.rabbitmq.host.port': port,
      'store.rabbitmq.username': 'guest',
      'store.rabbitmq.password': 'guest',
      'store.rabbitmq.queue.name': 'orders',
      ...more,
    });

  it('one line for every check, with what the queue is; nothing is made (OP-19)', async () => {
    const { port } = await amqp.start();
    const before = await doctor(rabbit(port));
    expect(before.code).toBe(0);
    expect(all(before.list)).toEqual([...STORE_CHECKS].sort());
    expect(byCheck(before.list)).toMatchObject({
      persistence: expect.stringMatching(/made when the server starts/),
      'delivery limit': expect.stringMatching(/^ok: none of the broker/),
    });
    const access = { user: 'guest', password: 'guest', virtualHost: '/', tls: undefined, heartBeatMs: 10_000 };
    const address = { host: '127.0.0.1', port };
    const connection = await openAmqpConnection(
      { ...access, connectionName: 'test', address },
      new AbortController().signal,
    );
    try {
      const channel = await connection.channel();
      const quorum = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 };
      await channel.assertQueue('orders', {
        durable: true,
        arguments: { ...quorum, 'x-dead-letter-exchange': 'graveyard' },
      });
      expect(byCheck((await doctor(rabbit(port))).list)).toMatchObject({
        persistence: expect.stringMatching(/^ok: .*a durable quorum queue/),
        'delivery limit': expect.stringMatching(/^warning: .*after 3 deliveries: .*graveyard, which is not there/),
      });
      await channel.assertExchange('graveyard', 'fanout');
      expect(byCheck((await doctor(rabbit(port))).list)['delivery limit']).toMatch(/^ok: .*exchange graveyard$/);
      await channel.assertQueue('drops', { durable: true, arguments: quorum });
      const dropping = await doctor(rabbit(port, { 'store.rabbitmq.queue.name': 'drops' }));
      expect(byCheck(dropping.list)['delivery limit']).toMatch(/^warning: .*drops it: it has no dead-letter exchange/);
    } finally {
      await connection.close();
    }
    expect(await doctor(rabbit(port, { 'store.rabbitmq.password': 'no' }))).toMatchObject({
      code: 1,
      list: [{ check: 'credentials', status: 'wrong' }],
    });
  });
});

type Address = Pick<DatabaseServer, 'host' | 'port' | 'database' | 'user'>;

function jdbc(scheme: string, { host, port, database, user }: Address, password: string) {
  const driver = scheme === 'postgresql' ? 'org.postgresql.Driver' : 'org.mariadb.jdbc.Driver';
  return store('Orders', 'jdbc', {
    'store.jdbc.driver': driver,
    'store.jdbc.connection.url': `jdbc:${scheme}://${host}:${port}/${database}`,
    'store.jdbc.username': user,
    'store.jdbc.password': password,
    'store.jdbc.table': 'orders',
  });
}

const postgres = await findOrInstall(postgresql);
postgres.describe('PostgreSQL', () => {
  it('one line for every check; a wrong user is a matter of credentials (OP-19)', async () => {
    const server = await postgres.start();
    const { host, port, database } = server;
    const { code, list } = await doctor(jdbc('postgresql', server, server.password));
    expect(code).toBe(0);
    expect(all(list)).toEqual([...STORE_CHECKS].sort());
    expect(byCheck(list)).toMatchObject({
      reachability: expect.stringMatching(/^warning: PostgreSQL .*is not there; x\.create\.table makes it/),
      'size limits': expect.stringMatching(/^ok: .*PostgreSQL takes 1024\.0 MiB/),
      'clock skew': expect.stringMatching(/^ok: clocks differ by /),
    });
    const refused = await doctor(jdbc('postgresql', { host, port, database, user: 'nobody' }, 'no'));
    expect(refused).toMatchObject({ code: 1, list: [{ check: 'credentials', status: 'wrong' }] });
  });
});

const maria = await findOrInstall(mariadb);
maria.describe('MariaDB', () => {
  it('one line for every check; requests that are too large for it are warned about', async () => {
    const server = await maria.start();
    const { code, list } = await doctor(
      jdbc('mariadb', server, server.password),
      '[mini_synapse]\nmax_body_bytes = 2000000000\n',
    );
    expect(code).toBe(0);
    expect(all(list)).toEqual([...STORE_CHECKS].sort());
    expect(byCheck(list)).toMatchObject({
      reachability: expect.stringMatching(/^warning: MariaDB .*table orders is not there/),
      'size limits': expect.stringMatching(/^warning: requests have at most 1\.9 GiB; MySQL\/MariaDB takes \d/),
      'clock skew': expect.stringMatching(/^ok: clocks differ by /),
    });
    const refused = await doctor(jdbc('mariadb', server, 'no'));
    expect(refused).toMatchObject({ code: 1, list: [{ check: 'credentials', status: 'wrong' }] });
  });
});
