import { elementChildren, textOf, type XmlAttribute, type XmlElement } from '../xml/index.ts';
import { type JsonNode, javaDecimal } from './json.ts';
import { jsonConversion, type XmlToJsonSettings } from './json-conversion.ts';
import { keyOfXmlName } from './json-names.ts';
import { ORIGINS, type ScalarNode, scalarText, WRAPPERS } from './json-origin.ts';

const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';
const ELEMENT_NODE = 1;
const PROCESSING_INSTRUCTION_NODE = 7;

/** XML that JSON cannot express, in the reference's words. */
export class XmlToJsonError extends Error {
  override readonly name = 'XmlToJsonError';

  constructor(reason: string) {
    super(`Could not convert OMElement to JSON. Invalid XML payload. ${reason}`);
  }
}

/** True for `jsonObject`, `jsonArray` and `jsonValue` in no namespace. */
export function isJsonWrapper(element: XmlElement): boolean {
  const name = element.localName;
  return (name === WRAPPERS.object || name === WRAPPERS.array || name === WRAPPERS.value) && !element.namespaceURI;
}

/**
 * An element, usually the first Body child, as JSON text.
 * @param settings those of the server if absent
 * @throws XmlToJsonError for mixed content
 */
export function xmlToJson(element: XmlElement, settings: XmlToJsonSettings = jsonConversion().toJson): string {
  return new JsonWriter(settings).document(element);
}

type Member = readonly [key: string, value: string];

class JsonWriter {
  readonly #settings: XmlToJsonSettings;

  constructor(settings: XmlToJsonSettings) {
    this.#settings = settings;
  }

  document(element: XmlElement): string {
    if (!isJsonWrapper(element)) return `{${JSON.stringify(this.#keyOf(element))}:${this.#value(element)}}`;
    if (element.localName === WRAPPERS.value) {
      const text = textOf(element);
      return text.trim() === '' ? 'null' : text;
    }
    return element.localName === WRAPPERS.array ? this.#array(element) : this.#object(element);
  }

