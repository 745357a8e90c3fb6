import {
  cloneInto,
  createElement,
  newDocument,
  serializeXml,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';

const WSDL = 'http://schemas.xmlsoap.org/wsdl/';
const SOAP11_BINDING = 'http://schemas.xmlsoap.org/wsdl/soap/';
const SOAP12_BINDING = 'http://schemas.xmlsoap.org/wsdl/soap12/';
const HTTP_BINDING = 'http://schemas.xmlsoap.org/wsdl/http/';
const WSDL20 = 'http://www.w3.org/ns/wsdl';
const XML_SCHEMA = 'http://www.w3.org/2001/XMLSchema';
const ADDRESSING = 'http://www.w3.org/2006/05/addressing/wsdl';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const SOAP_OVER_HTTP = 'http://schemas.xmlsoap.org/soap/http';
const TARGET_NAMESPACE = 'http://ws.apache.org/axis2';
const ELEMENT_NODE = 1;

/** The URLs at which a service is reached, for example `https://host:8243/services/P`. */
export interface ServiceUrls {
  readonly http: string | undefined;
  readonly https: string | undefined;
}

/**
 * A given WSDL as this server publishes it: port addresses become this server's, and relative imports of known resources become
 * `?wsdl=` and `?xsd=` requests to it (spec proxies 1.1, 1.5). The given document stays as it is.
 */
export function publishedWsdl(wsdl: XmlElement, urls: ServiceUrls, isResource: (location: string) => boolean): string {
  const root = standalone(wsdl);
  for (const element of descendants(root)) {
    rewriteAddress(element, urls);
    rewriteImport(element, urls, isResource);
  }
  return serializeXml(root, { declaration: 'UTF-8' });
}

/** The schema with this position in the WSDL's types; undefined when there is none. */
export function embeddedSchema(wsdl: XmlElement, index: number): string | undefined {
  let position = 0;
  for (const element of descendants(wsdl)) {
    if (element.namespaceURI !== XML_SCHEMA || element.localName !== 'schema') continue;
    if (position === index) return serializeXml(standalone(element), { declaration: 'UTF-8' });
    position += 1;
  }
  return undefined;
}

/** The WSDL 1.1 of a service that has none of its own: one operation, `mediate`, that takes and returns anything. */
export function generatedWsdl(serviceName: string, urls: ServiceUrls): string {
  const document = newDocument(WSDL, 'wsdl:definitions');
  const root = document.documentElement as XmlElement;
  const make = elementMaker(document);
  for (const [prefix, namespace] of [
    ['tns', TARGET_NAMESPACE],
    ['soap', SOAP11_BINDING],
    ['soap12', SOAP12_BINDING],
    ['wsaw', ADDRESSING],
    ['xs', XML_SCHEMA],
  ] as const) {
    root.setAttributeNS(XMLNS, `xmlns:${prefix}`, namespace);
  }
  root.setAttribute('targetNamespace', TARGET_NAMESPACE);
  const name = ncName(serviceName);
  const parts = [
    make(WSDL, 'wsdl:documentation', {}, serviceName),
    make(WSDL, 'wsdl:types'),
    message(make, 'mediateRequest'),
    message(make, 'mediateResponse'),
    portType(make, name),
    binding(make, name, 'Soap11', SOAP11_BINDING, 'soap'),
    binding(make, name, 'Soap12', SOAP12_BINDING, 'soap12'),
    make(WSDL, 'wsdl:service', { name }, ...ports(make, name, urls)),
  ];
  for (const part of parts) root.appendChild(part);
  return serializeXml(root, { declaration: 'UTF-8' });
}

type MakeElement = (
  namespace: string,
  name: string,
  attributes?: Readonly<Record<string, string>>,
  ...content: ReadonlyArray<XmlElement | string>
) => XmlElement;

function elementMaker(document: XmlDocument): MakeElement {
  return (namespace, name, attributes = {}, ...content) => {
    const element = createElement(document, namespace, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('wsaw:')) element.setAttributeNS(ADDRESSING, key, value);
      else element.setAttribute(key, value);
    }
    for (const child of content)
      element.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
    return element;
  };
}

function message(make: MakeElement, name: string): XmlElement {
  return make(WSDL, 'wsdl:message', { name }, make(WSDL, 'wsdl:part', { name: 'parameters', type: 'xs:anyType' }));
}

function portType(make: MakeElement, name: string): XmlElement {
  return make(
    WSDL,
    'wsdl:portType',
    { name: `${name}PortType` },
    make(
      WSDL,
      'wsdl:operation',
      { name: 'mediate' },
      make(WSDL, 'wsdl:input', { message: 'tns:mediateRequest', 'wsaw:Action': 'urn:mediate' }),
      make(WSDL, 'wsdl:output', { message: 'tns:mediateResponse', 'wsaw:Action': 'urn:mediateResponse' }),
    ),
  );
}

