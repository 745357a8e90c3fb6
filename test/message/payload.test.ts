import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import { Payload, type UnreadOptions } from '../../src/message/payload.ts';
import { createFault } from '../../src/message/soap.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';

const S11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const S12 = 'http://www.w3.org/2003/05/soap-envelope';
const soap11 = (body: string) => `<S:Envelope xmlns:S="${S11}"><S:Body>${body}</S:Body></S:Envelope>`;
const element = (text: string) => parseXml(text).documentElement as XmlElement;
const unread = (text: string | Uint8Array, contentType?: string, options?: UnreadOptions) =>
  Payload.unread(typeof text === 'string' ? Buffer.from(text) : text, contentType, options);
const first = (payload: Payload) => {
  const child = payload.firstBodyChild();
  return child && serializeXml(child);
};

describe('building by media type (spec proxies 1.6)', () => {
  test.each<[string, string | undefined, UnreadOptions, string | undefined, '1.1' | '1.2']>([
    [soap11('<a/>'), 'text/xml; charset=UTF-8', { soapAction: true }, '<a/>', '1.1'],
    [soap11('<a/>'), 'text/xml', {}, '<a/>', '1.1'],
    ['<a/>', 'text/xml', { soapAction: false }, '<a/>', '1.1'],
    ['<a/>', 'text/xml', {}, '<a/>', '1.1'],
    [soap11('<a/>'), 'text/xml', { soapAction: false }, soap11('<a/>'), '1.1'],
    [`<e:Envelope xmlns:e="${S12}"><e:Body><a/></e:Body></e:Envelope>`, 'application/soap+xml', {}, '<a/>', '1.2'],
    ['<a>1</a>', 'application/xml', {}, '<a>1</a>', '1.1'],
    ['', 'application/xml', {}, undefined, '1.1'],
    ['{"a":1}', 'application/json', {}, '<jsonObject><a>1</a></jsonObject>', '1.2'],
    ['{"a":1}', 'application/problem+json', {}, '<jsonObject><a>1</a></jsonObject>', '1.2'],
    ['  ', 'application/json', {}, undefined, '1.2'],
    ['not json', 'application/json', { method: 'GET' }, undefined, '1.2'],
    [
      '',
      'application/json',
      { method: 'GET', query: 'q=%7B%22a%22%3A1%7D' },
      '<jsonObject><a>1</a></jsonObject>',
      '1.2',
    ],
    [
      'a=1&b=x+y%21%0A&a=2&3c=&$d=4',
      'application/x-www-form-urlencoded',
      { query: 'q=0' },
      '<xformValues><q>0</q><a>1</a><b>x y!\n</b><a>2</a><_JsonReader_PD_3c/><_JsonReader_PS_d>4</_JsonReader_PS_d></xformValues>',
      '1.2',
    ],
    ['', undefined, { method: 'GET', query: 'a=1' }, '<xformValues><a>1</a></xformValues>', '1.2'],
    ['', undefined, { method: 'GET' }, undefined, '1.2'],
    [
      'hi <there>',
      'text/plain',
      {},
      '<ns:text xmlns:ns="http://ws.apache.org/commons/ns/payload">hi &lt;there&gt;</ns:text>',
      '1.2',
    ],
    [
      '\0\x01',
      'application/octet-stream',
      {},
      '<ns:binary xmlns:ns="http://ws.apache.org/commons/ns/payload">AAE=</ns:binary>',
      '1.2',
    ],
    [
      '%PDF',
      'application/pdf',
      {},
      '<ns:binary xmlns:ns="http://ws.apache.org/commons/ns/payload">JVBERg==</ns:binary>',
      '1.2',
    ],
    [
      'abc',
      undefined,
      { method: 'POST' },
      '<ns:binary xmlns:ns="http://ws.apache.org/commons/ns/payload">YWJj</ns:binary>',
      '1.2',
    ],
    [' \r\n', 'application/xml', { method: 'DELETE' }, undefined, '1.1'],
    ['<html/>', 'text/html', {}, '<html/>', '1.1'],
  ])('%j as %s %j', (text, contentType, options, expected, version) => {
    const payload = unread(text, contentType, options);
    expect(payload.soapVersion).toBe(version);
    expect(first(payload)).toBe(expected);
    expect(payload.soapVersion).toBe(version);
    expect(payload.untouched).toBe(true);
    expect(payload.originalBytes()).toEqual(Buffer.from(text));
  });

  test('multipart/form-data', () => {
    const body =
      'preamble\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\ntwo\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: image/png\r\n\r\n\0\x01\r\n--b--\r\n';
    expect(first(unread(body, 'multipart/form-data; boundary=b'))).toBe(
      '<mediate><a>one&#13;\ntwo</a><f filename="x.bin" content-type="image/png">AAE=</f></mediate>',
    );
  });

  test('multipart/related: the root part', () => {
    const body = `--b\r\nContent-Type: image/png\r\nContent-ID: <i>\r\n\r\nx\r\n--b\r\nContent-Type: text/xml\r\nContent-ID: <r>\r\n\r\n${soap11('<a/>')}\r\n--b--`;
    const payload = unread(body, 'multipart/related; boundary=b; type="text/xml"; start="<r>"', { soapAction: true });
    expect(first(payload)).toBe('<a/>');
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ])('Content-Encoding %s is undone for those who look, and kept on the wire', (contentEncoding, compress) => {
    const bytes = compress('{"a":1}');
    const payload = unread(bytes, 'application/json', { contentEncoding });
    expect(payload.json()).toBe('{"a":1}');
    expect(payload.originalBytes()).toBe(bytes);
    expect(payload.contentEncoding).toBe(contentEncoding);
  });

  test('a compressed body has a largest size', () => {
    const payload = unread(gzipSync(Buffer.alloc(100_000)), 'text/plain', {
      contentEncoding: 'gzip',
      maxBytes: 99_999,
    });
    expect(() => payload.envelope()).toThrow(/larger than 99999 bytes/);
  });
});

