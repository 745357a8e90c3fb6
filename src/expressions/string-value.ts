import { JsonValue, javaDouble, type PropertyValue, TypedNumber } from '../message/property-value.ts';
import {
  cloneInto,
  maxTextLength,
  newDocument,
  serializeXml,
  TooLargeError,
  textOf,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';
import { isNodeSet, type XPathValue } from '../xml/xpath/index.ts';

const ELEMENT_NODE = 1;
const ATTRIBUTE_NODE = 2;
const TEXT_NODE = 3;
const CDATA_NODE = 4;
const DOCUMENT_NODE = 9;

/** How `node()` in the text of an expression changes the printing of its nodes (spec mediators 4.2.5). */
export interface NodeStyle {
  /** `node()` occurs: elements are always serialised. */
  readonly anywhere: boolean;
  /** `node()` ends the expression: a single text node stands for its parent. */
  readonly atEnd: boolean;
}

const PLAIN_STYLE: NodeStyle = { anywhere: false, atEnd: false };

export function nodeStyleOf(source: string): NodeStyle {
  return { anywhere: source.includes('node()'), atEnd: source.trimEnd().endsWith('node()') };
}

/** The text of an XPath result, null for a missing property (spec mediators 4.2.5). */
export function stringOfXPath(value: XPathValue, style: NodeStyle): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return javaDouble(value);
  if (typeof value === 'boolean') return String(value);
  return stringOfNodes(value, style);
}

/** The text of a property as `$ctx:name` and `get-property('name')` print it. */
export function stringOfProperty(value: PropertyValue | null): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'boolean' || value instanceof TypedNumber || value instanceof JsonValue) return String(value);
  return stringOfNodes(isList(value) ? value : [value], PLAIN_STYLE);
}

/** What a property is to XPath: every numeric type is a number (MREQ-20), JSON is its text. */
export function xpathOfProperty(value: PropertyValue | null): XPathValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof JsonValue) return value.text;
  if (value instanceof TypedNumber) return numberOf(value);
  return isList(value) ? value : [value];
}

/** The other way round, for variables and template parameters. */
export function propertyOfXPath(value: XPathValue, style: NodeStyle): PropertyValue | null {
  if (typeof value === 'number') return new TypedNumber('DOUBLE', value);
  if (!isNodeSet(value)) return value;
  if (value.length === 0 || !value.every((node) => node.nodeType === ELEMENT_NODE)) return stringOfNodes(value, style);
  const elements = value as readonly XmlElement[];
  return elements.length === 1 ? (elements[0] as XmlElement) : elements;
}

/** A 64-bit integer that a double cannot hold stays text: comparing and printing it lose nothing then. */
function numberOf(value: TypedNumber): XPathValue {
  const number = Number(value.value);
  return typeof value.value === 'bigint' && !Number.isSafeInteger(number) ? String(value.value) : number;
}

/** The elements of a value that is XML; undefined for every other kind. */
export function propertyElements(value: PropertyValue): readonly XmlElement[] | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (value instanceof TypedNumber || value instanceof JsonValue) return undefined;
  return isList(value) ? value : [value];
}

function isList(value: XmlElement | readonly XmlElement[]): value is readonly XmlElement[] {
  return Array.isArray(value);
}

function stringOfNodes(nodes: readonly XmlNode[], style: NodeStyle): string {
  const [first] = nodes;
  if (first && nodes.length === 1) {
    if (first.nodeType === ELEMENT_NODE) return stringOfElement(first as XmlElement, style);
    if (style.atEnd && isText(first) && first.parentNode) return serializeXml(first.parentNode);
  }
  let text = '';
  const limit = maxTextLength();
  for (const node of nodes) {
    text += partOf(node);
    // Nodes may stand inside each other: the text of all of them is many times that of the document.
    if (text.length > limit) throw new TooLargeError(`the text of the nodes has more than ${limit} characters`);
  }
  return text;
}

/** Its own text if it has any, else its XML: so `//order` gives XML and `//order/id` gives text. */
function stringOfElement(element: XmlElement, style: NodeStyle): string {
  const text = style.anywhere ? '' : trimmed(textOf(element));
  return text === '' ? serializeXml(element) : text;
}

function partOf(node: XmlNode): string {
  switch (node.nodeType) {
    case ELEMENT_NODE:
      return serializeXml(trimmedCopy(node as XmlElement));
    case DOCUMENT_NODE:
      return serializeXml(node);
    case ATTRIBUTE_NODE:
    case TEXT_NODE:
    case CDATA_NODE:
      return node.nodeValue ?? '';
    default:
      return '';
  }
}

/** One of several elements is printed with its text trimmed; one that holds other elements is printed as it is. */
function trimmedCopy(element: XmlElement): XmlElement {
  const only = element.firstChild;
  if (!only || only.nextSibling || only.nodeType !== TEXT_NODE) return element;
  const text = trimmed(only.nodeValue ?? '');
  if (text === '' || text === only.nodeValue) return element;
  // A copy without its surroundings would lose their namespace declarations: serialising it declares those it needs.
  const copy = cloneInto(newDocument(null, 'copy'), element);
  copy.textContent = text;
  return copy;
}

function isText(node: XmlNode): boolean {
  return node.nodeType === TEXT_NODE || node.nodeType === CDATA_NODE;
}

/** Without blanks at both ends: what Java's trim removes, and non-breaking spaces, which inside become blanks. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end).replaceAll('\u00A0', ' ');
}

function isBlank(code: number): boolean {
  return code <= 0x20 || code === 0xa0;
}
