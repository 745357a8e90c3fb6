/** WSDL 1.1 and XML schema of the stock quote service in both flavours (stockquote-samples 1.11). */
import { NS, XSD } from '../wire/soap.ts';
import type { Addresses, Flavour } from './operation.ts';

interface OperationShape {
  readonly name: string;
  /** name and type of the wrapper's one child */
  readonly input: readonly [string, string];
  /** type of `return`; none for an in-only operation */
  readonly output?: string;
  readonly faults?: boolean;
}

const OPERATIONS: readonly OperationShape[] = [
  { name: 'getQuote', input: ['request', 'GetQuote'], output: 'GetQuoteResponse', faults: true },
  { name: 'getSimpleQuote', input: ['symbol', 'xs:string'], output: 'GetQuoteResponse' },
  { name: 'getFullQuote', input: ['request', 'GetFullQuote'], output: 'GetFullQuoteResponse' },
  { name: 'getMarketActivity', input: ['request', 'GetMarketActivity'], output: 'GetMarketActivityResponse' },
  { name: 'placeOrder', input: ['order', 'PlaceOrder'] },
];

type Field = readonly [name: string, type: string, many?: 'many'];

/** The beans, their fields in the order in which Axis2 writes them. */
const BEANS: ReadonlyArray<readonly [name: string, fields: readonly Field[]]> = [
  ['GetQuote', [['symbol', 'xs:string']]],
  ['GetFullQuote', [['symbol', 'xs:string']]],
  ['GetMarketActivity', [['symbols', 'xs:string', 'many']]],
  [
    'PlaceOrder',
    [
      ['price', 'xs:double'],
      ['quantity', 'xs:int'],
      ['symbol', 'xs:string'],
    ],
  ],
  [
    'GetQuoteResponse',
    [
      ['change', 'xs:double'],
      ['earnings', 'xs:double'],
      ['high', 'xs:double'],
      ['last', 'xs:double'],
      ['lastTradeTimestamp', 'xs:string'],
      ['low', 'xs:double'],
      ['marketCap', 'xs:double'],
      ['name', 'xs:string'],
      ['open', 'xs:double'],
      ['peRatio', 'xs:double'],
      ['percentageChange', 'xs:double'],
      ['prevClose', 'xs:double'],
      ['symbol', 'xs:string'],
      ['volume', 'xs:int'],
    ],
  ],
  ['GetFullQuoteResponse', [['tradeHistory', 'TradingDay', 'many']]],
  [
    'TradingDay',
    [
      ['day', 'xs:int'],
      ['quote', 'GetQuoteResponse'],
    ],
  ],
  ['GetMarketActivityResponse', [['quotes', 'GetQuoteResponse', 'many']]],
];

const EXCEPTION = 'SimpleStockQuoteServiceException';

/** The port names of a service, in the order of its WSDL; each is also an address of the service, `NAME.PORT`. */
export function portNames(service: string): readonly string[] {
  return ['Soap11', 'Soap12', ''].flatMap((binding) =>
    ['Http', 'Https'].map((transport) => `${service}${transport}${binding}Endpoint`),
  );
}

/** The XML schema alone: of the wrappers, and in the Apache flavour of the beans too. */
export function stockQuoteSchema(flavour: Flavour): string {
  const beans = flavour === 'apache' ? beanTypes('ns') : '';
  const imports = flavour === 'wso2' ? `<xs:import namespace="${XSD}"/>` : '';
  return schema(NS, `xmlns:ns="${NS}" xmlns:ax21="${XSD}"`, imports + beans + wrappers(flavour));
}

/** The WSDL of one service. The HTTPS ports are described only where there is an HTTPS listener. */
export function stockQuoteWsdl(service: string, flavour: Flavour, addresses: Addresses): string {
  const beans = flavour === 'wso2' ? schema(XSD, `xmlns:ax21="${XSD}"`, beanTypes('ax21')) : '';
  return (
    `<?xml version="1.0" encoding="UTF-8"?>` +
    `<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:ns="${NS}" ` +
    (flavour === 'wso2' ? `xmlns:ax21="${XSD}" ` : '') +
    `xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl" ` +
    `xmlns:http="http://schemas.xmlsoap.org/wsdl/http/" xmlns:mime="http://schemas.xmlsoap.org/wsdl/mime/" ` +
    `xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" ` +
    `targetNamespace="${NS}"><wsdl:documentation>${service}</wsdl:documentation>` +
    `<wsdl:types>${beans}${stockQuoteSchema(flavour)}</wsdl:types>` +
    messages() +
    portType(service) +
    soapBinding(service, 'Soap11', 'soap') +
    soapBinding(service, 'Soap12', 'soap12') +
    httpBinding(service) +
    `<wsdl:service name="${service}">${ports(service, addresses)}</wsdl:service></wsdl:definitions>`
  );
}

function schema(namespace: string, declarations: string, content: string): string {
  return (
    `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" ${declarations} attributeFormDefault="qualified" ` +
    `elementFormDefault="qualified" targetNamespace="${namespace}">${content}</xs:schema>`
  );
}

