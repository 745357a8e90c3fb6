import { bodyOf, createFault, createFaultWithCode, isFault, type SoapVersion } from '../message/soap.ts';
import { elementChildren, firstElement, newDocument, type XmlElement } from '../xml/index.ts';
import { NAMESPACES } from './names.ts';
import type { SecurityFailure } from './security-failure.ts';

/** The envelope that refuses a message: the code of WS-Security 1.1, 12, its standard text, and nothing about what exactly was wrong. */
export function securityFault(failure: SecurityFailure, version: SoapVersion): XmlElement {
  const [prefix, namespace] = failure.code === 'MessageExpired' ? ['wsu', NAMESPACES.wsu] : ['wsse', NAMESPACES.wsse];
  const code = `${prefix}:${failure.code}`;
  if (version === '1.1') {
    const envelope = createFaultWithCode('1.1', { code: failure.code, reason: failure.reason });
    const fault = faultIn(envelope);
    fault.setAttributeNS(NAMESPACES.xmlns, `xmlns:${prefix}`, namespace ?? '');
    const written = elementChildren(fault).find(({ localName }) => localName === 'faultcode');
    if (written) written.textContent = code;
    return envelope;
  }
  const envelope = createFault('1.2', { code: 'Sender', reason: failure.reason });
  const fault = faultIn(envelope);
  fault.setAttributeNS(NAMESPACES.xmlns, `xmlns:${prefix}`, namespace ?? '');
  const parent = elementChildren(fault).find(({ localName }) => localName === 'Code');
  if (parent) appendSubcode(parent, code);
  return envelope;
}

function appendSubcode(parent: XmlElement, code: string): void {
  const document = parent.ownerDocument ?? newDocument(parent.namespaceURI, 'Code');
  const soap = parent.namespaceURI;
  const name = (local: string) => (parent.prefix ? `${parent.prefix}:${local}` : local);
  const subcode = document.createElementNS(soap, name('Subcode'));
  const value = document.createElementNS(soap, name('Value'));
  value.appendChild(document.createTextNode(code));
  subcode.appendChild(value);
  parent.appendChild(subcode);
}

function faultIn(envelope: XmlElement): XmlElement {
  const fault = firstElement(bodyOf(envelope));
  if (!isFault(fault)) throw new TypeError('the envelope holds no fault');
  return fault;
}
