import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import {
  type EndpointFormat,
  type FormattedBody,
  formatPayload,
  formatRequest,
  formatResponse,
} from '../../src/message/formatter.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload, type UnreadOptions } from '../../src/message/payload.ts';
import type { PropertyValue } from '../../src/message/property-value.ts';
import { createFault } from '../../src/message/soap.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';
import { NO_CONFIGURATION } from '../stores/messages.ts';

const S11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const S12 = 'http://www.w3.org/2003/05/soap-envelope';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const soap11 = (body: string) => `<S:Envelope xmlns:S="${S11}"><S:Body>${body}</S:Body></S:Envelope>`;
const soap12 = (body: string) => `<S:Envelope xmlns:S="${S12}"><S:Body>${body}</S:Body></S:Envelope>`;
const own11 = (body: string) =>
  `${DECLARATION}<soapenv:Envelope xmlns:soapenv="${S11}"><soapenv:Header/><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
const own12 = (body: string) =>
  `${DECLARATION}<soapenv:Envelope xmlns:soapenv="${S12}"><soapenv:Header/><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
const element = (text: string) => parseXml(text).documentElement as XmlElement;

interface Wanted extends UnreadOptions {
  readonly rest?: boolean;
  readonly axis2?: Readonly<Record<string, PropertyValue>>;
  readonly action?: string;
}

function messageOf(payload: Payload, wanted: Wanted = {}): MessageContext {
  const message = new MessageContext(NO_CONFIGURATION, payload);
  message.doingRest = wanted.rest ?? false;
  message.action = wanted.action;
  for (const [name, value] of Object.entries(wanted.axis2 ?? {})) message.axis2.set(name, value);
  return message;
}

/** A message as the listener makes it: type in axis2, body unread. */
function received(text: string | Uint8Array, contentType: string | undefined, wanted: Wanted = {}): MessageContext {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const type = contentType?.split(';')[0];
  const axis2 = type === undefined || contentType === undefined ? {} : { ContentType: contentType, messageType: type };
  return messageOf(Payload.unread(bytes, contentType, wanted), { ...wanted, axis2: { ...axis2, ...wanted.axis2 } });
}

const text = (body: FormattedBody) => body.bytes && Buffer.from(body.bytes).toString();

/** What the property mediator does for messageType. */
function setMessageType(message: MessageContext, type: string): MessageContext {
  message.axis2.set('messageType', type);
  message.axis2.set('ContentType', type);
  return message;
}

function edited(message: MessageContext, child = '<b/>'): MessageContext {
  message.payload.replaceBody(element(child));
  return message;
}

describe('untouched bodies', () => {
  test.each<[string, string | undefined, Wanted, 'soap11' | 'soap12' | 'rest']>([
    [`${soap11('<a/>')} \n`, 'text/xml; charset=utf-8', { soapAction: true }, 'soap11'],
    [soap12('<a/>'), 'application/soap+xml; action="x"', {}, 'soap12'],
    ['<a />', 'application/xml', { rest: true }, 'rest'],
    ['<a />', 'text/xml', { rest: true, soapAction: false }, 'rest'],
    ['{ "a": 1 }', 'application/json', { rest: true }, 'rest'],
    ['{ broken', 'application/json; charset=ascii', { rest: true }, 'rest'],
    ['a=1', 'application/x-www-form-urlencoded', { rest: true }, 'rest'],
    ['--b', 'multipart/related; boundary=b', { rest: true }, 'rest'],
    ['col1,col2', 'text/csv', { rest: true }, 'rest'],
    [soap11('<a/>'), 'text/xml', { soapAction: true, rest: true }, 'rest'],
  ])('%j as %s goes to the client as it came', (body, contentType, wanted, client) => {
    const message = received(body, contentType, wanted);
    const bytes = message.payload.originalBytes();
    const formatted = formatResponse(message, client);
    expect(formatted.bytes).toBe(bytes);
    expect(formatted.contentType).toBe(contentType);
    expect(message.payload.kind).toBe('unread');
    const request = formatRequest(message, undefined);
    expect(request.bytes).toBe(bytes);
    expect(request.contentType).toBe(contentType);
    expect(message.payload.kind).toBe('unread');
  });

  test('also when somebody looked', () => {
    const message = received(` ${soap11('<a/>')}`, 'text/xml', { soapAction: true });
    message.payload.envelope();
    expect(formatResponse(message, 'soap11').bytes).toBe(message.payload.originalBytes());
  });

  test('compressed ones stay compressed and say so; written anew they are not', () => {
    const bytes = gzipSync('{"a":1}');
    const message = received(bytes, 'application/json', { contentEncoding: 'gzip', rest: true });
    expect(formatResponse(message, 'rest')).toMatchObject({ bytes, contentEncoding: 'gzip' });
    expect(gunzipSync(formatResponse(message, 'rest').bytes ?? '').toString()).toBe('{"a":1}');
    setMessageType(message, 'application/xml');
    expect(formatResponse(message, 'rest')).toMatchObject({ contentEncoding: undefined });
    expect(text(formatResponse(message, 'rest'))).toBe('<jsonObject><a>1</a></jsonObject>');
  });
});

