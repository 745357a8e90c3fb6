import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import { brokerSuite, closeForwarder, survivesKills } from '../stores/broker-suite.ts';
import { storeContract } from '../stores/contract.ts';
import { brokerDedup, dedupSuite } from '../stores/dedup-suite.ts';
import { type JmsStoreOptions, openJmsStore } from '../stores/jms-stores.ts';
import { comparableMessage, storedMessage, textBody } from '../stores/messages.ts';
import { becomes, drain, FOR_EVER, next, OpenStores, stateOf } from '../stores/store-calls.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { type StompPeek, stompPeek } from '../support/stomp-peek.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);

const stores = new OpenStores();
let queues = 0;
const newQueue = () => `flow-${++queues}`;
const openStore = (options: JmsStoreOptions) => stores.add(openJmsStore(options));

server.describe('a JMS store on ActiveMQ', () => {
  let broker: ActiveMqBroker;
  let peek: StompPeek;

  beforeAll(async () => {
    broker = await server.start();
    peek = await stompPeek({ port: broker.stompPort });
  });

  afterEach(stores.closeAll);

  afterAll(async () => {
    await peek.close();
    await broker.close();
  });

  storeContract('JMS on ActiveMQ', {
    open: async () => openJmsStore({ stompPort: broker.stompPort, queue: newQueue() }),
    reopen: async (closed) =>
      openJmsStore({ stompPort: broker.stompPort, queue: closed.parameters.get('store.jms.destination') ?? '' }),
    durable: true,
  });

  dedupSuite(
    'JMS on ActiveMQ',
    brokerDedup((wish) => openJmsStore({ ...wish, stompPort: broker.stompPort }), newQueue),
  );

  brokerSuite('JMS on ActiveMQ', {
    pushes: true,
    port: () => broker.stompPort,
    pause: () => broker.pause(),
    resume: () => broker.resume(),
    open: ({ port, ...wish }) => openJmsStore({ ...wish, stompPort: port }),
    count: (queue) => peek.count(queue),
  });

  describe('on the queue', () => {
    it('shows the payload as text, the context in properties, and is persistent', async () => {
      const queue = newQueue();
      const store = openStore({ stompPort: broker.stompPort, queue });
      const message = storedMessage({
        body: { kind: 'soap11', bytes: Buffer.from('<ü>☃</ü>'), contentType: 'text/xml; charset=UTF-8' },
        headers: [
          ['Accept', 'a:b\\c'],
          ['X-Not-A-Jms-Name', '1'],
          ['priority', 'u=1, i'],
          ['AMQ_SCHEDULED_DELAY', '100000'],
        ],
        properties: new Map<string, string | boolean | TypedNumber>([
          ['JMS_MSG_P_region', 'EU'],
          ['JMS_MSG_P_count', new TypedNumber('INTEGER', 5)],
          ['JMS_PROD_TIME_TO_LIVE', '3600000'],
        ]),
        priority: 7,
      });
      await store.put(message);
      const [seen] = await peek.browse(queue);
      expect(seen?.text).toBe('<ü>☃</ü>');
      expect(seen?.headers).toMatchObject({
        persistent: 'true',
        priority: '7',
        'amq-msg-type': 'text',
        'content-type': 'text/xml; charset=UTF-8',
        OrigMessageID: message.originalId,
        StoredMessageID: message.id,
        Accept: 'a:b\\c',
        region: 'EU',
        count: '5',
      });
      expect(Number(seen?.headers.expires) - Date.now()).toBeGreaterThan(3_000_000);
      expect(seen?.headers).not.toHaveProperty('X-Not-A-Jms-Name');
      expect(seen?.headers).not.toHaveProperty('AMQ_SCHEDULED_DELAY');
    });

    it.each([
      ['of 20 KB', 20_000],
      ['of 1 MB', 1_000_000],
    ])('carries a header %s', async (_, length) => {
      const store = openStore({ stompPort: broker.stompPort, queue: newQueue() });
      const message = storedMessage({
        headers: [['X-Long', 'ü:\\"x'.repeat(length / 5)]],
        body: textBody('payload 𝄞'),
      });
      await store.put(message);
      const delivery = await next(store.consumer());
      expect(comparableMessage(delivery.message)).toEqual(comparableMessage(message));
      await delivery.done();
      expect(stateOf(store)).toBe('READY');
    });

    const LONG = new TypedNumber('LONG', 7n);
    it.each<readonly [string, PropertyValue, Record<string, string>]>([
      ['JMS_PROD_PRIORITY', '7', { priority: '7' }],
      ['JMS_PROD_PRIORITY', new TypedNumber('INTEGER', 0), { priority: '0' }],
      // Every message is persistent (OP-02): what is told to be stored survives the broker's end.
      ['JMS_PROD_DELIVERY_MODE', '1', { persistent: 'true' }],
      ['JMS_PROD_DELIVERY_MODE', new TypedNumber('INTEGER', 2), { persistent: 'true' }],
      ['JMS_PROD_DISABLE_MSG_ID', 'true', { persistent: 'true' }],
      ['JMS_PROD_DISABLE_MSG_TIMESTAMP', true, { persistent: 'true' }],
      ['JMS_PROD_TIME_TO_LIVE', '0', { expires: '0' }],
      ['JMS_MSG_P_text', 'a:b\\c', { text: 'a:b\\c' }],
      ['JMS_MSG_P_long', LONG, { long: '7' }],
      ['JMS_MSG_P_integer', new TypedNumber('INTEGER', -5), { integer: '-5' }],
      ['JMS_MSG_P_short', new TypedNumber('SHORT', 5), { short: '5' }],
      ['JMS_MSG_P_double', new TypedNumber('DOUBLE', 1.5), { double: '1.5' }],
      ['JMS_MSG_P_float', new TypedNumber('FLOAT', 0.5), { float: '0.5' }],
      ['JMS_MSG_P_boolean', false, { boolean: 'false' }],
    ])('%s = %s is seen by the broker', async (name, value, seen) => {
      const queue = newQueue();
      const store = openStore({ stompPort: broker.stompPort, queue });
      const properties = new Map<string, PropertyValue>([[name, value]]);
      const priority = name === 'JMS_PROD_PRIORITY' ? Number(String(value)) : undefined;
      await store.put(storedMessage({ properties, priority }));
      const [message] = await peek.browse(queue);
      expect({ expires: '0', ...message?.headers }).toMatchObject(seen);
      // The message itself is the same for who takes it.
      const delivery = await next(store.consumer());
      expect([...delivery.message.properties]).toEqual([[name, value]]);
      await delivery.done();
    });

    it('is delivered by priority, and not at all when its time to live is over', async () => {
      const policy = '<policyEntry queue=">" prioritizedMessages="true"/>';
      const own = await server.start({
        extraXml: `<destinationPolicy><policyMap><policyEntries>${policy}</policyEntries></policyMap></destinationPolicy>`,
      });
      const store = openStore({ stompPort: own.stompPort, queue: 'prioritized' });
      const short = new Map<string, PropertyValue>([['JMS_PROD_TIME_TO_LIVE', '1']]);
      await store.put(storedMessage({ properties: short, priority: 9 }));
      const messages = [1, 9, 4].map((priority) => storedMessage({ priority }));
      for (const message of messages) await store.put(message);
      const ids = (await drain(store)).map(({ id }) => id);
      expect(ids).toEqual([1, 2, 0].map((index) => messages[index]?.id));
      await stores.closeAll();
      await own.close();
    });

    it('lies on a queue that exists, or that does not, by every name that JNDI has for it', async () => {
      const existing = newQueue();
      await peek.send(existing, 'there before');
      const names: ReadonlyArray<readonly [string, string, Record<string, string>]> = [
        [existing, existing, {}],
        [`dynamicQueues/${existing}`, existing, {}],
        [`queue://${existing}`, existing, {}],
        ['Mapped', existing, { 'queue.Mapped': existing }],
        ['never.seen.before', 'never.seen.before', {}],
      ];
      for (const [destination, queue, parameters] of names) {
        const before = await peek.count(queue);
        await openStore({ stompPort: broker.stompPort, queue: destination, parameters }).put(storedMessage());
        expect(await peek.count(queue), destination).toBe(before + 1);
      }
    });

    it('is not stored on a queue that is forbidden, in the words of the broker', async () => {
      const everything = (group: string) => `read="${group}" write="${group}" admin="${group}"`;
      const own = await server.start({
        extraXml:
          '<plugins><simpleAuthenticationPlugin anonymousAccessAllowed="true" anonymousUser="nobody" anonymousGroup="nobodies">' +
          '<users><authenticationUser username="synapse" password="x" groups="users"/></users></simpleAuthenticationPlugin>' +
          `<authorizationPlugin><map><authorizationMap><authorizationEntries><authorizationEntry queue="allowed" ${everything('users')}/>` +
          `<authorizationEntry topic="ActiveMQ.Advisory.>" ${everything('users,nobodies')}/>` +
          '</authorizationEntries></authorizationMap></map></authorizationPlugin></plugins>',
      });
      const parameters = { 'store.jms.username': 'synapse', 'store.jms.password': 'x' };
      const open = (queue: string) => openStore({ stompPort: own.stompPort, queue, parameters, putDeadlineMs: 3_000 });
      await expect(open('forbidden').put(storedMessage())).rejects.toThrow(/not authorized/i);
      const allowed = open('allowed');
      await allowed.put(storedMessage());
      await becomes(allowed, 'READY');
      await stores.closeAll();
      await own.close();
    });

    it('refuses producer settings that are no numbers, and goes on', async () => {
      const store = openStore({ stompPort: broker.stompPort, queue: newQueue() });
      const wrong = storedMessage({ properties: new Map([['JMS_PROD_TIME_TO_LIVE', 'soon']]) });
      await expect(store.put(wrong)).rejects.toThrow(/JMS_PROD_TIME_TO_LIVE is 'soon'/);
      await store.put(storedMessage());
      expect(store.status()).toMatchObject({ enqueued: 1 });
    });
  });

  describe('with messages of other applications', () => {
    it('delivers texts and bytes', async () => {
      const queue = newQueue();
      const soap =
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>';
      await peek.send(queue, soap, { SOAPAction: '"urn:x"', 'correlation-id': 'c1', Host: 'h' });
      await peek.send(queue, '{"ü":1}', { 'content-type': 'application/vnd.x+json' });
      await peek.send(queue, Buffer.from([0, 1, 0xff, 0]));
      const consumer = openStore({ stompPort: broker.stompPort, queue }).consumer();
      const first = await next(consumer);
      expect(first.message).toMatchObject({ correlationId: 'c1', addressing: { action: 'urn:x' } });
      expect(first.message.id).toMatch(/^ID:/);
      expect(first.message.body).toMatchObject({ kind: 'soap11', contentType: 'text/xml; charset=UTF-8' });
      expect(Buffer.from(first.message.body.bytes).toString()).toBe(soap);
      expect(first.message.headers).toEqual([['SOAPAction', '"urn:x"']]);
      expect(first.message.properties.get('Host')).toBe('h');
      await first.done();
      const second = await next(consumer);
      expect(second.message.body).toMatchObject({ kind: 'json', contentType: 'application/vnd.x+json' });
      await second.done();
      const third = await next(consumer);
      expect(third.message.body.kind).toBe('binary');
      expect([...third.message.body.bytes]).toEqual([0, 1, 0xff, 0]);
      await third.done();
    });

    it('hands over as poison what carries nothing, and delivers the next one (OP-18)', async () => {
      const queue = newQueue();
      await peek.send(queue, '');
      await peek.send(queue, Buffer.from([0xac, 0xed, 0, 5]));
      await peek.send(queue, 'x', { SynapseStored: '1', SynapseContextParts: '1', SynapseContext1: '{"v":1}' });
      await peek.send(queue, 'x', { SynapseStored: '9' });
      await peek.send(queue, 'good');
      const store = openStore({ stompPort: broker.stompPort, queue });
      const consumer = store.consumer();
      for (const reason of [/serialized Java objects/, /serialized Java object/, /head\.id/, /layout '9'/]) {
        const delivery = await consumer.receive({ signal: FOR_EVER, waitMs: 10_000 });
        expect(delivery?.message).toBeUndefined();
        expect(delivery?.poison?.reason).toMatch(reason);
        await delivery?.done();
      }
      const good = await next(consumer);
      expect(good.message.body.kind).toBe('text');
      await good.done();
      expect(store.status().lastError).toBeUndefined();
    });
  });

  it('moves between stores of one broker in one transaction, or not at all', async () => {
    const forwarder = await tcpForwarder({ to: { port: broker.stompPort } });
    const [from, to] = [newQueue(), newQueue()];
    const source = openStore({ stompPort: forwarder.port, queue: from, putDeadlineMs: 1_000 });
    const target = openStore({ stompPort: forwarder.port, queue: to });
    await source.put(storedMessage());
    const delivery = await next(source.consumer());
    forwarder.pause();
    await expect(delivery.moveTo(target, delivery.message)).rejects.toBeInstanceOf(StoreError);
    forwarder.cut();
    await forwarder.resume();
    await waitFor(async () => (await peek.count(from)) + (await peek.count(to)) === 1, { what: 'one message in all' });
    expect(await peek.count(from)).toBe(1);
    const again = await next(source.consumer());
    expect(again.message.id).toBe(delivery.message.id);
    await again.moveTo(target, { ...again.message, service: 'moved' });
    expect([await peek.count(from), await peek.count(to)]).toEqual([0, 1]);
    expect(target.status().enqueued).toBe(1);
    expect(source.status().dequeued).toBe(1);
    await stores.closeAll();
    await closeForwarder(forwarder);
  });

  it('says when the port speaks OpenWire', async () => {
    const store = openStore({ stompPort: broker.openwirePort, queue: newQueue() });
    await waitFor(() => store.status().lastError, { what: 'an error' });
    // Whether its greeting is read before it closes is a matter of luck.
    expect(store.status().lastError).toMatch(/speaks OpenWire, not STOMP|is this a STOMP port\?/);
  });
});

