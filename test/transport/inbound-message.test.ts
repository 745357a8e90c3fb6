import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/message/exchange.ts';
import { inboundMessage } from '../../src/transport/inbound-message.ts';
import { NO_ARTIFACTS, request } from './messages.ts';

const exchange: Exchange = { answered: false, take() {}, respond() {}, track() {}, failed() {} };
const inbound = (...parts: Parameters<typeof request>) =>
  inboundMessage(request(...parts), NO_ARTIFACTS, exchange, '/a?x=1');

describe('inboundMessage', () => {
  it('sets the properties of the transport, and does not look at the body', () => {
    const message = inbound('/services/P/a?x=1', {
      headers: [
        ['Content-Type', 'text/xml; charset=ISO-8859-1'],
        ['SOAPAction', '"urn:getQuote"'],
        ['X', '1'],
        ['x', '2'],
      ],
      body: 'not xml at all',
    });
    expect(Object.fromEntries(message.axis2)).toEqual({
      HTTP_METHOD: 'POST',
      TransportInURL: '/services/P/a?x=1',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_HOST: '127.0.0.1',
      REST_URL_POSTFIX: '/a?x=1',
      SERVICE_PREFIX: 'http://localhost:8280/services/',
      ContentType: 'text/xml; charset=ISO-8859-1',
      messageType: 'text/xml',
      CHARACTER_SET_ENCODING: 'ISO-8859-1',
      correlation_id: 'c-1',
      TRANSPORT_IN_NAME: 'http',
    });
    expect(Object.fromEntries(message.properties)).toEqual({
      TRANSPORT_IN_NAME: 'http',
      IsClientDoingREST: false,
      IsClientDoingSOAP11: true,
      correlation_id: 'c-1',
    });
    expect(message).toMatchObject({
      to: '/services/P/a',
      action: 'urn:getQuote',
      doingRest: false,
      direction: 'request',
    });
    expect(message.exchange).toBe(exchange);
    expect([...message.headers.pairs()].slice(2)).toEqual([
      ['X', '1'],
      ['X', '2'],
    ]);
    expect(message.payload.kind).toBe('unread');
    expect(message.messageId).toMatch(/^urn:uuid:/);
  });

  it.each<[string, Array<[string, string]>, string | undefined]>([
    [
      'header without quotes',
      [
        ['Content-Type', 'text/xml'],
        ['SOAPAction', 'urn:x'],
      ],
      'urn:x',
    ],
    [
      'empty header',
      [
        ['Content-Type', 'text/xml'],
        ['SOAPAction', '""'],
      ],
      undefined,
    ],
    [
      'SOAP 1.2 parameter',
      [
        ['Content-Type', 'application/soap+xml; action="urn:y"'],
        ['SOAPAction', 'urn:x'],
      ],
      'urn:y',
    ],
    [
      'SOAP 1.2 with a header only',
      [
        ['Content-Type', 'application/soap+xml'],
        ['SOAPAction', '"urn:x"'],
      ],
      'urn:x',
    ],
    ['none', [], undefined],
  ])('reads the action: %s', (_name, headers, action) => {
    expect(inbound('/', { headers, body: 'x' }).action).toBe(action);
  });

  it.each<[string, Parameters<typeof request>[1], string, string]>([
    ['POST without a type', { body: 'x' }, 'application/octet-stream', 'application/octet-stream'],
    ['GET', { method: 'GET' }, 'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded'],
    [
      'text/xml without SOAPAction',
      { body: '<a/>', headers: [['Content-Type', 'text/xml']] },
      'text/xml',
      'application/xml',
    ],
    ['empty SOAP', { headers: [['Content-Type', 'application/soap+xml']] }, 'application/soap+xml', 'application/xml'],
  ])('infers the types: %s', (_name, parts, contentType, messageType) => {
    const { axis2 } = inbound('/', parts);
    expect([axis2.get('ContentType'), axis2.get('messageType')]).toEqual([contentType, messageType]);
  });

  it('notes that there is no body, and builds query parameters from the URL', () => {
    const message = inbound('/services/P?symbol=IBM', { method: 'GET' });
    expect(message.axis2.get('NO_ENTITY_BODY')).toBe(true);
    expect(message.doingRest).toBe(true);
    expect(message.payload.firstBodyChild()?.textContent).toBe('IBM');
    expect(inbound('/', { body: 'x' }).axis2.has('NO_ENTITY_BODY')).toBe(false);
  });

  it('builds a SOAP envelope when somebody asks', () => {
    const body =
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><q>IBM</q></e:Body></e:Envelope>';
    const soap = inbound('/', {
      headers: [
        ['Content-Type', 'text/xml'],
        ['SOAPAction', '""'],
      ],
      body,
    });
    expect(soap.payload.firstBodyChild()?.localName).toBe('q');
  });
});
