import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filePath } from '../../src/inbound/file/file-address.ts';
import { moveInto, writeAtomically } from '../../src/inbound/file/write-file.ts';
import { maxRedeliveries } from '../../src/inbound/jms/jms.ts';
import { parseJmsAddress } from '../../src/inbound/jms/jms-address.ts';
import { MqttAddressError, parseMqttAddress } from '../../src/inbound/mqtt/mqtt-address.ts';
import { PacketSizes } from '../../src/inbound/mqtt/packet-size.ts';
import { topicProblem } from '../../src/inbound/mqtt/parameters.ts';
import { contentTypeRules } from '../../src/inbound/proxy-transports.ts';

const SERVICES = {
  dataDirectory: '',
  putDeadlineMs: 1000,
  stompUrls: new Map<string, string>(),
  dataSources: new Map(),
};

describe('a jms: address', () => {
  it('is taken apart as artifacts write it', () => {
    const address = parseJmsAddress(
      'jms:/uit_request?transport.jms.ConnectionFactoryJNDIName=QueueConnectionFactory&java.naming.factory.initial=org.apache.activemq.jndi.ActiveMQInitialContextFactory&java.naming.provider.url=tcp://host:61616?jms.redeliveryPolicy.maximumRedeliveries=10&transport.jms.ReplyDestination=bip_reply&transport.jms.ContentTypeProperty=contentType&transport.jms.DestinationType=queue',
      SERVICES,
    );
    expect(address).toMatchObject({
      queue: 'uit_request',
      replyQueue: 'bip_reply',
      contentTypeProperty: 'contentType',
    });
    expect(address.access.endpoints).toEqual([{ host: 'host', port: 61_613, tls: false }]);
  });

  it('without a broker means the local one; a topic is one by its prefix, a parameter or its type', () => {
    expect(parseJmsAddress('jms:/q', SERVICES).access.endpoints).toEqual([
      { host: 'localhost', port: 61_613, tls: false },
    ]);
    const named = (address: string) => {
      const { queue, topic } = parseJmsAddress(address, SERVICES);
      return `${topic ? 'topic' : 'queue'} ${queue}`;
    };
    expect(named('jms:/dynamicTopics/mdd.GOOG?transport.jms.DestinationType=topic')).toBe('topic mdd.GOOG');
    expect(named('jms:/t?transport.jms.DestinationType=topic')).toBe('topic t');
    expect(named('jms:/Prices?topic.Prices=prices.all')).toBe('topic prices.all');
    expect(named('jms:/dynamicQueues/q?transport.jms.DestinationType=queue')).toBe('queue q');
    expect(() => parseJmsAddress('jms:/dynamicTopics/a*', SERVICES)).toThrow('stand for many');
    expect(() => parseJmsAddress('jms:/?a=b', SERVICES)).toThrow('it is empty');
  });

  it('of anything is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseJmsAddress(`jms:/${text}`, SERVICES);
        } catch (error) {
          expect((error as Error).name).toBe('AddressError');
        }
      }),
    );
  });
});

describe('an mqtt: address', () => {
  it('is taken apart as artifacts write it', () => {
    const address = parseMqttAddress(
      'mqtt:/ble/store/foo?mqtt.connection.factory=mqttFactory&mqtt.server.host.name=broker&mqtt.server.port=1884&mqtt.subscription.username=admin&mqtt.subscription.password=secret&mqtt.client.id=esb&mqtt.topic.name=carbon.super/data&mqtt.message.retained=true&mqtt.subscription.qos=2',
      SERVICES,
    );
    expect(address).toMatchObject({ topic: 'carbon.super/data', qos: 2, retain: true });
    expect(address.access).toMatchObject({
      host: 'broker',
      port: 1884,
      clientId: 'esb',
      username: 'admin',
      password: 'secret',
    });
  });

  it('without parameters is a topic of the local broker, at least once; wildcards and wrong values are refused', () => {
    const { topic, qos, retain, access } = parseMqttAddress('mqtt:/prices/ibm', SERVICES);
    expect({ topic, qos, retain, host: access.host, port: access.port }).toEqual({
      topic: 'prices/ibm',
      qos: 1,
      retain: false,
      host: 'localhost',
      port: 1883,
    });
    const topics = [
      'mqtt:/',
      'mqtt:/a/+',
      'mqtt:/a?mqtt.server.port=x',
      'mqtt:/a?mqtt.subscription.qos=3',
      'mqtt:/a?x.tls.verify=no',
    ];
    for (const wrong of topics) expect(() => parseMqttAddress(wrong, SERVICES), wrong).toThrow(MqttAddressError);
  });

  it('of anything is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseMqttAddress(`mqtt:/${text}`, SERVICES);
        } catch (error) {
          expect((error as Error).name).toBe('MqttAddressError');
        }
      }),
    );
  });
});

