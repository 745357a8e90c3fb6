import { createHash, type Hash } from 'node:crypto';
import type { ConfigElement } from '../grammar/element.ts';
import type { XmlElement, XmlNode } from '../xml/index.ts';

const ELEMENT_NODE = 1;
const TEXT_NODE = 3;
const CDATA_NODE = 4;

/**
 * A fingerprint of what an artifact says: elements, attributes, text, the prefixes in scope for its expressions, and the answers of
 * what was looked up. Where it stands, its comments and the order of its attributes do not matter, so that an artifact inside a
 * bigger file is unchanged when only its neighbours are edited.
 */
export function artifactHash(element: ConfigElement, lookups: string): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(Object.entries(element.prefixes()).sort()));
  hash.update(lookups);
  addElement(element.node, hash);
  return hash.digest('hex');
}

function addElement(element: XmlElement, hash: Hash): void {
  const attributes = Array.from(element.attributes as unknown as ArrayLike<{ nodeName: string; value: string }>);
  const written = attributes.map(({ nodeName, value }) => [nodeName, value] as const).sort(byName);
  hash.update(`\u0001${element.namespaceURI ?? ''}\u0002${element.nodeName}\u0002${JSON.stringify(written)}`);
  for (let node: XmlNode | null = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === ELEMENT_NODE) addElement(node as XmlElement, hash);
    else if (node.nodeType === TEXT_NODE || node.nodeType === CDATA_NODE) hash.update(`\u0003${node.nodeValue ?? ''}`);
  }
  hash.update('\u0004');
}

function byName(left: readonly [string, string], right: readonly [string, string]): number {
  return left[0] < right[0] ? -1 : 1;
}
