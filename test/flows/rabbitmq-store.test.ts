import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelModel, connect, type GetMessage, type Options } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { type Delivery, type MessageStore, type StoreConsumer, StoreError } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { storeContract } from '../stores/contract.ts';
import { KEY_STORE_PASSWORD, keyPair, writeKeyStores } from '../stores/key-stores.ts';
import { comparableMessage, storedMessage, textBody } from '../stores/messages.ts';
import { openRabbitMqStore, type RabbitMqStoreOptions } from '../stores/rabbitmq-stores.ts';
import { sayFigures } from '../support/figures.ts';
import { freePort } from '../support/free-ports.ts';
import { misbehavingServer } from '../support/misbehaving-server.ts';
import { findOrInstall, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(rabbitmq);

const opened: MessageStore[] = [];
let queues = 0;
const newQueue = () => `flow-${++queues}`;
const FOR_EVER = new AbortController().signal;
const LARGEST_BYTES = 3_000_000;

function openStore(options: RabbitMqStoreOptions): MessageStore {
  const store = openRabbitMqStore(options);
  opened.push(store);
  return store;
}

async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((store) => store.close()));
}

async function next(consumer: StoreConsumer, waitMs = 15_000): Promise<Delivery & { message: StoredMessage }> {
  const delivery = await consumer.receive({ signal: FOR_EVER, waitMs });
  if (!delivery?.message) throw new Error(delivery ? `poison: ${delivery.poison?.reason}` : 'no message came');
  return delivery as Delivery & { message: StoredMessage };
}

/** Receives and settles until nothing has come for `quietMs`. */
async function drain(store: MessageStore, quietMs = 700): Promise<StoredMessage[]> {
  const consumer = store.consumer();
  const messages: StoredMessage[] = [];
  for (;;) {
    const delivery = await consumer.receive({ signal: FOR_EVER, waitMs: quietMs });
    if (!delivery?.message) break;
    messages.push(delivery.message);
    await delivery.done();
  }
  await consumer.close();
  return messages;
}

/** Milliseconds until the promise is settled, and with what error. */
async function timed(work: Promise<unknown>): Promise<{ ms: number; error: unknown }> {
  const begin = performance.now();
  const error = await work.then(
    () => undefined,
    (problem: unknown) => problem,
  );
  return { ms: performance.now() - begin, error };
}

/** What is logged while `work` runs. */
async function logged(work: () => Promise<unknown>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const stop = onLogRecord((record) => records.push(record));
  await work().finally(stop);
  return records;
}

