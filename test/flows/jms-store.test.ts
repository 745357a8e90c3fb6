import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { TypedNumber } from '../../src/message/property-value.ts';
import { type Delivery, type MessageStore, type StoreConsumer, StoreError } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { storeContract } from '../stores/contract.ts';
import { type JmsStoreOptions, openJmsStore } from '../stores/jms-stores.ts';
import { comparableMessage, storedMessage, textBody } from '../stores/messages.ts';
import { freePort } from '../support/free-ports.ts';
import { misbehavingServer } from '../support/misbehaving-server.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { type StompPeek, stompPeek } from '../support/stomp-peek.ts';
import { type TcpForwarder, tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);

const opened: MessageStore[] = [];
let queues = 0;
const newQueue = () => `flow-${++queues}`;
const FOR_EVER = new AbortController().signal;

function openStore(options: JmsStoreOptions): MessageStore {
  const store = openJmsStore(options);
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

/** A connection that both sides have ended needs a moment to be gone from the forwarder. */
async function closeForwarder(forwarder: TcpForwarder): Promise<void> {
  await waitFor(() => forwarder.open === 0, { what: 'the connections to be gone', deadlineMs: 3_000 });
  await forwarder.close();
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

const stateOf = (store: MessageStore) => store.status().state;

server.describe('a JMS store on ActiveMQ', () => {
  let broker: ActiveMqBroker;
  let peek: StompPeek;

  beforeAll(async () => {
    broker = await server.start();
    peek = await stompPeek({ port: broker.stompPort });
  });

  afterEach(closeAll);

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

    it('hands over as poison what carries nothing, and delivers the next one', async () => {
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

  describe('with several consumers', () => {
    it('shares evenly', async () => {
      const store = openStore({ stompPort: broker.stompPort, queue: newQueue() });
      await Promise.all(Array.from({ length: 150 }, () => store.put(storedMessage())));
      const counts = [0, 0, 0];
      const stop = new AbortController();
      await Promise.all(
        counts.map(async (_, index) => {
          const consumer = store.consumer();
          for (;;) {
            const delivery = await consumer.receive({ signal: stop.signal, waitMs: 10_000 });
            if (!delivery) return;
            counts[index] = (counts[index] ?? 0) + 1;
            await delivery.done();
            if (counts.reduce((sum, count) => sum + count) === 150) stop.abort();
          }
        }),
      );
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(25);
      expect(await peek.count(store.parameters.get('store.jms.destination') ?? '')).toBe(0);
    });

    it('does not leave a message with a consumer that pauses', async () => {
      const store = openStore({ stompPort: broker.stompPort, queue: newQueue() });
      const pausing = store.consumer();
      await store.put(storedMessage());
      await (await next(pausing)).done();
      const message = storedMessage();
      await store.put(message);
      const delivery = await next(store.consumer(), 3_000);
      expect(delivery.message.id).toBe(message.id);
      await delivery.done();
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
    await closeAll();
    await closeForwarder(forwarder);
  });

  it('puts of a store that was replaced arrive', async () => {
    const queue = newQueue();
    const old = openStore({ stompPort: broker.stompPort, queue });
    await old.put(storedMessage());
    const successor = openStore({ stompPort: broker.stompPort, queue, previous: old });
    await old.close();
    await old.put(storedMessage());
    expect(await drain(successor)).toHaveLength(2);
    expect(successor.status()).toMatchObject({ enqueued: 2, dequeued: 2 });
  });

  describe('in trouble', () => {
    it('opens without a broker, fails puts in time, and recovers by itself', async () => {
      const forwarder = await tcpForwarder({ to: { port: broker.stompPort }, port: await freePort() });
      await forwarder.refuse();
      const store = openStore({ stompPort: forwarder.port, queue: newQueue(), putDeadlineMs: 1_500 });
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
      expect(stateOf(store)).toBe('READY');
      await closeAll();
      await closeForwarder(forwarder);
    });

    it('notices a broker that hangs by its heart-beat, and goes on when it does', async () => {
      const queue = newQueue();
      const store = openStore({ stompPort: broker.stompPort, queue, heartBeatMs: 1_000, putDeadlineMs: 1_500 });
      await store.put(storedMessage());
      const delivery = await next(store.consumer());
      broker.pause();
      const failed = await timed(store.put(storedMessage()));
      expect(failed.error).toBeInstanceOf(StoreError);
      expect(failed.ms).toBeLessThan(2_500);
      await waitFor(() => stateOf(store) === 'DOWN', { what: 'state DOWN', deadlineMs: 4_000 });
      await expect(delivery.done()).rejects.toBeInstanceOf(StoreError);
      broker.resume();
      await waitFor(() => stateOf(store) === 'READY', { what: 'state READY', deadlineMs: 8_000 });
      await store.put(storedMessage());
      // The one whose put failed may be there as well: the broker had it before it hung.
      expect((await drain(store)).length).toBeGreaterThanOrEqual(2);
    });

    it('does not take a stall of its own for a dead broker', async () => {
      const store = openStore({ stompPort: broker.stompPort, queue: newQueue(), heartBeatMs: 2_000 });
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
      const forwarder = await tcpForwarder({ to: { port: broker.stompPort } });
      const store = openStore({ stompPort: forwarder.port, queue: newQueue() });
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
      await closeForwarder(forwarder);
    });

    it.each([
      ['accept-and-drop', 9],
      ['accept-and-silent', 3],
      ['garbage', 9],
    ] as const)('%s: puts fail in time, and few connections are made', async (behaviour, most) => {
      const peer = await misbehavingServer(behaviour);
      const store = openStore({ stompPort: peer.port, queue: newQueue(), putDeadlineMs: 1_000 });
      const { ms, error } = await timed(store.put(storedMessage()));
      expect(error).toBeInstanceOf(StoreError);
      expect(ms).toBeLessThan(2_000);
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(peer.connections.length).toBeLessThanOrEqual(most);
      expect(['CONNECTING', 'DOWN']).toContain(stateOf(store));
      await closeAll();
      await peer.close();
    });

    it('says when the port speaks OpenWire', async () => {
      const store = openStore({ stompPort: broker.openwirePort, queue: newQueue() });
      await waitFor(() => store.status().lastError, { what: 'an error' });
      // Whether its greeting is read before it closes is a matter of luck.
      expect(store.status().lastError).toMatch(/speaks OpenWire, not STOMP|is this a STOMP port\?/);
    });
  });
});

server.describe('a JMS store whose broker is killed', () => {
  it('loses nothing that was confirmed, and goes on by itself within 3 s', async () => {
    const broker = await server.start();
    const store = openStore({ stompPort: broker.stompPort, queue: 'killed' });
    const confirmed = new Set<string>();
    const received: Array<{ id: string; at: number }> = [];
    const stop = new AbortController();
    const producing = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) {
        const message = storedMessage();
        await store.put(message).then(
          () => confirmed.add(message.id),
          () => undefined,
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const consumer = store.consumer();
    const end = new AbortController();
    const consuming = (async () => {
      for (;;) {
        const delivery = await consumer.receive({ signal: end.signal });
        if (!delivery?.message) return;
        received.push({ id: delivery.message.id, at: performance.now() });
        await delivery.done().catch(() => undefined);
      }
    })();
    await waitFor(() => received.length > 30, { what: 'deliveries' });
    for (const _ of [1, 2]) {
      await broker.kill();
      await broker.restart();
      const up = performance.now();
      const before = confirmed.size;
      await waitFor(() => received.some(({ at }) => at > up), { what: 'a delivery', deadlineMs: 3_000 });
      await waitFor(() => confirmed.size > before + 30, { what: 'confirmed puts' });
    }
    stop.abort();
    await Promise.all(producing);
    const missing = () => {
      const ids = new Set(received.map(({ id }) => id));
      return [...confirmed].filter((id) => !ids.has(id));
    };
    await waitFor(() => missing().length === 0, { what: () => `${missing().length} messages`, deadlineMs: 15_000 });
    end.abort();
    await consuming;
    // Each kill may repeat what was unconfirmed: four puts and one acknowledgement.
    expect(received.length - new Set(received.map(({ id }) => id)).size).toBeLessThanOrEqual(2 * 5);
    await closeAll();
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
    await closeAll();
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
