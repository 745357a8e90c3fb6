import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfirmChannel, GetMessage, Message } from 'amqplib';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it, test } from 'vitest';
import { pairAddresses, parseHosts, parsePorts } from '../../src/stores/amqp/address.ts';
import { decodeAmqpMessage, encodeAmqpMessage, poisonId } from '../../src/stores/amqp/amqp-message.ts';
import { type AmqpConnection, AmqpLostError } from '../../src/stores/amqp/connection.ts';
import type { ConsumerChannel } from '../../src/stores/amqp/consumer-channel.ts';
import { AmqpDelivery } from '../../src/stores/amqp/delivery.ts';
import { requireDriver } from '../../src/stores/amqp/driver.ts';
import { type AmqpMessage, Publisher } from '../../src/stores/amqp/publisher.ts';
import { limitOf, readDifference } from '../../src/stores/amqp/queue-inspection.ts';
import { Renewals } from '../../src/stores/amqp/renewals.ts';
import { type TlsSettings, tlsOptions } from '../../src/stores/amqp/tls.ts';
import { findStoreKind } from '../../src/stores/index.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { rabbitMqStore } from '../../src/stores/rabbitmq.ts';
import { printed, read, SYN } from '../synapse/read.ts';
import { KEY_STORE_PASSWORD, type KeyStoreFile, keyPair, keyStoreBytes, writeKeyStores } from './key-stores.ts';
import { comparableMessage, everyPropertyType, storedMessage } from './messages.ts';
import { openRabbitMqStore } from './rabbitmq-stores.ts';

