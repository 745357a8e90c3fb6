import { QUALIFIED_NAME } from './names.ts';
import { type QualifiedName, XML_NAMESPACE } from './tree-names.ts';

/** What a prefix stands for at one place of a document; undefined where it is not declared. */
export interface Binding {
  namespace: string | undefined;
}

/** A name as it stands in a document: the same object for the same letters. */
export interface WrittenName {
  readonly nodeName: string;
  /** `''` for none. */
  readonly prefix: string;
  readonly localName: string;
  readonly binding: Binding;
  /** What it meant when it last was the name of an element, or of an attribute. */
  element: QualifiedName | undefined;
  attribute: QualifiedName | undefined;
}

const SLOTS = 256;
/** Beyond it names are not remembered any more: a document that uses each name once would need more memory for them than for itself. */
const MAX_REMEMBERED = 20_000;

/** Which of the first 128 characters may stand in a name, the colon between prefix and local name included. */
const NAME_CHARACTERS = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:') {
  NAME_CHARACTERS[character.charCodeAt(0)] = 1;
}

/**
 * The names of one document. A document says the same few names over and over: each is checked, split and bound to its namespace once,
 * and found again by its letters without being cut out of the text.
 */
export class WrittenNames {
  readonly #text: string;
  readonly #slots: Array<WrittenName | undefined> = new Array<WrittenName | undefined>(SLOTS).fill(undefined);
  readonly #names = new Map<string, WrittenName>();
  readonly #bindings = new Map<string, Binding>();

  constructor(text: string) {
    this.#text = text;
    this.binding('').namespace = '';
    this.binding('xml').namespace = XML_NAMESPACE;
  }

  /** What a prefix stands for, `''` for the default namespace. */
  binding(prefix: string): Binding {
    let found = this.#bindings.get(prefix);
    if (!found) {
      found = { namespace: undefined };
      this.#bindings.set(prefix, found);
    }
    return found;
  }

  /** The name at an offset; undefined when what stands there is none, or has other letters than ASCII: {@link of} is asked then. */
  at(start: number): WrittenName | undefined {
    const text = this.#text;
    let hash = 0;
    let end = start;
    let code = text.charCodeAt(end);
    while (code < 128 && NAME_CHARACTERS[code] === 1) {
      hash = (Math.imul(hash, 31) + code) | 0;
      end += 1;
      code = text.charCodeAt(end);
    }
    if (code >= 128) return undefined;
    const slot = (hash ^ (hash >>> 8)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known && known.nodeName.length === end - start && text.startsWith(known.nodeName, start)) return known;
    const letters = text.slice(start, end);
    const found = this.#names.get(letters) ?? (QUALIFIED_NAME.test(letters) ? this.of(letters) : undefined);
    this.#slots[slot] = found;
    return found;
  }

  /** A name that was found to be right. */
  of(nodeName: string): WrittenName {
    const known = this.#names.get(nodeName);
    if (known) return known;
    const colon = nodeName.indexOf(':');
    const prefix = colon === -1 ? '' : nodeName.slice(0, colon);
    const made: WrittenName = {
      nodeName,
      prefix,
      localName: nodeName.slice(colon + 1),
      binding: this.binding(prefix),
      element: undefined,
      attribute: undefined,
    };
    if (this.#names.size < MAX_REMEMBERED) this.#names.set(nodeName, made);
    return made;
  }
}

/** The name of an element, where its prefix stands for a namespace, `''` for none. */
export function elementName(name: WrittenName, namespace: string): QualifiedName {
  const known = name.element;
  if (known && (known.namespaceURI ?? '') === namespace) return known;
  name.element = meaning(name, namespace || null);
  return name.element;
}

/** The name of an attribute: without prefix it is in no namespace. */
export function attributeName(name: WrittenName, namespace: string | null): QualifiedName {
  const known = name.attribute;
  if (known && known.namespaceURI === namespace) return known;
  name.attribute = meaning(name, namespace);
  return name.attribute;
}

function meaning({ nodeName, prefix, localName }: WrittenName, namespaceURI: string | null): QualifiedName {
  return { nodeName, prefix: prefix === '' ? null : prefix, localName, namespaceURI };
}
