import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelModel, connect, type GetMessage, type Options } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AmqpAddress } from '../../src/stores/amqp/address.ts';
import { type AmqpConnection, openAmqpConnection } from '../../src/stores/amqp/connection.ts';
import { AmqpConsumer } from '../../src/stores/amqp/consumer.ts';
import { FetchGate } from '../../src/stores/amqp/fetch-gate.ts';
import { Renewals } from '../../src/stores/amqp/renewals.ts';
import { ConnectionSupervisor } from '../../src/stores/broker/supervisor.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { brokerSuite, survivesKills } from '../stores/broker-suite.ts';
import { storeContract } from '../stores/contract.ts';
import { brokerDedup, dedupSuite } from '../stores/dedup-suite.ts';
import { KEY_STORE_PASSWORD, keyPair, writeKeyStores } from '../stores/key-stores.ts';
import { comparableMessage, storedMessage, textBody } from '../stores/messages.ts';
import { openRabbitMqStore, type RabbitMqStoreOptions } from '../stores/rabbitmq-stores.ts';
import { becomes, drain, FOR_EVER, logged, next, OpenStores, stateOf, timed } from '../stores/store-calls.ts';
import { freePort } from '../support/free-ports.ts';
import { findOrInstall, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(rabbitmq);

const LARGEST_BYTES = 3_000_000;
const stores = new OpenStores();
let queues = 0;
const newQueue = () => `flow-${++queues}`;
const openStore = (options: RabbitMqStoreOptions) => stores.add(openRabbitMqStore(options));

/** Another application on the broker. */
class Peek {
  readonly #model: ChannelModel;

  static async at(port: number): Promise<Peek> {
    return new Peek(await connect({ hostname: '127.0.0.1', port }));
  }

  constructor(model: ChannelModel) {
    this.#model = model;
    model.on('error', () => undefined);
  }

  async send(queue: string, body: Buffer | string, options: Options.Publish = {}): Promise<void> {
    const channel = await this.#model.createConfirmChannel();
    await channel.assertQueue(queue);
    channel.sendToQueue(queue, Buffer.from(body), options);
    await channel.waitForConfirms();
    await channel.close();
  }

  async declare(queue: string, options: Options.AssertQueue): Promise<void> {
    const channel = await this.#model.createChannel();
    await channel.assertQueue(queue, options);
    await channel.close();
  }

  async delete(queue: string): Promise<void> {
    const channel = await this.#model.createChannel();
    await channel.deleteQueue(queue);
    await channel.close();
  }

  async take(queue: string): Promise<GetMessage> {
    const channel = await this.#model.createChannel();
    const message = await channel.get(queue, { noAck: true });
    await channel.close();
    if (!message) throw new Error(`queue ${queue} is empty`);
    return message;
  }

  async count(queue: string): Promise<number> {
    const channel = await this.#model.createChannel();
    const { messageCount } = await channel.checkQueue(queue);
    await channel.close();
    return messageCount;
  }

  close(): Promise<void> {
    return this.#model.close();
  }
}

server.describe('a RabbitMQ store', () => {
  let broker: RabbitMqBroker;
  let peek: Peek;

  beforeAll(async () => {
    const configuration = [`max_message_size = ${LARGEST_BYTES}`];
    broker = await server.start({ configuration, tls: { ...keyPair(), mutual: true } });
    peek = await Peek.at(broker.port);
  });

  afterEach(stores.closeAll);

  afterAll(async () => {
    await peek.close();
    await broker.close();
  });

  const queueOf = (store: MessageStore) => store.parameters.get('store.rabbitmq.queue.name') ?? '';

  storeContract('RabbitMQ', {
    open: async () => openRabbitMqStore({ port: broker.port, queue: newQueue() }),
    reopen: async (closed) => openRabbitMqStore({ port: broker.port, queue: queueOf(closed) }),
    durable: true,
    browsing: 'without held ones',
  });

  const quorum = { 'x.queue.type': 'quorum' };
  storeContract('RabbitMQ with a quorum queue', {
    open: async () => openRabbitMqStore({ port: broker.port, queue: newQueue(), parameters: quorum }),
    reopen: async (closed) => openRabbitMqStore({ port: broker.port, queue: queueOf(closed), parameters: quorum }),
    durable: true,
    browsing: 'without held ones',
  });

  dedupSuite(
    'RabbitMQ',
    brokerDedup((wish) => openRabbitMqStore({ ...wish, port: broker.port }), newQueue),
  );

  brokerSuite('RabbitMQ', {
    pushes: false,
    port: () => broker.port,
    pause: () => broker.pause(),
    resume: () => broker.resume(),
    open: openRabbitMqStore,
    count: (queue) => peek.count(queue),
  });

  describe('on the queue', () => {
    it('shows the payload as it is, the context in headers, and is persistent', async () => {
      const queue = newQueue();
      const store = openStore({ port: broker.port, queue });
      const message = storedMessage({
        body: { kind: 'soap11', bytes: Buffer.from('<ü>☃</ü>'), contentType: 'text/xml; charset=UTF-8' },
        correlationId: 'c-1',
        storedAt: 1_700_000_000_123,
        priority: 7,
      });
      await store.put(message);
      const { content, properties } = await peek.take(queue);
      expect(content.toString()).toBe('<ü>☃</ü>');
      expect(properties).toMatchObject({
        deliveryMode: 2,
        priority: 7,
        contentType: 'text/xml; charset=UTF-8',
        messageId: message.originalId,
        correlationId: 'c-1',
        timestamp: 1_700_000_000,
        appId: 'mini-synapse',
        headers: { SynapseStored: 1, StoredMessageID: message.id },
      });
      expect(JSON.parse(properties.headers?.SynapseContext)).toMatchObject({ v: 1, id: message.id });
    });

    it.each([
      ['of 20 KB', 20_000],
      ['of 1 MB', 1_000_000],
    ])('carries a header %s', async (_, length) => {
      const store = openStore({ port: broker.port, queue: newQueue() });
      const message = storedMessage({
        originalId: `urn:uuid:${'x'.repeat(300)}`,
        headers: [['X-Long', 'ü:\\"x'.repeat(length / 5)]],
        body: textBody('payload 𝄞'),
      });
      await store.put(message);
      const delivery = await next(store.consumer());
      expect(comparableMessage(delivery.message)).toEqual(comparableMessage(message));
      await delivery.done();
    });

    it('refuses what the broker finds too large, and goes on', async () => {
      const store = openStore({ port: broker.port, queue: newQueue(), putDeadlineMs: 5_000 });
      const large = storedMessage({ body: textBody('x'.repeat(LARGEST_BYTES + 1)) });
      const [refused, ...others] = await Promise.all(
        [large, storedMessage(), storedMessage()].map((message) => timed(store.put(message))),
      );
      expect(String(refused?.error)).toMatch(/size 3000001 is larger/);
      expect(refused?.ms).toBeLessThan(4_000);
      expect(others.map(({ error }) => error)).toEqual([undefined, undefined]);
      expect(await drain(store)).toHaveLength(2);
    });
  });

  describe('with messages of other applications', () => {
    it('delivers texts and bytes', async () => {
      const queue = newQueue();
      const soap =
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>';
      const headers = { SOAPAction: '"urn:x"', Host: 'h', count: 5, nested: { a: [1, 'b'] } };
      await peek.send(queue, soap, { messageId: 'm1', correlationId: 'c1', headers, priority: 3, replyTo: 'r' });
      await peek.send(queue, '{"ü":1}', { contentType: 'application/vnd.x+json', timestamp: 1_700_000_000 });
      await peek.send(queue, Buffer.from([0, 1, 0xff, 0]));
      await peek.send(queue, '');
      const consumer = openStore({ port: broker.port, queue }).consumer();
      const first = await next(consumer);
      expect(first.message).toMatchObject({
        id: 'm1',
        originalId: 'm1',
        correlationId: 'c1',
        priority: 3,
        addressing: { action: 'urn:x' },
        headers: [
          ['SOAPAction', '"urn:x"'],
          ['count', '5'],
        ],
      });
      expect(first.message.body).toMatchObject({ kind: 'soap11', contentType: 'text/xml; charset=UTF-8' });
      expect(Buffer.from(first.message.body.bytes).toString()).toBe(soap);
      expect([...first.message.properties]).toEqual([
        ['Host', 'h'],
        ['nested', '{"a":[1,"b"]}'],
        ['RABBITMQ_REPLY_TO', 'r'],
      ]);
      await first.done();
      const second = await next(consumer);
      expect(second.message).toMatchObject({ storedAt: 1_700_000_000_000, body: { kind: 'json' } });
      expect(second.message.body.contentType).toBe('application/vnd.x+json');
      expect(second.message.id).toMatch(/^urn:uuid:/);
      await second.done();
      const third = await next(consumer);
      expect(third.message.body.kind).toBe('binary');
      expect([...third.message.body.bytes]).toEqual([0, 1, 0xff, 0]);
      await third.done();
      const fourth = await next(consumer);
      expect(fourth.message.body).toMatchObject({ kind: 'none', contentType: undefined });
      await fourth.done();
    });

    it('hands over as poison what cannot be read, and delivers the next one (OP-18)', async () => {
      const queue = newQueue();
      await peek.send(queue, Buffer.from([0xac, 0xed, 0, 5]), { messageId: 'java-1', contentType: 'application/x' });
      await peek.send(queue, 'x', { headers: { SynapseStored: 1, SynapseContext: '{"v":1}' } });
      await peek.send(queue, 'x', { headers: { SynapseStored: 1 } });
      await peek.send(queue, 'x', { headers: { SynapseStored: 1, SynapseContextBytes: 9 } });
      await peek.send(queue, 'x', { headers: { SynapseStored: 9 } });
      await peek.send(queue, 'good');
      const store = openStore({ port: broker.port, queue });
      const consumer = store.consumer();
      const reasons = [/serialized Java object/, /head\.id/, /SynapseContext is missing/, /Bytes is '9'/, /layout '9'/];
      for (const reason of reasons) {
        const delivery = await consumer.receive({ signal: FOR_EVER, waitMs: 10_000 });
        expect(delivery?.message).toBeUndefined();
        expect(delivery?.poison?.reason).toMatch(reason);
        if (reason === reasons[0]) {
          expect(delivery?.poison?.id).toBe('java-1');
          expect(delivery?.poison?.headers).toContainEqual(['Content-Type', 'application/x']);
        }
        await delivery?.done();
      }
      const good = await next(consumer);
      expect(good.message.body.kind).toBe('text');
      await good.done();
      expect(store.status().lastError).toBeUndefined();
    });
  });

  it('counts what is in hand', async () => {
    const store = openStore({ port: broker.port, queue: newQueue() });
    await Promise.all([store.put(storedMessage()), store.put(storedMessage())]);
    const delivery = await next(store.consumer());
    expect(await peek.count(queueOf(store))).toBe(1);
    expect(await store.depth()).toEqual({ count: 2, estimated: false });
    await delivery.release();
    expect(await store.depth()).toEqual({ count: 2, estimated: false });
  });

  describe('with queues and exchanges', () => {
    it('uses a queue that exists with other arguments, and warns of what may lose messages there', async () => {
      const limited = newQueue();
      const deadLettered = newQueue();
      const transient = newQueue();
      const plain = newQueue();
      const quorumOf = (more: object) => ({ arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3, ...more } });
      await peek.declare(limited, quorumOf({ 'x-max-length': 100 }));
      await peek.declare(deadLettered, quorumOf({ 'x-dead-letter-exchange': 'amq.direct' }));
      await peek.declare(transient, { durable: false });
      await peek.declare(plain, { arguments: { 'x-max-priority': 10 } });
      const warnings: Record<string, string[]> = {};
      for (const queue of [limited, deadLettered, transient, plain]) {
        const records = await logged(async () => {
          const store = openStore({ port: broker.port, queue });
          await store.put(storedMessage());
          await (await next(store.consumer())).done();
          await store.close();
        });
        warnings[queue] = records.filter(({ level }) => level === 'warn').map(({ message }) => message);
      }
      expect(warnings[limited]).toEqual([expect.stringMatching(/delivery limit of 3 and no dead-letter exchange/)]);
      expect(warnings[deadLettered]).toEqual([]);
      expect(warnings[transient]).toEqual([expect.stringMatching(/not durable/)]);
      expect(warnings[plain]).toEqual([]);
    });

    it('declares its exchange and binds its queue', async () => {
      const [queue, exchange] = [newQueue(), `exchange-${queues}`];
      const parameters = { 'store.rabbitmq.exchange.name': exchange, 'store.rabbitmq.route.key': 'orders' };
      const store = openStore({ port: broker.port, queue, parameters });
      await store.put(storedMessage());
      expect(await peek.count(queue)).toBe(1);
      const builtIn = { ...parameters, 'store.rabbitmq.exchange.name': 'amq.topic' };
      await openStore({ port: broker.port, queue, parameters: builtIn }).put(storedMessage());
      expect(await peek.count(queue)).toBe(2);
    });

    it('fails a put that no queue takes', async () => {
      const parameters = { 'store.rabbitmq.route.key': 'no-such-queue' };
      const store = openStore({ port: broker.port, queue: newQueue(), parameters });
      const puts = await Promise.all([1, 2, 3].map(() => timed(store.put(storedMessage()))));
      for (const { error } of puts) {
        expect(error).toBeInstanceOf(StoreError);
        expect(String(error)).toMatch(/no queue takes .* routing key 'no-such-queue' \(312 NO_ROUTE\)/);
      }
      expect(store.status()).toMatchObject({ enqueued: 0, state: 'READY' });
    });

    it('declares its queue again when somebody has deleted it', async () => {
      const queue = newQueue();
      const store = openStore({ port: broker.port, queue });
      await store.put(storedMessage());
      await peek.delete(queue);
      await expect(store.put(storedMessage())).rejects.toThrow(/no queue takes/);
      await waitFor(() => store.put(storedMessage()).then(() => true), { what: 'a put that succeeds' });
      const consumer = store.consumer();
      await (await next(consumer)).done();
      const waiting = next(consumer);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await peek.delete(queue);
      await waitFor(() => store.put(storedMessage()).then(() => true), { what: 'a put that succeeds' });
      await (await waiting).done();
      expect(stateOf(store)).toBe('READY');
    });
  });

  describe('held for long', () => {
    /** A consumer that may hold a message for 300 ms, as a store's own may for 20 minutes. */
    async function impatientConsumers(queue: string, count: number) {
      const supervisor = new ConnectionSupervisor<AmqpAddress, AmqpConnection>({
        endpoints: [{ host: '127.0.0.1', port: broker.port }],
        open: (address, signal) =>
          openAmqpConnection(
            {
              address,
              user: 'guest',
              password: 'guest',
              virtualHost: '/',
              tls: undefined,
              heartBeatMs: 10_000,
              connectionName: 'impatient',
            },
            signal,
          ),
        onConnected: () => undefined,
        onFailure: () => undefined,
      });
      supervisor.start();
      const host = {
        name: 'Impatient',
        queue,
        supervisor,
        deadlineMs: 5_000,
        longestHoldMs: 300,
        renewals: new Renewals(),
        gate: new FetchGate(),
        repeatedPuts: undefined,
        prepare: async () => undefined,
        noteHeld: () => undefined,
        noteSettled: () => undefined,
        noteClosed: () => undefined,
      };
      const consumers = Array.from({ length: count }, (_, index) => new AmqpConsumer(`[C-${index}]`, host));
      const close = async () => {
        await Promise.all(consumers.map((consumer) => consumer.close()));
        await supervisor.close();
      };
      return { consumers, close };
    }

    it('recognises what a broker brings back that was killed before it had written the removal', async () => {
      const forwarder = await tcpForwarder({ to: { port: broker.port } });
      const queue = newQueue();
      const store = openStore({ port: forwarder.port, queue });
      const { id } = storedMessage();
      await store.put(storedMessage({ id }));
      const { content, properties } = await peek.take(queue);
      const bringBack = () => peek.send(queue, content, properties as Options.Publish);
      const received = async () => (await drain(store)).map((message) => message.id);
      await bringBack();
      expect(await received()).toEqual([id]);
      // Nothing has happened to the broker: somebody wants it to be delivered again.
      await bringBack();
      expect(await received()).toEqual([id]);
      forwarder.cut();
      await becomes(store, 'DOWN');
      await becomes(store, 'READY');
      await bringBack();
      expect(await received()).toEqual([]);
      expect(await peek.count(queue)).toBe(0);
      await stores.closeAll();
      await forwarder.close();
    });

    it.each(['classic', 'quorum'])(
      'a message of a %s queue stays with who has it, whoever else waits',
      async (type) => {
        const queue = newQueue();
        const store = openStore({ port: broker.port, queue, parameters: { 'x.queue.type': type } });
        const [first, second] = [storedMessage(), storedMessage()];
        await store.put(first);
        const { consumers, close } = await impatientConsumers(queue, 3);
        const [holder, ...others] = consumers as [AmqpConsumer, ...AmqpConsumer[]];
        const delivery = await next(holder);
        const stop = new AbortController();
        const waiting = others.map((consumer) => consumer.receive({ signal: stop.signal }));
        const came = Promise.race(waiting);
        // Several renewals; the one who waits is handed the message, and hands it on.
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        expect(delivery.message.id).toBe(first.id);
        await delivery.done();
        expect(await peek.count(queue)).toBe(0);
        await store.put(second);
        expect((await came)?.message?.id).toBe(second.id);
        stop.abort();
        const rest = (await Promise.all(waiting)).filter((each) => each !== undefined);
        expect(rest).toHaveLength(1);
        await rest[0]?.done();
        await close();
        expect(await peek.count(queue)).toBe(0);
      },
    );
  });

  describe('over TLS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-key-stores-'));
    const at = writeKeyStores(folder);

    afterAll(() => rmSync(folder, { recursive: true }));

    const store = (which: 'keystore' | 'truststore', file: Parameters<typeof at>[0], type: string) => ({
      [`rabbitmq.connection.ssl.${which}.location`]: at(file),
      [`rabbitmq.connection.ssl.${which}.type`]: type,
      [`rabbitmq.connection.ssl.${which}.password`]: KEY_STORE_PASSWORD,
    });
    const enabled = { 'rabbitmq.connection.ssl.enabled': 'true' };

    it.each(['TLSv1.2', 'TLSv1.3'])('shows its certificate and checks that of the broker, by %s', async (version) => {
      const parameters = {
        ...enabled,
        ...store('keystore', 'key.jks', 'JKS'),
        ...store('truststore', 'trust.p12', 'PKCS12'),
        'rabbitmq.connection.ssl.version': version,
      };
      const messages = openStore({ port: broker.tlsPort, queue: 'secure', parameters });
      const message = storedMessage({ body: textBody('x'.repeat(500_000)) });
      await messages.put(message);
      const delivery = await next(messages.consumer());
      expect(delivery.message.id).toBe(message.id);
      await delivery.done();
    });

    it('does not trust a broker that it does not know, nor goes on without TLS', async () => {
      const untrusting = openStore({
        port: broker.tlsPort,
        queue: 'secure',
        parameters: enabled,
        putDeadlineMs: 1_000,
      });
      const plain = openStore({ port: broker.port, queue: 'secure', parameters: enabled, putDeadlineMs: 1_000 });
      for (const [refusing, reason] of [
        [untrusting, /certificate.*x\.tls\.verify/],
        [plain, /does this port speak TLS/],
      ] as const) {
        await expect(refusing.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
        expect(stateOf(refusing)).toBe('DOWN');
        expect(refusing.status().lastError).toMatch(reason);
      }
      const anonymous = { ...enabled, ...store('truststore', 'trust.jks', 'JKS') };
      const refused = openStore({ port: broker.tlsPort, queue: 'secure', parameters: anonymous, putDeadlineMs: 1_000 });
      await expect(refused.put(storedMessage())).rejects.toThrow(/our certificate is refused, or one is wanted/);
      const parameters = { ...enabled, ...store('keystore', 'key.p12', 'PKCS12'), 'x.tls.verify': 'none' };
      await openStore({ port: broker.tlsPort, queue: 'secure', parameters }).put(storedMessage());
    });
  });

  describe('in trouble', () => {
    it('takes the next host when one is not there', async () => {
      const store = openStore({ port: `${await freePort()}, ${broker.port}`, queue: newQueue() });
      const { ms, error } = await timed(store.put(storedMessage()));
      expect(error).toBeUndefined();
      expect(ms).toBeLessThan(3_000);
    });

    it('delivers while the broker takes no messages, as it lacks memory', async () => {
      const store = openStore({ port: broker.port, queue: newQueue(), putDeadlineMs: 1_500 });
      await Promise.all(Array.from({ length: 5 }, () => store.put(storedMessage())));
      await broker.control('set_vm_memory_high_watermark', 'absolute', '1MB');
      try {
        await waitFor(async () => (await timed(store.put(storedMessage()))).error instanceof StoreError, {
          what: 'a put to be refused',
        });
        expect(store.status()).toMatchObject({ state: 'DEGRADED', lastError: expect.stringMatching(/memory/) });
        expect((await drain(store)).length).toBeGreaterThanOrEqual(5);
      } finally {
        await broker.control('set_vm_memory_high_watermark', 'absolute', '512MiB');
      }
      await becomes(store, 'READY');
      await store.put(storedMessage());
    });

    it('tells wrong credentials without showing them', async () => {
      const parameters = { 'store.rabbitmq.username': 'synapse', 'store.rabbitmq.password': 'n0tIt' };
      const records = await logged(async () => {
        const wrong = openStore({ port: broker.port, queue: newQueue(), parameters });
        await becomes(wrong, 'DOWN');
        expect(wrong.status().lastError).toMatch(/ACCESS[_-]REFUSED/);
      });
      expect(records.length).toBeGreaterThan(0);
      expect(JSON.stringify(records)).not.toContain('n0tIt');
    });
  });
});

server.describe('a RabbitMQ store whose broker is killed', () => {
  let broker: RabbitMqBroker;

  beforeAll(async () => {
    broker = await server.start();
  });

  afterEach(stores.closeAll);

  afterAll(() => broker.close());

  it.each([
    { type: 'classic', kills: 3, settleMs: 0 },
    // RabbitMQ 3.10 loses a quorum queue with everything in it when it is killed in the first seconds after its declaration.
    { type: 'quorum', kills: 2, settleMs: 5_000 },
  ])(
    'loses nothing that was confirmed to a $type queue, and goes on by itself within 3 s',
    {
      timeout: 240_000,
    },
    async ({ type, kills, settleMs }) => {
      const store = openStore({ port: broker.port, queue: type, parameters: { 'x.queue.type': type } });
      await survivesKills(`RabbitMQ, ${type} queue`, store, broker, { kills, producers: 4, consumers: 2, settleMs });
    },
  );
});