describe('messageType decides the format (spec proxies 1.6)', () => {
  const order = '{"order":{"id":"7","n":[1]}}';
  test.each<[string, string | undefined, string]>([
    ['application/json', order, 'application/json; charset=UTF-8'],
    ['application/xml', '<jsonObject><order><id>7</id><n>1</n></order></jsonObject>', 'application/xml; charset=UTF-8'],
    ['text/xml', own11('<jsonObject><order><id>7</id><n>1</n></order></jsonObject>'), 'text/xml; charset=UTF-8'],
    [
      'application/soap+xml',
      own12('<jsonObject><order><id>7</id><n>1</n></order></jsonObject>'),
      'application/soap+xml; charset=UTF-8',
    ],
    ['application/x-www-form-urlencoded', 'order=71', 'application/x-www-form-urlencoded; charset=UTF-8'],
    ['text/plain', '', 'text/plain; charset=UTF-8'],
    ['application/octet-stream', order, 'application/octet-stream'],
    [
      'application/vnd.x',
      '<jsonObject><order><id>7</id><n>1</n></order></jsonObject>',
      'application/vnd.x; charset=UTF-8',
    ],
  ])('%s', (type, expected, contentType) => {
    const message = setMessageType(messageOf(Payload.ofJson(order), { rest: true }), type);
    const formatted = formatResponse(message, 'rest');
    expect(text(formatted)).toBe(expected);
    expect(formatted.contentType).toBe(contentType);
  });

  test('an untouched body is converted when the type asks for another format', () => {
    const message = setMessageType(received('<a><b>1</b></a>', 'application/xml', { rest: true }), 'application/json');
    expect(text(formatResponse(message, 'rest'))).toBe('{"a":{"b":1}}');
    expect(message.payload.untouched).toBe(true);
  });

  test('the same bytes may go by another name', () => {
    const message = setMessageType(
      received('{ }', 'application/json; charset=utf-8', { rest: true }),
      'application/vnd.api+json',
    );
    expect(formatResponse(message, 'rest')).toMatchObject({
      bytes: Buffer.from('{ }'),
      contentType: 'application/vnd.api+json; charset=utf-8',
    });
  });

  test('ContentType names the header while messageType names the format', () => {
    const message = messageOf(Payload.ofBodyChild(element('<a/>')), {
      rest: true,
      axis2: { messageType: 'application/xml', ContentType: 'application/atom+xml;type=feed' },
    });
    expect(formatResponse(message, 'rest').contentType).toBe('application/atom+xml; charset=UTF-8; type=feed');
  });

  test.each<[Readonly<Record<string, PropertyValue>>, string, Uint8Array]>([
    [{}, 'application/xml; charset=UTF-8', Buffer.from('<a>ü</a>')],
    [{ setCharacterEncoding: 'false' }, 'application/xml', Buffer.from('<a>ü</a>')],
    [
      { CHARACTER_SET_ENCODING: 'ISO-8859-1' },
      'application/xml; charset=ISO-8859-1',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>', 'latin1'),
    ],
    [
      { ContentType: 'application/xml; charset=iso-8859-1' },
      'application/xml; charset=iso-8859-1',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>', 'latin1'),
    ],
    [{ CHARACTER_SET_ENCODING: 'us-ascii' }, 'application/xml; charset=UTF-8', Buffer.from('<a>ü</a>')],
  ])('charset: %j', (axis2, contentType, bytes) => {
    const message = messageOf(Payload.ofBodyChild(element('<a>ü</a>')), {
      rest: true,
      axis2: { messageType: 'application/xml', ContentType: 'application/xml', ...axis2 },
    });
    const formatted = formatResponse(message, 'rest');
    expect(formatted.contentType).toBe(contentType);
    expect(Buffer.from(formatted.bytes ?? '')).toEqual(bytes);
  });

  test('nothing to write as JSON is an error; as XML it is no entity', () => {
    const message = setMessageType(messageOf(Payload.empty(), { rest: true }), 'application/json');
    expect(() => formatResponse(message, 'rest')).toThrow('Payload could not be written as JSON.');
    setMessageType(message, 'application/xml');
    expect(formatResponse(message, 'rest').bytes).toBeUndefined();
  });

  test('a tree that no document can hold is an error of mediation', () => {
    const child = element('<a/>');
    child.textContent = '\u0000';
    expect(() => formatResponse(messageOf(Payload.ofBodyChild(child)), 'soap11')).toThrow(MediationError);
  });

  test('a message with attachments is plain SOAP once it was changed', () => {
    const body = `--b\r\nContent-Type: text/xml\r\n\r\n${soap11('<a/>')}\r\n--b--`;
    const message = edited(received(body, 'multipart/related; boundary=b; type="text/xml"', { soapAction: true }));
    expect(text(formatResponse(message, 'soap11'))).toBe(`${DECLARATION}${soap11('<b/>')}`);
    expect(formatResponse(message, 'soap11').contentType).toBe('text/xml; charset=UTF-8');
  });

  test('form-data is written as it was read', () => {
    const message = messageOf(Payload.ofBodyChild(element('<mediate><a>1</a><f filename="x">AAE=</f></mediate>')), {
      rest: true,
      axis2: { messageType: 'multipart/form-data' },
    });
    const { bytes, contentType } = formatResponse(message, 'rest');
    const again = Payload.unread(bytes as Uint8Array, contentType);
    expect(contentType).toMatch(/^multipart\/form-data; boundary=MIMEBoundary_/);
    expect(again.firstBodyChild()?.textContent).toBe('1AAE=');
  });

  test('text and binary payloads are their own content', () => {
    const plain = messageOf(Payload.ofText('hi <you>'), { rest: true, axis2: { messageType: 'text/plain' } });
    expect(text(formatResponse(plain, 'rest'))).toBe('hi <you>');
    const wrapped = received('x', 'application/xml', { rest: true });
    wrapped.payload.replaceBody(element('<text xmlns="http://ws.apache.org/commons/ns/payload">in it</text>'));
    setMessageType(wrapped, 'text/plain');
    expect(text(formatResponse(wrapped, 'rest'))).toBe('in it');
    const binary = messageOf(Payload.ofBinary(Buffer.from([0, 255]), 'image/png'), { rest: true });
    expect(formatResponse(binary, 'rest')).toMatchObject({ bytes: Buffer.from([0, 255]), contentType: 'image/png' });
    binary.payload.replaceBody(element('<binary xmlns="http://ws.apache.org/commons/ns/payload">AAE=</binary>'));
    setMessageType(binary, 'application/octet-stream');
    expect(formatResponse(binary, 'rest').bytes).toEqual(Buffer.from([0, 1]));
  });
});