function binding(make: MakeElement, name: string, version: string, namespace: string, prefix: string): XmlElement {
  const body = () => make(namespace, `${prefix}:body`, { use: 'literal' });
  return make(
    WSDL,
    'wsdl:binding',
    { name: `${name}${version}Binding`, type: `tns:${name}PortType` },
    make(namespace, `${prefix}:binding`, { transport: SOAP_OVER_HTTP, style: 'document' }),
    make(
      WSDL,
      'wsdl:operation',
      { name: 'mediate' },
      make(namespace, `${prefix}:operation`, { soapAction: 'urn:mediate', style: 'document' }),
      make(WSDL, 'wsdl:input', {}, body()),
      make(WSDL, 'wsdl:output', {}, body()),
    ),
  );
}

function ports(make: MakeElement, name: string, { http, https }: ServiceUrls): XmlElement[] {
  const made: XmlElement[] = [];
  for (const [scheme, url] of [
    ['Http', http],
    ['Https', https],
  ] as const) {
    if (url === undefined) continue;
    for (const [version, namespace, prefix] of [
      ['Soap11', SOAP11_BINDING, 'soap'],
      ['Soap12', SOAP12_BINDING, 'soap12'],
    ] as const) {
      const port = `${name}${scheme}${version}Endpoint`;
      const address = make(namespace, `${prefix}:address`, { location: `${url}.${port}` });
      made.push(make(WSDL, 'wsdl:port', { name: port, binding: `tns:${name}${version}Binding` }, address));
    }
  }
  return made;
}

function rewriteAddress(element: XmlElement, urls: ServiceUrls): void {
  const { namespaceURI, localName } = element;
  const isWsdl11 =
    localName === 'address' &&
    (namespaceURI === SOAP11_BINDING || namespaceURI === SOAP12_BINDING || namespaceURI === HTTP_BINDING);
  const isWsdl20 = localName === 'endpoint' && namespaceURI === WSDL20;
  if (!isWsdl11 && !isWsdl20) return;
  const attribute = isWsdl11 ? 'location' : 'address';
  const given = element.getAttribute(attribute) ?? '';
  const own = (given.startsWith('https:') ? urls.https : urls.http) ?? urls.http ?? urls.https;
  if (own !== undefined) element.setAttribute(attribute, own);
}

function rewriteImport(element: XmlElement, urls: ServiceUrls, isResource: (location: string) => boolean): void {
  const { namespaceURI, localName } = element;
  if (localName !== 'import' && localName !== 'include') return;
  const isSchema = namespaceURI === XML_SCHEMA;
  if (!isSchema && namespaceURI !== WSDL && namespaceURI !== WSDL20) return;
  const attribute = isSchema ? 'schemaLocation' : 'location';
  const location = element.getAttribute(attribute);
  const base = urls.http ?? urls.https;
  if (!location || base === undefined || !isResource(location)) return;
  element.setAttribute(attribute, `${base}?${isSchema ? 'xsd' : 'wsdl'}=${encodeURIComponent(location)}`);
}

/** A copy as a root of its own: namespaces that were declared further out are declared on it, for QNames in attribute values. */
function standalone(element: XmlElement): XmlElement {
  const document = newDocument(null, 'standalone');
  const copy = cloneInto(document, element);
  document.replaceChild(copy, document.documentElement as XmlElement);
  for (let outer: XmlNode | null = element.parentNode; outer?.nodeType === ELEMENT_NODE; outer = outer.parentNode) {
    for (const { namespaceURI, nodeName, localName, value } of attributesOf(outer as XmlElement)) {
      if (namespaceURI === XMLNS && nodeName !== 'xmlns' && !copy.hasAttributeNS(XMLNS, localName ?? '')) {
        copy.setAttributeNS(XMLNS, nodeName, value);
      }
    }
  }
  return copy;
}

function attributesOf({ attributes }: XmlElement) {
  return attributes;
}

function* descendants(root: XmlElement): Generator<XmlElement> {
  let node: XmlNode | null = root;
  while (node) {
    if (node.nodeType === ELEMENT_NODE) yield node as XmlElement;
    node = node.firstChild ?? following(node, root);
  }
}

function following(node: XmlNode, root: XmlNode): XmlNode | null {
  let at: XmlNode | null = node;
  while (at && at !== root && !at.nextSibling) at = at.parentNode;
  return at && at !== root ? at.nextSibling : null;
}

/** Service names may hold what names of WSDL parts may not. */
function ncName(name: string): string {
  const legal = name.replaceAll(/[^\p{L}\p{N}._-]/gu, '_');
  return /^[\p{L}_]/u.test(legal) ? legal : `_${legal}`;
}
