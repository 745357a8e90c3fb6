import { describe, expect, it } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { TypedNumber } from '../../src/message/property-value.ts';
import { createFault } from '../../src/message/soap.ts';
import { composeResponse, type ResponseTarget } from '../../src/transport/http-response.ts';
import { message } from './messages.ts';

const REST: ResponseTarget = { client: 'rest', method: 'POST', servicePrefix: 'http://localhost:8280/services/' };
const text = () => message(Payload.ofText('hello'));
const fault = () => message(Payload.ofEnvelope(createFault('1.1', { code: 'Server', reason: 'no stock' })));
const compose = (composed: MessageContext, target: Partial<ResponseTarget> = {}) =>
  composeResponse(composed, { ...REST, ...target });
const bodyOf = (composed: MessageContext, target: Partial<ResponseTarget> = {}) =>
  Buffer.from(compose(composed, target).body ?? []).toString();

function withAxis2(made: MessageContext, properties: Record<string, string | boolean | TypedNumber>): MessageContext {
  for (const [name, value] of Object.entries(properties)) made.axis2.set(name, value);
  return made;
}

describe('the status', () => {
  it.each<[string, () => MessageContext, number]>([
    ['is 200', text, 200],
    ['is 500 for a SOAP fault', fault, 500],
    ['stays 200 for a fault if FAULTS_AS_HTTP_200', () => withAxis2(fault(), { FAULTS_AS_HTTP_200: 'true' }), 200],
    ['is HTTP_SC, text', () => withAxis2(text(), { HTTP_SC: '418' }), 418],
    ['is HTTP_SC, number', () => withAxis2(text(), { HTTP_SC: new TypedNumber('INTEGER', 503) }), 503],
    ['is HTTP_SC before the fault’s', () => withAxis2(fault(), { HTTP_SC: '200' }), 200],
    ['is 202 for SC_ACCEPTED, whatever else', () => withAxis2(fault(), { SC_ACCEPTED: true, HTTP_SC: '400' }), 202],
    ['is 502 with ERROR_CODE', () => withAxis2(text(), { ERROR_CODE: '101503', HTTP_SC: '200' }), 502],
  ])('%s', (_name, made, status) => {
    expect(compose(made()).status).toBe(status);
  });

  it.each(['abc', '', '99', '100', '1000', '2e2'])('ignores HTTP_SC %j with a WARN', (value) => {
    const lines: string[] = [];
    const stop = onLogRecord((record) => lines.push(record.message));
    expect(compose(withAxis2(text(), { HTTP_SC: value })).status).toBe(200);
    stop();
    expect(lines).toEqual([`Unable to set the HTTP status code from the property HTTP_SC with value: ${value}`]);
  });

  it('takes its reason from HTTP_SC_DESC, and ends the connection after a failure', () => {
    const answer = compose(withAxis2(text(), { HTTP_SC: '200', HTTP_SC_DESC: 'Splendid', ERROR_CODE: '1' }));
    expect(answer).toMatchObject({ reason: 'Splendid', close: true });
    expect(compose(text()).close).toBeUndefined();
    expect(compose(withAxis2(text(), { NO_KEEPALIVE: 'true' })).close).toBe(true);
    expect(compose(withAxis2(text(), { 'FORCE_HTTP_1.0': true })).close).toBe(true);
  });
});

describe('the headers', () => {
  it('are the message’s, without those of a connection', () => {
    const made = text();
    for (const name of [
      'Transfer-Encoding',
      'Connection',
      'Keep-Alive',
      'Content-Length',
      'Date',
      'User-Agent',
      'Upgrade',
      'Expect',
    ]) {
      made.headers.set(name, 'x');
    }
    made.headers.set('Server', 'backend/1');
    made.headers.add('Set-Cookie', 'a=1');
    made.headers.add('Set-Cookie', 'b=2');
    expect([...compose(made).headers.pairs()]).toEqual([
      ['Server', 'backend/1'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['Content-Type', 'text/plain; charset=UTF-8'],
    ]);
    const preserved = compose(made, { preservedHeaders: new Set(['date', 'transfer-encoding']) }).headers;
    expect([preserved.get('Date'), preserved.get('Transfer-Encoding')]).toEqual(['x', undefined]);
  });

  it.each([
    [200, 'http://backend:9000/orders/7?x=1', 'http://localhost:8280/services/orders/7?x=1'],
    [202, '/orders/7', 'http://localhost:8280/services/orders/7'],
    [201, 'http://backend:9000/orders/7', 'http://backend:9000/orders/7'],
    [302, 'http://elsewhere/', 'http://elsewhere/'],
  ])('Location with %d', (status, location, expected) => {
    const made = withAxis2(text(), { HTTP_SC: String(status) });
    made.headers.set('Location', location);
    expect(compose(made).headers.get('Location')).toBe(expected);
  });

  it('name the encoding of compressed bytes only as long as they are compressed', () => {
    const made = message(Payload.unread(Buffer.from('gz'), 'application/json', { contentEncoding: 'gzip' }));
    made.headers.set('Content-Encoding', 'gzip');
    expect(compose(made).headers.get('Content-Encoding')).toBe('gzip');
    made.payload.setJson('{}');
    expect(compose(made).headers.has('Content-Encoding')).toBe(false);
  });

  it('have an ETag if HTTP_ETAG', () => {
    const tag = compose(withAxis2(text(), { HTTP_ETAG: true })).headers.get('ETag');
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    expect(compose(withAxis2(text(), { HTTP_ETAG: true })).headers.get('ETag')).toBe(tag);
  });
});

describe('the body', () => {
  it('is what was received, byte for byte, if nobody looked', () => {
    const bytes = Buffer.from('<a  b = "1"/>\n');
    const made = message(Payload.unread(bytes, 'application/xml;charset=iso-8859-1'));
    const answer = compose(made);
    expect(answer.body).toBe(bytes);
    expect(answer.headers.get('Content-Type')).toBe('application/xml;charset=iso-8859-1');
  });

  it('is none with NO_ENTITY_BODY', () => {
    const answer = compose(withAxis2(text(), { NO_ENTITY_BODY: true }));
    expect([answer.body, answer.headers.has('Content-Type')]).toEqual([undefined, false]);
  });

  it('describes the missing entity of a HEAD response', () => {
    const made = withAxis2(text(), { NO_ENTITY_BODY: true });
    made.headers.set('Content-Type', 'image/png');
    expect(compose(made, { method: 'HEAD' }).headers.get('Content-Type')).toBe('image/png');
  });

  it('speaks the client’s SOAP version, and Exception to REST clients', () => {
    expect(bodyOf(fault(), { client: 'soap11' })).toContain('<faultstring>no stock</faultstring>');
    const soap12 = compose(fault(), { client: 'soap12' });
    expect(soap12.headers.get('Content-Type')).toMatch(/^application\/soap\+xml/);
    expect(Buffer.from(soap12.body ?? []).toString()).toContain('http://www.w3.org/2003/05/soap-envelope');
    expect(bodyOf(fault())).toBe('<Exception>no stock</Exception>');
    expect(compose(fault()).status).toBe(500);
  });
});