const stateOf = (store: MessageStore) => store.status().state;
const becomes = (store: MessageStore, state: string, deadlineMs = 8_000) =>
  waitFor(() => stateOf(store) === state, { what: `state ${state}`, deadlineMs });

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

  afterEach(closeAll);

  afterAll(async () => {
    await peek.close();
    await broker.close();
  });

  const queueOf = (store: MessageStore) => store.parameters.get('store.rabbitmq.queue.name') ?? '';

  storeContract('RabbitMQ', {
    open: async () => openRabbitMqStore({ port: broker.port, queue: newQueue() }),
    reopen: async (closed) => openRabbitMqStore({ port: broker.port, queue: queueOf(closed) }),
    durable: true,
  });

  const quorum = { 'x.queue.type': 'quorum' };
  storeContract('RabbitMQ with a quorum queue', {
    open: async () => openRabbitMqStore({ port: broker.port, queue: newQueue(), parameters: quorum }),
    reopen: async (closed) => openRabbitMqStore({ port: broker.port, queue: queueOf(closed), parameters: quorum }),
    durable: true,
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

    it('hands over as poison what cannot be read, and delivers the next one', async () => {
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

  describe('with several consumers', () => {
    it('shares evenly', async () => {
      const store = openStore({ port: broker.port, queue: newQueue() });
      await Promise.all(Array.from({ length: 200 }, () => store.put(storedMessage())));
      const counts = [0, 0, 0, 0];
      const ids = new Set<string>();
      const stop = new AbortController();
      await Promise.all(
        counts.map(async (_, index) => {
          const consumer = store.consumer();
          for (;;) {
            const delivery = await consumer.receive({ signal: stop.signal, waitMs: 10_000 });
            if (!delivery?.message) return;
            counts[index] = (counts[index] ?? 0) + 1;
            ids.add(delivery.message.id);
            await delivery.done();
            if (counts.reduce((sum, count) => sum + count) === 200) stop.abort();
          }
        }),
      );
      expect(ids.size).toBe(200);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(25);
      expect(await peek.count(queueOf(store))).toBe(0);
    });

    it('does not leave a message with a consumer that pauses', async () => {
      const store = openStore({ port: broker.port, queue: newQueue() });
      const pausing = store.consumer();
      await store.put(storedMessage());
      await (await next(pausing)).done();
      expect(await pausing.receive({ signal: FOR_EVER, waitMs: 300 })).toBeUndefined();
      const message = storedMessage();
      await store.put(message);
      const delivery = await next(store.consumer(), 3_000);
      expect(delivery.message.id).toBe(message.id);
      expect(delivery.redelivered).toBe(false);
      await delivery.done();
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
  });

  it('puts of a store that was replaced arrive', async () => {
    const queue = newQueue();
    const old = openStore({ port: broker.port, queue });
    await old.put(storedMessage());
    const successor = openStore({ port: broker.port, queue, previous: old });
    await old.close();
    await old.put(storedMessage());
    expect(await drain(successor)).toHaveLength(2);
    expect(successor.status()).toMatchObject({ enqueued: 2, dequeued: 2 });
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
      await expect(refused.put(storedMessage())).rejects.toThrow(/the broker refuses our certificate, or wants one/);
      const parameters = { ...enabled, ...store('keystore', 'key.p12', 'PKCS12'), 'x.tls.verify': 'none' };
      await openStore({ port: broker.tlsPort, queue: 'secure', parameters }).put(storedMessage());
    });
  });

  describe('in trouble', () => {
    it('opens without a broker, fails puts in time, and recovers by itself', async () => {
      const forwarder = await tcpForwarder({ to: { port: broker.port }, port: await freePort() });
      await forwarder.refuse();
      const store = openStore({ port: forwarder.port, queue: newQueue(), putDeadlineMs: 1_500 });
      const waiting = next(store.consumer());
      const failed = await timed(store.put(storedMessage()));
      expect(failed.error).toBeInstanceOf(StoreError);
      expect(String(failed.error)).toMatch(/no connection to the broker .*ECONNREFUSED/);
      expect(failed.ms).toBeLessThan(2_500);
      expect(stateOf(store)).toBe('DOWN');
      expect(await store.depth()).toEqual({ count: 'unknown', estimated: true });
      await forwarder.resume();
      const { ms } = await timed(store.put(storedMessage()).then(() => waiting));
      expect(ms).toBeLessThan(3_000);
      await (await waiting).done();
      await becomes(store, 'READY');
      await closeAll();
      await forwarder.close();
    });

    it('takes the next host when one is not there', async () => {
      const store = openStore({ port: `${await freePort()}, ${broker.port}`, queue: newQueue() });
      const { ms, error } = await timed(store.put(storedMessage()));
      expect(error).toBeUndefined();
      expect(ms).toBeLessThan(3_000);
    });

    it('notices a broker that hangs by its heart-beat, and goes on when it does', async () => {
      const queue = newQueue();
      const store = openStore({ port: broker.port, queue, heartBeatMs: 1_000, putDeadlineMs: 1_500 });
      await store.put(storedMessage());
      const delivery = await next(store.consumer());
      broker.pause();
      const paused = performance.now();
      const failed = await timed(store.put(storedMessage()));
      expect(failed.error).toBeInstanceOf(StoreError);
      expect(failed.ms).toBeLessThan(2_500);
      await becomes(store, 'DOWN', 4_000);
      const downMs = performance.now() - paused;
      await expect(delivery.done()).rejects.toBeInstanceOf(StoreError);
      broker.resume();
      const resumed = performance.now();
      await becomes(store, 'READY');
      await store.put(storedMessage());
      sayFigures('a broker that hangs, heart-beat 1 s', {
        'put fails after ms': failed.ms,
        'DOWN after ms': downMs,
        'stores again after ms': performance.now() - resumed,
      });
      // The one whose put failed may be there as well: the broker had it before it hung.
      expect((await drain(store)).length).toBeGreaterThanOrEqual(2);
    });

    it('does not take a stall of its own for a dead broker', async () => {
      const store = openStore({ port: broker.port, queue: newQueue(), heartBeatMs: 2_000 });
      await store.put(storedMessage());
      const { since } = store.status();
      for (const stallMs of [1_500, 1_500]) {
        const end = performance.now() + stallMs;
        while (performance.now() < end);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await store.put(storedMessage());
      expect(store.status()).toMatchObject({ state: 'READY', since, lastError: undefined });
    });

    it('sends again what was cut off in the middle, and loses nothing', async () => {
      const forwarder = await tcpForwarder({ to: { port: broker.port } });
      const store = openStore({ port: forwarder.port, queue: newQueue() });
      await store.put(storedMessage());
      const messages = Array.from({ length: 60 }, () => storedMessage({ body: textBody('x'.repeat(100_000)) }));
      const puts = messages.map((message) => store.put(message));
      await Promise.race(puts);
      forwarder.cut();
      await Promise.all(puts);
      const ids = (await drain(store)).map(({ id }) => id);
      expect(new Set(ids).size).toBe(61);
      expect([...new Set(ids)].slice(1)).toEqual(messages.map(({ id }) => id));
      expect(ids.length - 61).toBeLessThanOrEqual(60);
      await closeAll();
      await forwarder.close();
    });

    it.each([
      ['accept-and-drop', 9],
      ['accept-and-silent', 3],
      ['garbage', 9],
    ] as const)('%s: puts fail in time, and few connections are made', async (behaviour, most) => {
      const peer = await misbehavingServer(behaviour);
      const store = openStore({ port: peer.port, queue: newQueue(), putDeadlineMs: 1_000 });
      void store.consumer().receive({ signal: FOR_EVER });
      const { ms, error } = await timed(store.put(storedMessage()));
      expect(error).toBeInstanceOf(StoreError);
      expect(ms).toBeLessThan(2_000);
      await new Promise((resolve) => setTimeout(resolve, behaviour === 'accept-and-drop' ? 29_000 : 2_500));
      expect(peer.connections.length).toBeLessThanOrEqual(most);
      expect(['CONNECTING', 'DOWN']).toContain(stateOf(store));
      await closeAll();
      await peer.close();
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

/** Producers and consumers at work on a store, and what they have seen. Times are of performance.now(). */
class Traffic {
  /** Message id -> when its put was confirmed. */
  readonly confirmed = new Map<string, number>();
  readonly received: Array<{ readonly id: string; readonly at: number }> = [];
  failedPuts = 0;
  readonly #store: MessageStore;
  readonly #stopProducing = new AbortController();
  readonly #stopConsuming = new AbortController();
  readonly #producing: Promise<unknown>;
  readonly #consuming: Promise<unknown>;

  constructor(store: MessageStore, producers: number, consumers: number) {
    this.#store = store;
    this.#producing = Promise.all(Array.from({ length: producers }, () => this.#produce()));
    this.#consuming = Promise.all(Array.from({ length: consumers }, () => this.#consume(store.consumer())));
  }

  get lost(): string[] {
    const ids = new Set(this.received.map(({ id }) => id));
    return [...this.confirmed.keys()].filter((id) => !ids.has(id));
  }

  get duplicates(): number {
    return this.received.length - new Set(this.received.map(({ id }) => id)).size;
  }

  /** How long after `since` the first put was confirmed and the first message was delivered, ms. */
  async resumed(since: number): Promise<{ confirmedMs: number; deliveredMs: number }> {
    const first = async (times: () => Iterable<number>) => {
      const what = () => `the store to go on: ${JSON.stringify(this.#store.status())}`;
      const after = () => [...times()].find((at) => at > since);
      return (await waitFor(after, { what, deadlineMs: 8_000 })) - since;
    };
    const [confirmedMs, deliveredMs] = await Promise.all([
      first(() => this.confirmed.values()),
      first(() => this.received.map(({ at }) => at)),
    ]);
    return { confirmedMs, deliveredMs };
  }

  /** Stops producing, and consuming when everything has come or the deadline is over. */
  async end(deadlineMs: number): Promise<void> {
    this.#stopProducing.abort();
    await this.#producing;
    await waitFor(() => this.lost.length === 0, { what: () => `${this.lost.length} messages`, deadlineMs });
    this.#stopConsuming.abort();
    await this.#consuming;
  }

  async #produce(): Promise<void> {
    while (!this.#stopProducing.signal.aborted) {
      const message = storedMessage();
      await this.#store.put(message).then(
        () => void this.confirmed.set(message.id, performance.now()),
        () => {
          this.failedPuts += 1;
        },
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #consume(consumer: StoreConsumer): Promise<void> {
    for (;;) {
      const delivery = await consumer.receive({ signal: this.#stopConsuming.signal });
      if (!delivery?.message) return;
      this.received.push({ id: delivery.message.id, at: performance.now() });
      await delivery.done().catch(() => undefined);
    }
  }
}

server.describe('a RabbitMQ store whose broker is killed', () => {
  let broker: RabbitMqBroker;

  beforeAll(async () => {
    broker = await server.start();
  });

  afterEach(closeAll);

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
      const [producers, consumers] = [4, 2];
      const store = openStore({ port: broker.port, queue: type, parameters: { 'x.queue.type': type } });
      const traffic = new Traffic(store, producers, consumers);
      await waitFor(() => traffic.received.length > 30, { what: 'deliveries' });
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      const resumed: Array<{ confirmedMs: number; deliveredMs: number }> = [];
      for (let kill = 1; kill <= kills; kill += 1) {
        await broker.kill();
        await broker.restart();
        resumed.push(await traffic.resumed(performance.now()));
        const before = traffic.confirmed.size;
        await waitFor(() => traffic.confirmed.size > before + 30, { what: 'confirmed puts' });
      }
      await traffic.end(15_000);
      sayFigures(`kill -9 of RabbitMQ, ${type} queue`, {
        kills,
        confirmed: traffic.confirmed.size,
        'failed puts': traffic.failedPuts,
        lost: traffic.lost.length,
        duplicates: traffic.duplicates,
        'first confirmed after ms': Math.max(...resumed.map((one) => one.confirmedMs)),
        'first delivery after ms': Math.max(...resumed.map((one) => one.deliveredMs)),
      });
      for (const { confirmedMs, deliveredMs } of resumed) {
        expect(confirmedMs).toBeLessThan(3_000);
        expect(deliveredMs).toBeLessThan(3_000);
      }
      // Each kill may repeat what was unconfirmed and unacknowledged.
      expect(traffic.duplicates).toBeLessThanOrEqual(kills * (producers + consumers));
    },
  );
});
