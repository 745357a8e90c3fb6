import { describe, expect, it } from 'vitest';
import {
  failedToProcess,
  faultAnswer,
  inactiveService,
  operationNotFound,
  serviceNotFound,
} from '../../src/transport/fault-response.ts';
import type { HttpAnswer } from '../../src/transport/http-answer.ts';
import { parseXml } from '../../src/xml/index.ts';
import { request } from './messages.ts';

const textOf = ({ body }: HttpAnswer) => Buffer.from(body ?? []).toString();
const soap11: Array<[string, string]> = [
  ['Content-Type', 'text/xml'],
  ['SOAPAction', '""'],
];
const soap12: Array<[string, string]> = [['Content-Type', 'application/soap+xml']];

describe('a fault', () => {
  it.each<[string, Array<[string, string]>, string, RegExp]>([
    [
      'SOAP 1.1',
      soap11,
      'text/xml',
      /<soapenv:Fault><faultcode>soapenv:Server<\/faultcode><faultstring>a &lt; b<\/faultstring>/,
    ],
    ['SOAP 1.2', soap12, 'application/soap+xml', /<soapenv:Value>soapenv:Receiver<\/soapenv:Value>.*a &lt; b/],
    ['JSON', [['Content-Type', 'application/json']], 'application/json', /"faultstring":"a < b"/],
    ['JSON by Accept', [['Accept', 'text/html, application/problem+json;q=1']], 'application/json', /"faultstring"/],
    ['XML', [['Content-Type', 'application/xml']], 'application/xml', /<Exception>a &lt; b<\/Exception>/],
    ['XML by Accept', [['Accept', 'application/xml']], 'application/xml', /<Exception>/],
    ['text', [['Accept', '*/*']], 'text/plain', /^a < b$/],
    ['a browser', [['Accept', 'application/xhtml+xml']], 'text/plain', /^a < b$/],
  ])('for a client that speaks %s', (_name, headers, type, body) => {
    const answer = faultAnswer(request('/services/P', { headers }), { status: 503, reason: 'a < b', code: 101503 });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Content-Type')).toBe(`${type}; charset=UTF-8`);
    expect(textOf(answer)).toMatch(body);
    if (type.endsWith('xml')) parseXml(Buffer.from(answer.body ?? []));
  });

  it('holds no more and no worse of a reason than its form can carry', () => {
    const reason = `a\u0000b\ud800c\uffff${'x'.repeat(10_000)}`;
    for (const headers of [soap11, soap12]) {
      const answer = faultAnswer(request('/', { headers }), { status: 500, reason });
      expect(() => parseXml(Buffer.from(answer.body ?? []))).not.toThrow();
      expect(textOf(answer).length).toBeLessThan(5_000);
    }
  });
});

describe('dispatch faults', () => {
  it('have the texts of the reference and status 500', () => {
    const unknown = serviceNotFound(request('/services/Nope?x=1', { headers: soap11 }));
    expect(unknown.status).toBe(500);
    expect(textOf(unknown)).toContain('The service cannot be found for the endpoint reference (EPR) /services/Nope<');
    const inactive = inactiveService(request('/services/P', { headers: soap12 }), 'P');
    expect(inactive.status).toBe(500);
    expect(textOf(inactive)).toContain('The system is attempting to access an inactive service: P');
    const operation = operationNotFound(request('/services/P', { headers: soap11 }), 'urn:x');
    expect(textOf(operation)).toContain('for the Operation not found is /services/P and the WSA Action = urn:x');
  });

  it('have a last resort that is safe in a browser', () => {
    expect(textOf(failedToProcess('<script>'))).toBe(
      '<html><body><h1>Failed to process the request</h1><p>&lt;script&gt;</p></body></html>',
    );
  });
});
