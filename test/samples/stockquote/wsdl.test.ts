import { describe, expect, it } from 'vitest';
import type { Flavour } from '../../../samples/stockquote/service/operation.ts';
import { portNames, stockQuoteSchema, stockQuoteWsdl } from '../../../samples/stockquote/service/wsdl.ts';
import { NS, XSD } from '../../../samples/stockquote/wire/soap.ts';
import { elementChildren, parseXml, type XmlElement } from '../../../src/xml/index.ts';

const SERVICE = 'SimpleStockQuoteService';
const SCHEMA = 'http://www.w3.org/2001/XMLSchema';

function wsdl(flavour: Flavour, httpsPort: number | undefined): XmlElement {
  const root = parseXml(
    stockQuoteWsdl(SERVICE, flavour, { host: 'esb.example', httpPort: 9000, httpsPort }),
  ).documentElement;
  if (!root) throw new Error('no root');
  return root;
}

function all(element: XmlElement, name: string): XmlElement[] {
  return elementChildren(element).flatMap((child) => [
    ...(child.localName === name ? [child] : []),
    ...all(child, name),
  ]);
}

const names = (elements: readonly XmlElement[]) => elements.map((element) => element.getAttribute('name'));
const child = (element: XmlElement | undefined, name: string) => (element ? all(element, name)[0] : undefined);

describe.each(['wso2', 'apache'] as const)('the WSDL of the %s flavour', (flavour) => {
  const root = wsdl(flavour, 9002);

  it('describes the service, its port type, bindings and six ports', () => {
    expect(root.getAttribute('targetNamespace')).toBe(NS);
    expect(names(all(root, 'portType'))).toEqual(['SimpleStockQuoteServicePortType']);
    expect(names(all(root, 'binding').filter((one) => one.prefix === 'wsdl'))).toEqual([
      'SimpleStockQuoteServiceSoap11Binding',
      'SimpleStockQuoteServiceSoap12Binding',
      'SimpleStockQuoteServiceHttpBinding',
    ]);
    const ports = all(root, 'port');
    expect(names(ports)).toEqual(portNames(SERVICE));
    const addresses = Object.fromEntries(
      ports.map((one) => [one.getAttribute('name'), child(one, 'address')?.getAttribute('location')]),
    );
    expect(addresses[`${SERVICE}HttpSoap11Endpoint`]).toBe(
      `http://esb.example:9000/services/${SERVICE}.${SERVICE}HttpSoap11Endpoint`,
    );
    expect(addresses[`${SERVICE}HttpsSoap12Endpoint`]).toBe(
      `https://esb.example:9002/services/${SERVICE}.${SERVICE}HttpsSoap12Endpoint`,
    );
  });

  it('lets nothing refer to what is not there', () => {
    const schemas = all(root, 'schema');
    const declared = (kind: string) =>
      new Set(
        schemas.flatMap((schema) =>
          names(elementChildren(schema).filter(({ localName }) => localName === kind)).map(
            (name) => `{${schema.getAttribute('targetNamespace')}}${name}`,
          ),
        ),
      );
    const types = declared('complexType');
    const elements = declared('element');
    const resolve = (at: XmlElement, qname: string | null) => {
      const [prefix = '', local = ''] = (qname ?? '').split(':');
      return `{${at.lookupNamespaceURI(prefix)}}${local}`;
    };
    const typed = all(root, 'element').filter((element) => element.hasAttribute('type'));
    expect(typed.length).toBeGreaterThan(30);
    for (const element of typed) {
      const type = resolve(element, element.getAttribute('type'));
      if (!type.startsWith(`{${SCHEMA}}`)) expect(types).toContain(type);
    }
    for (const part of all(root, 'part')) expect(elements).toContain(resolve(part, part.getAttribute('element')));
    const messages = new Set(names(all(root, 'message')).map((name) => `{${NS}}${name}`));
    const portType = all(root, 'portType')[0] as XmlElement;
    for (const kind of ['input', 'output', 'fault']) {
      for (const use of all(portType, kind)) expect(messages).toContain(resolve(use, use.getAttribute('message')));
    }
  });

  it('gives each operation its actions', () => {
    const operations = all(all(root, 'portType')[0] as XmlElement, 'operation');
    expect(names(operations).sort()).toEqual(
      ['getFullQuote', 'getMarketActivity', 'getQuote', 'getSimpleQuote', 'placeOrder'].sort(),
    );
    const wsaw = 'http://www.w3.org/2006/05/addressing/wsdl';
    for (const operation of operations) {
      const name = operation.getAttribute('name');
      expect(child(operation, 'input')?.getAttributeNS(wsaw, 'Action')).toBe(`urn:${name}`);
      const output = child(operation, 'output')?.getAttributeNS(wsaw, 'Action');
      expect(output).toBe(name === 'placeOrder' ? undefined : `urn:${name}Response`);
    }
    expect(child(operations[0], 'fault')?.getAttributeNS(wsaw, 'Action')).toBe(
      'urn:getQuoteSimpleStockQuoteServiceException',
    );
  });

  it('puts the beans where the flavour has them', () => {
    const namespaces = all(root, 'schema').map((schema) => schema.getAttribute('targetNamespace'));
    expect(namespaces).toEqual(flavour === 'wso2' ? [XSD, NS] : [NS]);
    for (const schema of all(root, 'schema')) expect(schema.getAttribute('elementFormDefault')).toBe('qualified');
  });

  it('makes every element optional, and nillable unless it is a number', () => {
    const fields = all(root, 'element').filter((element) => element.hasAttribute('type'));
    for (const field of fields) {
      expect(field.getAttribute('minOccurs')).toBe('0');
      const number = /^xs:(double|int)$/.test(field.getAttribute('type') ?? '');
      expect(field.getAttribute('nillable')).toBe(number ? null : 'true');
    }
  });
});

describe('the descriptions', () => {
  it('name no HTTPS address where nothing listens', () => {
    const plain = wsdl('wso2', undefined);
    expect(names(all(plain, 'port'))).toEqual(portNames(SERVICE).filter((name) => !name.includes('Https')));
  });

  it('give the schema alone as well', () => {
    expect(parseXml(stockQuoteSchema('apache')).documentElement?.getAttribute('targetNamespace')).toBe(NS);
  });
});
