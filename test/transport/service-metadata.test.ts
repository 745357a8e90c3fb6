import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../src/transport/http-answer.ts';
import { type MetadataOptions, metadataAnswer, type ServiceDescription } from '../../src/transport/service-metadata.ts';
import { firstElement, parseXml, type XmlElement } from '../../src/xml/index.ts';
import { request } from './messages.ts';

const GIVEN = `<proxy xmlns:o="urn:orders" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
  <wsdl:import namespace="urn:x" location="more.wsdl"/>
  <wsdl:types><xs:schema targetNamespace="urn:orders"><xs:import namespace="urn:y" schemaLocation="types.xsd"/>
    <xs:import namespace="urn:z" schemaLocation="http://elsewhere/z.xsd"/><xs:element name="order" type="o:Order"/></xs:schema></wsdl:types>
  <wsdl:service name="S"><wsdl:port name="A"><soap:address location="http://backend:9000/S"/></wsdl:port>
    <wsdl:port name="B"><soap:address location="https://backend:9002/S"/></wsdl:port></wsdl:service>
</wsdl:definitions></proxy>`;

const given = () => firstElement(parseXml(Buffer.from(GIVEN)).documentElement as XmlElement) as XmlElement;
const plain: ServiceDescription = { name: 'P', active: true, exposedOn: () => true };
const withWsdl = (more: Partial<ServiceDescription> = {}): ServiceDescription => ({
  ...plain,
  wsdl: given(),
  resource: (location) => ({ 'types.xsd': '<xs:schema xmlns:xs="x"/>', 'more.wsdl': '<more/>' })[location],
  ...more,
});

const options = (service: ServiceDescription | undefined, more: Partial<MetadataOptions> = {}): MetadataOptions => ({
  service,
  ports: [
    { scheme: 'http', port: 8280 },
    { scheme: 'https', port: 8243 },
  ],
  services: () => [plain, { name: '<b>&', active: false, exposedOn: () => true }],
  ...more,
});
const ask = (target: string, service?: ServiceDescription, more: Partial<MetadataOptions> = {}, method = 'GET') =>
  metadataAnswer(request(target, { method }), options(service, more));
const textOf = (answer: HttpAnswer | undefined) => Buffer.from(answer?.body ?? []).toString();
const locations = (wsdl: string) =>
  [...wsdl.matchAll(/(?:soap|soap12):address location="([^"]*)"/g)].map((match) => match[1]);

describe('what is no request for metadata', () => {
  it.each([
    ['/services/P', 'GET'],
    ['/services/P?x=1', 'GET'],
    ['/services/P?wsdlx', 'GET'],
    ['/services/P?x=1&wsdl', 'GET'],
    ['/services/P?wsdl', 'POST'],
    ['/favicon.ico', 'POST'],
  ])('%s %s', (target, method) => {
    expect(ask(target, plain, {}, method)).toBeUndefined();
  });

  it('?wsdl of an unknown service', () => {
    expect(ask('/services/Nope?wsdl')).toBeUndefined();
  });
});