  #keyOf(element: XmlElement): string {
    const key = ORIGINS.get(element)?.key ?? keyOfXmlName(element.localName ?? element.nodeName);
    return this.#prefixed(element.prefix, key);
  }

  #prefixed(prefix: string | null, name: string): string {
    const { preserveNamespace, namespaceSeparator } = this.#settings;
    return preserveNamespace && prefix ? `${prefix}${namespaceSeparator}${name}` : name;
  }

  /** The JSON text of a named element's value or of an array item. */
  #value(element: XmlElement): string {
    if (this.#settings.readNil && isNil(element)) return 'null';
    const children = elementChildren(element);
    const attributes = this.#attributes(element);
    if (children.length === 0 && attributes.length === 0) return this.#emptyOrScalar(element);
    if (attributes.length > 0) return this.#object(element);
    const [only] = children;
    if (only && children.length === 1 && isTransparent(only)) {
      requireNoText(element);
      if (only.localName === WRAPPERS.array) return this.#array(only);
      return only.localName === WRAPPERS.object ? this.#object(only) : this.#value(only);
    }
    if (children.every(isItem)) return this.#array(element);
    return this.#object(element);
  }

  #emptyOrScalar(element: XmlElement): string {
    const text = textOf(element);
    const origin = ORIGINS.get(element);
    if (origin?.kind === 'object' && text === '') return this.#object(element);
    if (origin?.kind === 'array' && text === '') return '[]';
    if (origin?.text === text && this.#remembers(origin.kind)) return originalScalar(origin.kind, text);
    if (text.trim() !== '') return this.#guessed(text);
    const members = this.#members(element);
    if (members.length > 0) return this.#object(element);
    return this.#settings.nullForEmpty ? 'null' : '""';
  }

  /** Null stays null however little is remembered. */
  #remembers(kind: JsonNode['kind']): boolean {
    return this.#settings.rememberTypes || kind === 'null';
  }

  /** What text is without knowing more: the reference's automatic primitives. */
  #guessed(text: string): string {
    const { autoPrimitive, keepsString, replaced } = this.#settings;
    if (text === 'null') return text;
    if (!autoPrimitive || keepsString(text)) return JSON.stringify(text);
    const replacement = replaced(text);
    if (replacement !== undefined) return JSON.stringify(replacement);
    if (text === 'true' || text === 'false') return text;
    return PRIMITIVE.test(text) ? javaDecimal(text) : JSON.stringify(text);
  }

  #array(element: XmlElement): string {
    requireNoText(element);
    const children = elementChildren(element);
    if (children.every(isItem)) return `[${children.map((child) => this.#value(child)).join(',')}]`;
    return `[${this.#object(element)}]`;
  }

  /** Attributes, text and members; siblings of one name become one array where the first of them stands (MREQ-27). */
  #object(element: XmlElement): string {
    const origin = ORIGINS.get(element);
    const parts = this.#declarations(element);
    for (const attribute of this.#attributes(element)) {
      const name = attribute.localName ?? attribute.nodeName;
      const key = `@${this.#prefixed(attribute.prefix, keyOfXmlName(name))}`;
      parts.push(`${JSON.stringify(key)}:${this.#attributeValue(attribute, origin?.attributes?.get(name))}`);
    }
    const members = this.#members(element);
    if (members.length > 0) requireNoText(element);
    else parts.push(...this.#content(element, origin?.content));
    const written = members.map(([key, value]) => `${JSON.stringify(key)}:${value}`);
    for (const [key, before] of origin?.emptyArrays ?? []) {
      if (!members.some(([present]) => present === key)) {
        written.splice(Math.min(before, written.length), 0, `${JSON.stringify(key)}:[]`);
      }
    }
    return `{${[...parts, ...written].join(',')}}`;
  }

  #declarations(element: XmlElement): string[] {
    const { preserveNamespace, namespaceDeclarations, namespaceSeparator } = this.#settings;
    if (!preserveNamespace || !namespaceDeclarations) return [];
    return allAttributes(element)
      .filter(({ namespaceURI }) => namespaceURI === XMLNS_NAMESPACE)
      .map(({ prefix, localName, value }) => {
        const key = prefix ? `@xmlns${namespaceSeparator}${localName}` : '@xmlns';
        return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
      });
  }

  #content(element: XmlElement, origin: ScalarNode | undefined): string[] {
    const text = textOf(element);
    if (origin && this.#settings.rememberTypes && scalarText(origin) === text) {
      return [`"$":${originalScalar(origin.kind, text)}`];
    }
    return text.trim() === '' ? [] : [`"$":${this.#guessed(text)}`];
  }

  #attributeValue({ value }: XmlAttribute, origin: ScalarNode | undefined): string {
    const remembered = origin && this.#settings.rememberTypes && scalarText(origin) === value;
    return remembered ? originalScalar(origin.kind, value) : JSON.stringify(value);
  }

  #members(element: XmlElement): Member[] {
    const collected: Collected[] = [];
    this.#collect(element, collected, new Map());
    return collected.map(({ key, values, array }) => {
      const text = values.join(',');
      return [key, array || values.length > 1 ? `[${text}]` : text] as const;
    });
  }

  #collect(element: XmlElement, collected: Collected[], byKey: Map<string, Collected>): void {
    const { multiplePI, autoArray } = this.#settings;
    const memberOf = (key: string): Collected => {
      const known = autoArray ? byKey.get(key) : undefined;
      if (known) return known;
      const member: Collected = { key, values: [], array: false };
      collected.push(member);
      byKey.set(key, member);
      return member;
    };
    /** The name announced by `<?xml-multiple name?>`; `''` for whatever comes next. */
    let multiple: string | undefined;
    for (let node = element.firstChild; node; node = node.nextSibling) {
      if (multiplePI && node.nodeType === PROCESSING_INSTRUCTION_NODE && node.nodeName === 'xml-multiple') {
        multiple = keyOfXmlName(node.nodeValue?.trim() ?? '');
        if (multiple !== '' && !byKey.has(multiple)) memberOf(multiple).array = true;
      }
      if (node.nodeType !== ELEMENT_NODE) continue;
      const child = node as XmlElement;
      if (isTransparent(child) && child.localName === WRAPPERS.object) {
        requireNoText(child);
        this.#collect(child, collected, byKey);
        continue;
      }
      const key = this.#keyOf(child);
      const announced = multiple !== undefined && (multiple === '' || multiple === key);
      // What is announced is an array whatever the settings say.
      const member = (announced ? byKey.get(key) : undefined) ?? memberOf(key);
      member.values.push(
        isTransparent(child) && child.localName === WRAPPERS.array ? this.#array(child) : this.#value(child),
      );
      member.array ||= announced || ORIGINS.get(child)?.repeated === true;
      if (multiple === '') multiple = undefined;
    }
  }

  #attributes(element: XmlElement): XmlAttribute[] {
    return allAttributes(element).filter((attribute) => {
      if (attribute.namespaceURI === XMLNS_NAMESPACE) return false;
      return !(this.#settings.readNil && isNilAttribute(attribute));
    });
  }
}

interface Collected {
  readonly key: string;
  readonly values: string[];
  array: boolean;
}

const PRIMITIVE = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function originalScalar(kind: JsonNode['kind'], text: string): string {
  if (kind === 'null') return 'null';
  return kind === 'string' ? JSON.stringify(text) : text;
}

/** A wrapper by name that does not stand for a member which happens to be called like that. */
function isTransparent(element: XmlElement): boolean {
  const name = element.localName;
  if (name !== WRAPPERS.object && name !== WRAPPERS.array && name !== WRAPPERS.item) return false;
  const ownAttributes = allAttributes(element).some(({ namespaceURI }) => namespaceURI !== XMLNS_NAMESPACE);
  return ORIGINS.get(element)?.key === undefined && !ownAttributes;
}

function isItem(element: XmlElement): boolean {
  return isTransparent(element) && element.localName === WRAPPERS.item;
}

function isNil(element: XmlElement): boolean {
  return allAttributes(element).some((attribute) => isNilAttribute(attribute) && attribute.value === 'true');
}

function isNilAttribute({ localName, namespaceURI }: XmlAttribute): boolean {
  return localName === 'nil' && (!namespaceURI || namespaceURI === XSI_NAMESPACE);
}

function allAttributes(element: XmlElement): XmlAttribute[] {
  return Array.from(element.attributes as unknown as ArrayLike<XmlAttribute>);
}

function requireNoText(element: XmlElement): void {
  if (textOf(element).trim() !== '') {
    throw new XmlToJsonError(`<${element.nodeName}> has text beside its elements.`);
  }
}
