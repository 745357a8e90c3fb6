import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import type { StompHeaders } from '../../src/stores/stomp/connection.ts';
import { plainUtf8 } from '../../src/stores/stomp/foreign-message.ts';
import { decodeJmsMessage, encodeJmsMessage, JmsMessageError } from '../../src/stores/stomp/jms-message.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { comparableMessage, storedMessage, textBody } from './messages.ts';

/** As a broker hands it out again. */
function carried(headers: StompHeaders, body: Uint8Array) {
  const added = { 'message-id': 'ID:broker-1:1:1', destination: '/queue/q', subscription: 's1', ack: 'a1' };
  return { headers: { ...headers, ...added }, body: Buffer.from(body), truncated: false };
}

function roundTrip(message: StoredMessage) {
  const { headers, body } = encodeJmsMessage(message);
  return decodeJmsMessage(carried(headers, body));
}

const foreign = (body: string | Buffer, headers: StompHeaders = {}) =>
  decodeJmsMessage(carried(headers, Buffer.from(body as string)));

function escapedLength(text: string): number {
  return Buffer.byteLength(text.replace(/[\\\r\n:]/g, '\\$&'));
}

describe('a stored message on a queue', () => {
  it('comes back as it was, in headers that every broker takes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 50 });
    const pairs = fc.array(fc.tuple(text, text), { maxLength: 5 });
    const message = fc.record({
      bytes: fc.uint8Array({ maxLength: 300 }),
      headers: pairs,
      properties: pairs,
      long: fc.integer({ min: 0, max: 30_000 }),
      kind: fc.constantFrom('text' as const, 'binary' as const, 'xml' as const),
      priority: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(message, ({ bytes, headers, properties, long, kind, priority }) => {
        const stored = storedMessage({
          body: { kind, bytes, contentType: 'text/plain; charset=UTF-8' },
          headers: [...headers, ['X-Long', '\\:'.repeat(long)]],
          properties: new Map<string, PropertyValue>(properties),
          priority,
        });
        const encoded = encodeJmsMessage(stored);
        for (const [name, value] of Object.entries(encoded.headers)) {
          expect(escapedLength(`${name}:${value}`)).toBeLessThan(8 * 1024);
          expect(`${name}${value}`).not.toMatch(/[\u0000-\u001f]/);
        }
        expect(Object.keys(encoded.headers).length).toBeLessThan(300);
        const { message: again } = decodeJmsMessage(carried(encoded.headers, encoded.body));
        expect(again && comparableMessage(again)).toEqual(comparableMessage(stored));
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['text', textBody('grüße ☃'), 'text'],
    ['with NUL', textBody('a\u0000b'), 'bytes'],
    ['with a character beyond U+FFFF', textBody('𝄞'), 'bytes'],
    ['that is not UTF-8', { kind: 'text' as const, bytes: Buffer.from([0xfc]), contentType: undefined }, 'bytes'],
    ['binary', { kind: 'binary' as const, bytes: Buffer.from('plain'), contentType: undefined }, 'bytes'],
    ['empty', { kind: 'none' as const, bytes: new Uint8Array(0), contentType: undefined }, 'text'],
  ])('a payload %s', (_, body, kind) => {
    const { headers } = encodeJmsMessage(storedMessage({ body }));
    expect(headers['amq-msg-type']).toBe(kind);
    expect(headers['content-length']).toBe(`${body.bytes.length}`);
    expect(roundTrip(storedMessage({ body })).message?.body).toEqual({ ...body, bytes: Buffer.from(body.bytes) });
  });

  it('puts a head that is too long for headers before the payload', () => {
    const stored = storedMessage({ headers: [['X-Huge', 'x'.repeat(2_000_000)]], body: textBody('payload') });
    const { headers, body } = encodeJmsMessage(stored);
    expect(headers.SynapseContextBytes).toMatch(/^\d{7}$/);
    expect(Buffer.from(body).toString().endsWith('}payload')).toBe(true);
    expect(comparableMessage(roundTrip(stored).message as StoredMessage)).toEqual(comparableMessage(stored));
  });

  it('never lets a client reach the broker with its headers', () => {
    const names =
      'Destination receipt TRANSACTION Persistent priority expires JMSXGroupID AMQ_SCHEDULED_DELAY transformation type NULL';
    const headers = [...names.split(' '), 'ack', 'SynapseStored', 'content-type', 'a b'].map(
      (name) => [name, 'evil'] as const,
    );
    const encoded = encodeJmsMessage(storedMessage({ headers: [...headers, ['Accept', 'x']] })).headers;
    expect(Object.values(encoded)).not.toContain('evil');
    expect(encoded.Accept).toBe('x');
  });

  it('takes priority and time to live from the message, and refuses what is no number', () => {
    const settings = (values: Record<string, PropertyValue>, priority?: number) =>
      encodeJmsMessage(storedMessage({ properties: new Map(Object.entries(values)), priority })).headers;
    expect(settings({}, 9)).toMatchObject({ priority: '9', persistent: 'true' });
    expect(settings({})).not.toHaveProperty('priority');
    expect(settings({ JMS_PROD_TIME_TO_LIVE: '0' })).not.toHaveProperty('expires');
    const expires = Number(settings({ JMS_PROD_TIME_TO_LIVE: new TypedNumber('LONG', 5_000n) }).expires);
    expect(Math.abs(expires - Date.now() - 5_000)).toBeLessThan(2_000);
    expect(settings({ JMS_PROD_DELIVERY_MODE: '1' }).persistent).toBe('true');
    for (const name of ['JMS_PROD_TIME_TO_LIVE', 'JMS_PROD_PRIORITY', 'JMS_PROD_DELIVERY_MODE']) {
      expect(() => settings({ [name]: 'high' })).toThrow(JmsMessageError);
    }
  });

  it('does not let a message expire that was put aside with the reason', () => {
    const properties = new Map<string, PropertyValue>([['JMS_PROD_TIME_TO_LIVE', '5000']]);
    const failure = {
      processor: 'P',
      sourceStore: 'S',
      endpoint: undefined,
      cause: 'HTTP 503',
      status: 503,
      attempts: 4,
    };
    const history = [{ ...failure, firstAttemptAt: 1, lastAttemptAt: 2 }];
    expect(encodeJmsMessage(storedMessage({ properties, history })).headers).not.toHaveProperty('expires');
    expect(encodeJmsMessage(storedMessage({ properties })).headers).toHaveProperty('expires');
  });

  it('shows why it failed', () => {
    const failure = {
      processor: 'Forwarder1',
      sourceStore: 'S',
      endpoint: undefined,
      cause: 'HTTP 503: ü\nx',
      status: 503,
      attempts: 4,
      firstAttemptAt: 1,
      lastAttemptAt: 2,
    };
    const { headers } = encodeJmsMessage(storedMessage({ history: [failure] }));
    expect(headers).toMatchObject({ FailedProcessor: 'Forwarder1', FailureCause: 'HTTP 503: ??x' });
  });

  test.each([
    [{ SynapseStored: '2' }, /layout '2'/],
    [{ SynapseStored: '1' }, /SynapseContextParts is ''/],
    [{ SynapseStored: '1', SynapseContextParts: '-1' }, /SynapseContextParts is '-1'/],
    [{ SynapseStored: '1', SynapseContextParts: '2', SynapseContext1: '{' }, /SynapseContext2 is missing/],
    [{ SynapseStored: '1', SynapseContextParts: '1', SynapseContext1: '{' }, /not JSON/],
    [{ SynapseStored: '1', SynapseContextBytes: '99' }, /SynapseContextBytes is '99'/],
  ])('is poison when it is damaged: %j', (headers, reason) => {
    const { message, reason: told } = foreign('body', headers as StompHeaders);
    expect(message).toBeUndefined();
    expect(told).toMatch(reason);
  });
});

describe('a message of another application', () => {
  const SOAP11 = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"';
  const SOAP12 = "xmlns='http://www.w3.org/2003/05/soap-envelope'";

  test.each([
    [`<e:Envelope ${SOAP11}><e:Body/></e:Envelope>`, 'soap11', 'text/xml; charset=UTF-8'],
    [`\ufeff<?xml version="1.0"?>\n<!-- <x> --><Envelope ${SOAP12}>`, 'soap12', 'application/soap+xml; charset=UTF-8'],
    ['<Envelope xmlns="urn:x"/>', 'xml', 'application/xml; charset=UTF-8'],
    [`<f:Envelope ${SOAP11}/>`, 'xml', 'application/xml; charset=UTF-8'],
    ['  <order/>', 'xml', 'application/xml; charset=UTF-8'],
    [' {"a":1}', 'json', 'application/json; charset=UTF-8'],
    ['[1]', 'json', 'application/json; charset=UTF-8'],
    ['symbol,price ü', 'text', 'text/plain; charset=UTF-8'],
  ])('%s', (body, kind, contentType) => {
    expect(foreign(body).message?.body).toEqual({ kind, bytes: Buffer.from(body), contentType });
  });

  test.each([
    ['text/xml; charset=ISO-8859-1', '<a>ü</a>', 'xml', 'text/xml; charset=UTF-8'],
    ['text/plain', '<a/>', 'text', 'text/plain'],
    ['application/hal+json', '1', 'json', 'application/hal+json'],
    ['image/png', 'x', 'binary', 'image/png'],
  ])('with content type %s', (type, body, kind, contentType) => {
    for (const name of ['content-type', 'contentType', 'Content_Type']) {
      expect(foreign(body, { [name]: type }).message?.body).toMatchObject({ kind, contentType });
    }
  });

  it('keeps bytes as they are', () => {
    const latin1 = Buffer.from('<a>\xfc</a>', 'latin1');
    const found = foreign(latin1, { 'content-length': '8', 'content-type': 'text/xml; charset=ISO-8859-1' });
    expect(found.message?.body).toEqual({
      kind: 'binary',
      bytes: latin1,
      contentType: 'text/xml; charset=ISO-8859-1',
    });
    expect(foreign(Buffer.from([0, 1]), { 'content-length': '2' }).message?.body.kind).toBe('binary');
  });

  it('takes over ids, correlation, priority, headers and properties', () => {
    const headers = {
      'correlation-id': 'c',
      timestamp: '1700000000000',
      priority: '8',
      type: 'order',
      'reply-to': '/queue/answers',
      region: 'EU',
      'with blank': 'x',
      Host: 'h',
      soapaction: '"urn:a"',
      JMSXGroupID: 'g',
    };
    const { message } = foreign('text', headers);
    expect(message).toMatchObject({
      id: 'ID:broker-1:1:1',
      originalId: 'ID:broker-1:1:1',
      correlationId: 'c',
      storedAt: 1_700_000_000_000,
      priority: 8,
      addressing: { action: 'urn:a' },
      headers: [
        ['region', 'EU'],
        ['soapaction', '"urn:a"'],
      ],
    });
    expect(Object.fromEntries(message?.properties ?? [])).toEqual({
      'with blank': 'x',
      Host: 'h',
      JMS_REPLY_TO: '/queue/answers',
      JMS_TYPE: 'order',
    });
  });

  it('is poison when it carries nothing that can be read', () => {
    expect(foreign('').reason).toMatch(/empty .* serialized Java objects/s);
    expect(foreign(Buffer.from([0xac, 0xed, 0, 5])).reason).toMatch(/serialized Java object/);
    const cut = { headers: { 'message-id': 'ID:1' }, body: Buffer.alloc(3), truncated: true };
    expect(decodeJmsMessage(cut).reason).toMatch(/more than 3 bytes/);
  });

  it('is read in the UTF-8 of Java', () => {
    expect(plainUtf8(Buffer.from([0x61, 0xc0, 0x80, 0x62])).toString()).toBe('a\u0000b');
    expect(plainUtf8(Buffer.from([0xed, 0xa0, 0xb4, 0xed, 0xb4, 0x9e])).toString()).toBe('𝄞');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(plainUtf8(javaUtf8(text)).toString()).toBe(text);
        expect(plainUtf8(Buffer.from(text)).toString()).toBe(text);
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => plainUtf8(Buffer.from(bytes)).length <= bytes.length));
  });
});

/** As Java's DataOutput.writeUTF does it. */
function javaUtf8(text: string): Buffer {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}
