import { randomUUID } from 'node:crypto';
import {
  createElement,
  elementChildren,
  textOf,
  type XmlAttribute,
  type XmlDocument,
  type XmlElement,
} from '../xml/index.ts';
import { NAMESPACES } from './names.ts';
import { SecurityFailure } from './security-failure.ts';

/** The prefixes that we write. */
const PREFIXES = {
  wsse: 'wsse',
  wsse11: 'wsse11',
  wsu: 'wsu',
  ds: 'ds',
  xenc: 'xenc',
  exclusive: 'ec',
  wsc: 'wsc',
} as const;
type Vocabulary = keyof typeof PREFIXES;

/** An element of one of our vocabularies with attributes in no namespace and with what stands in it. */
export function make(
  document: XmlDocument,
  vocabulary: Vocabulary,
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  content: string | readonly (XmlElement | undefined)[] = [],
): XmlElement {
  const element = createElement(document, NAMESPACES[vocabulary], `${PREFIXES[vocabulary]}:${name}`);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  if (typeof content === 'string') element.appendChild(document.createTextNode(content));
  else for (const child of content) if (child) element.appendChild(child);
  return element;
}

/** Says what our prefixes mean from there on, so that no declaration around a message can mean something else in it. */
export function declare(element: XmlElement, ...vocabularies: readonly Vocabulary[]): XmlElement {
  for (const vocabulary of vocabularies) {
    element.setAttributeNS(NAMESPACES.xmlns, `xmlns:${PREFIXES[vocabulary]}`, NAMESPACES[vocabulary]);
  }
  return element;
}

export function isNamed(element: XmlElement, vocabulary: keyof typeof NAMESPACES, name: string): boolean {
  return element.localName === name && element.namespaceURI === NAMESPACES[vocabulary];
}

export function childrenNamed(parent: XmlElement, vocabulary: keyof typeof NAMESPACES, name: string): XmlElement[] {
  return elementChildren(parent).filter((child) => isNamed(child, vocabulary, name));
}

/**
 * The one child of that name; undefined if there is none.
 * @throws SecurityFailure when there are several: which one counts would be a matter of taste
 */
export function childNamed(
  parent: XmlElement,
  vocabulary: keyof typeof NAMESPACES,
  name: string,
): XmlElement | undefined {
  const [first, second] = childrenNamed(parent, vocabulary, name);
  if (second) throw new SecurityFailure('InvalidSecurity', `<${parent.localName}> has more than one <${name}>`);
  return first;
}

/** As {@link childNamed}. @throws SecurityFailure when there is none */
export function requiredChild(parent: XmlElement, vocabulary: keyof typeof NAMESPACES, name: string): XmlElement {
  const found = childNamed(parent, vocabulary, name);
  if (found) return found;
  throw new SecurityFailure('InvalidSecurity', `<${parent.localName}> has no <${name}>`);
}

export function trimmedText(element: XmlElement): string {
  return textOf(element).trim();
}

/** Base64 with its line breaks and blanks taken out. */
export function base64Text(element: XmlElement): string {
  return textOf(element).replace(/\s+/g, '');
}

/** An id that nothing else has. */
export function newId(kind: string): string {
  return `${kind}-${randomUUID()}`;
}

/** The `wsu:Id` of an element, which is given one if it has none. */
export function ensureId(element: XmlElement, kind: string): string {
  const present = element.getAttributeNS(NAMESPACES.wsu, 'Id');
  if (present) return present;
  const id = newId(kind);
  element.setAttributeNS(NAMESPACES.wsu, `${freePrefix(element, PREFIXES.wsu)}:Id`, id);
  return id;
}

/** The prefix, with a number where it means something else around there. */
function freePrefix(element: XmlElement, prefix: string): string {
  let candidate = prefix;
  for (let count = 1; ; count += 1) {
    const taken = element.lookupNamespaceURI(candidate);
    if (taken === null || taken === NAMESPACES.wsu) return candidate;
    candidate = `${prefix}${count}`;
  }
}

/**
 * The elements of a message by their ids: `wsu:Id` of any, `Id` of those of XML Signature and XML Encryption.
 * @throws SecurityFailure (from the constructor and {@link add}) when two elements have one id: a signature would say nothing
 */
export class ElementIds {
  readonly #elements = new Map<string, XmlElement>();

  constructor(root: XmlElement) {
    this.add(root);
  }

  find(id: string): XmlElement | undefined {
    return this.#elements.get(id);
  }

  /** Takes an element in, with all that is inside. */
  add(root: XmlElement): void {
    forEachElement(root, (element) => {
      for (const id of idsOf(element)) {
        if (this.#elements.has(id)) throw new SecurityFailure('InvalidSecurity', 'two elements have the same id');
        this.#elements.set(id, element);
      }
    });
  }

  /** Forgets an element, with all that is inside. */
  remove(root: XmlElement): void {
    forEachElement(root, (element) => {
      for (const id of idsOf(element)) this.#elements.delete(id);
    });
  }
}

function idsOf(element: XmlElement): string[] {
  const { namespaceURI, attributes } = element;
  if (attributes.length === 0) return [];
  const plain = namespaceURI === NAMESPACES.ds || namespaceURI === NAMESPACES.xenc;
  const ids: string[] = [];
  for (let index = 0; index < attributes.length; index += 1) {
    const { localName, namespaceURI: namespace, value } = attributes[index] as XmlAttribute;
    if (localName === 'Id' && (namespace === NAMESPACES.wsu || (plain && !namespace))) ids.push(value);
  }
  return ids;
}

/** Without recursion: depth costs no stack. */
function forEachElement(root: XmlElement, visit: (element: XmlElement) => void): void {
  const waiting = [root];
  for (let element = waiting.pop(); element; element = waiting.pop()) {
    visit(element);
    for (const child of elementChildren(element)) waiting.push(child);
  }
}
