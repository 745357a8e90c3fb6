import {
  cloneInto,
  createElement,
  maxXmlNodes,
  type NodeBudget,
  newDocument,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';
import { copyBinaryMark } from './binary-element.ts';
import { type JsonNode, JsonSyntaxError, parseJson } from './json.ts';
import { type JsonToXmlSettings, jsonConversion } from './json-conversion.ts';
import { xmlNameOf } from './json-names.ts';
import { isScalar, type JsonOrigin, ORIGINS, type ScalarNode, scalarText, WRAPPERS } from './json-origin.ts';

export { keyOfXmlName, xmlNameOf } from './json-names.ts';
export { isJsonWrapper, XmlToJsonError, xmlToJson } from './xml-json.ts';

const ELEMENT_NODE = 1;

/** True when the element was made from JSON and its types are still known. */
export function hasJsonOrigin(element: XmlElement): boolean {
  return ORIGINS.has(element);
}

/**
 * JSON text as `<jsonObject>`, `<jsonArray>` or `<jsonValue>`, the root of a document of its own.
 * @param settings those of the server if absent
 * @throws JsonSyntaxError
 */
export function jsonToXml(text: string, settings: JsonToXmlSettings = jsonConversion().toXml): XmlElement {
  const node = parseJson(text);
  const limit = maxXmlNodes();
  if (nodesOf(node) > limit) throw new JsonSyntaxError(`as XML it has more than ${limit} nodes`, 0);
  if (node.kind === 'object' || node.kind === 'array') {
    const document = newDocument(null, node.kind === 'object' ? WRAPPERS.object : WRAPPERS.array);
    const root = document.documentElement as XmlElement;
    new XmlWriter(document, settings).fill(root, node, {});
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

/** A deep copy that keeps what {@link jsonToXml} remembers about its elements. @throws TooLargeError as {@link cloneInto} */
export function cloneWithOrigins(document: XmlDocument, element: XmlElement, budget?: NodeBudget): XmlElement {
  const copy = cloneInto(document, element, budget);
  copyOrigins(element, copy);
  return copy;
}

function copyOrigins(from: XmlElement, to: XmlElement): void {
  const origin = ORIGINS.get(from);
  if (origin) ORIGINS.set(to, origin);
  copyBinaryMark(from, to);
  let source: XmlNode | null = from.firstChild;
  let target: XmlNode | null = to.firstChild;
  while (source && target) {
    if (source.nodeType === ELEMENT_NODE) copyOrigins(source as XmlElement, target as XmlElement);
    source = source.nextSibling;
    target = target.nextSibling;
  }
}

type Place = Pick<JsonOrigin, 'key' | 'repeated'>;

class XmlWriter {
  readonly #document: XmlDocument;
  readonly #settings: JsonToXmlSettings;

  constructor(document: XmlDocument, settings: JsonToXmlSettings) {
    this.#document = document;
    this.#settings = settings;
  }

  /** Writes a value into its element and remembers it. */
  fill(element: XmlElement, node: JsonNode, place: Place): void {
    if (node.kind === 'object') this.#fillObject(element, node.members, place);
    else if (node.kind === 'array') this.#fillArray(element, node.items, place);
    else {
      const text = scalarText(node);
      ORIGINS.set(element, { kind: node.kind, text, ...place });
      if (text !== '') element.appendChild(this.#document.createTextNode(text));
      if (node.kind === 'null' && this.#settings.writeNil) element.setAttribute('nil', 'true');
    }
  }

  #fillArray(element: XmlElement, items: readonly JsonNode[], place: Place): void {
    ORIGINS.set(element, { kind: 'array', ...place });
    this.#announce(element, WRAPPERS.item);
    for (const item of items) {
      const child = createElement(this.#document, null, WRAPPERS.item);
      element.appendChild(child);
      this.#fillItem(child, item, {});
    }
  }

  /** One item of an array: an array inside an array needs a wrapper to stay apart. */
  #fillItem(element: XmlElement, node: JsonNode, place: Place): void {
    if (node.kind !== 'array') {
      this.fill(element, node, place);
      return;
    }
    ORIGINS.set(element, { kind: 'array', ...place });
    const inner = createElement(this.#document, null, WRAPPERS.array);
    element.appendChild(inner);
    this.fill(inner, node, {});
  }

  #fillObject(element: XmlElement, members: ReadonlyArray<readonly [string, JsonNode]>, place: Place): void {
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
        element.appendChild(this.#document.createTextNode(scalarText(value)));
      } else {
        if (value.kind === 'array' && value.items.length === 0) emptyArrays.push([key, before]);
        this.#appendMember(element, key, value);
        before += 1;
      }
    }
    ORIGINS.set(element, { kind: 'object', ...place, emptyArrays, attributes, ...(content && { content }) });
  }

  #appendMember(parent: XmlElement, key: string, value: JsonNode): void {
    const name = xmlNameOf(key);
    const values = value.kind === 'array' ? value.items : [value];
    if (value.kind === 'array') this.#announce(parent, name);
    for (const item of values) {
      const child = createElement(this.#document, null, name);
      parent.appendChild(child);
      if (value.kind === 'array') this.#fillItem(child, item, { key, repeated: true });
      else this.fill(child, item, { key });
    }
  }

  #announce(parent: XmlElement, name: string): void {
    if (this.#settings.multiplePI) parent.appendChild(this.#document.createProcessingInstruction('xml-multiple', name));
  }
}

/** `{"@id":7,"$":"t"}`: attributes and the text beside them; `$` among other members is a member like them. */
function isAttributesAndText(members: ReadonlyArray<readonly [string, JsonNode]>): boolean {
  const keys = new Set(members.map(([key]) => key));
  if (keys.size !== members.length || members.length < 2) return false;
  return members.every(([key, value]) => isScalar(value) && (key === '$' || (key.startsWith('@') && key.length > 1)));
}

/** As many as an element may have when it is read; what goes beyond becomes elements. */
const MAX_ATTRIBUTES = 1_024;

/** The attribute for `@name`, if it can be one. */
function attributeName(key: string, element: XmlElement): string | undefined {
  if (!key.startsWith('@') || key.length < 2) return undefined;
  const name = xmlNameOf(key.slice(1));
  return element.attributes.length >= MAX_ATTRIBUTES || element.hasAttribute(name) ? undefined : name;
}
