import { ownCopy } from '../own-copy.ts';
import { QUALIFIED_NAME } from './names.ts';

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

/** A tree that cannot be: a name that is none, a node inside itself. */
export class XmlTreeError extends Error {
  override readonly name = 'XmlTreeError';
}

/** What an element or an attribute is called; shared by many of them and never changed. */
export interface QualifiedName {
  readonly nodeName: string;
  readonly prefix: string | null;
  readonly localName: string;
  readonly namespaceURI: string | null;
}

const NO_NAMESPACE = '';
const KNOWN_NAMES = 1_000;
/** Characters; longer names are somebody's data, and are not kept. */
const LONGEST_KNOWN_NAME = 512;
/** Names that were found to be right, by namespace: messages use the same ones over and over. */
const known = new Map<string, Map<string, QualifiedName>>();
let knownNames = 0;

/**
 * A name whose prefix may stand for its namespace.
 * @throws XmlTreeError
 */
export function qualifiedName(namespace: string | null, name: string): QualifiedName {
  return known.get(namespace ?? NO_NAMESPACE)?.get(name) ?? remembered(checkedName(namespace || null, name));
}

/** The name of an attribute without namespace, taken as it is; `xmlns:p` is the declaration of a prefix. @throws XmlTreeError */
export function attributeName(name: string): QualifiedName {
  if (name.startsWith('xmlns:')) return qualifiedName(XMLNS_NAMESPACE, name);
  if (!name.includes(':')) return qualifiedName(null, name);
  requireName(name);
  return { nodeName: name, prefix: null, localName: name, namespaceURI: null };
}

/** @throws XmlTreeError for what is no name, and could be markup where it is written */
export function requireName(name: string): void {
  if (!QUALIFIED_NAME.test(name)) throw new XmlTreeError(`'${shown(name)}' is not an XML name`);
}

function checkedName(namespaceURI: string | null, nodeName: string): QualifiedName {
  requireName(nodeName);
  const colon = nodeName.indexOf(':');
  const prefix = colon === -1 ? null : nodeName.slice(0, colon);
  if (prefix !== null && namespaceURI === null) {
    throw new XmlTreeError(`the prefix of '${shown(nodeName)}' stands for no namespace`);
  }
  if (prefix === 'xml' && namespaceURI !== XML_NAMESPACE) {
    throw new XmlTreeError(`the prefix 'xml' does not stand for '${namespaceURI}'`);
  }
  if ((prefix === 'xmlns' || nodeName === 'xmlns') !== (namespaceURI === XMLNS_NAMESPACE)) {
    throw new XmlTreeError(`'xmlns' and '${XMLNS_NAMESPACE}' only go together`);
  }
  return { nodeName, prefix, localName: nodeName.slice(colon + 1), namespaceURI };
}

function remembered(name: QualifiedName): QualifiedName {
  if (name.nodeName.length + (name.namespaceURI?.length ?? 0) > LONGEST_KNOWN_NAME) return name;
  if (knownNames >= KNOWN_NAMES) {
    known.clear();
    knownNames = 0;
  }
  knownNames += 1;
  const nodeName = ownCopy(name.nodeName);
  const colon = nodeName.indexOf(':');
  const own: QualifiedName = {
    nodeName,
    prefix: colon === -1 ? null : ownCopy(nodeName.slice(0, colon)),
    localName: ownCopy(nodeName.slice(colon + 1)),
    namespaceURI: name.namespaceURI === null ? null : ownCopy(name.namespaceURI),
  };
  const key = own.namespaceURI ?? NO_NAMESPACE;
  const names = known.get(key);
  if (names) names.set(nodeName, own);
  else known.set(key, new Map([[nodeName, own]]));
  return own;
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