describe('the answer to a client (spec proxies 1.9)', () => {
  test('a SOAP 1.1 client gets 1.1', () => {
    const message = received(soap12('<a/>'), 'application/soap+xml; charset=UTF-8; action="x"');
    const formatted = formatResponse(message, 'soap11');
    expect(text(formatted)).toBe(own11('<a/>'));
    expect(formatted.contentType).toBe('text/xml; charset=UTF-8');
    expect(message.payload.soapVersion).toBe('1.2');
    expect(message.payload.untouched).toBe(true);
  });

  test('a SOAP 1.2 client gets 1.2', () => {
    const formatted = formatResponse(received(soap11('<a/>'), 'text/xml', { soapAction: true }), 'soap12');
    expect(text(formatted)).toBe(own12('<a/>'));
    expect(formatted.contentType).toBe('application/soap+xml; charset=UTF-8');
  });

  test.each([
    ['soap11', own11('<a/>'), 'text/xml; charset=UTF-8'],
    ['soap12', own12('<a/>'), 'application/soap+xml; charset=UTF-8'],
  ] as const)('a %s client gets SOAP when the answer came from a REST exchange', (client, expected, contentType) => {
    const formatted = formatResponse(received('<a/>', 'application/xml', { rest: true }), client);
    expect(text(formatted)).toBe(expected);
    expect(formatted.contentType).toBe(contentType);
  });

  test('a SOAP client gets the JSON that the flow made for it', () => {
    const message = setMessageType(received(soap11('<a/>'), 'text/xml', { soapAction: true }), 'application/json');
    expect(text(formatResponse(message, 'soap11'))).toBe('{"a":null}');
  });

  test('a REST client gets an Exception instead of a fault', () => {
    const message = messageOf(Payload.ofEnvelope(createFault('1.1', { code: 'Server', reason: 'out of <stock>' })), {
      rest: true,
    });
    expect(text(formatResponse(message, 'rest'))).toBe('<Exception>out of &lt;stock&gt;</Exception>');
    setMessageType(message, 'text/xml');
    expect(formatResponse(message, 'rest').contentType).toBe('application/xml; charset=UTF-8');
    expect(message.payload.hasFault()).toBe(true);
  });

  test('also instead of an untouched one from the back end', () => {
    const fault = `<S:Envelope xmlns:S="${S11}"><S:Body><S:Fault><faultcode>S:Server</faultcode><faultstring>r</faultstring><detail><x>d</x></detail></S:Fault></S:Body></S:Envelope>`;
    expect(text(formatResponse(received(fault, 'text/xml', { rest: true, soapAction: true }), 'rest'))).toBe(
      '<Exception>d</Exception>',
    );
  });

  test('a JSON exchange gets the fault element as JSON (spec mediators 5.5)', () => {
    const message = messageOf(Payload.ofEnvelope(createFault('1.1', { code: 'Server', reason: 'r' })), {
      rest: true,
      axis2: { messageType: 'application/json' },
    });
    expect(text(formatResponse(message, 'rest'))).toBe('{"Fault":{"faultcode":"soapenv:Server","faultstring":"r"}}');
  });

  test('payloads that were made here take the style of the client', () => {
    const payload = () => Payload.ofBodyChild(element('<a/>'));
    expect(text(formatResponse(messageOf(payload()), 'soap11'))).toBe(own11('<a/>'));
    expect(text(formatResponse(messageOf(payload()), 'soap12'))).toBe(own12('<a/>'));
    expect(text(formatResponse(messageOf(payload(), { rest: true }), 'rest'))).toBe('<a/>');
  });

  test('an edited plain text/xml document stays plain', () => {
    const message = edited(received('<a/>', 'text/xml', { rest: true, soapAction: false }));
    expect(formatResponse(message, 'rest')).toMatchObject({
      bytes: Buffer.from('<b/>'),
      contentType: 'text/xml; charset=UTF-8',
    });
  });

  test('an edited envelope stays one, with its header blocks and all of its children', () => {
    const message = received(
      `<S:Envelope xmlns:S="${S11}"><S:Header><h/></S:Header><S:Body><a/><b/></S:Body></S:Envelope>`,
      'text/xml; charset=utf-8',
      { soapAction: true },
    );
    (message.payload.firstBodyChild() as XmlElement).textContent = '1';
    message.payload.changed();
    const formatted = formatResponse(message, 'soap11');
    expect(text(formatted)).toBe(
      `${DECLARATION}<S:Envelope xmlns:S="${S11}"><S:Header><h/></S:Header><S:Body><a>1</a><b/></S:Body></S:Envelope>`,
    );
    expect(formatted.contentType).toBe('text/xml; charset=utf-8');
  });

  test('NO_ENTITY_BODY', () => {
    const message = received('{}', 'application/json', { rest: true, axis2: { NO_ENTITY_BODY: true } });
    expect(formatResponse(message, 'rest')).toEqual({
      bytes: undefined,
      contentType: undefined,
      contentEncoding: undefined,
    });
  });
});

