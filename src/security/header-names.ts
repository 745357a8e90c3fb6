import type { XmlElement } from '../xml/index.ts';
import type { HeaderName, SignedParts } from './policy.ts';

/** Is it one of the header blocks that are signed? */
export function matchesHeader(block: XmlElement, { allHeaders, headers }: Pick<SignedParts, 'allHeaders' | 'headers'>) {
  return allHeaders || headers.some((header) => isHeader(block, header));
}

export function isHeader(block: XmlElement, { namespace, name }: HeaderName): boolean {
  return (block.namespaceURI ?? '') === namespace && (name === undefined || block.localName === name);
}
