import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRequest } from '../../src/message/formatter.ts';
import { TransportHeaders } from '../../src/message/headers.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload, type UnreadOptions } from '../../src/message/payload.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import { captureMessage, restoreMessage } from '../../src/stores/capture.ts';
import { isReadableText, type StoredMessage } from '../../src/stores/stored-message.ts';
import { decodeStoredMessage, encodeStoredMessage, StoredMessageError } from '../../src/stores/stored-message-codec.ts';
import { createElement, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import {
  comparableMessage,
  comparableProperties,
  element,
  everyPropertyType,
  NO_CONFIGURATION,
  storedMessage,
} from './messages.ts';

const S11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP = `<?xml version='1.0'?>\r\n<S:Envelope xmlns:S="${S11}"><S:Header><h:sec xmlns:h="urn:h" S:mustUnderstand="1" k="v"><h:a b="c">x</h:a></h:sec></S:Header><S:Body><one/><two>ü</two></S:Body></S:Envelope>\n`;

/** Written to a medium and read again. */
function kept(stored: StoredMessage): StoredMessage {
  const { head, body } = encodeStoredMessage(stored);
  return decodeStoredMessage(head, body);
}

/** Stored and restored, through a medium. */
function throughStore(message: MessageContext): MessageContext {
  return restoreMessage(kept(captureMessage(message)), NO_CONFIGURATION);
}

function received(
  text: string | Uint8Array,
  contentType?: string,
  options: UnreadOptions & { headers?: Array<[string, string]> } = {},
) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const message = new MessageContext(NO_CONFIGURATION, Payload.unread(bytes, contentType, options));
  message.headers = TransportHeaders.from(options.headers ?? []);
  if (options.soapAction) message.headers.set('SOAPAction', '"urn:a"');
  if (options.method) message.axis2.set('HTTP_METHOD', options.method);
  if (options.query) message.axis2.set('TransportInURL', `/services/P?${options.query}`);
  return message;
}

const envelopeOf = (message: MessageContext) => serializeXml(message.payload.envelope());

describe('capture', () => {
  test('gives a new stable id, keeps the old one, and leaves the message alone', () => {
    const message = received(SOAP, 'text/xml', { soapAction: true });
    message.properties.set('proxy.name', 'P');
    message.properties.set('SYNAPSE_RESOURCE', 'r');
    message.axis2.set('correlation_id', 'c');
    message.faultStack.push({ description: 'x', handleFault: async () => {} });
    const stored = captureMessage(message);
    expect(stored.id).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    expect(stored.id).not.toBe(message.messageId);
    expect(stored).toMatchObject({
      v: 1,
      originalId: message.messageId,
      correlationId: 'c',
      service: 'P',
      history: [],
    });
    expect(stored.axis2.get('correlation_id')).toMatch(/^c_[0-9a-f-]{36}$/);
    expect(message.payload.kind).toBe('unread');
    expect(message.properties.has('aggregateCorelation')).toBe(false);
    expect(message.text('proxy.name')).toBe('P');

    const restored = restoreMessage(stored, NO_CONFIGURATION);
    expect(restored.messageId).toBe(stored.id);
    expect(Object.fromEntries(restored.properties)).toEqual({
      aggregateCorelation: message.messageId,
      'service.logger.name': 'P',
    });
    expect(restored.faultStack).toEqual([]);
    expect(restored.exchange).toBeUndefined();
    expect(restored.payload.kind).toBe('unread');
  });

  test('what is stored does not change with the message, nor one attempt with another (REQ-17)', () => {
    const message = received('x');
    const own = element('<a><b/></a>');
    message.properties.set('x', own);
    const stored = captureMessage(message);
    own.textContent = 'changed';
    message.headers.set('late', '1');
    const first = restoreMessage(stored, NO_CONFIGURATION);
    (first.properties.get('x') as XmlElement).textContent = 'changed, too';
    first.headers.set('X', '1');
    first.payload.setText('other');
    first.axis2.set('HTTP_SC', '200');
    const second = restoreMessage(stored, NO_CONFIGURATION);
    expect(serializeXml(second.properties.get('x') as XmlElement)).toBe('<a><b/></a>');
    expect(second.headers.size).toBe(0);
    expect(second.axis2.size).toBe(0);
    expect(second.payload.originalBytes()).toEqual(Buffer.from('x'));
  });

  test.each<[Record<string, PropertyValue>, Record<string, PropertyValue>, number | undefined]>([
    [{}, { JMS_PRIORITY: '7' }, 7],
    [{ JMS_PROD_PRIORITY: new TypedNumber('INTEGER', 2) }, { JMS_PRIORITY: '7' }, 2],
    [{}, { JMS_PRIORITY: 'high' }, undefined],
    [{ JMS_PROD_PRIORITY: '12' }, {}, 9],
    [{}, {}, undefined],
  ])('priority from %j and %j (REQ-42)', (properties, axis2, expected) => {
    const message = received('x');
    for (const [name, value] of Object.entries(properties)) message.properties.set(name, value);
    for (const [name, value] of Object.entries(axis2)) message.axis2.set(name, value);
    expect(captureMessage(message).priority).toBe(expected);
  });
});

