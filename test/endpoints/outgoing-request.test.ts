import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { outgoingRequest, type RequestOptions } from '../../src/endpoints/outgoing-request.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { inboundMessage } from '../../src/transport/inbound-message.ts';
import { FakeExchange } from '../mediation/harness.ts';
import { request as incoming, NO_ARTIFACTS } from '../transport/messages.ts';

const SOAP = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><q>1</q></e:Body></e:Envelope>';

interface Incoming {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Array<[string, string]>;
  readonly body?: string | Uint8Array;
  readonly postfix?: string;
}

function message({
  method = 'POST',
  target = '/services/P',
  headers = [],
  body = '',
  postfix = '',
}: Incoming): MessageContext {
  const request = { ...incoming(target, { method, headers }), body: Buffer.from(body) };
  return inboundMessage(request, NO_ARTIFACTS, new FakeExchange(), postfix);
}

const soap11 = (more: Array<[string, string]> = []) =>
  message({ headers: [['Content-Type', 'text/xml; charset=utf-8'], ['SOAPAction', '"urn:q"'], ...more], body: SOAP });
const xml = (parts: Incoming = {}) =>
  message({ headers: [['Content-Type', 'application/xml']], body: '<q>1</q>', ...parts });

function sent(from: MessageContext, options: Partial<RequestOptions> = {}) {
  const request = outgoingRequest(from, {
    address: 'http://b/x',
    format: undefined,
    encoding: undefined,
    method: undefined,
    ...options,
  });
  const header = (name: string) =>
    request.headers.filter(([written]) => written.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return { ...request, header, text: Buffer.from(request.body ?? []).toString() };
}

describe('without a format', () => {
  it('sends what came, byte for byte', () => {
    const from = soap11();
    const request = sent(from);
    expect(request).toMatchObject({ method: 'POST', url: 'http://b/x', text: SOAP, rest: false });
    expect(request.header('Content-Type')).toEqual(['text/xml; charset=utf-8']);
    expect(request.header('SOAPAction')).toEqual(['"urn:q"']);
    expect(from.payload.kind).toBe('unread');
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('keeps the method of a REST request: %s', (method) => {
    expect(sent(xml({ method }))).toMatchObject({ method, text: '<q>1</q>', rest: true });
  });

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])('sends a bodiless %s without entity and Content-Type', (method) => {
    const request = sent(message({ method, headers: [['Content-Type', 'application/xml']] }));
    expect(request).toMatchObject({ method, body: undefined });
    expect(request.header('Content-Type')).toEqual([]);
  });

  it('sends with the method that the artifact sets', () => {
    const from = soap11();
    from.axis2.set('HTTP_METHOD', 'put');
    expect(sent(from)).toMatchObject({ method: 'PUT', text: SOAP });
  });

  it('NO_ENTITY_BODY sends nothing', () => {
    const from = xml();
    from.axis2.set('NO_ENTITY_BODY', true);
    expect(sent(from).body).toBeUndefined();
  });

  it('carries the rest of the URL of a REST request on, not that of a SOAP request', () => {
    expect(sent(xml({ postfix: '/a?x=1' })).url).toBe('http://b/x/a?x=1');
    const soap = soap11();
    soap.axis2.set('REST_URL_POSTFIX', '/a');
    expect(sent(soap).url).toBe('http://b/x');
    const removed = xml({ postfix: '/a' });
    removed.axis2.delete('REST_URL_POSTFIX');
    expect(sent(removed).url).toBe('http://b/x');
  });
});

describe('a format', () => {
  it('pox sends the first element of the body as application/xml', () => {
    const request = sent(soap11(), { format: 'pox' });
    expect(request).toMatchObject({ method: 'POST', text: '<q>1</q>', rest: true });
    expect(request.header('Content-Type')[0]).toMatch(/^application\/xml/);
    expect(request.header('SOAPAction')).toEqual([]);
  });

  it('pox does not carry the URL of a SOAP request on', () => {
    const from = soap11();
    from.axis2.set('REST_URL_POSTFIX', '/a');
    expect(sent(from, { format: 'pox' }).url).toBe('http://b/x');
  });

  it('get puts the children of the first element into the URL', () => {
    const from = xml({ body: '<q><a>1 2</a><b>ä</b></q>' });
    const request = sent(from, { format: 'get', address: 'http://b/x?y=0' });
    expect(request).toMatchObject({ method: 'GET', body: undefined, rest: true });
    expect(request.url).toBe('http://b/x?y=0&a=1%202&b=%C3%A4');
    expect(request.header('Content-Type')).toEqual([]);
  });

  it('soap11 wraps plain XML, with the action as a header, and drops the postfix', () => {
    const from = xml({ method: 'PUT', postfix: '/a' });
    from.action = 'urn:q';
    const request = sent(from, { format: 'soap11' });
    expect(request).toMatchObject({ method: 'POST', url: 'http://b/x', rest: false });
    expect(request.text).toMatch(
      /<(\w+):Envelope xmlns:\1="http:\/\/schemas.xmlsoap.org\/soap\/envelope\/">.*<q>1<\/q>/,
    );
    expect(request.header('Content-Type')[0]).toMatch(/^text\/xml; ?charset=UTF-8$/i);
    expect(request.header('SOAPAction')).toEqual(['"urn:q"']);
  });

  it('soap12 carries the action in the content type', () => {
    const request = sent(soap11(), { format: 'soap12' });
    expect(request.text).toContain('http://www.w3.org/2003/05/soap-envelope');
    expect(request.header('Content-Type')[0]).toMatch(/^application\/soap\+xml; ?charset=UTF-8; ?action="urn:q"$/i);
    expect(request.header('SOAPAction')).toEqual([]);
  });

  it('rest sends as it is and always carries the URL on', () => {
    const from = soap11();
    from.axis2.set('REST_URL_POSTFIX', '/a');
    expect(sent(from, { format: 'rest' })).toMatchObject({ url: 'http://b/x/a', text: SOAP, rest: true });
  });

  it('an encoding writes the body in that charset', () => {
    const request = sent(xml({ body: '<q>ä</q>' }), { encoding: 'ISO-8859-1' });
    expect(Buffer.from(request.body ?? []).toString('latin1')).toContain('<q>ä</q>');
    expect(request.header('Content-Type')[0]).toMatch(/charset=ISO-8859-1/i);
  });

  it('leaves the message as it is for a resend', () => {
    const from = xml({ method: 'PUT', postfix: '/a' });
    for (const format of ['soap11', 'soap12', 'pox', 'get'] as const) sent(from, { format });
    expect(sent(from)).toMatchObject({ method: 'PUT', url: 'http://b/x/a', text: '<q>1</q>' });
  });
});

describe('the method of an http endpoint', () => {
  it('wins, drops the postfix and becomes the message’s', () => {
    const from = xml({ postfix: '/a' });
    expect(sent(from, { method: 'put' })).toMatchObject({ method: 'PUT', url: 'http://b/x', text: '<q>1</q>' });
    expect(from.axis2.get('HTTP_METHOD')).toBe('PUT');
  });

  it('decides about the body: get sends none, post one though the client used GET', () => {
    expect(sent(xml(), { method: 'get' })).toMatchObject({ method: 'GET', body: undefined });
    const fromGet = message({ method: 'GET' });
    fromGet.payload.setJson('{"a":1}');
    fromGet.axis2.delete('NO_ENTITY_BODY');
    fromGet.axis2.set('messageType', 'application/json');
    expect(sent(fromGet, { method: 'post' })).toMatchObject({ method: 'POST', text: '{"a":1}' });
  });
});

describe('headers', () => {
  it('are handed on with all their values, except those of one connection', () => {
    const request = sent(
      soap11([
        ['X-A', '1'],
        ['x-a', '2'],
        ['Accept', 'text/xml'],
        ['Connection', 'keep-alive'],
        ['Keep-Alive', 'timeout=5'],
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '7'],
        ['Host', 'here:8280'],
        ['Date', 'today'],
        ['Server', 'me'],
        ['User-Agent', 'curl'],
        ['Expect', '100-continue'],
        ['TE', 'trailers'],
        ['Upgrade', 'h2c'],
      ]),
    );
    expect(request.header('X-A')).toEqual(['1', '2']);
    expect(request.header('Accept')).toEqual(['text/xml']);
    expect(request.header('User-Agent')).toEqual(['mini-synapse']);
    for (const name of [
      'Connection',
      'Keep-Alive',
      'Transfer-Encoding',
      'Content-Length',
      'Host',
      'Date',
      'Server',
      'Expect',
      'TE',
      'Upgrade',
    ])
      expect(request.header(name), name).toEqual([]);
  });

  it('REQUEST_HOST_HEADER and NO_KEEPALIVE are obeyed', () => {
    const from = soap11();
    from.axis2.set('REQUEST_HOST_HEADER', 'virtual:1');
    from.axis2.set('NO_KEEPALIVE', 'true');
    const request = sent(from);
    expect(request.header('Host')).toEqual(['virtual:1']);
    expect(request.header('Connection')).toEqual(['close']);
  });

  it('an action cannot smuggle in a header', () => {
    const from = soap11();
    from.action = 'urn:q"\r\nX-Evil: 1';
    expect(sent(from).header('SOAPAction')).toEqual(['"urn:qX-Evil: 1"']);
  });

  it('Content-Encoding goes with untouched bytes and is gone when they are written anew', () => {
    const packed = gzipSync('<q>1</q>');
    const from = () =>
      xml({
        body: packed,
        headers: [
          ['Content-Type', 'application/xml'],
          ['Content-Encoding', 'gzip'],
        ],
      });
    const untouched = sent(from());
    expect(untouched.header('Content-Encoding')).toEqual(['gzip']);
    expect(gunzipSync(untouched.body ?? Buffer.alloc(0)).toString()).toBe('<q>1</q>');
    const converted = sent(from(), { format: 'soap11' });
    expect(converted.header('Content-Encoding')).toEqual([]);
    expect(converted.text).toContain('<q>1</q>');
  });
});