describe('topics', () => {
  it.each(['a', 'a/b', '/', '#', 'a/#', '+/b', 'a/+/c/#'])('%s can be subscribed to', (name) => {
    expect(topicProblem(name, true)).toBeUndefined();
  });

  it.each(['', 'a#', '#/a', 'a+', 'a/b+/c', 'a\u0000'])('%j cannot', (name) => {
    expect(topicProblem(name, true)).toBeDefined();
  });
});

describe('sizes of MQTT packets', () => {
  const packet = (length: number) => {
    const bytes = [0x30];
    let rest = length;
    do {
      bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
      rest = Math.floor(rest / 128);
    } while (rest > 0);
    return Buffer.concat([Buffer.from(bytes), Buffer.alloc(length, 0xff)]);
  };

  it('are known however the bytes are cut, and the first one that is too large is told by its header', () => {
    const lengths = fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 5_000 }), fc.nat({ max: 20_000 }), (sizes, step, limit) => {
        const stream = Buffer.concat(sizes.map(packet));
        const watched = new PacketSizes(limit);
        let found: number | undefined;
        for (let at = 0; at < stream.length && found === undefined; at += step)
          found = watched.tooLarge(stream.subarray(at, at + step));
        expect(found).toBe(sizes.find((size) => size > limit));
      }),
    );
  });
});

describe('the redelivery policy', () => {
  it.each([
    ['tcp://h:1', 6],
    ['tcp://h:1?jms.redeliveryPolicy.maximumRedeliveries=3', 3],
    ['failover:(tcp://h:1)?a=b&jms.redeliveryPolicy.maximumRedeliveries=0', 0],
    ['tcp://h:1?jms.redeliveryPolicy.maximumRedeliveries=-1', undefined],
  ])('%s: %s', (url, count) => expect(maxRedeliveries(url)).toBe(count));
});

it('content type rules', () => {
  expect(contentTypeRules('text/xml')).toEqual({ property: undefined, fixed: 'text/xml' });
  const rules =
    '<rules xmlns="http://ws.apache.org/ns/synapse"><jmsProperty> contentType </jmsProperty><default>a/b</default></rules>';
  expect(contentTypeRules(rules)).toEqual({ property: 'contentType', fixed: 'a/b' });
  expect(contentTypeRules('<rules')).toEqual({ property: undefined, fixed: undefined });
});

describe('the path of an address', () => {
  it.each([
    ['file:///home/a', '/home/a'],
    ['vfs:file:////home/foo/file-out', '/home/foo/file-out'],
    ['file:///a%20b?transport.vfs.Append=true', '/a b'],
    ['/plain', '/plain'],
  ])('%s is %s', (address, path) => expect(filePath(address)).toBe(path));

  it.each(['vfs:ftp://u:secret@h/in', 'sftp://h/in', 'smb://h/in', 'relative/path', 'file:///%zz'])(
    '%s is refused',
    (address) => {
      expect(() => filePath(address)).toThrow(/not supported|not the address|percent escape/);
      expect(() => filePath(address)).not.toThrow(/secret/);
    },
  );
});

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mini-synapse-parts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are written whole, replacing what was there, and leave nothing behind', async () => {
    const file = join(folder, 'deep', 'a.xml');
    await writeAtomically(file, Buffer.from('one'));
    await writeAtomically(file, Buffer.from('two'));
    expect(readFileSync(file, 'utf8')).toBe('two');
    mkdirSync(join(folder, 'deep', 'taken'));
    await expect(writeAtomically(join(folder, 'deep', 'taken'), Buffer.from('x'))).rejects.toThrow();
    expect(readdirSync(join(folder, 'deep')).sort()).toEqual(['a.xml', 'taken']);
  });

  it('are moved without overwriting', async () => {
    for (const text of ['1', '2', '3']) {
      writeFileSync(join(folder, 'x.txt'), text);
      await moveInto(join(folder, 'x.txt'), join(folder, 'to'));
    }
    expect(readdirSync(join(folder, 'to')).sort()).toEqual(['x-1.txt', 'x-2.txt', 'x.txt']);
    expect(readFileSync(join(folder, 'to', 'x.txt'), 'utf8')).toBe('1');
    await expect(moveInto(join(folder, 'x.txt'), join(folder, 'to'))).rejects.toThrow('ENOENT');
  });

  it('a move that a crash has cut in two is ended, not repeated', async () => {
    const file = join(folder, 'x.txt');
    writeFileSync(file, '1');
    mkdirSync(join(folder, 'to'));
    linkSync(file, join(folder, 'to', 'x.txt'));
    await moveInto(file, join(folder, 'to'));
    expect(readdirSync(join(folder, 'to'))).toEqual(['x.txt']);
    expect(readdirSync(folder)).toEqual(['to']);
  });
});
