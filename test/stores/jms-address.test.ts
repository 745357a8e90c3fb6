import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { maskCredentials } from '../../src/logging/secrets.ts';
import {
  AddressError,
  formatEndpoint,
  parseProviderUrl,
  parseStompUrl,
  stompEndpoints,
} from '../../src/stores/stomp/address.ts';
import { queueHeaders, queueName, subscribedQueue } from '../../src/stores/stomp/queue-name.ts';

const endpointsOf = (url: string, artemis = false, overrides: Record<string, string> = {}) =>
  stompEndpoints(parseProviderUrl(url), { artemis, overrides: new Map(Object.entries(overrides)) }).map(formatEndpoint);

describe('the STOMP address of a provider URL', () => {
  test.each([
    ['tcp://localhost:61616', 'stomp://localhost:61613'],
    ['  tcp://127.0.0.1:61616  ', 'stomp://127.0.0.1:61613'],
    ['tcp://broker', 'stomp://broker:61613'],
    ['tcp://broker:61616?wireFormat.maxInactivityDuration=1000&jms.useAsyncSend=true', 'stomp://broker:61613'],
    ['nio://broker:61616', 'stomp://broker:61613'],
    ['auto://broker:61616', 'stomp://broker:61613'],
    ['tcp://[::1]:61616', 'stomp://[::1]:61613'],
    ['tcp://broker:61617', 'stomp://broker:61614'],
    ['ssl://broker:61617', 'stomp+ssl://broker:61614'],
    ['ssl://broker:61616', 'stomp+ssl://broker:61614'],
    ['ssl://broker', 'stomp+ssl://broker:61614'],
    ['auto+nio+ssl://broker:61617', 'stomp+ssl://broker:61614'],
    ['tcp://broker:5445', 'stomp://broker:5445'],
    ['stomp://broker:7777', 'stomp://broker:7777'],
    ['stomp://broker', 'stomp://broker:61613'],
    ['stomp+ssl://broker', 'stomp+ssl://broker:61614'],
    ['stomp+nio://broker:61612', 'stomp://broker:61612'],
    ['failover:(tcp://a:61616,tcp://b:61616)?randomize=false', 'stomp://a:61613,stomp://b:61613'],
    ['failover:(tcp://a:61616?x=y, ssl://b:61617 )', 'stomp://a:61613,stomp+ssl://b:61614'],
    ['failover://(tcp://a:61616)', 'stomp://a:61613'],
    ['failover://tcp://a:61616', 'stomp://a:61613'],
    ['failover:tcp://a:61616,tcp://b:61616?timeout=3000', 'stomp://a:61613,stomp://b:61613'],
  ])('%s', (url, expected) => {
    expect(endpointsOf(url).join(',')).toBe(expected);
  });

  it('is the same port with Artemis', () => {
    expect(endpointsOf('tcp://a:61616', true)).toEqual(['stomp://a:61616']);
    expect(endpointsOf('(tcp://a:61616,tcp://b:61617)?ha=true', true)).toEqual(['stomp://a:61616', 'stomp://b:61617']);
    expect(endpointsOf('tcp://a', true)).toEqual(['stomp://a:61616']);
  });

  it('is what the configuration says, for the whole URL or for one broker of it', () => {
    const url = 'failover:(tcp://a:61616?x=1,tcp://b:61616)';
    expect(endpointsOf(url, false, { [url]: 'stomp://c:1' })).toEqual(['stomp://c:1']);
    expect(endpointsOf(url, false, { 'TCP://a:61616/': 'stomp+ssl://c:1' })).toEqual([
      'stomp+ssl://c:1',
      'stomp://b:61613',
    ]);
    expect(() => endpointsOf(url, false, { [url]: 'tcp://c:1' })).toThrow(AddressError);
  });

  test.each([
    ['repository/conf/jndi.properties', /looks like a JNDI properties file/],
    ['jndi.properties', /looks like a JNDI properties file/],
    ['C:\\conf\\jndi.properties', /looks like a JNDI properties file/],
    ['file:///etc/jndi.properties', /not supported/],
    ['vm://localhost', /'vm:\/\/' addresses are not supported/],
    ['amqp://admin:admin@clientID/carbon', /'amqp:\/\/' addresses are not supported/],
    ['http://broker:61616', /not supported/],
    ['discovery:(multicast://default)', /not supported/],
    ['localhost:61616', /not the address of a broker/],
    ['tcp://broker:0', /not a port/],
    ['tcp://broker:99999', /not a port/],
    ['tcp://:61616', /no valid host/],
    ['tcp://bro ker:61616', /no valid host/],
    ['tcp://broker:61616/path', /has a path/],
    ['failover:(tcp://a:61616', /closing parenthesis/],
    ['failover:()', /no broker is named/],
    ['', /is empty/],
  ])('refuses %s', (url, problem) => {
    expect(() => endpointsOf(url)).toThrow(AddressError);
    expect(() => endpointsOf(url)).toThrow(problem);
  });

  it('finds the parts of what it is made of', () => {
    const host = fc.oneof(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,10}(\.[a-z][a-z0-9]{0,5}){0,2}$/),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const broker = fc.record({
      scheme: fc.constantFrom('tcp', 'nio', 'ssl', 'stomp', 'stomp+ssl'),
      host,
      port: fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 61_616 && port !== 61_617),
      options: fc.constantFrom('', '?a=b', '?wireFormat.x=1&jms.password=p'),
    });
    fc.assert(
      fc.property(fc.array(broker, { minLength: 1, maxLength: 5 }), fc.boolean(), (brokers, spaced) => {
        const list = brokers.map(({ scheme, host, port, options }) => `${scheme}://${host}:${port}${options}`);
        const url = `failover:(${list.join(spaced ? ' , ' : ',')})?randomize=false`;
        const expected = brokers.map(({ scheme, host, port }) => {
          return `${scheme.endsWith('ssl') ? 'stomp+ssl' : 'stomp'}://${host}:${port}`;
        });
        expect(endpointsOf(url)).toEqual(expected);
        expect(parseStompUrl(expected.join(',')).map(formatEndpoint)).toEqual(expected);
      }),
    );
  });

  it('answers every text with an address or with an AddressError', () => {
    const piece = fc.constantFrom(
      'tcp',
      '://',
      ':',
      '(',
      ')',
      ',',
      '?',
      'failover:',
      '@',
      '/',
      '[',
      ']',
      '61616',
      'h',
      '%',
      '=',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (url) => {
        try {
          expect(endpointsOf(url).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(AddressError);
        }
      }),
    );
  });

  it('brings credentials along', () => {
    const login = { login: 'me', passcode: 'p:w@1' };
    expect(parseProviderUrl('tcp://b:61616?jms.userName=me&jms.password=p%3Aw%401').credentials).toEqual(login);
    expect(parseProviderUrl('failover:(tcp://b:1)?jms.userName=me&jms.password=p:w@1').credentials).toEqual(login);
    expect(parseProviderUrl('tcp://me:p%3Aw%401@b:61616').credentials).toEqual(login);
    expect(parseProviderUrl('tcp://me:x%zz@b:61616').credentials).toEqual({ login: 'me', passcode: 'x%zz' });
    expect(parseProviderUrl('tcp://b:61616?jms.userName=me').credentials).toBeUndefined();
  });

  it('is shown without secrets', () => {
    const url = 'failover:(tcp://me:geheim@b:1?jms.password=geheim&x=1,tcp://c:1)?jms.password=geheim';
    expect(maskCredentials(url)).toBe(
      'failover:(tcp://me:*****@b:1?jms.password=*****&x=1,tcp://c:1)?jms.password=*****',
    );
    expect(() => parseProviderUrl('tcp://me:geheim@b:1/x')).toThrow(/^((?!geheim).)*$/);
  });
});

