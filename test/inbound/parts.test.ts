import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filePath } from '../../src/inbound/file/file-address.ts';
import { lockFile } from '../../src/inbound/file/lock.ts';
import { moveInto, writeAtomically } from '../../src/inbound/file/write-file.ts';
import { maxRedeliveries } from '../../src/inbound/jms/jms.ts';
import { parseJmsAddress } from '../../src/inbound/jms/jms-address.ts';
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

  it('without a broker means the local one; topics are refused', () => {
    expect(parseJmsAddress('jms:/q', SERVICES).access.endpoints).toEqual([
      { host: 'localhost', port: 61_613, tls: false },
    ]);
    expect(() => parseJmsAddress('jms:/dynamicTopics/t', SERVICES)).toThrow('is a topic');
    expect(() => parseJmsAddress('jms:/t?transport.jms.DestinationType=topic', SERVICES)).toThrow(
      'topics are not supported',
    );
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

  it('are locked once, and again after unlocking', async () => {
    const file = join(folder, 'x.txt');
    const rules = { releaseAfterMs: undefined };
    const unlock = await lockFile(file, rules);
    expect(await lockFile(file, rules)).toBeUndefined();
    await unlock?.();
    expect(await lockFile(file, rules)).toBeDefined();
  });

  it('a lock of another machine is taken away only when it is old and the artifact says so', async () => {
    const file = join(folder, 'x.txt');
    writeFileSync(`${file}.lock`, 'elsewhere.example 1 x\n');
    expect(await lockFile(file, { releaseAfterMs: undefined })).toBeUndefined();
    expect(await lockFile(file, { releaseAfterMs: 60_000 })).toBeUndefined();
    expect(await lockFile(file, { releaseAfterMs: -1 })).toBeDefined();
  });
});
