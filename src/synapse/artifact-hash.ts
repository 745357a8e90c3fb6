import { hash } from 'node:crypto';
import type { ConfigElement } from '../grammar/element.ts';
import { NODE_TYPES, type XmlAttribute, type XmlElement } from '../xml/index.ts';

/**
 * A fingerprint of what an artifact says: elements, attributes, text, the prefixes in scope for its expressions, and the answers of
 * what was looked up. Where it stands, its comments and the order of its attributes do not matter, so that an artifact inside a
 * bigger file is unchanged when only its neighbours are edited.
 */
export function artifactHash(element: ConfigElement, lookups: string): string {
  const prefixes = JSON.stringify(Object.entries(element.prefixes()).sort());
  return hash('sha256', `${prefixes}${lookups}${said(element.node)}`, 'hex');
}

/** All that an element says as one text; the characters that divide it cannot stand in XML. */
function said(element: XmlElement): string {
  let text = `\u0001${element.namespaceURI ?? ''}\u0002${element.nodeName}\u0002${saidByAttributes(element)}`;
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === NODE_TYPES.element) text += said(node as XmlElement);
    else if (node.nodeType === NODE_TYPES.text || node.nodeType === NODE_TYPES.cdata)
      text += `\u0003${node.nodeValue ?? ''}`;
  }
  return `${text}\u0004`;
}

function saidByAttributes({ attributes }: XmlElement): string {
  let text = '';
  const sorted = attributes.length > 1 ? attributes.toSorted(byName) : attributes;
  for (const { nodeName, value } of sorted) text += `\u0005${nodeName}\u0006${value}`;
  return text;
}

function byName(left: XmlAttribute, right: XmlAttribute): number {
  return left.nodeName < right.nodeName ? -1 : 1;
}
