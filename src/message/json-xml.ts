import {
  cloneInto,
  createElement,
  MAX_XML_NODES,
  newDocument,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';
import { type JsonNode, JsonSyntaxError, parseJson } from './json.ts';

import { xmlNameOf } from './json-names.ts';
import { isScalar, type JsonOrigin, ORIGINS, type ScalarNode, scalarText, WRAPPERS } from './json-origin.ts';

export { keyOfXmlName, xmlNameOf } from './json-names.ts';
export { DEFAULT_XML_TO_JSON, isJsonWrapper, XmlToJsonError, type XmlToJsonSettings, xmlToJson } from './xml-json.ts';

const ELEMENT_NODE = 1;

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
  if (nodesOf(node) > MAX_XML_NODES) throw new JsonSyntaxError(`as XML it has more than ${MAX_XML_NODES} nodes`, 0);
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

/** Of the document that it becomes: elements and texts. */
function nodesOf(node: JsonNode): number {
  if (node.kind === 'array') return node.items.reduce((sum, item) => sum + nodesOf(item), 1);
  if (node.kind === 'object') return node.members.reduce((sum, [, value]) => sum + nodesOf(value), 1);
  return 2;
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

/** The attribute for `@name`, if it can be one. */
function attributeName(key: string, element: XmlElement): string | undefined {
  if (!key.startsWith('@') || key.length < 2) return undefined;
  const name = xmlNameOf(key.slice(1));
  return element.hasAttribute(name) ? undefined : name;
}