describe('the request of an endpoint (spec proxies 5.3)', () => {
  const soap = (wanted: Wanted = {}) =>
    received(soap11('<q><s>IBM</s></q>'), 'text/xml; charset=utf-8', { soapAction: true, ...wanted });

  test.each<[EndpointFormat | undefined, string, string, string | undefined]>([
    [undefined, soap11('<q><s>IBM</s></q>'), 'text/xml; charset=utf-8', '"urn:q"'],
    ['rest', soap11('<q><s>IBM</s></q>'), 'text/xml; charset=utf-8', '"urn:q"'],
    ['soap11', soap11('<q><s>IBM</s></q>'), 'text/xml; charset=utf-8', '"urn:q"'],
    ['soap12', own12('<q><s>IBM</s></q>'), 'application/soap+xml; charset=UTF-8; action="urn:q"', undefined],
    ['pox', '<q><s>IBM</s></q>', 'application/xml; charset=UTF-8', undefined],
  ])('format %s of a SOAP 1.1 message', (format, body, contentType, soapAction) => {
    const message = soap({ action: 'urn:q' });
    const formatted = formatRequest(message, format);
    expect(text(formatted)).toBe(body);
    expect(formatted).toMatchObject({ contentType, soapAction, query: undefined });
    expect(message.payload.untouched, 'kept for a resend').toBe(true);
  });

  test('get puts the parameters into the URL', () => {
    const message = received(soap11('<q><s>I B&amp;M</s><n>1</n></q>'), 'text/xml', { soapAction: true });
    expect(formatRequest(message, 'get')).toMatchObject({
      bytes: undefined,
      query: 's=I%20B%26M&n=1',
      soapAction: undefined,
    });
    expect(formatRequest(messageOf(Payload.empty()), 'get').query).toBeUndefined();
  });

  test('pox passes a plain document on', () => {
    const message = received('<a />', 'text/xml; charset=utf-8', { soapAction: false, rest: true });
    expect(formatRequest(message, 'pox')).toMatchObject({
      bytes: message.payload.originalBytes(),
      contentType: 'application/xml; charset=utf-8',
    });
  });

  test('JSON to a SOAP endpoint', () => {
    const message = received('{"a":1}', 'application/json', { rest: true });
    expect(text(formatRequest(message, 'soap11'))).toBe(own11('<jsonObject><a>1</a></jsonObject>'));
    expect(formatRequest(message, 'soap11').contentType).toBe('text/xml; charset=UTF-8');
    expect(formatRequest(message, 'soap11').soapAction).toBe('""');
  });

  test('an untouched SOAP 1.2 message keeps its header unless its action changed', () => {
    const message = received(soap12('<a />'), 'application/soap+xml; charset=utf-8; action="urn:a"', {
      action: 'urn:a',
    });
    expect(formatRequest(message, undefined).contentType).toBe('application/soap+xml; charset=utf-8; action="urn:a"');
    message.action = 'urn:b';
    const formatted = formatRequest(message, 'soap12');
    expect(formatted.contentType).toBe('application/soap+xml; charset=utf-8; action="urn:b"');
    expect(formatted.bytes).toBe(message.payload.originalBytes());
  });

  test('the action cannot break out of its header', () => {
    expect(formatRequest(soap({ action: 'a"\r\nX: y' }), undefined).soapAction).toBe('"aX: y"');
  });

  test('the encoding of the endpoint', () => {
    const message = received(soap11('<a>ü</a>'), 'text/xml; charset=utf-8', { soapAction: true });
    expect(formatRequest(message, 'soap11', 'UTF-8').bytes).toBe(message.payload.originalBytes());
    const formatted = formatRequest(message, 'soap11', 'iso-8859-1');
    expect(formatted.contentType).toBe('text/xml; charset=ISO-8859-1');
    expect(Buffer.from(formatted.bytes ?? '').toString('latin1')).toContain('encoding="ISO-8859-1"?>');
    expect(Buffer.from(formatted.bytes ?? '').toString('latin1')).toContain('<a>ü</a>');
  });

  test.each([
    ['GET', 'x', false],
    ['HEAD', 'x', false],
    ['DELETE', '', false],
    ['DELETE', 'x', true],
    ['POST', 'x', true],
    ['PUT', 'x', true],
  ])('%s of a body of %j carries one: %s', (method, body, carries) => {
    const message = received(body, 'text/plain', { rest: true });
    expect(formatRequest(message, undefined, undefined, method).bytes !== undefined).toBe(carries);
  });

  test('a GET becomes a SOAP request with its parameters', () => {
    const message = received('', undefined, {
      rest: true,
      method: 'GET',
      query: 's=IBM',
      axis2: { HTTP_METHOD: 'GET' },
    });
    expect(text(formatRequest(message, 'soap11'))).toBe(own11('<xformValues><s>IBM</s></xformValues>'));
  });
});

describe('a payload by itself', () => {
  test.each<[Payload, string, string, string | undefined]>([
    [Payload.ofJson('{"ü":1}'), 'json', '{"ü":1}', 'application/json; charset=UTF-8'],
    [Payload.ofText('ü'), 'text', 'ü', 'text/plain; charset=UTF-8'],
    [
      Payload.ofBodyChild(element('<a/>')),
      'soap11',
      own11('<a/>').slice(DECLARATION.length),
      'text/xml; charset=UTF-8',
    ],
    [
      edited(received('<a/>', 'application/xml; charset=latin1')).payload,
      'xml',
      '<b/>',
      'application/xml; charset=UTF-8',
    ],
    [
      edited(received(soap12('<a/>'), 'application/soap+xml')).payload,
      'soap12',
      soap12('<b/>'),
      'application/soap+xml; charset=UTF-8',
    ],
  ])('%#', (payload, format, body, contentType) => {
    const formatted = formatPayload(payload);
    expect(formatted).toMatchObject({ format, contentType });
    expect(text(formatted)).toBe(body);
  });

  test('nothing is nothing', () => {
    expect(formatPayload(Payload.empty())).toMatchObject({ format: 'none', bytes: undefined });
  });
});