describe('what cannot be read', () => {
  test.each<[string, string, UnreadOptions, RegExp]>([
    ['<a>', 'application/xml', {}, /^Error while building message\. /],
    ['<a/>', 'text/xml', { soapAction: true }, /not a SOAP envelope/],
    ['hello', 'application/json', {}, /#getNewJsonPayload\. Could not save JSON payload/],
    ['{"a":', 'application/json', {}, /the text ends/],
    ['<!DOCTYPE a><a/>', 'application/xml', {}, /DOCTYPE/],
    ['x', 'application/json', { contentEncoding: 'gzip' }, /not valid gzip/],
    ['x', 'multipart/form-data', {}, /boundary/],
  ])('%s as %s is error 601000, and empty from then on', (text, contentType, options, message) => {
    const payload = unread(text, contentType, { method: 'POST', ...options });
    const version = payload.soapVersion;
    let error: unknown;
    try {
      payload.envelope();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MediationError);
    expect(error).toMatchObject({ code: 601000, status: 400, message: expect.stringMatching(message) });
    expect(payload.firstBodyChild()).toBeUndefined();
    expect(payload.untouched).toBe(false);
    expect(payload.soapVersion).toBe(version);
  });

  test('broken JSON passes as long as nobody reads it', () => {
    const payload = unread('{"a":', 'application/json');
    expect(payload.json()).toBe('{"a":');
    expect(payload.jsonText()).toBe('{"a":');
    expect(payload.untouched).toBe(true);
  });
});

describe('lazy', () => {
  test('questions that need no look do not look', () => {
    const payload = unread('<broken', 'text/xml', { soapAction: true });
    expect(payload.kind).toBe('unread');
    expect([
      payload.isEmpty,
      payload.untouched,
      payload.soapVersion,
      payload.json(),
      payload.hasFault(),
      payload.plain,
    ]).toEqual([false, true, '1.1', undefined, false, false]);
    expect(payload.clone().kind).toBe('unread');
    expect(payload.kind).toBe('unread');
  });

  test('the tree is built once', () => {
    const payload = unread(soap11('<a/>'), 'text/xml');
    expect(payload.envelope()).toBe(payload.envelope());
    expect(payload.body()).toBe(payload.body());
  });

  test('JSON is read without making XML of it', () => {
    const payload = unread('[1, 2]', 'application/json');
    expect(payload.json()).toBe('[1, 2]');
    expect(payload.kind).toBe('json');
  });
});

describe('faults', () => {
  const fault = (version: '1.1' | '1.2') => serializeXml(createFault(version, { code: 'Server', reason: 'r' }));

  test.each([
    [fault('1.1'), 'text/xml', true],
    [fault('1.2'), 'application/soap+xml', true],
    [soap11('<a>no Fault at all</a>'), 'text/xml', false],
    [soap11('<a/>'), 'text/xml', false],
    ['{"Fault":1}', 'application/json', false],
    ['<Fault', 'text/xml', false],
  ])('%s', (text, contentType, expected) => {
    const payload = unread(text, contentType, { soapAction: true });
    expect(payload.hasFault()).toBe(expected);
    expect(payload.untouched).toBe(true);
    expect(payload.originalBytes()).toEqual(Buffer.from(text));
  });

  test('in a compressed and in a UTF-16 body', () => {
    expect(unread(gzipSync(fault('1.1')), 'text/xml', { soapAction: true, contentEncoding: 'gzip' }).hasFault()).toBe(
      true,
    );
    const utf16 = Buffer.from(`\ufeff${fault('1.1')}`, 'utf16le');
    expect(unread(utf16, 'text/xml', { soapAction: true }).hasFault()).toBe(true);
    expect(Payload.ofEnvelope(createFault('1.2', { code: 'Server', reason: 'r' })).hasFault()).toBe(true);
    expect(Payload.ofJson('{}').hasFault()).toBe(false);
  });
});

describe('changes', () => {
  test('an edit in place counts once it is announced', () => {
    const payload = unread(soap11('<a>1</a>'), 'text/xml; charset=ISO-8859-1');
    const child = payload.firstBodyChild();
    if (!child) throw new Error('no child');
    child.textContent = '2';
    payload.changed();
    expect(payload.untouched).toBe(false);
    expect(payload.originalBytes()).toBeUndefined();
    expect(payload.contentType).toBe('text/xml; charset=ISO-8859-1');
    expect(first(payload)).toBe('<a>2</a>');
  });

  test('an edit of the XML view of JSON is the payload (MREQ-25), types of the rest kept (MREQ-26)', () => {
    const payload = unread('{"a":"1","b":["2"]}', 'application/json');
    const child = payload.firstBodyChild()?.firstChild as XmlElement;
    child.textContent = 'x';
    payload.changed();
    expect(payload.kind).toBe('envelope');
    expect(payload.json()).toBeUndefined();
    expect(payload.jsonText()).toBe('{"a":"x","b":["2"]}');
    expect(payload.clone().jsonText()).toBe('{"a":"x","b":["2"]}');
  });

  test('a view of JSON that nobody edited leaves the text as it is', () => {
    const payload = unread('{ "a" : 1.0 }', 'application/json');
    payload.envelope();
    expect(payload.jsonText()).toBe('{ "a" : 1.0 }');
    expect(payload.untouched).toBe(true);
  });

  test('replacing the Body keeps the header blocks', () => {
    const text = `<S:Envelope xmlns:S="${S11}"><S:Header><h xmlns="u">1</h></S:Header><S:Body><a/><b/></S:Body></S:Envelope>`;
    const payload = unread(text, 'text/xml');
    payload.replaceBody(element('<c/>'));
    expect(serializeXml(payload.envelope())).toBe(text.replace('<a/><b/>', '<c/>'));

    payload.setJson('{"d":1}');
    expect(payload.json()).toBe('{"d":1}');
    expect(payload.contentType).toBe('application/json');
    expect(payload.soapVersion).toBe('1.1');
    expect(serializeXml(payload.header() as XmlElement)).toContain('<h xmlns="u">1</h>');
    expect(first(payload)).toBe('<jsonObject><d>1</d></jsonObject>');

    payload.setText('t');
    const copy = payload.clone();
    expect(copy.text()).toBe('t');
    expect(serializeXml(copy.soapHeader() as XmlElement)).toContain('<h xmlns="u">1</h>');

    payload.clear();
    expect(payload.isEmpty).toBe(true);
    expect(serializeXml(payload.envelope())).toBe(
      `<soapenv:Envelope xmlns:soapenv="${S11}"><soapenv:Header/><soapenv:Body/></soapenv:Envelope>`,
    );
  });

  test('setting JSON does not read the body that it replaces', () => {
    const payload = unread('<broken', 'application/xml');
    payload.setJson('{}');
    expect(payload.jsonText()).toBe('{}');
  });

  test('replacing the envelope', () => {
    const payload = unread('{}', 'application/json');
    payload.replaceEnvelope(createFault('1.2', { code: 'Sender', reason: 'r' }));
    expect(payload.hasFault()).toBe(true);
    expect(payload.soapVersion).toBe('1.2');
    expect(payload.json()).toBeUndefined();
  });

  test('a copy has a life of its own', () => {
    const payload = unread(soap11('<a>1</a>'), 'text/xml');
    payload.replaceBody(element('<a>2</a>'));
    const copy = payload.clone();
    (copy.firstBodyChild() as XmlElement).textContent = '3';
    copy.changed();
    expect([first(payload), first(copy)]).toEqual(['<a>2</a>', '<a>3</a>']);
    const original = unread(soap11('<a/>'), 'text/xml');
    expect(original.clone().originalBytes()).toBe(original.originalBytes());
  });
});

describe('as JSON', () => {
  test.each([
    [unread(soap11('<a><b>1</b></a>'), 'text/xml'), '{"a":{"b":1}}'],
    [Payload.ofText('hello'), '{"text":"hello"}'],
    [Payload.ofBinary(Buffer.from('x')), '{"binary":"eA=="}'],
    [Payload.ofBodyChild(element('<a>1</a>')), '{"a":1}'],
  ])('%#', (payload, expected) => {
    expect(payload.jsonText()).toBe(expected);
  });

  test('nothing is an error', () => {
    expect(() => Payload.empty().jsonText()).toThrow('Payload could not be written as JSON.');
    expect(() => unread('<a>x<b/></a>', 'application/xml').jsonText()).toThrow(MediationError);
  });
});
