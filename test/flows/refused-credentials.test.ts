import { expect, it } from 'vitest';
import { openAmqpConnection } from '../../src/stores/amqp/connection.ts';
import { BackOff } from '../../src/stores/broker/back-off.ts';
import type { ServerDatabase } from '../../src/stores/sql/address.ts';
import { mysqlDriver } from '../../src/stores/sql/mysql.ts';
import { postgresqlDriver } from '../../src/stores/sql/postgresql.ts';
import { openStompConnection } from '../../src/stores/stomp/connection.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { activemq, findOrInstall, mariadb, postgresql, rabbitmq } from '../support/servers/index.ts';

/*
 * A server that does not take the credentials is asked less often than one that is not there: many lock the account after some
 * refusals. So the refusal must be told apart from other failures, by what real servers say.
 */

const stomp = await findOrInstall(activemq);
stomp.describe('ActiveMQ', () => {
  it('refuses a wrong password', async () => {
    const broker = await stomp.start({ users: [{ name: 'orders', password: 'right' }] });
    const endpoint = { host: '127.0.0.1', port: broker.stompPort, tls: false };
    const credentials = { login: 'orders', passcode: 'wrong' };
    await expect(openStompConnection({ endpoint, credentials, heartBeatMs: 10_000 })).rejects.toMatchObject({
      failure: 'refused',
    });
  });
});

const amqp = await findOrInstall(rabbitmq);
amqp.describe('RabbitMQ', () => {
  it('refuses a wrong password', async () => {
    const { port } = await amqp.start();
    const access = { user: 'guest', password: 'wrong', virtualHost: '/', tls: undefined, heartBeatMs: 10_000 };
    const connecting = openAmqpConnection(
      { ...access, connectionName: 'test', address: { host: '127.0.0.1', port } },
      new AbortController().signal,
    );
    await expect(connecting).rejects.toMatchObject({ failure: 'refused' });
  });
});

function withWrongPassword(server: DatabaseServer, kind: ServerDatabase['kind']): ServerDatabase {
  const { host, port, database, user } = server;
  const rest = { tls: 'off', caFile: undefined, schema: undefined, prepares: true } as const;
  return { kind, hosts: [{ host, port }], database, user: `${user}x`, password: 'wrong', ...rest };
}

const postgres = await findOrInstall(postgresql);
postgres.describe('PostgreSQL', () => {
  it('refuses an unknown user', async () => {
    const driver = postgresqlDriver(withWrongPassword(await postgres.start(), 'postgresql'));
    await expect(driver.connect('messages')).rejects.toMatchObject({ failure: 'refused' });
  });
});

const maria = await findOrInstall(mariadb);
maria.describe('MariaDB', () => {
  it('refuses a wrong password', async () => {
    const driver = mysqlDriver(withWrongPassword(await maria.start(), 'mysql'));
    await expect(driver.connect('messages')).rejects.toMatchObject({ failure: 'refused' });
  });
});

it('is asked less and less often, up to twice a minute', () => {
  const backOff = new BackOff(() => 0.5);
  const pauses = Array.from({ length: 12 }, () => backOff.failed('refused'));
  expect(pauses.slice(0, 3)).toEqual([100, 200, 400]);
  expect(pauses.at(-1)).toBe(30_000);
});
