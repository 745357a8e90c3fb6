import {
  cloneInto,
  createElement,
  elementChildren,
  firstElement,
  newDocument,
  textOf,
  type XmlAttribute,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';

export const SOAP11_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
export const SOAP12_NAMESPACE = 'http://www.w3.org/2003/05/soap-envelope';
/** Of the `text`, `binary` and `map` wrappers (spec mediators 5.2). */
export const PAYLOAD_NAMESPACE = 'http://ws.apache.org/commons/ns/payload';

const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const SOAP11_NEXT_ACTOR = 'http://schemas.xmlsoap.org/soap/actor/next';
const SOAP12_NEXT_ROLE = 'http://www.w3.org/2003/05/soap-envelope/role/next';

export type SoapVersion = '1.1' | '1.2';

export function soapNamespace(version: SoapVersion): string {
  return version === '1.2' ? SOAP12_NAMESPACE : SOAP11_NAMESPACE;
}

/** The SOAP version of an element in one of the two envelope namespaces. */
export function soapVersionOf(element: XmlElement): SoapVersion | undefined {
  if (element.namespaceURI === SOAP11_NAMESPACE) return '1.1';
  return element.namespaceURI === SOAP12_NAMESPACE ? '1.2' : undefined;
}

export function isEnvelope(element: XmlElement | undefined): element is XmlElement {
  return element?.localName === 'Envelope' && soapVersionOf(element) !== undefined;
}

const PREFIX = 'soapenv';
/** Every part of a message gets an envelope: names that are put together anew would have to be looked at letter by letter. */
const USUAL_NAMES = ['soapenv:Header', 'soapenv:Body'];

/** An envelope with an empty Header and Body (spec mediators 5.1), in a document of its own. */
export function createEnvelope(version: SoapVersion): XmlElement {
  const document = newDocument(soapNamespace(version), 'soapenv:Envelope');
  return fillEnvelope(rootOf(document));
}

function newEnvelope(version: SoapVersion, prefix: string): XmlElement {
  const document = newDocument(soapNamespace(version), `${prefix}:Envelope`);
  return fillEnvelope(rootOf(document));
}

function fillEnvelope(envelope: XmlElement): XmlElement {
  const document = documentOf(envelope);
  const { namespaceURI, prefix } = envelope;
  for (const name of prefix === PREFIX ? USUAL_NAMES : [qualified(prefix, 'Header'), qualified(prefix, 'Body')]) {
    envelope.appendChild(createElement(document, namespaceURI, name));
  }
  return envelope;
}

/** Puts an envelope around the root of a document, in that same document: the root itself moves into the Body. */
export function wrapRoot(root: XmlElement, version: SoapVersion): XmlElement {
  const document = documentOf(root);
  const envelope = fillEnvelope(createElement(document, soapNamespace(version), 'soapenv:Envelope'));
  document.replaceChild(envelope, root);
  bodyOf(envelope).appendChild(root);
  return envelope;
}

/** An envelope around a copy of a Body child. */
export function envelopeAround(child: XmlElement, version: SoapVersion): XmlElement {
  const envelope = createEnvelope(version);
  bodyOf(envelope).appendChild(cloneInto(documentOf(envelope), child));
  return envelope;
}

export function headerOf(envelope: XmlElement): XmlElement | undefined {
  return elementChildren(envelope).find((child) => isSoapElement(child, envelope, 'Header'));
}

/** The Header, made if there is none. */
export function ensureHeader(envelope: XmlElement): XmlElement {
  const present = headerOf(envelope);
  if (present) return present;
  const header = createElement(documentOf(envelope), envelope.namespaceURI, qualified(envelope.prefix, 'Header'));
  envelope.insertBefore(header, envelope.firstChild);
  return header;
}

/** The Body; made if there is none, because every message has one (spec mediators 5.1). */
export function bodyOf(envelope: XmlElement): XmlElement {
  const present = elementChildren(envelope).find((child) => isSoapElement(child, envelope, 'Body'));
  if (present) return present;
  const body = createElement(documentOf(envelope), envelope.namespaceURI, qualified(envelope.prefix, 'Body'));
  envelope.appendChild(body);
  return body;
}

export function documentOf(element: XmlElement): XmlDocument {
  return element.ownerDocument as XmlDocument;
}

function isSoapElement(element: XmlElement, envelope: XmlElement, name: string): boolean {
  return element.localName === name && element.namespaceURI === envelope.namespaceURI;
}

function rootOf(document: XmlDocument): XmlElement {
  return document.documentElement as XmlElement;
}

function qualified(prefix: string | null, name: string): string {
  return prefix ? `${prefix}:${name}` : name;
}

/** A Body child that is a SOAP fault of either version. */
export function isFault(element: XmlElement | undefined): element is XmlElement {
  return element?.localName === 'Fault' && soapVersionOf(element) !== undefined;
}

export interface FaultDetails {
  /**
   * `Client`/`Sender` or `Server`/`Receiver` in either version's word, or another standard code such as `MustUnderstand`.
   */
  readonly code: string;
  readonly reason: string;
  readonly role?: string;
  /** SOAP 1.2 only. */
  readonly node?: string;
  /** Text, or nodes that are copied. */
  readonly detail?: string | readonly XmlNode[];
}

/** An envelope with a fault (spec mediators 3.9). */
export function createFault(version: SoapVersion, details: FaultDetails): XmlElement {
  return createFaultWithCode(version, { ...details, code: standardCode(details.code, version) ?? details.code });
}

/** As {@link createFault}, with the code's local name exactly as it is given. */
export function createFaultWithCode(version: SoapVersion, details: FaultDetails): XmlElement {
  const envelope = createEnvelope(version);
  appendFault(envelope, {
    ...details,
    codeText: `soapenv:${details.code}`,
    language: undefined,
    subcode: undefined,
  });
  return envelope;
}

const CODE_PAIRS: ReadonlyArray<readonly [soap11: string, soap12: string]> = [
  ['Client', 'Sender'],
  ['Server', 'Receiver'],
  ['MustUnderstand', 'MustUnderstand'],
  ['VersionMismatch', 'VersionMismatch'],
];

/** A standard code's word in that version; a SOAP 1.1 code may be refined by dots (`Client.Authentication`). */
function standardCode(code: string, version: SoapVersion): string | undefined {
  const stem = code.split('.')[0] ?? code;
  const pair = CODE_PAIRS.find((words) => words.includes(stem));
  if (pair) return version === '1.2' ? pair[1] : stem === pair[0] ? code : pair[0];
  if (stem !== 'DataEncodingUnknown') return undefined;
  return version === '1.2' ? stem : 'Client';
}

interface FaultParts {
  /** With its prefix, which must be in scope. */
  readonly codeText: string;
  readonly reason: string;
  readonly language: string | undefined;
  readonly role?: string;
  readonly node?: string;
  readonly detail?: string | readonly XmlNode[];
  readonly subcode: string | undefined;
}

function appendFault(envelope: XmlElement, parts: FaultParts): void {
  const fault = append(bodyOf(envelope), envelope.namespaceURI, qualified(envelope.prefix, 'Fault'));
  if (soapVersionOf(envelope) === '1.2') fillFault12(fault, parts);
  else fillFault11(fault, parts);
}

function fillFault11(fault: XmlElement, parts: FaultParts): void {
  append(fault, null, 'faultcode', parts.codeText);
  const reason = append(fault, null, 'faultstring', parts.reason);
  if (parts.language) reason.setAttributeNS(XML_NAMESPACE, 'xml:lang', parts.language);
  if (parts.role !== undefined) append(fault, null, 'faultactor', parts.role);
  if (parts.detail !== undefined) fillDetail(append(fault, null, 'detail'), parts.detail);
}

function fillFault12(fault: XmlElement, parts: FaultParts): void {
  const make = (parent: XmlElement, name: string, text?: string) =>
    append(parent, SOAP12_NAMESPACE, qualified(fault.prefix, name), text);
  const code = make(fault, 'Code');
  make(code, 'Value', parts.codeText);
  if (parts.subcode !== undefined) make(make(code, 'Subcode'), 'Value', parts.subcode);
  const reason = make(make(fault, 'Reason'), 'Text', parts.reason);
  reason.setAttributeNS(XML_NAMESPACE, 'xml:lang', parts.language ?? 'en');
  if (parts.node !== undefined) make(fault, 'Node', parts.node);
  if (parts.role !== undefined) make(fault, 'Role', parts.role);
  if (parts.detail !== undefined) fillDetail(make(fault, 'Detail'), parts.detail);
}

function fillDetail(detail: XmlElement, content: string | readonly XmlNode[]): void {
  const document = documentOf(detail);
  if (typeof content === 'string') detail.appendChild(document.createTextNode(content));
  else for (const node of content) detail.appendChild(cloneInto(document, node));
}

function append(parent: XmlElement, namespace: string | null, name: string, text?: string): XmlElement {
  const document = documentOf(parent);
  const element = createElement(document, namespace, name);
  if (text !== undefined) element.appendChild(document.createTextNode(text));
  parent.appendChild(element);
  return element;
}

/** The parts of a fault of either version, with the code as written. */
function readFault(fault: XmlElement): FaultParts & { readonly detailElement: XmlElement | undefined } {
  const child = (parent: XmlElement | undefined, name: string) =>
    parent && elementChildren(parent).find((element) => element.localName === name);
  const optional = (name: string, key: string) => {
    const element = child(fault, name);
    return element ? { [key]: textOf(element).trim() } : {};
  };
  if (soapVersionOf(fault) === '1.2') {
    const code = child(fault, 'Code');
    const reasonElement = child(fault, 'Reason');
    const text = reasonElement && reasonTexts(reasonElement);
    const subcode = child(child(code, 'Subcode'), 'Value');
    const detailElement = child(fault, 'Detail');
    return {
      codeText: textIn(child(code, 'Value')),
      subcode: subcode && textIn(subcode),
      reason: text?.reason ?? '',
      language: text?.language,
      ...optional('Node', 'node'),
      ...optional('Role', 'role'),
      ...(detailElement && { detail: childNodes(detailElement) }),
      detailElement,
    };
  }
  const reason = child(fault, 'faultstring');
  const detailElement = child(fault, 'detail');
  return {
    codeText: textIn(child(fault, 'faultcode')),
    subcode: undefined,
    reason: reason ? textOf(reason) : '',
    language: reason?.getAttributeNS(XML_NAMESPACE, 'lang') || undefined,
    ...optional('faultactor', 'role'),
    ...(detailElement && { detail: childNodes(detailElement) }),
    detailElement,
  };
}

/** The English reason text if there is one, else the first. */
function reasonTexts(reason: XmlElement): { reason: string; language: string | undefined } {
  const texts = elementChildren(reason);
  const language = (text: XmlElement) => text.getAttributeNS(XML_NAMESPACE, 'lang') ?? '';
  const chosen = texts.find((text) => /^en\b/i.test(language(text))) ?? texts[0];
  return { reason: chosen ? textOf(chosen) : '', language: (chosen && language(chosen)) || undefined };
}

function textIn(element: XmlElement | undefined): string {
  return element ? textOf(element).trim() : '';
}

function childNodes(parent: XmlNode): XmlNode[] {
  const nodes: XmlNode[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) nodes.push(node);
  return nodes;
}

/** What a fault says: `faultstring` or the reason text. */
export function faultReason(fault: XmlElement): string {
  return readFault(fault).reason;
}

/**
 * The `<Exception>` that a REST client gets instead of a fault: the detail's text, else the reason (spec proxies 1.9, spec
 * mediators 3.9).
 */
export function faultToPox(fault: XmlElement): XmlElement {
  const { detailElement, reason } = readFault(fault);
  const detail = (detailElement?.textContent ?? '').trim();
  const document = newDocument(null, 'Exception');
  const exception = rootOf(document);
  exception.appendChild(document.createTextNode(detail || reason));
  return exception;
}

/**
 * An envelope of the other version with copies of the same header blocks and Body children; a fault is rewritten in the other
 * version's words. The envelope that is given stays as it is, and is returned itself when it has the version already.
 */
export function convertEnvelope(envelope: XmlElement, version: SoapVersion): XmlElement {
  if (soapVersionOf(envelope) === version) return envelope;
  const converted = newEnvelope(version, freePrefix(envelope));
  copyAttributes(envelope, converted);
  convertHeader(envelope, converted);
  const body = bodyOf(envelope);
  const target = bodyOf(converted);
  copyAttributes(body, target);
  for (const node of childNodes(body)) {
    if (node.nodeType === 1 && isFault(node as XmlElement)) convertFault(node as XmlElement, converted);
    else target.appendChild(cloneInto(documentOf(converted), node));
  }
  return converted;
}

/** The new envelope's prefix must not hide a declaration that content of the old one may refer to. */
function freePrefix(envelope: XmlElement): string {
  const taken = new Set<string>();
  for (const attribute of attributesOf(envelope)) {
    if (attribute.prefix === 'xmlns' && soapVersionOfNamespace(attribute.value) === undefined) {
      taken.add(attribute.localName ?? '');
    }
  }
  let prefix = 'soapenv';
  for (let count = 1; taken.has(prefix); count += 1) prefix = `soapenv${count}`;
  return prefix;
}

function soapVersionOfNamespace(namespace: string): SoapVersion | undefined {
  if (namespace === SOAP11_NAMESPACE) return '1.1';
  return namespace === SOAP12_NAMESPACE ? '1.2' : undefined;
}

/** Copies attributes and the namespace declarations that QNames in content may need; SOAP's own are the new envelope's business. */
function copyAttributes(from: XmlElement, to: XmlElement): void {
  for (const attribute of attributesOf(from)) {
    const { namespaceURI, nodeName, value } = attribute;
    if (namespaceURI === XMLNS_NAMESPACE && soapVersionOfNamespace(value) !== undefined) continue;
    if (namespaceURI !== null && soapVersionOfNamespace(namespaceURI) !== undefined) continue;
    to.setAttributeNS(namespaceURI, nodeName, value);
  }
}

function attributesOf(element: XmlElement): XmlAttribute[] {
  return Array.from(element.attributes as unknown as ArrayLike<XmlAttribute>);
}

function convertHeader(envelope: XmlElement, converted: XmlElement): void {
  const header = headerOf(envelope);
  if (!header) return;
  const target = ensureHeader(converted);
  copyAttributes(header, target);
  for (const node of childNodes(header)) {
    const copy = cloneInto(documentOf(converted), node);
    target.appendChild(copy);
    if (copy.nodeType === 1) convertBlockAttributes(copy as XmlElement, envelope, converted);
  }
}

/** `mustUnderstand` and `actor`/`role` of a header block move to the other version's namespace and words. */
function convertBlockAttributes(block: XmlElement, envelope: XmlElement, converted: XmlElement): void {
  const to12 = soapVersionOf(converted) === '1.2';
  for (const attribute of attributesOf(block)) {
    const { namespaceURI, localName, value } = attribute;
    if (namespaceURI !== envelope.namespaceURI) continue;
    block.removeAttributeNode(attribute);
    const name = localName === 'actor' || localName === 'role' ? (to12 ? 'role' : 'actor') : localName;
    if (name !== 'mustUnderstand' && name !== 'role' && name !== 'actor') continue;
    block.setAttributeNS(converted.namespaceURI, qualified(converted.prefix, name), convertedValue(name, value));
  }
}

function convertedValue(name: string, value: string): string {
  if (name === 'mustUnderstand') return value === 'true' || value === '1' ? '1' : '0';
  if (value === SOAP11_NEXT_ACTOR && name === 'role') return SOAP12_NEXT_ROLE;
  return value === SOAP12_NEXT_ROLE && name === 'actor' ? SOAP11_NEXT_ACTOR : value;
}

function convertFault(fault: XmlElement, converted: XmlElement): void {
  const version = soapVersionOf(converted) ?? '1.1';
  const parts = readFault(fault);
  const local = parts.codeText.slice(parts.codeText.indexOf(':') + 1);
  const code = standardCode(local, version);
  const own = code ?? (version === '1.2' ? 'Receiver' : undefined);
  // A code of the application's own: SOAP 1.2 has the subcode for it, SOAP 1.1 takes any QName.
  const subcode = version === '1.2' && code === undefined && parts.codeText !== '' ? parts.codeText : undefined;
  const codeText = own === undefined ? parts.codeText : qualified(converted.prefix, own);
  if (code === undefined) keepCodePrefix(parts.codeText, fault, bodyOf(converted));
  appendFault(converted, { ...parts, codeText, subcode });
}

/** Declares the prefix of an application's fault code where it was declared on the fault or inside it. */
function keepCodePrefix(codeText: string, fault: XmlElement, target: XmlElement): void {
  const prefix = codeText.includes(':') ? codeText.slice(0, codeText.indexOf(':')) : undefined;
  if (prefix === undefined) return;
  const codeElement = firstElement(fault) ?? fault;
  const namespace = codeElement.lookupNamespaceURI(prefix);
  if (namespace && target.lookupNamespaceURI(prefix) !== namespace) {
    target.setAttributeNS(XMLNS_NAMESPACE, `xmlns:${prefix}`, namespace);
  }
}