function beanTypes(prefix: string): string {
  return BEANS.map(([name, fields]) => complexType(name, fields, prefix)).join('');
}

function wrappers(flavour: Flavour): string {
  const prefix = flavour === 'wso2' ? 'ax21' : 'ns';
  const exception = complexType('Exception', [['Message', 'xs:string']], 'ns');
  const fault = wrapper(EXCEPTION, [EXCEPTION, 'Exception'], 'ns');
  const operations = OPERATIONS.map(
    ({ name, input, output }) =>
      wrapper(name, input, prefix) + (output ? wrapper(`${name}Response`, ['return', output], prefix) : ''),
  );
  return exception + fault + operations.join('');
}

function wrapper(name: string, child: Field, prefix: string): string {
  return `<xs:element name="${name}">${complexType('', [child], prefix)}</xs:element>`;
}

function complexType(name: string, fields: readonly Field[], prefix: string): string {
  const elements = fields.map(([field, type, many]) => {
    const primitive = type.startsWith('xs:') && type !== 'xs:string';
    return (
      `<xs:element minOccurs="0"${many ? ' maxOccurs="unbounded"' : ''} name="${field}"` +
      `${primitive ? '' : ' nillable="true"'} type="${type.startsWith('xs:') ? type : `${prefix}:${type}`}"/>`
    );
  });
  return `<xs:complexType${name && ` name="${name}"`}><xs:sequence>${elements.join('')}</xs:sequence></xs:complexType>`;
}

function messages(): string {
  const message = (name: string, element: string) =>
    `<wsdl:message name="${name}"><wsdl:part name="parameters" element="ns:${element}"/></wsdl:message>`;
  const operations = OPERATIONS.map(
    ({ name, output }) =>
      message(`${name}Request`, name) + (output ? message(`${name}Response`, `${name}Response`) : ''),
  );
  return operations.join('') + message(EXCEPTION, EXCEPTION);
}

function portType(service: string): string {
  const operations = OPERATIONS.map(({ name, output, faults }) => {
    const part = (kind: string, message: string, action: string) =>
      `<wsdl:${kind} ${kind === 'fault' ? `name="${message}" ` : ''}message="ns:${message}" wsaw:Action="${action}"/>`;
    return (
      `<wsdl:operation name="${name}">${part('input', `${name}Request`, `urn:${name}`)}` +
      (output ? part('output', `${name}Response`, `urn:${name}Response`) : '') +
      `${faults ? part('fault', EXCEPTION, `urn:${name}${EXCEPTION}`) : ''}</wsdl:operation>`
    );
  });
  return `<wsdl:portType name="${service}PortType">${operations.join('')}</wsdl:portType>`;
}

function soapBinding(service: string, version: string, p: string): string {
  const body = `<${p}:body use="literal"/>`;
  const operations = OPERATIONS.map(
    ({ name, output, faults }) =>
      `<wsdl:operation name="${name}"><${p}:operation soapAction="urn:${name}" style="document"/>` +
      `<wsdl:input>${body}</wsdl:input>${output ? `<wsdl:output>${body}</wsdl:output>` : ''}` +
      (faults ? `<wsdl:fault name="${EXCEPTION}"><${p}:fault use="literal" name="${EXCEPTION}"/></wsdl:fault>` : '') +
      `</wsdl:operation>`,
  );
  return (
    `<wsdl:binding name="${service}${version}Binding" type="ns:${service}PortType">` +
    `<${p}:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>${operations.join('')}</wsdl:binding>`
  );
}

function httpBinding(service: string): string {
  const content = `<mime:content type="application/xml" part="parameters"/>`;
  const operations = OPERATIONS.map(
    ({ name, output }) =>
      `<wsdl:operation name="${name}"><http:operation location="${name}"/><wsdl:input>${content}</wsdl:input>` +
      `${output ? `<wsdl:output>${content}</wsdl:output>` : ''}</wsdl:operation>`,
  );
  return (
    `<wsdl:binding name="${service}HttpBinding" type="ns:${service}PortType"><http:binding verb="POST"/>` +
    `${operations.join('')}</wsdl:binding>`
  );
}

function ports(service: string, { host, httpPort, httpsPort }: Addresses): string {
  return portNames(service)
    .map((port) => {
      const secure = port.startsWith(`${service}Https`);
      if (secure && httpsPort === undefined) return '';
      const [kind, element] = port.includes('Soap11')
        ? ['Soap11', 'soap']
        : port.includes('Soap12')
          ? ['Soap12', 'soap12']
          : ['Http', 'http'];
      const origin = secure ? `https://${host}:${httpsPort}` : `http://${host}:${httpPort}`;
      return (
        `<wsdl:port name="${port}" binding="ns:${service}${kind}Binding">` +
        `<${element}:address location="${origin}/services/${service}.${port}"/></wsdl:port>`
      );
    })
    .join('');
}