describe('bodies (OP-90)', () => {
  test.each<
    [string, string | Uint8Array, string | undefined, UnreadOptions & { headers?: Array<[string, string]> }, string]
  >([
    ['SOAP 1.1', SOAP, 'text/xml; charset=UTF-8', { soapAction: true }, 'soap11'],
    [
      'SOAP 1.2',
      SOAP.replaceAll(S11, 'http://www.w3.org/2003/05/soap-envelope'),
      'application/soap+xml; action="a"',
      {},
      'soap12',
    ],
    ['plain XML', '<a > </a>', 'application/xml', {}, 'xml'],
    ['plain text/xml', '<a/>', 'text/xml', { soapAction: false }, 'xml'],
    ['JSON', '{ "a" : 1.50 }', 'application/json', {}, 'json'],
    ['text', 'hi\r\n', 'text/plain', {}, 'text'],
    ['latin', Buffer.from('grü', 'latin1'), 'text/plain; charset=iso-8859-1', {}, 'text'],
    ['form', 'a=1&b=2', 'application/x-www-form-urlencoded', { method: 'POST', query: 'c=3' }, 'text'],
    ['binary', Buffer.from([0, 255, 0]), 'application/octet-stream', {}, 'binary'],
    ['no type', Buffer.from([0, 255, 0]), undefined, { method: 'POST' }, 'binary'],
    ['CSV', 'a,b', 'text/csv', {}, 'text'],
    ['unknown', Buffer.from([255]), 'application/x-unknown', {}, 'binary'],
    ['unknown XML', '<svg/>', 'image/svg+xml', {}, 'xml'],
    [
      'compressed',
      gzipSync(SOAP),
      'text/xml',
      { soapAction: true, contentEncoding: 'gzip', headers: [['content-encoding', 'gzip']] },
      'binary',
    ],
    ['GET', '', undefined, { method: 'GET', query: 'a=1' }, 'none'],
    ['empty JSON', '', 'application/json', {}, 'none'],
  ])('%s', (_, bytes, contentType, options, kind) => {
    const message = received(bytes, contentType, options);
    const stored = kept(captureMessage(message));
    expect(stored.body.kind).toBe(kind);
    expect(message.payload.kind).toBe('unread');
    const restored = restoreMessage(stored, NO_CONFIGURATION);
    expect([...restored.headers.pairs()]).toEqual([...message.headers.pairs()]);
    const before = formatRequest(message, undefined);
    const after = formatRequest(restored, undefined);
    expect(after.contentType).toBe(before.contentType);
    expect(Buffer.from(after.bytes ?? '')).toEqual(Buffer.from(before.bytes ?? ''));
    const readable = !['unknown', 'CSV'].includes(_);
    if (readable) expect(envelopeOf(restored)).toBe(envelopeOf(message));
  });

  test('a changed SOAP message: header attributes and all children of the Body', () => {
    const message = received(SOAP, 'text/xml', { soapAction: true });
    message.payload.body().appendChild(createElement(message.payload.body().ownerDocument, null, 'three'));
    message.payload.changed();
    const restored = throughStore(message);
    expect(envelopeOf(restored)).toBe(envelopeOf(message));
    expect(envelopeOf(restored)).toContain('<two>ü</two><three/>');
    expect(envelopeOf(restored)).toContain('mustUnderstand="1"');
  });

  test.each<[string, Payload]>([
    ['JSON', Payload.ofJson('{"a":"1","b":[2]}')],
    ['text', Payload.ofText('ü\r\n')],
    ['bytes', Payload.ofBinary(Buffer.from([0, 1]), 'image/png')],
    ['XML', Payload.ofBodyChild(element('<a/>'), '1.2')],
    ['nothing', Payload.empty()],
  ])('made here: %s', (_, payload) => {
    const message = new MessageContext(NO_CONFIGURATION, payload);
    const restored = throughStore(message);
    expect(restored.payload.json()).toBe(payload.json());
    expect(envelopeOf(restored)).toBe(envelopeOf(message));
    expect(restored.payload.soapVersion).toBe(payload.soapVersion);
    expect(restored.payload.isEmpty).toBe(payload.isEmpty);
  });

  test('JSON with SOAP header blocks', () => {
    const message = received(SOAP, 'text/xml', { soapAction: true });
    message.payload.setJson('{"a":"1"}');
    const restored = throughStore(message);
    expect(restored.payload.json()).toBe('{"a":"1"}');
    expect(envelopeOf(restored)).toBe(envelopeOf(message));
    expect(envelopeOf(restored)).toContain('<h:a b="c">x</h:a>');
    expect(envelopeOf(throughStore(restored))).toBe(envelopeOf(message));
  });

  test('JSON that was edited as XML keeps its types (MREQ-26)', () => {
    const message = received('{"a":"1","b":["2"],"c":true}', 'application/json');
    (message.payload.firstBodyChild()?.firstChild as XmlElement).textContent = 'x';
    message.payload.changed();
    expect(throughStore(message).payload.jsonText()).toBe('{"a":"x","b":["2"],"c":true}');
  });

  test('JSON that was edited into what JSON cannot say stays XML', () => {
    const message = received('{"a":"1"}', 'application/json');
    const child = message.payload.firstBodyChild() as XmlElement;
    child.appendChild(child.ownerDocument?.createTextNode('mixed') as never);
    message.payload.changed();
    expect(envelopeOf(throughStore(message))).toBe(envelopeOf(message));
  });

  test('a body that was written anew is not called compressed', () => {
    const message = received(gzipSync('<a/>'), 'application/xml', {
      contentEncoding: 'gzip',
      headers: [
        ['Content-Encoding', 'gzip'],
        ['X', '1'],
      ],
    });
    message.payload.replaceBody(element('<b/>'));
    const stored = captureMessage(message);
    expect(stored.headers).toEqual([['X', '1']]);
    expect(Buffer.from(stored.body.bytes).toString()).toBe('<b/>');
  });

  test('readable as text without a loss, or not', () => {
    const body = (bytes: Uint8Array, kind: 'text' | 'binary') => ({ kind, bytes, contentType: undefined });
    expect(isReadableText(body(Buffer.from('ü'), 'text'))).toBe(true);
    expect(isReadableText(body(Buffer.from('ü', 'latin1'), 'text'))).toBe(false);
    expect(isReadableText(body(Buffer.from('ü'), 'binary'))).toBe(false);
  });
});