describe('the queue of a destination', () => {
  const none = new Map<string, string>();

  it('is the destination itself, or what JNDI parameters make of it', () => {
    expect(queueName('JMSMS', none)).toBe('JMSMS');
    expect(queueName('a/b.c:d é', none)).toBe('a/b.c:d é');
    expect(queueName('Orders', new Map([['queue.Orders', 'prod.orders']]))).toBe('prod.orders');
    expect(queueName('dynamicQueues/prod.orders', none)).toBe('prod.orders');
    expect(queueName('queue://prod.orders', none)).toBe('prod.orders');
  });

  test.each([
    ',a,b',
    'a?consumer.exclusive=true',
    ' ',
    'a\nb',
    'orders.*',
    'a.>',
    'x'.repeat(1_001),
    'topic://x',
    'dynamicTopics/x',
  ])('refuses %j', (destination) => {
    expect(() => queueName(destination, none)).toThrow(AddressError);
  });

  it('refuses topics', () => {
    expect(() => queueName('News', new Map([['topic.News', 'news']]))).toThrow(/is a topic/);
  });

  it('is named as the broker wants it', () => {
    expect(queueHeaders('Q', 'ActiveMQ/5.17.2')).toEqual({ destination: '/queue/Q' });
    expect(subscribedQueue('Q', 'ActiveMQ/5.17.2')).toEqual({ destination: '/queue/Q' });
    const artemis = 'ActiveMQ-Artemis/2.31.2 ActiveMQ Artemis Messaging Engine';
    expect(queueHeaders('Q', artemis)).toEqual({ destination: 'Q', 'destination-type': 'ANYCAST' });
    expect(subscribedQueue('Q', artemis)).toEqual({ destination: 'Q', 'subscription-type': 'ANYCAST' });
  });
});
