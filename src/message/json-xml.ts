import {
  cloneInto,
  createElement,
  elementChildren,
  newDocument,
  textOf,
  type XmlAttribute,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';
import { type JsonNode, javaDecimal, parseJson } from './json.ts';

/**
 * JSON as the XML that mediators see, and back (spec proxies 1.6, mediators 5.2 to 5.4).
 *
 * Elements made from JSON remember what they were made from (MREQ-26): converted back unedited, they give the same JSON again,
 * types, one-element and empty arrays included. Elements from elsewhere follow the reference's guesses.
 */
interface JsonOrigin {
  readonly kind: JsonNode['kind'];
  /** The member's key, if its element stands for one. */
  readonly key?: string;
  /** One of several values of its key: stays an array when alone. */
  readonly repeated?: boolean;
  /** A scalar's text in the element; the origin no longer counts when the element's text is another. */
  readonly text?: string;
  /** Keys whose empty arrays left no element, with the number of members before them. */
  readonly emptyArrays?: ReadonlyArray<readonly [key: string, before: number]>;
  /** Attributes that were not strings. */
  readonly attributes?: ReadonlyMap<string, ScalarNode>;
  /** What `$`, the text beside attributes, was. */
  readonly content?: ScalarNode;
}

const ORIGINS = new WeakMap<XmlElement, JsonOrigin>();

const WRAPPERS = { object: 'jsonObject', array: 'jsonArray', value: 'jsonValue', item: 'jsonElement' } as const;
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
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

/** True when the element was made from JSON and its types are still known. */
export function hasJsonOrigin(element: XmlElement): boolean {
  return ORIGINS.has(element);
}

/**
 * JSON text as `<jsonObject>`, `<jsonArray>` or `<jsonValue>`, the root of a document of its own.
 * @throws JsonSyntaxError
 */
export function jsonToXml(text: string): XmlElement {
  const node = parseJson(text);
  if (node.kind === 'object' || node.kind === 'array') {
    const document = newDocument(null, node.kind === 'object' ? WRAPPERS.object : WRAPPERS.array);
    const root = document.documentElement as XmlElement;
    fill(document, root, node, {});
    return root;
  }
  const document = newDocument(null, WRAPPERS.value);
  const root = document.documentElement as XmlElement;
  root.appendChild(document.createTextNode(text.trim()));
  return root;
}

/** A deep copy that keeps what {@link jsonToXml} remembers about its elements. */
export function cloneWithOrigins(document: XmlDocument, element: XmlElement): XmlElement {
  const copy = cloneInto(document, element);
  copyOrigins(element, copy);
  return copy;
}

function copyOrigins(from: XmlElement, to: XmlElement): void {
  const origin = ORIGINS.get(from);
  if (origin) ORIGINS.set(to, origin);
  let source: XmlNode | null = from.firstChild;
  let target: XmlNode | null = to.firstChild;
  while (source && target) {
    if (source.nodeType === ELEMENT_NODE) copyOrigins(source as XmlElement, target as XmlElement);
    source = source.nextSibling;
    target = target.nextSibling;
  }
}

type Place = Pick<JsonOrigin, 'key' | 'repeated'>;

/** Writes a value into its element and remembers it. */
function fill(document: XmlDocument, element: XmlElement, node: JsonNode, place: Place): void {
  if (node.kind === 'object') fillObject(document, element, node.members, place);
  else if (node.kind === 'array') {
    ORIGINS.set(element, { kind: 'array', ...place });
    for (const item of node.items) {
      const child = createElement(document, null, WRAPPERS.item);
      element.appendChild(child);
      fillItem(document, child, item, {});
    }
  } else {
    const text = scalarText(node);
    ORIGINS.set(element, { kind: node.kind, text, ...place });
    if (text !== '') element.appendChild(document.createTextNode(text));
  }
}

/** One item of an array: an array inside an array needs a wrapper to stay apart. */
function fillItem(document: XmlDocument, element: XmlElement, node: JsonNode, place: Place): void {
  if (node.kind !== 'array') {
    fill(document, element, node, place);
    return;
  }
  ORIGINS.set(element, { kind: 'array', ...place });
  const inner = createElement(document, null, WRAPPERS.array);
  element.appendChild(inner);
  fill(document, inner, node, {});
}

function fillObject(
  document: XmlDocument,
  element: XmlElement,
  members: ReadonlyArray<readonly [string, JsonNode]>,
  place: Place,
): void {
  const emptyArrays: Array<readonly [string, number]> = [];
  const attributes = new Map<string, ScalarNode>();
  const textual = isAttributesAndText(members);
  let content: ScalarNode | undefined;
  let before = 0;
  for (const [key, value] of members) {
    const attribute = attributeName(key, element);
    if (attribute !== undefined && isScalar(value)) {
      element.setAttribute(attribute, scalarText(value));
      if (value.kind !== 'string') attributes.set(attribute, value);
    } else if (key === '$' && textual && isScalar(value)) {
      content = value;
      element.appendChild(document.createTextNode(scalarText(value)));
    } else {
      if (value.kind === 'array' && value.items.length === 0) emptyArrays.push([key, before]);
      else appendMember(document, element, key, value);
      before += 1;
    }
  }
  ORIGINS.set(element, { kind: 'object', ...place, emptyArrays, attributes, ...(content && { content }) });
}

/** `{"@id":7,"$":"t"}`: attributes and the text beside them; `$` among other members is a member like them. */
function isAttributesAndText(members: ReadonlyArray<readonly [string, JsonNode]>): boolean {
  const keys = new Set(members.map(([key]) => key));
  if (keys.size !== members.length || members.length < 2) return false;
  return members.every(([key, value]) => isScalar(value) && (key === '$' || (key.startsWith('@') && key.length > 1)));
}

function appendMember(document: XmlDocument, parent: XmlElement, key: string, value: JsonNode): void {
  const name = xmlNameOf(key);
  const values = value.kind === 'array' ? value.items : [value];
  for (const item of values) {
    const child = createElement(document, null, name);
    parent.appendChild(child);
    if (value.kind === 'array') fillItem(document, child, item, { key, repeated: true });
    else fill(document, child, item, { key });
  }
}

type ScalarNode = Exclude<JsonNode, { kind: 'object' | 'array' }>;

function isScalar(node: JsonNode): node is ScalarNode {
  return node.kind !== 'object' && node.kind !== 'array';
}

function scalarText(node: ScalarNode): string {
  if (node.kind === 'null') return '';
  return node.kind === 'number' ? node.text : String(node.value);
}

/** The attribute for `@name`, if it can be one. */
function attributeName(key: string, element: XmlElement): string | undefined {
  if (!key.startsWith('@') || key.length < 2) return undefined;
  const name = xmlNameOf(key.slice(1));
  return element.hasAttribute(name) ? undefined : name;
}

const NAME_START =
  /[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]/;
const NAME_PART =
  /[A-Za-z0-9_.\-\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff\u203f\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]/;
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const DIGIT_PREFIX = '_JsonReader_PD_';
const DOLLAR_PREFIX = '_JsonReader_PS_';
const CODE_PREFIX = '_JsonReader_';

/**
 * The element name for a JSON key or form field: a leading digit or `$` gets its prefix, any other character that a name cannot hold
 * becomes `_JsonReader_<decimal code>_` (spec mediators 5.3).
 */
export function xmlNameOf(key: string): string {
  if (PLAIN_NAME.test(key) && !key.startsWith(CODE_PREFIX) && !/^xmlns/i.test(key)) return key;
  if (/^[0-9]/.test(key)) return DIGIT_PREFIX + encodedName(key, false);
  if (key.startsWith('$')) return DOLLAR_PREFIX + encodedName(key.slice(1), false);
  return key === '' ? CODE_PREFIX : encodedName(key, true);
}

function encodedName(key: string, atStart: boolean): string {
  let name = '';
  for (let index = 0; index < key.length; index += 1) {
    const character = key[index] as string;
    const first = atStart && index === 0;
    const misleading = key.startsWith(CODE_PREFIX, index) || (first && /^xmlns/i.test(key));
    const legal = (first ? NAME_START : NAME_PART).test(character) && !misleading;
    name += legal ? character : `${CODE_PREFIX}${character.charCodeAt(0)}_`;
  }
  return name;
}

/** The JSON key or form field of an element name; the reverse of {@link xmlNameOf}. */
export function keyOfXmlName(name: string): string {
  if (!name.includes(CODE_PREFIX)) return name;
  if (name === CODE_PREFIX) return '';
  let rest = name;
  let key = '';
  if (rest.startsWith(DIGIT_PREFIX)) rest = rest.slice(DIGIT_PREFIX.length);
  else if (rest.startsWith(DOLLAR_PREFIX)) {
    rest = rest.slice(DOLLAR_PREFIX.length);
    key = '$';
  }
  return key + rest.replace(/_JsonReader_(\d{1,5})_/g, (_, code: string) => String.fromCharCode(Number(code)));
}

/**
 * An element, usually the first Body child, as JSON text.
 * @throws XmlToJsonError for mixed content
 */
export function xmlToJson(element: XmlElement): string {
  if (!isJsonWrapper(element)) return `{${JSON.stringify(keyOf(element))}:${textOfValue(element)}}`;
  if (element.localName === WRAPPERS.value) {
    const text = textOf(element);
    return text.trim() === '' ? 'null' : text;
  }
  return element.localName === WRAPPERS.array ? arrayOf(element) : objectOf(element);
}

function keyOf(element: XmlElement): string {
  return ORIGINS.get(element)?.key ?? keyOfXmlName(element.localName ?? element.nodeName);
}

/** The JSON text of a named element's value or of an array item. */
function textOfValue(element: XmlElement): string {
  const children = elementChildren(element);
  const attributes = attributesOf(element);
  if (children.length === 0 && attributes.length === 0) return emptyOrScalar(element);
  if (attributes.length > 0) return objectOf(element);
  const [only] = children;
  if (only && children.length === 1 && isTransparent(only)) {
    requireNoText(element);
    if (only.localName === WRAPPERS.array) return arrayOf(only);
    return only.localName === WRAPPERS.object ? objectOf(only) : textOfValue(only);
  }
  if (children.every((child) => isTransparent(child) && child.localName === WRAPPERS.item)) return arrayOf(element);
  return objectOf(element);
}

/** A wrapper by name that does not stand for a member which happens to be called like that. */
function isTransparent(element: XmlElement): boolean {
  const name = element.localName;
  if (name !== WRAPPERS.object && name !== WRAPPERS.array && name !== WRAPPERS.item) return false;
  return ORIGINS.get(element)?.key === undefined && attributesOf(element).length === 0;
}

function emptyOrScalar(element: XmlElement): string {
  const text = textOf(element);
  const origin = ORIGINS.get(element);
  if (origin?.kind === 'object' && text === '') return objectOf(element);
  if (origin?.kind === 'array' && text === '') return '[]';
  if (origin?.text === text) return originalScalar(origin.kind, text);
  if (text.trim() !== '') return guessed(text);
  const members = membersOf(element);
  return members.length === 0 ? 'null' : objectOf(element);
}

function originalScalar(kind: JsonNode['kind'], text: string): string {
  if (kind === 'null') return 'null';
  return kind === 'string' ? JSON.stringify(text) : text;
}

const PRIMITIVE = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** What text is without knowing more: the reference's automatic primitives. */
function guessed(text: string): string {
  if (text === 'true' || text === 'false' || text === 'null') return text;
  return PRIMITIVE.test(text) ? javaDecimal(text) : JSON.stringify(text);
}

function arrayOf(element: XmlElement): string {
  requireNoText(element);
  const children = elementChildren(element);
  if (children.every((child) => isTransparent(child) && child.localName === WRAPPERS.item)) {
    return `[${children.map((child) => textOfValue(child)).join(',')}]`;
  }
  return `[${objectOf(element)}]`;
}

/** Attributes, text and members; siblings of one name become one array where the first of them stands (MREQ-27). */
function objectOf(element: XmlElement): string {
  const origin = ORIGINS.get(element);
  const parts: string[] = [];
  for (const attribute of attributesOf(element)) {
    const name = attribute.localName ?? attribute.nodeName;
    parts.push(
      `${JSON.stringify(`@${keyOfXmlName(name)}`)}:${attributeValue(attribute, origin?.attributes?.get(name))}`,
    );
  }
  const members = membersOf(element);
  if (members.length > 0) requireNoText(element);
  else parts.push(...contentOf(element, origin?.content));
  const written = members.map(([key, values]) => `${JSON.stringify(key)}:${values}`);
  for (const [key, before] of origin?.emptyArrays ?? []) {
    if (!members.some(([present]) => present === key)) {
      written.splice(Math.min(before, written.length), 0, `${JSON.stringify(key)}:[]`);
    }
  }
  return `{${[...parts, ...written].join(',')}}`;
}

function contentOf(element: XmlElement, origin: ScalarNode | undefined): string[] {
  const text = textOf(element);
  if (origin && scalarText(origin) === text) return [`"$":${originalScalar(origin.kind, text)}`];
  return text.trim() === '' ? [] : [`"$":${guessed(text)}`];
}

function attributeValue(attribute: XmlAttribute, origin: ScalarNode | undefined): string {
  const { value } = attribute;
  return origin && scalarText(origin) === value ? originalScalar(origin.kind, value) : JSON.stringify(value);
}

interface Member {
  readonly values: string[];
  array: boolean;
}

function membersOf(element: XmlElement): Array<readonly [key: string, value: string]> {
  const members = new Map<string, Member>();
  collectMembers(element, members);
  return [...members].map(([key, { values, array }]) => {
    const text = values.join(',');
    return [key, array || values.length > 1 ? `[${text}]` : text] as const;
  });
}

function collectMembers(element: XmlElement, members: Map<string, Member>): void {
  /** The name announced by `<?xml-multiple name?>`; `''` for whatever comes next. */
  let multiple: string | undefined;
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === PROCESSING_INSTRUCTION_NODE && node.nodeName === 'xml-multiple') {
      multiple = keyOfXmlName(node.nodeValue?.trim() ?? '');
      if (multiple !== '' && !members.has(multiple)) members.set(multiple, { values: [], array: true });
    }
    if (node.nodeType !== ELEMENT_NODE) continue;
    const child = node as XmlElement;
    if (isTransparent(child) && child.localName === WRAPPERS.object) {
      requireNoText(child);
      collectMembers(child, members);
      continue;
    }
    const key = keyOf(child);
    const announced = multiple !== undefined && (multiple === '' || multiple === key);
    const member = members.get(key) ?? { values: [], array: false };
    member.values.push(
      isTransparent(child) && child.localName === WRAPPERS.array ? arrayOf(child) : textOfValue(child),
    );
    member.array ||= announced || ORIGINS.get(child)?.repeated === true;
    members.set(key, member);
    if (multiple === '') multiple = undefined;
  }
}

function attributesOf(element: XmlElement): XmlAttribute[] {
  const all = Array.from(element.attributes as unknown as ArrayLike<XmlAttribute>);
  return all.filter((attribute) => attribute.namespaceURI !== XMLNS_NAMESPACE);
}

function requireNoText(element: XmlElement): void {
  if (textOf(element).trim() !== '') {
    throw new XmlToJsonError(`<${element.nodeName}> has text beside its elements.`);
  }
}