describe('the codec', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 10 }),
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom(
      '-',
      ':',
      ';',
      '=',
      '/',
      ' ',
      ',',
      'a-b:c;d=e/f g,h',
      '__HYPHEN__',
      '__proto__',
      '1',
      '\ud800',
      '\r\n',
      '\0',
      '☃',
    ),
  );
  const xml = fc
    .tuple(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.constantFrom('<p:a xmlns:p="urn:p" k="%"/>', '<a>%<b/> </a>'),
    )
    .map(([text, template]) => {
      const root = element(template);
      const clean = text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '');
      if (root.hasAttribute('k')) root.setAttribute('k', clean);
      else root.insertBefore(root.ownerDocument?.createTextNode(clean) as never, root.firstChild);
      return root;
    });
  const number = fc.oneof(
    fc.integer().map((value) => new TypedNumber('INTEGER', value)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => new TypedNumber('LONG', value)),
    fc.integer({ min: -32_768, max: 32_767 }).map((value) => new TypedNumber('SHORT', value)),
    fc.float().map((value) => new TypedNumber('FLOAT', value)),
    fc.double().map((value) => new TypedNumber('DOUBLE', value)),
  );
  const value: fc.Arbitrary<PropertyValue> = fc.oneof(
    word,
    fc.boolean(),
    number,
    fc.json({ maxDepth: 2 }).map((text) => new JsonValue(text)),
    xml,
    fc.array(xml, { maxLength: 3 }),
  );
  const values = fc.array(fc.tuple(word, value), { maxLength: 5 }).map((pairs) => new Map(pairs));
  const headerName = fc.oneof(fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/), fc.constantFrom('X-A', 'x-a', 'SOAPAction'));
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((bytes) => [bytes, 'application/octet-stream'] as const),
    fc.json().map((text) => [Buffer.from(text), 'application/json'] as const),
    fc.string({ unit: 'grapheme' }).map((text) => [Buffer.from(text), 'text/plain; charset=UTF-8'] as const),
    xml.map((root) => [Buffer.from(`${serializeXml(root)} \n`), 'application/xml'] as const),
    fc.constant([Buffer.from(SOAP), 'text/xml'] as const),
    fc.constant([new Uint8Array(0), undefined] as const),
  );
  const message = fc
    .record({
      body: bodies,
      headers: fc.array(fc.tuple(headerName, word), { maxLength: 5 }),
      properties: values,
      axis2: values,
      variables: values,
      to: fc.option(word, { nil: undefined }),
      action: fc.option(word, { nil: undefined }),
      direction: fc.constantFrom('request' as const, 'response' as const),
      doingRest: fc.boolean(),
    })
    .map(({ body: [bytes, contentType], headers, properties, axis2, variables, to, action, direction, doingRest }) => {
      const made = received(bytes, contentType, { headers });
      for (const [name, item] of properties) made.properties.set(name, item);
      for (const [name, item] of axis2) made.axis2.set(name, item);
      for (const [name, item] of variables) made.variables.set(name, item);
      Object.assign(made, { to, action, direction, doingRest });
      return made;
    });

  test('what is read is what was written, in printable ASCII', () => {
    fc.assert(
      fc.property(message, (original) => {
        const stored = captureMessage(original);
        const { head, body } = encodeStoredMessage(stored);
        expect(head).toMatch(/^[\x20-\x7e]*$/);
        expect(comparableMessage(decodeStoredMessage(head, body))).toEqual(comparableMessage(stored));
      }),
      { numRuns: 300 },
    );
  });

  test('the restored message cannot be told from the stored one', () => {
    fc.assert(
      fc.property(message, (original) => {
        const restored = throughStore(original);
        expect(Buffer.from(restored.payload.originalBytes() ?? '')).toEqual(
          Buffer.from(original.payload.originalBytes() ?? ''),
        );
        expect(restored.payload.contentType).toBe(original.payload.contentType);
        expect([...restored.headers.pairs()]).toEqual([...original.headers.pairs()]);
        const { properties } = restored;
        properties.delete('aggregateCorelation');
        expect(comparableProperties(properties)).toEqual(comparableProperties(original.properties));
        expect(comparableProperties(restored.axis2)).toEqual(comparableProperties(original.axis2));
        expect(comparableProperties(restored.variables)).toEqual(comparableProperties(original.variables));
        expect([restored.to, restored.action, restored.direction, restored.doingRest]).toEqual([
          original.to,
          original.action,
          original.direction,
          original.doingRest,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  test('the head can be read by people', () => {
    const { head } = encodeStoredMessage(
      storedMessage({
        id: 'urn:uuid:1',
        originalId: 'urn:uuid:0',
        storedAt: 1,
        properties: new Map<string, PropertyValue>([
          ['OUT_ONLY', 'true'],
          ['n', new TypedNumber('INTEGER', 5)],
          ['x', element('<a/>')],
        ]),
      }),
    );
    expect(head).toBe(
      '{"v":1,"id":"urn:uuid:1","originalId":"urn:uuid:0","storedAt":1,"service":"StockQuoteProxy",' +
        '"body":{"kind":"text","contentType":"text/plain; charset=UTF-8"},' +
        '"addressing":{"to":"/services/StockQuoteProxy","action":"urn:placeOrder"},"direction":"request","doingRest":false,' +
        '"headers":[["Content-Type","text/plain"]],"axis2":[],' +
        '"properties":[["OUT_ONLY","true"],["n",{"INTEGER":"5"}],["x",{"XML":"<a/>"}]],"variables":[]}',
    );
  });

  test('every type of property survives', () => {
    const stored = storedMessage({ properties: everyPropertyType(), axis2: everyPropertyType() });
    expect(comparableMessage(kept(stored))).toEqual(comparableMessage(stored));
  });

  test.each<[string, RegExp]>([
    ['', /the head is not JSON/],
    ['null', /head is not an object/],
    ['[]', /head is not an object/],
    ['{}', /unknown version/],
    ['{"v":2}', /unknown version 2/],
    ['{"v":1}', /head\.id is not text/],
    ['\u00ac\u00ed\u0000\u0005sr', /the head is not JSON/],
  ])('refuses %j and says why', (head, reason) => {
    expect(() => decodeStoredMessage(head, new Uint8Array(0))).toThrow(StoredMessageError);
    expect(() => decodeStoredMessage(head, new Uint8Array(0))).toThrow(reason);
  });

  test.each<[(head: Record<string, unknown>) => void, RegExp]>([
    [(head) => (head.direction = 'sideways'), /head\.direction is not one of request, response/],
    [(head) => (head.headers = [['a']]), /head\.headers\[0\]\[1\] is not text/],
    [(head) => (head.properties = [['a', { FANCY: '1' }]]), /head\.properties\[0\]\[1\] is not a known property type/],
    [(head) => (head.properties = [['a', { XML: '<a>' }]]), /head\.properties\[0\]\[1\]\.XML is not XML/],
    [(head) => (head.properties = [['a', { LONG: 'x' }]]), /LONG is not a number/],
    [(head) => (head.properties = [['a', null]]), /is not a property value/],
    [(head) => (head.body = { kind: 'novel' }), /head\.body\.kind is not one of/],
    [(head) => (head.storedAt = 'today'), /head\.storedAt is not a number/],
    [(head) => (head.addressing = { to: 1 }), /head\.addressing\.to is not text/],
    [(head) => (head.history = [{}]), /head\.history\[0\]\.processor is not text/],
  ])('names the place that is wrong: %#', (spoil, reason) => {
    const head = JSON.parse(encodeStoredMessage(storedMessage()).head) as Record<string, unknown>;
    spoil(head);
    expect(() => decodeStoredMessage(JSON.stringify(head), new Uint8Array(0))).toThrow(reason);
  });

  test('any change of a head is read or refused, never more', () => {
    const { head } = encodeStoredMessage(storedMessage({ properties: everyPropertyType() }));
    fc.assert(
      fc.property(fc.nat(head.length - 1), fc.string({ maxLength: 3 }), (at, text) => {
        const changed = head.slice(0, at) + text + head.slice(at + 1);
        try {
          decodeStoredMessage(changed, new Uint8Array(0));
        } catch (error) {
          expect(error).toBeInstanceOf(StoredMessageError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