server.describe('a JMS store whose broker is killed', () => {
  it('loses nothing that was confirmed, and goes on by itself within 3 s', async () => {
    const broker = await server.start();
    const store = openStore({ stompPort: broker.stompPort, queue: 'killed' });
    await survivesKills('ActiveMQ', store, broker, { kills: 2, producers: 4, consumers: 1 });
    await stores.closeAll();
    await broker.close();
  });

  it('logs in, and tells wrong credentials without showing them', async () => {
    const users = [{ name: 'synapse', password: 's3cr:t' }];
    const broker = await server.start({ users });
    const provider = `tcp://127.0.0.1:${broker.openwirePort}`;
    const access = { stompPort: broker.stompPort, queue: 'guarded', putDeadlineMs: 5_000 };
    const right = { 'store.jms.username': 'synapse', 'store.jms.password': 's3cr:t' };
    await openStore({ ...access, parameters: right }).put(storedMessage());
    const inUrl = `${provider}?jms.userName=synapse&jms.password=s3cr%3At`;
    await openStore({ ...access, parameters: { 'java.naming.provider.url': inUrl } }).put(storedMessage());
    const wrong = openStore({ ...access, parameters: { ...right, 'store.jms.password': 'n0tIt' } });
    await waitFor(() => stateOf(wrong) === 'DOWN', { what: 'a refusal' });
    expect(wrong.status().lastError).toMatch(/user ?name|password/i);
    expect(wrong.status().lastError).not.toContain('n0tIt');
    await stores.closeAll();
    await broker.close();
  });
});

server.describe('bin/activemq', () => {
  const program = resolve(import.meta.dirname, '../../bin/activemq');

  it('starts a broker, says where, keeps its messages, and stops on a signal', async () => {
    const data = mkdtempSync(join(tmpdir(), 'mini-synapse-activemq-cli-'));
    for (const count of [0, 1]) {
      const child = spawn(program, ['--openwire', '0', '--stomp', '0', '--data', data], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      const ready = /^ActiveMQ ready in \d+ ms · tcp:\/\/127\.0\.0\.1:\d+ · stomp 127\.0\.0\.1:(\d+)$/.exec(line);
      const peek = await stompPeek({ port: Number(ready?.[1]) });
      expect(await peek.count('kept')).toBe(count);
      await peek.send('kept', 'over the end');
      await peek.close();
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
    rmSync(data, { recursive: true });
  });

  it('explains itself', () => {
    const run = (...words: string[]) => spawnSync(program, words, { encoding: 'utf8' });
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--stomp PORT') });
    expect(run('--stomp', 'x')).toMatchObject({ status: 2, stderr: expect.stringContaining('needs a port number') });
    expect(run('--port', '1')).toMatchObject({ status: 2, stderr: expect.stringContaining("'--port'") });
  });
});
