import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jmsMessage, wrapped } from '../../src/inbound/jms/message.ts';
import { answerFrom } from '../../src/inbound/queue-answer.ts';
import { parseRabbitMqAddress } from '../../src/inbound/rabbitmq/rabbitmq-address.ts';
import { formatRequest } from '../../src/message/formatter.ts';
import { packagingOf } from '../../src/message/related.ts';
import type { Delivery } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { FakeConfiguration, logged, message } from '../mediation/harness.ts';

const SERVICES = {
  dataDirectory: '',
  putDeadlineMs: 1000,
  stompUrls: new Map<string, string>(),
  dataSources: new Map(),
};

const stored = (bytes: Buffer, kind: StoredMessage['body']['kind'], contentType: string): StoredMessage => ({
  v: 1,
  id: 'ID:1',
  originalId: 'ID:1',
  correlationId: 'c',
  storedAt: 0,
  service: undefined,
  body: { kind, bytes, contentType },
  addressing: {},
  direction: 'request',
  doingRest: false,
  headers: [['X-A', '1']],
  axis2: new Map(),
  properties: new Map(),
  variables: new Map(),
  priority: undefined,
  history: [],
});
const UNTYPED = { property: undefined, fixed: undefined };

describe('a rabbitmq: address', () => {
  const of = (address: string) => {
    const { queue, exchange, routingKey, access, replyQueue } = parseRabbitMqAddress(address, SERVICES);
    return { queue, exchange, routingKey, replyQueue, addresses: access.addresses, user: access.user };
  };

  it('names a queue by itself or by a parameter, or an exchange', () => {
    const local = [{ host: 'localhost', port: 5672 }];
    expect(of('rabbitmq:/Orders')).toEqual({
      queue: 'Orders',
      exchange: undefined,
      routingKey: 'Orders',
      replyQueue: undefined,
      addresses: local,
      user: 'guest',
    });
    expect(
      of(
        'rabbitmq:/SalesOrderQueue?rabbitmq.server.host.name=a,b&rabbitmq.server.port=1,2&rabbitmq.queue.name=Q&rabbitmq.server.user.name=admin&rabbitmq.server.password=admin&rabbitmq.exchange.name=amq.direct&rabbitmq.replyto.name=R',
      ),
    ).toEqual({
      queue: 'Q',
      exchange: 'amq.direct',
      routingKey: 'Q',
      replyQueue: 'R',
      addresses: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      user: 'admin',
    });
    expect(of('rabbitmq:/x?rabbitmq.exchange.name=e&rabbitmq.queue.routing.key=k')).toMatchObject({
      queue: undefined,
      exchange: 'e',
      routingKey: 'k',
    });
    expect(of('rabbitmq:/q?rabbitmq.queue.autodeclare=false')).toMatchObject({ queue: undefined, routingKey: 'q' });
  });

  it('that names nothing, or not as many ports as hosts, is refused', () => {
    expect(() => of('rabbitmq:/')).toThrow('it names neither a queue nor an exchange');
    expect(() => of('rabbitmq:/q?rabbitmq.server.host.name=a,b')).toThrow('must be equal to the number of ports');
  });

  it('of anything is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseRabbitMqAddress(`rabbitmq:/${text}`, SERVICES);
        } catch (error) {
          expect((error as Error).name).toMatch(/AmqpAddressError|TlsSettingsError/);
        }
      }),
    );
  });
});

describe('a message of a JMS queue', () => {
  it('that has no body here is told, with what can be sent instead; its flow has its headers', async () => {
    const delivery = {
      redelivered: false,
      poison: { id: 'ID:7', reason: 'it is empty', bytes: new Uint8Array(0), headers: [] },
    } as unknown as Delivery;
    const records = await logged(() => {
      const read = jmsMessage(delivery, new FakeConfiguration(), 'orders', UNTYPED);
      expect(read.payload.isEmpty).toBe(true);
      expect(read.headers.get('JMS_DESTINATION')).toBe('queue://orders');
    });
    expect(records.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      'warn: A message of queue [orders] has no body here: it is empty. Map, stream and object messages of Java do not travel over STOMP; send text (JSON, XML) or bytes',
    ]);
  });

  it.each([
    ['bytes', Buffer.from([0, 1, 255]), 'binary', 'application/octet-stream', 1],
    ['a text', Buffer.from('AAH/'), 'text', 'text/plain', 0],
  ] as const)('%s in a wrapper: MTOM sends them beside the envelope (sample 252)', (_, body, kind, type, parts) => {
    const delivery = { redelivered: false, message: stored(body, kind, type) } as unknown as Delivery;
    const read = jmsMessage(delivery, new FakeConfiguration(), 'q', UNTYPED);
    const inside = wrapped(read, { namespace: 'urn:w', name: 'w' });
    const { bytes = new Uint8Array(0), contentType } = formatRequest(inside, 'soap11', undefined, 'POST', 'mtom');
    expect(packagingOf(contentType)).toBe('mtom');
    expect(Buffer.from(bytes).toString('latin1').split('Content-ID').length - 1).toBe(1 + parts);
    expect(Buffer.from(bytes).includes(body)).toBe(true);
  });
});

describe('an answer from a queue', () => {
  it('is SOAP or not, as its bytes say', () => {
    const request = message({ body: '<a/>' });
    const answer = answerFrom(request, stored(Buffer.from('{"a":1}'), 'json', 'application/json'));
    expect(answer.payload.json()).toBe('{"a":1}');
    expect([answer.doingRest, answer.axis2.get('messageType'), answer.headers.get('X-A')]).toEqual([
      true,
      'application/json',
      '1',
    ]);
    expect(answerFrom(request, undefined).payload.isEmpty).toBe(true);
  });
});
