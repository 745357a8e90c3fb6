import { elementChildren, type XmlElement } from '../xml/index.ts';
import { PAYLOAD_NAMESPACE } from './soap.ts';

/** Elements whose text is the Base64 of bytes that came as bytes. */
const MADE_OF_BYTES = new WeakSet<XmlElement>();

const XMIME: ReadonlySet<string> = new Set(['http://www.w3.org/2005/05/xmlmime', 'http://www.w3.org/2004/11/xmlmime']);
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const XSD = 'http://www.w3.org/2001/XMLSchema';
const OCTETS = 'application/octet-stream';

/** Says that an element's text is the Base64 of bytes. */
export function markBinary(element: XmlElement): XmlElement {
  MADE_OF_BYTES.add(element);
  return element;
}

/** Carries the mark over to a copy. */
export function copyBinaryMark(from: XmlElement, to: XmlElement): void {
  if (MADE_OF_BYTES.has(from)) MADE_OF_BYTES.add(to);
}

/** Carries the marks of an element and of all inside it over to a deep copy. */
export function copyBinaryMarks(from: XmlElement, to: XmlElement): void {
  copyBinaryMark(from, to);
  const copies = elementChildren(to);
  for (const [index, child] of elementChildren(from).entries()) {
    const copy = copies[index];
    if (copy) copyBinaryMarks(child, copy);
  }
}

/**
 * The media type of the bytes that an element's text stands for, when it is known to stand for bytes: the wrapper of a binary payload, an
 * element marked here, one that says so by `xmime:contentType` or `xsi:type="xs:base64Binary"`. Undefined for all others: what merely looks
 * like Base64 is text.
 */
export function binaryTypeOf(element: XmlElement): string | undefined {
  for (const namespace of XMIME) {
    const declared = element.getAttributeNS(namespace, 'contentType');
    if (declared) return declared.trim();
  }
  const isWrapper = element.localName === 'binary' && element.namespaceURI === PAYLOAD_NAMESPACE;
  if (isWrapper || MADE_OF_BYTES.has(element)) return OCTETS;
  const [prefix, name] = (element.getAttributeNS(XSI, 'type') ?? '').trim().split(':');
  return name === 'base64Binary' && element.lookupNamespaceURI(prefix ?? '') === XSD ? OCTETS : undefined;
}
