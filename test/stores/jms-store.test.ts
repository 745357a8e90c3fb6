import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { afterEach, describe, expect, it, test } from 'vitest';
import { ValueError } from '../../src/grammar/attributes.ts';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { jmsStore } from '../../src/stores/jms.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { encodeJmsMessage } from '../../src/stores/stomp/jms-message.ts';
import { waitFor } from '../support/wait-for.ts';
import { type JmsStoreOptions, openJmsStore } from './jms-stores.ts';
import { storedMessage } from './messages.ts';
import { CONNECTED, type Script, type StompServer, stompFrame, stompServer } from './stomp-server.ts';

const opened: Array<{ close(): Promise<void> }> = [];
const FOR_EVER = new AbortController().signal;

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function played(script?: Script, tls?: { key: string; cert: string }): Promise<StompServer> {
  const server = await stompServer(script, tls);
  opened.push(server);
  return server;
}

function openStore(options: JmsStoreOptions): MessageStore {
  const store = openJmsStore(options);
  opened.push(store);
  return store;
}

/** What is logged while `work` runs. */
async function logged(work: () => Promise<unknown>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const stop = onLogRecord((record) => records.push(record));
  await work().finally(stop);
  return records;
}

/** A MESSAGE that answers a SUBSCRIBE, after its receipt. */
function pushed(subscribe: Readonly<Record<string, string>>, ack: string): string {
  const { headers } = encodeJmsMessage(storedMessage());
  const { 'content-length': _, ...rest } = headers;
  const fields = { ...rest, subscription: subscribe.id ?? '', ack, 'message-id': ack, destination: '/queue/q' };
  return (
    stompFrame('RECEIPT', { 'receipt-id': subscribe.receipt ?? '' }) +
    stompFrame('MESSAGE', fields as Record<string, string>, 'body')
  );
}

describe('the parameters', () => {
  const parse = (name: keyof typeof jmsStore.parameters, text: string) =>
    jmsStore.parameters[name]?.parse(text, { name } as never);

  test.each([
    ['java.naming.factory.initial', 'org.wso2.andes.jndi.PropertiesFileInitialContextFactory', /is not supported/],
    ['java.naming.provider.url', 'conf/jndi.xml', /JNDI properties file/],
    ['x.stomp.url', 'tcp://localhost:61616', /not a STOMP address/],
    ['store.jms.password', "{wso2:vault-lookup('pw')}", /stands in braces/],
    ['x.stomp.heartbeat', '10', /not a valid number/],
  ])('%s refuses %s', (name, text, problem) => {
    expect(() => parse(name, text)).toThrow(ValueError);
    expect(() => parse(name, text)).toThrow(problem);
  });

  it('name the factories that are supported', () => {
    const refused = () => parse('java.naming.factory.initial', 'com.sun.jndi.fscontext.RefFSContextFactory');
    expect(refused).toThrow(expect.objectContaining({ expected: expect.stringContaining('org.apache.activemq.jndi') }));
  });

  it('make opening fail when they do not fit together', () => {
    const refused = (parameters: Record<string, string>, stompUrls = new Map<string, string>()) =>
      expect(() => openStore({ stompPort: 1, parameters, stompUrls }));
    refused({ 'store.jms.destination': 'a,b' }).toThrow(/'a,b' is not usable as the name of a queue/);
    refused({ 'topic.News': 'n', 'store.jms.destination': 'News' }).toThrow(StoreError);
    refused({ 'java.naming.provider.url': '/no/such/jndi.properties' }).toThrow(
      /Store \[\w+\]: parameter 'java\.naming\.provider\.url': there is no JNDI properties file '\/no\/such\/jndi/,
    );
    refused({ 'x.stomp.ca': '/no/such/file.pem' }).toThrow(/ENOENT/);
    refused({ 'x.stomp.url': '' }, new Map([['tcp://127.0.0.1:61616', 'tcp://x:1']])).toThrow(/not a STOMP address/);
  });
});