const opened: MessageStore[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

describe('the artifact', () => {
  const artifact = (parameters: Readonly<Record<string, string>>, kind = 'RabbitMQStore') =>
    read(
      `<messageStore ${SYN} name="Orders" class="org.apache.synapse.message.store.impl.rabbitmq.${kind}">${Object.entries(
        parameters,
      )
        .map(([name, value]) => `<parameter name="${name}">${value}</parameter>`)
        .join('')}</messageStore>`,
    );

  it('is known by its class, and by the spelling of the documentation', () => {
    for (const name of ['RabbitMQStore', 'RabbitmqStore']) {
      expect(findStoreKind(`org.apache.synapse.message.store.impl.rabbitmq.${name}`)).toBe(rabbitMqStore);
      expect(printed(artifact({}, name))).toBe('');
    }
  });

  it('takes parameters that are not filled in for absent ones', () => {
    const empty = Object.fromEntries(
      ['host.name', 'host.port', 'username', 'password', 'virtual.host', 'exchange.name', 'route.key'].map((name) => [
        `store.rabbitmq.${name}`,
        ' ',
      ]),
    );
    const reading = artifact(empty);
    expect(printed(reading)).toBe('');
    expect(reading.artifacts[0]).toMatchObject({
      content: { parameters: { 'store.rabbitmq.host.name': ['localhost'], 'store.rabbitmq.host.port': [5672] } },
    });
  });

  test.each([
    ['store.rabbitmq.host.port', '56x2', /Number format error in port number: '56x2'/],
    ['store.rabbitmq.host.port', '5672,', /Number format error in port number: ''/],
    ['store.rabbitmq.host.port', '70000', /Number format error in port number: '70000'/],
    ['store.rabbitmq.host.name', 'a b', /'a b' is not the name or address of a host/],
    ['store.rabbitmq.queue.name', 'q'.repeat(256), /is longer than 255 bytes/],
    ['rabbitmq.connection.retry.count', '-2', /'-2' is not a valid number/],
    ['rabbitmq.connection.retry.interval', 'soon', /'soon' is not a valid number/],
    ['x.queue.type', 'quorom', /'quorom' is not allowed/],
    ['x.tls.verify', 'false', /'false' is not allowed/],
    ['x.quorum', 'true', /unknown extension parameter 'x.quorum'/],
  ])('is refused with %s = %s', (name, value, problem) => {
    const reading = artifact({ [name]: value });
    expect(reading.artifacts).toEqual([]);
    expect(printed(reading)).toMatch(problem);
    expect(printed(reading)).toContain(name);
  });

  it('never takes a vault lookup for the password', () => {
    const reading = artifact({ 'store.rabbitmq.password': '{wso2:vault-lookup(&apos;rabbit&apos;)}' });
    expect(reading.artifacts).toEqual([]);
    expect(printed(reading)).toMatch(/there is no secret 'rabbit'/);
  });

  it('is refused when hosts and ports do not match', () => {
    const parameters = { 'store.rabbitmq.host.name': 'one,two', 'store.rabbitmq.host.port': '5672' };
    expect(() => openRabbitMqStore({ name: 'Orders', port: 5672, parameters })).toThrow(StoreError);
    expect(() => openRabbitMqStore({ name: 'Orders', port: 5672, parameters })).toThrow(
      /Store \[Orders\]: The number of hostnames must be equal to the number of ports: .*one, two/,
    );
  });

  test.each([
    [
      { 'rabbitmq.connection.ssl.keystore.location': '/no/such/file.jks' },
      /\/no\/such\/file\.jks cannot be used: ENOENT/,
    ],
    [{ 'rabbitmq.connection.ssl.truststore.location': '/no/such/file.jks' }, /cannot be used: ENOENT/],
    [{ 'rabbitmq.connection.ssl.version': 'SSLv3' }, /the protocol 'SSLv3' is not supported/],
  ])('is refused when TLS cannot be set up: %o', (parameters, problem) => {
    const enabled = { ...parameters, 'rabbitmq.connection.ssl.enabled': 'true' };
    expect(() => openRabbitMqStore({ port: 5672, parameters: enabled })).toThrow(problem);
    const store = openRabbitMqStore({ port: 1, parameters });
    opened.push(store);
    expect(store.status().state).toBe('CONNECTING');
  });

  it('needs the driver', () => {
    expect(() => requireDriver()).not.toThrow();
    const missing = () => {
      throw new Error('Cannot find module');
    };
    expect(() => requireDriver(missing)).toThrow(/npm install amqplib/);
  });
});

describe('addresses', () => {
  it('are tried in their order, each with its port', () => {
    expect(pairAddresses(parseHosts('one, 10.0.0.2,[::1], fe80::1'), parsePorts('1, 2,3 ,65535'))).toEqual([
      { host: 'one', port: 1 },
      { host: '10.0.0.2', port: 2 },
      { host: '::1', port: 3 },
      { host: 'fe80::1', port: 65_535 },
    ]);
  });

  it('are read or refused, whatever is written', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '1', '.', ':', ',', ' ', '[', ']', '-', '/', '@'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, (written) => {
        for (const parse of [parseHosts, parsePorts]) {
          try {
            for (const part of parse(written)) expect(String(part)).toMatch(/^[\w.:-]+$/);
          } catch (error) {
            expect(error).toHaveProperty('name', 'AmqpAddressError');
          }
        }
      }),
    );
  });
});

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-key-stores-'));
  const at = writeKeyStores(folder);
  const { key, certificate, authority } = keyPair();
  const nothing: TlsSettings = { keyStore: undefined, trustStore: undefined, version: undefined, verify: 'full' };
  const store = (location: string, password = KEY_STORE_PASSWORD, type?: string) => ({ location, type, password });
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  afterAll(() => rmSync(folder, { recursive: true }));

  const lines = (pem: unknown) => String(pem).replaceAll(/\s/g, '');

  test.each<[KeyStoreFile, string | undefined]>([
    ['key.jks', 'JKS'],
    ['key.p12', 'PKCS12'],
    // As with Java, the name of the type does not matter.
    ['key.p12', 'jks'],
    ['key.jks', undefined],
  ])('reads the key of %s as %s', (name, type) => {
    const options = tlsOptions({ ...nothing, keyStore: store(at(name), KEY_STORE_PASSWORD, type) });
    expect(lines(options.key)).toBe(lines(key));
    expect(lines(options.cert)).toBe(lines(certificate + authority));
    expect(options).toMatchObject({ rejectUnauthorized: true });
    expect(options.ca).toBeUndefined();
  });

  it('reads the key from PEM', () => {
    const options = tlsOptions({ ...nothing, keyStore: store(file('key.pem', `${certificate}\n${key}`)) });
    expect(lines(options.key)).toBe(lines(key));
    expect(lines(options.cert)).toBe(lines(certificate));
  });

  it('reads what is trusted', () => {
    for (const location of [at('trust.jks'), at('trust.p12'), file('ca.pem', authority)]) {
      const options = tlsOptions({ ...nothing, trustStore: store(location), version: 'TLSv1.2', verify: 'ca' });
      expect((options.ca as string[]).map(lines)).toEqual([lines(authority)]);
      expect(options).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', rejectUnauthorized: true });
      expect(options.checkServerIdentity?.('h', {} as never)).toBeUndefined();
    }
    const own = tlsOptions({ ...nothing, trustStore: store(at('key.jks')), verify: 'none' });
    expect((own.ca as string[]).map(lines)).toEqual([lines(certificate)]);
    expect(own.rejectUnauthorized).toBe(false);
  });

  const cut = (name: KeyStoreFile) => file('cut', keyStoreBytes(name).subarray(0, 300));
  test.each([
    ['a wrong password of JKS', () => store(at('key.jks'), 'wrong'), /the password is wrong, or the file is damaged/],
    ['a wrong password of PKCS12', () => store(at('key.p12'), 'wrong'), /Invalid password/],
    ['a JKS file that is cut off', () => store(cut('key.jks')), /the password is wrong, or the file is damaged/],
    ['a PKCS12 file that is cut off', () => store(cut('key.p12')), /cannot be used: /],
    ['something else', () => store(file('other', 'hello')), /cannot be used: /],
    ['an empty file', () => store(file('empty', '')), /cannot be used: /],
    ['another type', () => store(at('key.jks'), KEY_STORE_PASSWORD, 'BKS'), /the type 'BKS' is not supported/],
    ['no key', () => store(at('trust.jks')), /it has no private key/],
    ['no certificate', () => store(file('only.pem', key)), /it has no certificate of its private key/],
  ])('refuses %s', (_, keyStore, problem) => {
    expect(() => tlsOptions({ ...nothing, keyStore: keyStore() })).toThrow(problem);
    expect(() => tlsOptions({ ...nothing, keyStore: keyStore() })).not.toThrow(/wrong' |changeit/);
  });

  it('refuses a trust store without certificates', () => {
    expect(() => tlsOptions({ ...nothing, trustStore: store(file('none.pem', '-----BEGIN X-----')) })).toThrow(
      /it has no certificates/,
    );
  });
});

