import { cloneInto, elementChildren, type XmlElement } from '../xml/index.ts';
import { cloneWithOrigins } from './json-xml.ts';
import { createEnvelope, documentOf, ensureHeader, soapVersionOf } from './soap.ts';

/** A deep copy in a document of its own. */
export function cloneEnvelope(element: XmlElement): XmlElement {
  const document = documentOf(createEnvelope(soapVersionOf(element) ?? '1.1'));
  const copy = cloneWithOrigins(document, element);
  document.replaceChild(copy, document.documentElement as XmlElement);
  return copy;
}

/** Copies the blocks of a Header into the Header of another envelope, which is made if there is none. */
export function appendBlocks(header: XmlElement, envelope: XmlElement): void {
  const target = ensureHeader(envelope);
  for (const block of elementChildren(header)) target.appendChild(cloneInto(documentOf(target), block));
}