describe('opening', () => {
  it('says which address was chosen, why, and how to set it, and shows no secrets', async () => {
    const records = await logged(async () => {
      const parameters = { 'java.naming.provider.url': 'tcp://me:geheim@127.0.0.1:61616', 'x.stomp.url': '' };
      openStore({ name: 'Orders', stompPort: 1, parameters: { ...parameters, 'store.jms.destination': '' } });
    });
    const lines = records.map(({ level, message }) => `${level} ${message}`);
    expect(lines).toContain('info Store [Orders]. Initialized... ');
    expect(lines).toContain(
      'warn Store [Orders]. Destination not provided. Setting default destination to [Orders_Queue].',
    );
    const line = lines.find((each) => each.includes('keeps its messages')) ?? '';
    expect(line).toMatch(/queue \[Orders_Queue\] at stomp:\/\/127\.0\.0\.1:61613 .*x\.stomp\.url.*mini_synapse\.jms/);
    expect(lines.join('\n')).not.toContain('geheim');
  });

  it('takes the address of the configuration before the guessed one', async () => {
    const server = await played();
    const store = openStore({
      stompPort: 1,
      parameters: { 'x.stomp.url': '' },
      stompUrls: new Map([['tcp://127.0.0.1:61616', `stomp://127.0.0.1:${server.port}`]]),
    });
    await store.put(storedMessage());
  });

  it('tries the brokers of a list in turn', async () => {
    const server = await played();
    const list = `failover:(stomp://127.0.0.1:1,stomp://127.0.0.1:${server.port})`;
    await openStore({ stompPort: 1, parameters: { 'x.stomp.url': list } }).put(storedMessage());
  });

  it('tells in the words of the reference that the broker is not there', async () => {
    let store: MessageStore | undefined;
    const records = await logged(async () => {
      store = openStore({ name: 'Away', stompPort: 1, putDeadlineMs: 200 });
      await store.put(storedMessage({ id: 'm1' })).catch(() => undefined);
    });
    const lines = records.map(({ level, category, message }) => `${level} ${category} ${message}`);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^error JmsStore Store \[Away\]\. Could not initialize JMS Message Store\. Error:.*ECONNREFUSED.*\. Initial Context Factory:\[org\.apache\.activemq\.jndi\.ActiveMQInitialContextFactory\]; Provider URL:\[tcp:\/\/127\.0\.0\.1:61616\]; Connection Factory:\[QueueConnectionFactory\]\.$/,
      ),
    );
    expect(lines).toContain('error JmsStore Could not create a Message Producer for Store [Away]');
    expect(lines).toContain('warn JmsProducer [Away-P-1]. Ignored MessageID : m1');
    expect(store?.status().state).toBe('DOWN');
  });
});

