import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddressError } from '../../../src/stores/stomp/address.ts';
import { isJndiFile, jndiProvider, parseProperties, readJndiFile } from '../../../src/stores/stomp/jndi-file.ts';
import { type JmsValues, jndiSettings, stompAccess } from '../../../src/stores/stomp/parameters.ts';
import { parametersOf } from '../jms-stores.ts';

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'jndi-'));
  mkdirSync(join(home, 'conf'));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

function given(text: string, name = 'conf/jndi.properties'): string {
  const path = join(home, name);
  writeFileSync(path, text);
  return path;
}

const file = (text: string) => ({ path: 'jndi.properties', properties: parseProperties(text) });

describe('a JNDI properties file', () => {
  it('is told from the address of a broker by its name', () => {
    for (const name of ['conf/jndi.properties', 'file:///x/JNDI.PROPERTIES', '/x/jndi.properties'])
      expect(isJndiFile(name)).toBe(true);
    for (const name of ['tcp://localhost:61616', 'failover:(tcp://a:1,tcp://b:2)', 'conf/jndi.xml'])
      expect(isJndiFile(name)).toBe(false);
  });

  it('is found below the folders, with its path or directly, by a whole path and by a URL', () => {
    const path = given('a=1');
    expect(readJndiFile('conf/jndi.properties', ['/nowhere', home]).path).toBe(path);
    expect(readJndiFile('repository/conf/jndi.properties', [join(home, 'conf')]).path).toBe(path);
    expect(readJndiFile(path, []).path).toBe(path);
    expect(readJndiFile(pathToFileURL(path).href, []).path).toBe(path);
    expect(readJndiFile('conf/jndi.properties', [home]).properties).toEqual(new Map([['a', '1']]));
  });

  it('that is not there is a failure which says where it was looked for', () => {
    expect(() => readJndiFile('conf/other.properties', [home])).toThrow(AddressError);
    expect(() => readJndiFile('conf/other.properties', [home])).toThrow(
      `there is no JNDI properties file 'conf/other.properties': looked for ${join(home, 'conf/other.properties')}, ${join(home, 'other.properties')}`,
    );
  });

  it('is read as Java reads it', () => {
    const text =
      '# c = 1\n! d = 1\r\n  one = 1 \ntwo:2\nthree 3\nfour=a\\\n   b\\\\\nfi\\ ve=x\\u00e4\\t\\=\n\nsix\nqueue.a.b = A.B\n';
    expect([...parseProperties(text)]).toEqual([
      ['one', '1'],
      ['two', '2'],
      ['three', '3'],
      ['four', 'ab\\'],
      ['fi ve', 'xä\t='],
      ['queue.a.b', 'A.B'],
    ]);
  });

  it('names the broker of its connection factory, else of all of them', () => {
    const both =
      'java.naming.provider.url=tcp://all:1\nconnectionfactory.One=tcp://one:2\nconnectionFactory.Two=ssl://two:3';
    expect(jndiProvider(file(both), 'One').brokers).toMatchObject([{ host: 'one', port: 2 }]);
    expect(jndiProvider(file(both), 'Two').brokers).toMatchObject([{ host: 'two', port: 3, tls: true }]);
    expect(jndiProvider(file(both), 'Three').brokers).toMatchObject([{ host: 'all', port: 1 }]);
  });

  it('gives credentials, unless the address has its own', () => {
    const principal = 'java.naming.security.principal=me\njava.naming.security.credentials=secret\n';
    expect(jndiProvider(file(`${principal}java.naming.provider.url=tcp://h`), 'F').credentials).toEqual({
      login: 'me',
      passcode: 'secret',
    });
    const own = jndiProvider(file(`${principal}java.naming.provider.url=tcp://you:own@h`), 'F');
    expect(own.credentials).toEqual({ login: 'you', passcode: 'own' });
  });

  it.each([
    ['a=1', /has neither connectionfactory\.F nor java\.naming\.provider\.url/],
    ['connectionfactory.F=amqp://me:secret@clientid/carbon?brokerlist=x', /connectionfactory\.F of .*'amqp:\/\/'/],
    ['java.naming.provider.url=conf/jndi.properties', /names another file/],
    ['java.naming.provider.url=tcp://me:secret@h:99999', /99999 is not a port/],
    ['java.naming.provider.url=tcp://me:secret@h/path', /has a path/],
  ])('%s is refused without its secrets', (text, problem) => {
    const refused = () => jndiProvider(file(text), 'F');
    expect(refused).toThrow(AddressError);
    expect(refused).toThrow(problem);
    expect(refused).not.toThrow(/secret/);
  });
});

describe('the parameters of a store with a JNDI properties file', () => {
  const values = (written: Record<string, string>) =>
    parametersOf(new Map(Object.entries(written))) as unknown as JmsValues;
  const services = () => ({
    dataDirectory: home,
    putDeadlineMs: 1,
    stompUrls: new Map<string, string>(),
    dataSources: new Map(),
    resourceDirectories: [home],
  });
  const named = { 'java.naming.provider.url': 'conf/jndi.properties' };

  it('lead to its broker, with its credentials, and to its queues', () => {
    given(
      'connectionfactory.QueueConnectionFactory=tcp://broker:61616\nqueue.orders=Orders.In\njava.naming.security.principal=me\njava.naming.security.credentials=pw',
    );
    const access = stompAccess(values(named), services());
    expect(access.endpoints).toEqual([{ host: 'broker', port: 61_613, tls: false }]);
    expect(access.credentials).toEqual({ login: 'me', passcode: 'pw' });
    const written = new Map([['queue.other', 'Other']]);
    expect([...jndiSettings(values(named), services(), written).environment]).toEqual(
      expect.arrayContaining([
        ['queue.orders', 'Orders.In'],
        ['queue.other', 'Other'],
      ]),
    );
  });

  it('may leave the kind of broker to it', () => {
    const artemis = 'java.naming.factory.initial=org.apache.activemq.artemis.jndi.ActiveMQInitialContextFactory';
    given(`${artemis}\njava.naming.provider.url=tcp://broker:61616`);
    expect(stompAccess(values(named), services()).endpoints).toEqual([{ host: 'broker', port: 61_616, tls: false }]);
    given('java.naming.factory.initial=a.B\njava.naming.provider.url=tcp://broker:61616');
    expect(() => stompAccess(values(named), services())).toThrow(
      /parameter 'java\.naming\.provider\.url': .*'a\.B' is not of a broker that speaks STOMP/,
    );
  });
});
