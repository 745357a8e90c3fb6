import { headerOf } from '../message/soap.ts';
import { elementChildren, type XmlElement } from '../xml/index.ts';
import { declare, isNamed, make } from './elements.ts';
import { SecurityFailure } from './security-failure.ts';

const ULTIMATE_RECEIVER = 'http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver';

/** The security headers that are meant for this side: those without a role or actor. */
export function securityHeaders(envelope: XmlElement): XmlElement[] {
  const header = headerOf(envelope);
  if (!header) return [];
  return elementChildren(header).filter((block) => isNamed(block, 'wsse', 'Security') && isForUs(block, envelope));
}

function isForUs(block: XmlElement, envelope: XmlElement): boolean {
  const soap = envelope.namespaceURI;
  const role = block.getAttributeNS(soap, 'actor') || block.getAttributeNS(soap, 'role');
  return !role || role === ULTIMATE_RECEIVER;
}

/** An empty security header in front of all others, in the place of one that was there. */
export function newSecurityHeader(envelope: XmlElement, header: XmlElement): XmlElement {
  for (const old of securityHeaders(envelope)) header.removeChild(old);
  const document = envelope.ownerDocument;
  if (!document) throw new SecurityFailure('InvalidSecurity', 'the envelope stands in no document');
  const security = declare(
    make(document, 'wsse', 'Security'),
    'wsse',
    'wsu',
    'wsse11',
    'ds',
    'xenc',
    'exclusive',
    'wsc',
  );
  const prefix = envelope.prefix ?? 'soapenv';
  security.setAttributeNS(envelope.namespaceURI, `${prefix}:mustUnderstand`, '1');
  header.insertBefore(security, header.firstChild);
  return security;
}

/**
 * Exactly one Body, at most one Header, the Header first: whatever is signed as the Body is the Body that is mediated.
 * @throws SecurityFailure
 */
export function checkStructure(envelope: XmlElement): void {
  const names = elementChildren(envelope).map(({ localName, namespaceURI }) =>
    namespaceURI === envelope.namespaceURI ? localName : '',
  );
  const sound =
    names.length === 1 ? names[0] === 'Body' : names.length === 2 && names[0] === 'Header' && names[1] === 'Body';
  if (!sound) throw new SecurityFailure('InvalidSecurity', 'the envelope is not one Header and one Body');
}
