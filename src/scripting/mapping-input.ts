import { JobError } from '../isolation/jobs.ts';
import { elementChildren, parseXml, textOf, type XmlAttribute, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import {
  ATTRIBUTE_PREFIX,
  identifierOf,
  itemsOf,
  kindOf,
  type MappingSchema,
  namespacesOf,
  TEXT_MEMBER,
} from './mapping-schema.ts';

type Namespaces = ReadonlyMap<string, string>;

/**
 * The input of a mapping as the JavaScript value that its schema describes.
 * @throws JobError
 */
export function readInput(text: string, type: 'XML' | 'JSON' | 'CSV', schema: MappingSchema): unknown {
  try {
    if (type === 'JSON') return JSON.parse(text);
    if (type === 'CSV') return readCsv(text, schema);
    const root = parseXml(text).documentElement as XmlElement;
    return elementValue(root, schema, namespacesOf(schema));
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof XmlSyntaxError)) throw cause;
    throw new JobError(`the input is no ${type}: ${cause.message}`, { cause });
  }
}

function elementValue(element: XmlElement, schema: MappingSchema, namespaces: Namespaces): unknown {
  const kind = kindOf(schema);
  if (kind === 'object') return objectValue(element, schema, namespaces);
  if (kind === 'array') return [elementValue(element, itemsOf(schema), namespaces)];
  return scalar(textOf(element), kind);
}

function objectValue(element: XmlElement, schema: MappingSchema, namespaces: Namespaces): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const attribute of Array.from(element.attributes as unknown as ArrayLike<XmlAttribute>)) {
    if (attribute.prefix === 'xmlns' || attribute.nodeName === 'xmlns') continue;
    const kind = kindOf(schema.attributes?.[attribute.nodeName] ?? {});
    value[ATTRIBUTE_PREFIX + identifierOf(attribute.nodeName)] = scalar(attribute.value, kind);
  }
  const properties = Object.entries(schema.properties ?? {});
  for (const child of elementChildren(element)) {
    const [name, described] = properties.find(([name]) => isCalled(child, name, namespaces)) ?? [];
    if (name === undefined || described === undefined) continue;
    const key = identifierOf(name);
    const own = elementValue(child, described, namespaces);
    const present = value[key];
    value[key] = Array.isArray(present) && Array.isArray(own) ? [...present, ...own] : own;
  }
  const text = textOf(element);
  if (text.trim() !== '') value[TEXT_MEMBER] = text;
  return value;
}

/** `prefix:name` in a schema means a namespace; a bare name means any. */
function isCalled(element: XmlElement, name: string, namespaces: Namespaces): boolean {
  const [prefix, local] = name.includes(':') ? (name.split(':') as [string, string]) : ['', name];
  if (element.localName !== local) return false;
  const namespace = namespaces.get(prefix);
  return prefix === '' || namespace === undefined || namespace === (element.namespaceURI ?? '');
}

/** @throws JobError for text that is not what the schema says */
function scalar(text: string, kind: string): unknown {
  if (kind === 'boolean') return text.trim() === 'true';
  if (kind !== 'number' && kind !== 'integer') return text;
  if (text.trim() === '') return null;
  const number = Number(text);
  if (Number.isNaN(number)) throw new JobError(`'${text.slice(0, 100)}' is no number, as the input schema says`);
  return number;
}

/** Rows as objects with the names of the schema, in its order; a first row of just these names is no data. */
function readCsv(text: string, schema: MappingSchema): Record<string, unknown>[] {
  const described = Object.entries(itemsOf(schema).properties ?? schema.properties ?? {});
  const rows = csvRows(text);
  const [first] = rows;
  const isHeader = first?.every((cell, index) => cell.trim() === described[index]?.[0]) ?? false;
  return rows
    .slice(isHeader ? 1 : 0)
    .map((cells) =>
      Object.fromEntries(
        described.map(([name, own], index) => [identifierOf(name), scalar(cells[index] ?? '', kindOf(own))]),
      ),
    );
}

/** RFC 4180. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
}
