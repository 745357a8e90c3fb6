import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { JdbcStores } from '../stores/jdbc-stores.ts';
import { openJmsStore } from '../stores/jms-stores.ts';
import { storedMessage, textBody } from '../stores/messages.ts';
import { openRabbitMqStore } from '../stores/rabbitmq-stores.ts';
import { becomes, logged, next, OpenStores, stateOf } from '../stores/store-calls.ts';
import type { ActiveMqTestBroker } from '../support/servers/activemq.ts';
import { type KeyAndCertificate, testAuthority } from '../support/servers/certificates.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { activemq, findOrInstall, mariadb, postgresql, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';

/*
 * Stores over TLS, on real servers: what is trusted works, and everything else is a clear error and never plain text.
 */

const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-store-tls-'));
const authority = testAuthority();
const otherAuthority = testAuthority('somebody else');
const right = authority.issue({ names: ['localhost', '127.0.0.1'] });
const forAnotherHost = authority.issue({ names: ['elsewhere.example'] });
const expired = authority.issue({ names: ['localhost', '127.0.0.1'], expired: true });
const trusted = fileWith('ca.pem', authority.certificate);
const other = fileWith('other.pem', otherAuthority.certificate);

function fileWith(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

afterAll(() => rmSync(folder, { recursive: true }));

async function works(store: MessageStore): Promise<void> {
  const message = storedMessage({ body: textBody('x'.repeat(300_000)) });
  await store.put(message);
  const delivery = await next(store.consumer());
  expect(delivery.message.id).toBe(message.id);
  await delivery.done();
  await becomes(store, 'READY');
}

async function refuses(store: MessageStore, reason: RegExp): Promise<void> {
  await becomes(store, 'DOWN', 10_000);
  expect(store.status().lastError).toMatch(reason);
  await expect(store.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
  expect(stateOf(store)).toBe('DOWN');
}

/** Shows a certificate of its own to who comes in, and goes on to a broker in plain text. */
class TlsFront {
  readonly #server: Server;

  static async before(port: number, { key, certificate }: KeyAndCertificate): Promise<TlsFront> {
    const server = createServer({ key, cert: certificate }, (socket) => {
      const inner = connectTcp({ host: '127.0.0.1', port });
      for (const each of [socket, inner]) each.on('error', () => each.destroy());
      socket.on('close', () => inner.destroy());
      inner.on('close', () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsFront(server);
  }

  constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

const jmsServer = await findOrInstall(activemq);

jmsServer.describe('a JMS store over TLS, with credentials', () => {
  const stores = new OpenStores();
  const fronts: TlsFront[] = [];
  let broker: ActiveMqTestBroker;
  const credentials = { 'store.jms.username': 'synapse', 'store.jms.password': 's3cr:t' };

  beforeAll(async () => {
    broker = await jmsServer.start({ tls: right, users: [{ name: 'synapse', password: 's3cr:t' }] });
  });

  afterEach(stores.closeAll);

  afterAll(async () => {
    for (const front of fronts) front.close();
    await broker.close();
  });

  const open = (
    parameters: Record<string, string>,
    {
      port = broker.tlsPort,
      host = 'localhost',
      configured,
    }: { port?: number; host?: string; configured?: string } = {},
  ) =>
    stores.add(
      openJmsStore({
        stompPort: 0,
        queue: 'secure',
        putDeadlineMs: 1_000,
        parameters: { 'x.stomp.url': `stomp+ssl://${host}:${port}`, ...credentials, ...parameters },
        ...(configured !== undefined && { trustedCertificates: configured }),
      }),
    );

  it('works with the certificates of x.stomp.ca, those of the configuration, and by address', async () => {
    await works(open({ 'x.stomp.ca': trusted }));
    await works(open({}, { configured: authority.certificate }));
    await works(open({ 'x.stomp.ca': trusted }, { host: '127.0.0.1' }));
    // What the store says wins.
    await refuses(open({ 'x.stomp.ca': other }, { configured: authority.certificate }), /certificate/);
  });

  it('works with a provider URL alone, whose STOMP address the configuration knows', async () => {
    const provider = 'ssl://localhost:61617';
    const store = stores.add(
      openJmsStore({
        stompPort: 0,
        queue: 'secure',
        parameters: { 'x.stomp.url': '', 'java.naming.provider.url': provider, ...credentials },
        stompUrls: new Map([[provider, `stomp+ssl://localhost:${broker.tlsPort}`]]),
        trustedCertificates: authority.certificate,
      }),
    );
    await works(store);
  });

  it('trusts nobody else', async () => {
    await refuses(open({}), /certificate.*x\.stomp\.ca.*trusted_certificates/);
    await refuses(open({ 'x.stomp.ca': other }), /certificate.*x\.stomp\.ca/);
  });

  it.each([
    ['of another host', forAnotherHost, /does not match certificate's altnames.*elsewhere\.example/],
    ['that has expired', expired, /certificate has expired \(the certificate must be renewed\)/],
  ])('refuses a certificate %s', async (_, certificate, reason) => {
    const front = await TlsFront.before(broker.stompPort, certificate);
    fronts.push(front);
    await refuses(open({ 'x.stomp.ca': trusted }, { port: front.port }), reason);
  });

  it('does not go on in plain text on a port without TLS, nor the other way round', async () => {
    await refuses(open({ 'x.stomp.ca': trusted }, { port: broker.stompPort }), /does this port speak TLS/);
    const plain = { 'x.stomp.url': `stomp://localhost:${broker.tlsPort}`, 'x.stomp.ca': trusted };
    await refuses(open(plain), /this port speaks TLS|is this a STOMP port|accepts, but does not answer/);
  });

  it('tells a wrong password, and shows none', async () => {
    const records = await logged(async () => {
      const store = open({ 'x.stomp.ca': trusted, 'store.jms.password': 'n0tIt' });
      await refuses(store, /user ?name|password/i);
      expect(JSON.stringify(store.status())).not.toContain('n0tIt');
    });
    expect(records.length).toBeGreaterThan(0);
    expect(JSON.stringify(records)).not.toContain('n0tIt');
  });

  it('is not deployed with certificates that cannot be read', () => {
    expect(() => open({ 'x.stomp.ca': join(folder, 'missing.pem') })).toThrow(
      /parameter 'x\.stomp\.ca': ENOENT.*missing/,
    );
    expect(() => open({ 'x.stomp.ca': fileWith('empty.pem', 'nothing') })).toThrow(/empty\.pem has no certificate/);
  });
});

const rabbitServer = await findOrInstall(rabbitmq);

rabbitServer.describe('a RabbitMQ store over TLS', () => {
  const stores = new OpenStores();
  const fronts: TlsFront[] = [];
  let broker: RabbitMqBroker;

  beforeAll(async () => {
    broker = await rabbitServer.start({ tls: { ...right, authority: authority.certificate } });
  });

  afterEach(stores.closeAll);

  afterAll(async () => {
    for (const front of fronts) front.close();
    await broker.close();
  });

  const open = (parameters: Record<string, string>, port = broker.tlsPort, configured?: string) =>
    stores.add(
      openRabbitMqStore({
        port,
        queue: 'secure',
        putDeadlineMs: 1_000,
        parameters: { 'rabbitmq.connection.ssl.enabled': 'true', ...parameters },
        ...(configured !== undefined && { trustedCertificates: configured }),
      }),
    );
  const trust = (file: string) => ({
    'rabbitmq.connection.ssl.truststore.location': file,
    'rabbitmq.connection.ssl.truststore.type': 'PEM',
  });

  it('works with a trust store, and with the certificates of the configuration', async () => {
    await works(open(trust(trusted)));
    await works(open({}, broker.tlsPort, authority.certificate));
    await refuses(open(trust(other), broker.tlsPort, authority.certificate), /certificate/);
  });

  it('trusts nobody else', async () => {
    await refuses(open({}), /certificate.*trust store.*trusted_certificates/);
  });

  it.each([
    ['of another host', forAnotherHost, /does not match certificate's altnames.*x\.tls\.verify=ca/],
    ['that has expired', expired, /certificate has expired \(the certificate must be renewed\)/],
  ])('refuses a certificate %s', async (_, certificate, reason) => {
    const front = await TlsFront.before(broker.port, certificate);
    fronts.push(front);
    await refuses(open(trust(trusted), front.port), reason);
  });

  it('does not go on in plain text on a port without TLS', async () => {
    await refuses(open(trust(trusted), broker.port), /does this port speak TLS/);
  });
});

const DATABASES = [
  { name: 'PostgreSQL', kind: await findOrInstall(postgresql), strict: 'sslmode=verify-full', ca: 'sslrootcert' },
  { name: 'MariaDB', kind: await findOrInstall(mariadb), strict: 'sslMode=verify-full', ca: 'serverSslCert' },
];

for (const { name, kind, strict, ca } of DATABASES) {
  kind.describe(`a JDBC store on ${name} over TLS`, () => {
    const stores = new JdbcStores();
    let server: DatabaseServer;

    beforeAll(async () => {
      server = await kind.start({ tls: right });
    });

    afterEach(() => stores.closeAll());
    afterAll(() => server.close());

    const open = (options: string, { host = '127.0.0.1', configured }: { host?: string; configured?: string } = {}) =>
      stores.open(
        {
          url: `${server.jdbcUrl.replace('127.0.0.1', host)}?${options}`,
          driver: server.driverClass,
          user: server.user,
          password: server.password,
        },
        { deadlineMs: 3_000, ...(configured !== undefined && { trustedCertificates: configured }) },
      );

    it('works with the certificates of the URL, those of the configuration, and by name', async () => {
      await works(await open(`${strict}&${ca}=${trusted}`));
      await works(await open(strict, { configured: authority.certificate }));
      await works(await open(`${strict}&${ca}=${trusted}`, { host: 'localhost' }));
    });

    it('trusts nobody else', async () => {
      await refuses(await open(strict), new RegExp(`certificate.*${ca}.*trusted_certificates`));
      await refuses(await open(`${strict}&${ca}=${other}`, { configured: authority.certificate }), /certificate/);
    });

    it('refuses a certificate of another host, of a name instead of an address, and one that has expired', async () => {
      const onlyName = authority.issue({ names: ['localhost'] });
      for (const [certificate, reason] of [
        [forAnotherHost, /altnames|does not match|elsewhere/],
        [onlyName, /altnames|does not match|cert's list/],
        [expired, /certificate has expired \(the certificate must be renewed\)/],
      ] as const) {
        await server.certify(certificate);
        await server.restart();
        const store = await open(`${strict}&${ca}=${trusted}`);
        await refuses(store, reason);
        await store.close();
      }
      // And the other way round: an address needs no name.
      await server.certify(authority.issue({ names: ['127.0.0.1'] }));
      await server.restart();
      await works(await open(`${strict}&${ca}=${trusted}`));
    });

    it('is not deployed with certificates that cannot be read', async () => {
      await expect(open(`${strict}&${ca}=${join(folder, 'missing.pem')}`)).rejects.toThrow(/ENOENT.*missing/);
      await expect(open(`${strict}&${ca}=${fileWith('none.pem', 'nothing')}`)).rejects.toThrow(/has no certificate/);
    });
  });
}