describe('a session', () => {
  it('asks for 1.2 and for heart-beats, and logs in', async () => {
    const server = await played();
    const parameters = { 'store.jms.username': 'me', 'store.jms.password': 'pw' };
    await openStore({ stompPort: server.port, parameters }).put(storedMessage());
    expect(server.frames[0]).toMatchObject({
      command: 'CONNECT',
      headers: { 'accept-version': '1.2', 'heart-beat': '20000,10000', login: 'me', passcode: 'pw' },
    });
  });

  it('uses the user name only together with a password', async () => {
    const server = await played();
    await openStore({ stompPort: server.port, parameters: { 'store.jms.username': 'me' } }).put(storedMessage());
    expect(server.frames[0]?.headers).not.toHaveProperty('login');
  });

  it('is encrypted with a certificate that is checked', async () => {
    const { key, cert } = selfSigned();
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-jms-'));
    const file = join(folder, 'ca.pem');
    writeFileSync(file, cert);
    const server = await played(undefined, { key, cert });
    const url = { 'x.stomp.url': `stomp+ssl://localhost:${server.port}` };
    await openStore({ stompPort: 1, parameters: { ...url, 'x.stomp.ca': file } }).put(storedMessage());
    const distrusting = openStore({ stompPort: 1, putDeadlineMs: 500, parameters: url });
    await expect(distrusting.put(storedMessage())).rejects.toThrow(/self-signed certificate/);
    rmSync(folder, { recursive: true });
  });

  it('with a broker that hangs before CONNECTED ends at the deadline of the put, and close does not wait (OP-11)', async () => {
    const server = await played(() => '');
    const store = openStore({ stompPort: server.port, putDeadlineMs: 200 });
    await expect(store.put(storedMessage())).rejects.toThrow(/no connection to the broker within 200 ms/);
    const begin = performance.now();
    await store.close();
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});

describe('putting', () => {
  it('fails with the words of the broker when that refuses, and goes on', async () => {
    let refusals = 1;
    const server = await played(({ command, headers }) => {
      if (command !== 'SEND' || refusals-- <= 0) return undefined;
      return stompFrame('ERROR', { 'receipt-id': headers.receipt ?? '', message: 'User is not authorized' }, 'trace');
    });
    const store = openStore({ name: 'Guarded', stompPort: server.port });
    const records = await logged(() =>
      expect(store.put(storedMessage({ id: 'm1' }))).rejects.toThrow(/refused the message: User is not authorized/),
    );
    expect(records.map(({ message }) => message)).toContainEqual(
      '[Guarded-P-1]. Ignored MessageID : m1. Could not store message to store [Guarded]. Error:the broker refused the message: User is not authorized',
    );
    await store.put(storedMessage());
    expect(server.connections).toBe(1);
    expect(store.status()).toMatchObject({ state: 'READY', enqueued: 1 });
  });

  it('is never taken for stored without a receipt, and is repeated after a loss with the same id', async () => {
    const server = await played(({ command, connection }) =>
      command === 'SEND' && connection < 3 ? 'cut' : undefined,
    );
    const store = openStore({ stompPort: server.port });
    const message = storedMessage();
    await store.put(message);
    const sends = server.frames.filter(({ command }) => command === 'SEND');
    expect(sends.map(({ connection }) => connection)).toEqual([1, 2, 3]);
    expect(new Set(sends.map(({ headers }) => headers.StoredMessageID))).toEqual(new Set([message.id]));
    expect(sends.every(({ headers }) => headers.persistent === 'true' && headers.receipt !== undefined)).toBe(true);
  });

  it('fails at its deadline without a receipt, and the store is DEGRADED until one comes (OP-11)', async () => {
    let answers = false;
    const held: string[] = [];
    const server = await played(({ command, headers }) => {
      if (command !== 'SEND' || answers) return undefined;
      held.push(headers.receipt ?? '');
      return '';
    });
    const store = openStore({ stompPort: server.port, putDeadlineMs: 300 });
    await expect(store.put(storedMessage())).rejects.toThrow(/did not confirm the message within 300 ms/);
    expect(store.status().state).toBe('DEGRADED');
    answers = true;
    await store.put(storedMessage());
    expect(store.status()).toMatchObject({ state: 'READY', enqueued: 1 });
  });

  it('has at most 256 sends without a receipt', async () => {
    const server = await played(({ command }) => (command === 'SEND' ? '' : undefined));
    const store = openStore({ stompPort: server.port, putDeadlineMs: 1_000 });
    const puts = Array.from({ length: 300 }, () => store.put(storedMessage()));
    const outcomes = await Promise.allSettled(puts);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    const reasons = outcomes.map((outcome) => String((outcome as PromiseRejectedResult).reason));
    expect(reasons.filter((reason) => reason.includes('earlier messages were not confirmed'))).toHaveLength(44);
    expect(server.frames.filter(({ command }) => command === 'SEND')).toHaveLength(256);
  });

  it('waits for what is under way when the store is closed', async () => {
    const server = await played();
    const store = openStore({ stompPort: server.port });
    const put = store.put(storedMessage());
    await store.close();
    await put;
  });
});

describe('consuming', () => {
  it('subscribes with a prefetch of one, under a fresh id each time, and acknowledges one by one', async () => {
    const server = await played(({ command, headers }) =>
      command === 'SUBSCRIBE' ? pushed(headers, 'a:1') : undefined,
    );
    const store = openStore({ stompPort: server.port });
    const consumer = store.consumer();
    const first = await consumer.receive({ signal: FOR_EVER, waitMs: 5_000 });
    await first?.release();
    const second = await consumer.receive({ signal: FOR_EVER, waitMs: 5_000 });
    await second?.done();
    const frames = server.frames.filter(({ connection }) => connection === 2);
    expect(frames.map(({ command }) => command)).toEqual(['CONNECT', 'SUBSCRIBE', 'UNSUBSCRIBE', 'SUBSCRIBE', 'ACK']);
    const subscriptions = frames.filter(({ command }) => command === 'SUBSCRIBE').map(({ headers }) => headers);
    expect(subscriptions[0]).toMatchObject({ ack: 'client-individual', 'activemq.prefetchSize': '1' });
    expect(subscriptions[0]?.id).not.toBe(subscriptions[1]?.id);
    expect(frames.at(-1)?.headers).toMatchObject({ id: 'a:1' });
    expect(frames.every(({ command }) => command !== 'NACK')).toBe(true);
  });

  it('does not take a message for done before the receipt, nor through another connection (OP-10)', async () => {
    const server = await played(({ command, headers }) => {
      if (command === 'SUBSCRIBE') return pushed(headers, 'a1');
      return command === 'ACK' ? 'cut' : undefined;
    });
    const store = openStore({ stompPort: server.port });
    const delivery = await store.consumer().receive({ signal: FOR_EVER, waitMs: 5_000 });
    await expect(delivery?.done()).rejects.toBeInstanceOf(StoreError);
    await expect(delivery?.done()).rejects.toThrow(/the connection that delivered it has ended/);
    expect(server.frames.filter(({ command }) => command === 'ACK')).toHaveLength(1);
    expect(store.status().dequeued).toBe(0);
    await delivery?.release();
  });

  it('does not send a late acknowledgement again, but waits for it again', async () => {
    const server = await played(({ command, headers }) => {
      if (command === 'SUBSCRIBE') return pushed(headers, 'a1');
      return command === 'ACK' ? '' : undefined;
    });
    const store = openStore({ stompPort: server.port, putDeadlineMs: 150 });
    const delivery = await store.consumer().receive({ signal: FOR_EVER, waitMs: 5_000 });
    await expect(delivery?.done()).rejects.toThrow(/waited 150 ms/);
    await expect(delivery?.done()).rejects.toThrow(/waited 150 ms/);
    expect(server.frames.filter(({ command }) => command === 'ACK')).toHaveLength(1);
    await delivery?.release();
    expect(server.frames.at(-1)?.command).toBe('UNSUBSCRIBE');
  });

  it('unsubscribes when nobody asks for a message any more', async () => {
    const server = await played();
    const consumer = openStore({ stompPort: server.port }).consumer();
    expect(await consumer.receive({ signal: FOR_EVER, waitMs: 200 })).toBeUndefined();
    await waitFor(() => server.frames.at(-1)?.command === 'UNSUBSCRIBE', { what: 'UNSUBSCRIBE' });
  });

  it('goes on after a loss, in the words of the reference', async () => {
    const server = await played(({ command, headers, connection }) =>
      command === 'SUBSCRIBE' && connection > 2 ? pushed(headers, 'a1') : undefined,
    );
    const store = openStore({ name: 'Lossy', stompPort: server.port });
    const records = await logged(async () => {
      const receiving = store.consumer().receive({ signal: FOR_EVER, waitMs: 10_000 });
      await waitFor(() => server.frames.some(({ command }) => command === 'SUBSCRIBE'), { what: 'SUBSCRIBE' });
      server.cut();
      expect((await receiving)?.message).toBeDefined();
    });
    expect(records.filter(({ category }) => category === 'JmsConsumer').map(({ message }) => message)).toEqual([
      'Cannot fetch messages from Store Lossy',
      'Trying to reconnect to JMS store Lossy',
      'Successfully connected to JMS store Lossy',
    ]);
    await waitFor(() => store.status().state === 'READY', { what: 'READY' });
  });

  it('speaks to Artemis in its own terms', async () => {
    const server = await played(({ command, headers }) => {
      if (command === 'CONNECT') return CONNECTED.replace('Played/1', 'ActiveMQ-Artemis/2.31.2');
      return command === 'SUBSCRIBE' ? pushed(headers, 'a1') : undefined;
    });
    const store = openStore({ stompPort: server.port, queue: 'Q' });
    await store.put(storedMessage());
    await (await store.consumer().receive({ signal: FOR_EVER, waitMs: 5_000 }))?.done();
    const sent = (command: string) => server.frames.filter((frame) => frame.command === command);
    expect(sent('SEND').map(({ headers }) => headers)).toMatchObject([
      { destination: 'Q', 'destination-type': 'ANYCAST', persistent: 'true' },
    ]);
    expect(sent('SUBSCRIBE').map(({ headers }) => headers)).toMatchObject([
      { destination: 'Q', 'subscription-type': 'ANYCAST', ack: 'client-individual', 'consumer-window-size': '1' },
    ]);
    expect(server.frames.some(({ headers }) => JSON.stringify(headers).includes('/queue/'))).toBe(false);
    // It has neither browsers over STOMP nor advisory topics.
    expect(await store.depth()).toEqual({ count: 'unknown', estimated: true });
    expect(sent('SUBSCRIBE')).toHaveLength(1);
  });

  it('moves on Artemis without a transaction, as it ignores acknowledgements in one', async () => {
    const server = await played(({ command, headers }) => {
      if (command === 'CONNECT') return CONNECTED.replace('Played/1', 'ActiveMQ-Artemis/2.31.2');
      return command === 'SUBSCRIBE' ? pushed(headers, 'a1') : undefined;
    });
    const store = openStore({ stompPort: server.port, queue: 'Q' });
    const target = openStore({ stompPort: server.port, queue: 'T' });
    const delivery = await store.consumer().receive({ signal: FOR_EVER, waitMs: 5_000 });
    if (!delivery?.message) throw new Error('no message');
    await delivery.moveTo(target, delivery.message);
    const frames = server.frames.filter(({ command }) => ['BEGIN', 'SEND', 'ACK', 'COMMIT'].includes(command));
    expect(frames.map(({ command }) => command)).toEqual(['SEND', 'ACK']);
    expect(frames.every(({ headers }) => headers.transaction === undefined)).toBe(true);
  });

  it('lets Artemis recognise what is sent again; each put is another one', async () => {
    const server = await played(({ command, connection }) => {
      if (command === 'CONNECT') return CONNECTED.replace('Played/1', 'ActiveMQ-Artemis/2.31.2');
      return command === 'SEND' && connection < 2 ? 'cut' : undefined;
    });
    const store = openStore({ stompPort: server.port, queue: 'Q' });
    const message = storedMessage();
    await store.put(message);
    await store.put(message);
    const sends = server.frames.filter(({ command }) => command === 'SEND').map(({ headers }) => headers);
    expect(sends).toHaveLength(3);
    expect(sends[0]?._AMQ_DUPL_ID).toMatch(/^[\da-f-]{36}$/);
    expect(sends.map((headers) => headers._AMQ_DUPL_ID === sends[0]?._AMQ_DUPL_ID)).toEqual([true, true, false]);
    expect(sends.map((headers) => headers.SynapseSentAgain)).toEqual([undefined, 'true', undefined]);
  });
});

describe('the depth', () => {
  it('is counted by a browse, at most once in two seconds, and estimated when that does not end', async () => {
    let ends = true;
    let browses = 0;
    const server = await played(({ command, headers }) => {
      if (command !== 'SUBSCRIBE' || headers.browser !== 'true') return undefined;
      browses += 1;
      const message = stompFrame('MESSAGE', { subscription: headers.id ?? '', 'message-id': 'm' }, 'x');
      const end = stompFrame('MESSAGE', { subscription: headers.id ?? '', 'message-id': 'e', browser: 'end' });
      return message.repeat(3) + (ends ? end : '');
    });
    const store = openStore({ stompPort: server.port });
    await store.put(storedMessage());
    expect(await Promise.all([store.depth(), store.depth()])).toEqual([
      { count: 3, estimated: false },
      { count: 3, estimated: false },
    ]);
    expect(browses).toBe(1);
    ends = false;
    await store.put(storedMessage());
    await store.put(storedMessage());
    await waitFor(async () => (await store.depth()).estimated, { what: 'an estimate', everyMs: 100 });
    expect(await store.depth()).toEqual({ count: 5, estimated: true });
    expect(browses).toBe(2);
  });

  it('is at least what a browse has shown that may have ended after a page', async () => {
    const server = await played(({ command, headers }) => {
      if (command !== 'SUBSCRIBE' || headers.browser !== 'true') return undefined;
      const message = stompFrame('MESSAGE', { subscription: headers.id ?? '', 'message-id': 'm' }, 'x');
      const end = stompFrame('MESSAGE', { subscription: headers.id ?? '', 'message-id': 'e', browser: 'end' });
      return message.repeat(456) + end;
    });
    const store = openStore({ stompPort: server.port });
    await store.put(storedMessage());
    expect(await store.depth()).toEqual({ count: 456, estimated: true });
  });
});

function selfSigned(): { key: string; cert: string } {
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  const name = [{ name: 'commonName', value: 'localhost' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }]);
  certificate.sign(keys.privateKey, forge.md.sha256.create());
  return { key: forge.pki.privateKeyToPem(keys.privateKey), cert: forge.pki.certificateToPem(certificate) };
}