describe('?wsdl', () => {
  it('is generated for a service without one: the operation mediate at this server’s addresses', () => {
    const answer = ask('/services/P?wsdl', plain);
    expect(answer).toMatchObject({ status: 200 });
    expect(answer?.headers.get('Content-Type')).toBe('text/xml; charset=UTF-8');
    const wsdl = textOf(answer);
    expect(parseXml(Buffer.from(wsdl)).documentElement?.localName).toBe('definitions');
    expect(wsdl).toContain('<wsdl:operation name="mediate">');
    expect(locations(wsdl)).toEqual([
      'http://localhost:8280/services/P.PHttpSoap11Endpoint',
      'http://localhost:8280/services/P.PHttpSoap12Endpoint',
      'https://localhost:8243/services/P.PHttpsSoap11Endpoint',
      'https://localhost:8243/services/P.PHttpsSoap12Endpoint',
    ]);
  });

  it('is well-formed for names that are no XML names', () => {
    const wsdl = textOf(ask('/services/x?wsdl', { ...plain, name: '1/<v>&"2' }));
    expect(() => parseXml(Buffer.from(wsdl))).not.toThrow();
    expect(locations(wsdl)[0]).toContain('/services/1/%3Cv%3E%26%222._1__v___2HttpSoap11Endpoint');
  });

  it('is the given one with addresses and relative imports of this server, and stands by itself', () => {
    const service = withWsdl();
    const wsdl = textOf(ask('/services/P?wsdl', service));
    expect(locations(wsdl)).toEqual(['http://localhost:8280/services/P', 'https://localhost:8243/services/P']);
    expect(wsdl).toContain('schemaLocation="http://localhost:8280/services/P?xsd=types.xsd"');
    expect(wsdl).toContain('location="http://localhost:8280/services/P?wsdl=more.wsdl"');
    expect(wsdl).toContain('schemaLocation="http://elsewhere/z.xsd"');
    // The prefix is used in an attribute value only, and was declared outside of the WSDL.
    expect(wsdl).toContain('xmlns:o="urn:orders"');
    expect(() => parseXml(Buffer.from(wsdl))).not.toThrow();
    expect(textOf(ask('/services/P?wsdl', service))).toBe(wsdl);
  });

  it('keeps the given addresses if asked to, and knows only the transports of the service', () => {
    expect(locations(textOf(ask('/services/P?wsdl', withWsdl({ keepsAddresses: true }))))).toEqual([
      'http://backend:9000/S',
      'https://backend:9002/S',
    ]);
    const httpsOnly = withWsdl({ exposedOn: (transport) => transport === 'https' });
    expect(locations(textOf(ask('/services/P?wsdl', httpsOnly)))).toEqual([
      'https://localhost:8243/services/P',
      'https://localhost:8243/services/P',
    ]);
  });

  it('serves imported documents by name, 404 for others', () => {
    expect(textOf(ask('/services/P?wsdl=more.wsdl', withWsdl()))).toBe('<more/>');
    expect(ask('/services/P?wsdl=other.wsdl', withWsdl())?.status).toBe(404);
    expect(textOf(ask('/services/P?xsd=types.xsd&x', withWsdl()))).toContain('<xs:schema');
    expect(ask('/services/P?xsd=nope.xsd', withWsdl())?.status).toBe(404);
    expect(textOf(ask('/services/P?xsd', withWsdl()))).toContain('name="order"');
    expect(textOf(ask('/services/P?xsd=xsd0.xsd', withWsdl()))).toContain('xmlns:o="urn:orders"');
    expect(ask('/services/P?xsd', plain)?.status).toBe(404);
  });

  it('says what is wrong when it cannot be made', () => {
    const broken = withWsdl({
      resource() {
        throw new Error('the entry is gone');
      },
    });
    const answer = ask('/services/P?wsdl', broken);
    expect([answer?.status, textOf(answer), answer?.close]).toEqual([500, 'the entry is gone', true]);
  });
});

describe('the other requests', () => {
  it('?wsdl2 without a WSDL', () => {
    const answer = ask('/services/P?wsdl2', plain);
    expect([answer?.status, answer?.headers.get('Content-Type')]).toEqual([500, 'text/html; charset=UTF-8']);
    expect(textOf(answer)).toBe('No WSDL was provided for the Service P. A WSDL cannot be generated.');
  });

  it('?info, escaped', () => {
    expect(textOf(ask('/services/x?info', { ...plain, name: '<script>' }))).toContain('<h1>&lt;script&gt;</h1>');
  });

  it('the list of services, escaped, or 403', () => {
    for (const target of ['/services', '/services/']) {
      const list = textOf(ask(target));
      expect(list).toContain('<a href="http://localhost:8280/services/P?info">P</a>');
      expect(list).toContain('&lt;b&gt;&amp;</a> (inactive)');
      expect(list).not.toContain('<b>&');
    }
    expect(ask('/services', undefined, { blockServiceList: true })?.status).toBe(403);
  });

  it('the favicon', () => {
    expect(ask('/favicon.ico')).toMatchObject({ status: 404, body: undefined });
  });
});