describe('a message on the queue', () => {
  const delivered = ({ body, properties }: AmqpMessage): Message =>
    ({ content: body, fields: {}, properties }) as unknown as Message;

  it('comes back as it was', () => {
    const message = fc.record({
      originalId: fc.string({ unit: 'binary', maxLength: 400 }),
      correlationId: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
      bytes: fc.uint8Array({ maxLength: 300 }),
      contentType: fc.option(fc.string({ unit: 'binary', maxLength: 300 }), { nil: undefined }),
      priority: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
      long: fc.boolean(),
    });
    fc.assert(
      fc.property(message, ({ bytes, contentType, long, ...given }) => {
        const stored = storedMessage({
          ...given,
          body: { kind: 'binary', bytes, contentType },
          headers: long ? [['X-Long', 'ü'.repeat(20_000)]] : [],
          properties: everyPropertyType(),
        });
        const encoded = encodeAmqpMessage(stored);
        const { message: back, reason } = decodeAmqpMessage(delivered(encoded));
        expect(reason).toBeUndefined();
        expect(back && comparableMessage(back)).toEqual(comparableMessage(stored));
        expect(JSON.stringify(encoded.properties).length).toBeLessThan(40_000);
        for (const short of [encoded.properties.messageId, encoded.properties.contentType]) {
          expect(Buffer.byteLength(short ?? '')).toBeLessThanOrEqual(255);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('says why it failed', () => {
    const failure = {
      processor: 'P',
      sourceStore: 'S',
      endpoint: undefined,
      cause: 'HTTP 503',
      status: 503,
      attempts: 4,
      firstAttemptAt: 1,
      lastAttemptAt: 2,
    };
    const { properties } = encodeAmqpMessage(storedMessage({ history: [failure] }));
    expect(properties.headers).toMatchObject({ FailedProcessor: 'P', FailureCause: 'HTTP 503' });
  });

  it('is never thrown upon, whatever other applications write', () => {
    const header = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.string()),
    );
    const properties = fc.record(
      {
        headers: fc.dictionary(
          fc.constantFrom('SynapseStored', 'SynapseContext', 'SynapseContextBytes', 'X-A', 'a b'),
          header,
        ),
        messageId: fc.string(),
        contentType: fc.string(),
        contentEncoding: fc.string(),
        timestamp: fc.oneof(fc.integer(), fc.constant({ '!': 'timestamp', value: 1 })),
        priority: fc.integer({ min: 0, max: 255 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(properties, fc.uint8Array({ maxLength: 50 }), (given, bytes) => {
        const message = { content: Buffer.from(bytes), fields: {}, properties: given } as unknown as Message;
        const { message: read, reason } = decodeAmqpMessage(message);
        if (read) expect(Buffer.compare(read.body.bytes, bytes)).toBe(0);
        else expect(reason).not.toBe('');
        expect(poisonId(message.properties)).not.toBe('');
      }),
    );
  });
});

describe('the inspection of a queue', () => {
  const words = (rest: string) =>
    `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg ${rest}"`;
  test.each([
    [
      "'x-queue-type' for queue 'q' in vhost '/': received the value 'quorum' of type 'longstr' but current is none",
      'x-queue-type',
      undefined,
    ],
    ["'x-delivery-limit' for queue 'q' in vhost '/': received '?' but current is '3'", 'x-delivery-limit', '3'],
    [
      "'x-dead-letter-exchange' for queue 'q' in vhost '/': received none but current is the value 'd l' of type 'longstr'",
      'x-dead-letter-exchange',
      'd l',
    ],
    [
      "'durable' for queue 'a' but current is 'b' in vhost '/': received 'true' but current is 'false'",
      'durable',
      'false',
    ],
  ])('understands %s', (rest, argument, current) => {
    expect(readDifference(words(rest))).toEqual({ argument, current });
  });

  it('does not understand everything', () => {
    expect(readDifference('PRECONDITION_FAILED - unknown delivery tag 1')).toBeUndefined();
    expect(readDifference(words("'x' for queue 'q': received 1 but current is something"))).toBeUndefined();
  });

  test.each([
    [undefined, '3.10.8', undefined],
    [undefined, '4.0.2', 20],
    [undefined, '', undefined],
    ['3', '3.10.8', 3],
    ['-1', '4.1.0', undefined],
  ])('knows the limit: %s written, version %s', (written, version, limit) => {
    expect(limitOf(written, version)).toBe(limit);
  });
});

describe('a publisher', () => {
  type Callback = (error: Error | null) => void;

  class FakeChannel extends EventEmitter {
    readonly published: Array<{ readonly options: Record<string, unknown>; readonly answer: Callback }> = [];
    failure: Error | undefined;

    publish(
      _exchange: string,
      _key: string,
      _body: Buffer,
      options: Record<string, unknown>,
      answer: Callback,
    ): boolean {
      if (this.failure) throw this.failure;
      this.published.push({ options, answer });
      return true;
    }
  }

  function publisher() {
    const channel = new FakeChannel();
    const ended = Promise.withResolvers<AmqpLostError>();
    const destroyed: string[] = [];
    const destroy = (reason: string) => void destroyed.push(reason);
    const connection = { ended: ended.promise, silentMs: 0, destroy } as unknown as AmqpConnection;
    const topology = { queue: 'q', queueType: undefined, exchange: undefined, routingKey: 'k' };
    const made = new Publisher(connection, channel as unknown as ConfirmChannel, topology);
    const send = (id: string, length = 1) =>
      made.send({ id, body: Buffer.alloc(length), properties: { headers: { StoredMessageID: id } } }, false).then(
        () => 'stored',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    const comeBack = (id: string) => {
      const fields = { replyCode: 312, replyText: 'NO_ROUTE' };
      channel.emit('return', { fields, properties: { headers: { StoredMessageID: id } } });
    };
    const answer = (index: number, error: Error | null = null) => channel.published[index]?.answer(error);
    return { made, channel, destroyed, send, comeBack, answer };
  }

  it('asks for a confirmation of every message, as durable and mandatory', async () => {
    const { channel, send, answer } = publisher();
    const [first, second] = [send('a'), send('b')];
    answer(1);
    answer(0, new Error('message nacked'));
    expect(await second).toBe('stored');
    expect(await first).toMatch(/^RefusedError: .*nack/);
    expect(channel.published[0]?.options).toMatchObject({ mandatory: true, persistent: true });
  });

  it('tells apart what has come back, also of one message that was sent twice', async () => {
    const { send, comeBack, answer } = publisher();
    const sent = [send('a'), send('b'), send('a'), send('a')];
    comeBack('a');
    comeBack('a');
    for (const index of [0, 1, 2, 3]) answer(index);
    const outcomes = await Promise.all(sent);
    expect(outcomes.map((outcome) => outcome.slice(0, 15))).toEqual([
      'UnroutableError',
      'stored',
      'UnroutableError',
      'stored',
    ]);
    expect(outcomes[0]).toContain("no queue takes what the default exchange gets with the routing key 'k'");
  });

  it('ends with its channel: what was unconfirmed is lost, but for what ended it', async () => {
    const { made, channel, destroyed, send } = publisher();
    const [small, large] = [send('a', 10), send('b', 20)];
    channel.emit(
      'error',
      new Error('Channel closed by server: 406 "message size 20 is larger than configured max size 15"'),
    );
    channel.emit('close');
    expect(await small).toMatch(/^AmqpLostError/);
    expect(await large).toMatch(/^RefusedError: .*message size 20/);
    expect(destroyed).toHaveLength(1);
    expect(await made.ended).toBeInstanceOf(AmqpLostError);
    expect(await send('c')).toMatch(/^AmqpLostError/);
  });

  it('does not take the end of a channel for an answer', async () => {
    const { channel, send, answer } = publisher();
    // amqplib calls the callbacks in a listener of its own.
    channel.on('close', () => answer(0, new Error('channel closed')));
    const sent = send('a');
    channel.emit('close');
    expect(await sent).toMatch(/^AmqpLostError/);
  });

  it('refuses what cannot be put into frames', async () => {
    const { channel, send, answer } = publisher();
    channel.failure = new TypeError('Field');
    expect(await send('a')).toMatch(/^RefusedError: cannot be published: Field/);
    channel.failure = undefined;
    const sent = send('b');
    answer(0);
    expect(await sent).toBe('stored');
  });
});

describe('a delivery', () => {
  function delivery(longestHoldMs = 60_000, { put, comesAgain = true }: { put?: string; comesAgain?: boolean } = {}) {
    const seen = { held: 0, settled: 0, closed: 0, acknowledged: 0 };
    let acknowledge = async () => {};
    const channel = {
      lost: undefined as AmqpLostError | undefined,
      ended: new Promise<AmqpLostError>(() => undefined),
      acknowledge: () => {
        seen.acknowledged += 1;
        return acknowledge();
      },
      close: async () => {
        seen.closed += 1;
      },
    };
    const { body: content, properties: written } = encodeAmqpMessage(storedMessage());
    const properties = { ...written, headers: { ...written.headers, ...(put !== undefined && { SynapsePut: put }) } };
    const message = { content, properties, fields: { redelivered: false } } as unknown as GetMessage;
    const renewals = new Renewals();
    const renewed = { ...channel, get: async () => (comesAgain ? { message, channel: renewed } : undefined) };
    const host = {
      name: 'S',
      deadlineMs: 50,
      longestHoldMs,
      renewals,
      openChannel: async () => renewed as unknown as ConsumerChannel,
      noteHeld: (change: number) => {
        seen.held += change;
      },
      noteSettled: () => {
        seen.settled += 1;
      },
    };
    const made = new AmqpDelivery({ message, channel: channel as unknown as ConsumerChannel }, host);
    const arrival = { message, channel: renewed as unknown as ConsumerChannel };
    return { made, seen, channel, renewals, arrival, acknowledging: (by: () => Promise<void>) => (acknowledge = by) };
  }

  it('is renewed, again and again, when it is held for long, and settled in the end', async () => {
    const { made, seen } = delivery(10, { put: 'p' });
    await expect.poll(() => seen.closed).toBeGreaterThan(2);
    expect(made.settled).toBe(false);
    await made.done();
    expect(seen).toMatchObject({ held: 0, settled: 1, acknowledged: 1 });
    const { closed } = seen;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen.closed).toBe(closed);
  });

  it('is handed over by another consumer that was given it instead', async () => {
    const { made, seen, renewals, arrival } = delivery(10, { put: 'p', comesAgain: false });
    expect(renewals.offer(arrival)).toBe(false);
    await expect.poll(() => renewals.offer(arrival)).toBe(true);
    expect(made.settled).toBe(false);
    await made.done();
    expect(seen).toMatchObject({ held: 0, settled: 1, acknowledged: 1 });
  });

  it('is lost when it is held for long and somebody else has taken it', async () => {
    const { made, seen } = delivery(10, { put: 'p', comesAgain: false });
    await expect.poll(() => made.settled, { timeout: 10_000 }).toBe(true);
    expect(seen).toMatchObject({ held: 0, settled: 0, acknowledged: 0 });
    await expect(made.done()).rejects.toThrow(/is the broker’s again: it was given back after 0 minutes/);
  });

  it('of another application is given back when it is held for too long, and cannot be settled then', async () => {
    const { made, seen } = delivery(20);
    await expect.poll(() => made.settled).toBe(true);
    expect(seen).toEqual({ held: 0, settled: 0, closed: 1, acknowledged: 0 });
    await expect(made.done()).rejects.toThrow(/is the broker’s again: it was given back after 0 minutes/);
    await made.release();
  });

  it('is not given back while it is being settled', async () => {
    const { made, seen, acknowledging } = delivery(10);
    const answered = Promise.withResolvers<void>();
    acknowledging(() => answered.promise);
    const done = made.done();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen.closed).toBe(0);
    answered.resolve();
    await done;
    expect(seen).toEqual({ held: 0, settled: 1, closed: 0, acknowledged: 1 });
  });

  it('does not send a late acknowledgement again, but waits for it again', async () => {
    const { made, seen, acknowledging } = delivery();
    const answered = Promise.withResolvers<void>();
    acknowledging(() => answered.promise);
    await expect(made.done()).rejects.toBeInstanceOf(StoreError);
    answered.resolve();
    await made.done();
    expect(seen).toMatchObject({ settled: 1, acknowledged: 1, held: 0 });
  });

  it('is lost with its channel', async () => {
    const { made, seen, channel, acknowledging } = delivery();
    acknowledging(async () => {
      channel.lost = new AmqpLostError('gone');
      throw channel.lost;
    });
    await expect(made.done()).rejects.toThrow(/was not confirmed to be removed: gone/);
    await expect(made.done()).rejects.toThrow(/is the broker’s again/);
    await made.release();
    expect(seen).toMatchObject({ settled: 0, held: 0, closed: 0 });
  });

  it('stays when it was stored elsewhere but not confirmed to be removed', async () => {
    const { made, seen, acknowledging } = delivery();
    acknowledging(() => new Promise(() => undefined));
    const target = { name: 'T', put: async () => {} } as unknown as MessageStore;
    await expect(made.moveTo(target, storedMessage())).rejects.toThrow(/was stored in store \[T\], but not confirmed/);
    expect(made.settled).toBe(false);
    await made.release();
    expect(seen).toMatchObject({ settled: 0, held: 0, closed: 1 });
  });
});
