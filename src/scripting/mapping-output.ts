import { JobError } from '../isolation/jobs.ts';
import { newDocument, serializeXml, type XmlDocument, type XmlElement } from '../xml/index.ts';
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

/** The output of a mapping as text, in the form that its schema describes. @throws JobError */
export function writeOutput(value: unknown, type: 'XML' | 'JSON' | 'CSV', schema: MappingSchema): string {
  if (type === 'JSON') return JSON.stringify(value);
  if (type === 'CSV') return writeCsv(value, schema);
  return writeXml(value, schema);
}

function writeXml(value: unknown, schema: MappingSchema): string {
  const namespaces = namespacesOf(schema);
  const name = schema.title ?? 'root';
  const document = newDocument(namespaceOf(name, namespaces), qualified(name, namespaces));
  const root = document.documentElement as XmlElement;
  const own = kindOf(schema) === 'array' ? itemsOf(schema) : schema;
  for (const item of Array.isArray(value) ? value : [value]) fill(document, root, item, own, namespaces);
  return serializeXml(root);
}

function fill(
  document: XmlDocument,
  element: XmlElement,
  value: unknown,
  schema: MappingSchema,
  namespaces: Namespaces,
): void {
  if (typeof value !== 'object' || value === null) {
    if (value !== null && value !== undefined) element.appendChild(document.createTextNode(String(value)));
    return;
  }
  const members = new Map(Object.entries(value));
  for (const [key, member] of members) {
    if (!key.startsWith(ATTRIBUTE_PREFIX) || member === null) continue;
    const written = key.slice(ATTRIBUTE_PREFIX.length);
    const name = Object.keys(schema.attributes ?? {}).find((known) => identifierOf(known) === written) ?? written;
    if (name.includes(':'))
      element.setAttributeNS(namespaceOf(name, namespaces), qualified(name, namespaces), String(member));
    else element.setAttribute(name, String(member));
  }
  const text = members.get(TEXT_MEMBER);
  if (text !== undefined && text !== null) element.appendChild(document.createTextNode(String(text)));
  for (const [key, name, own] of inOrder(members, schema)) {
    const member = members.get(key);
    const described = kindOf(own) === 'array' ? itemsOf(own) : own;
    for (const item of Array.isArray(member) ? member : [member]) {
      if (item === null || item === undefined) continue;
      const child = document.createElementNS(namespaceOf(name, namespaces), qualified(name, namespaces));
      element.appendChild(child);
      fill(document, child, item, described, namespaces);
    }
  }
}

/** Members as the schema orders them, then those that it does not know: key, name in XML, schema. */
function inOrder(members: ReadonlyMap<string, unknown>, schema: MappingSchema): Array<[string, string, MappingSchema]> {
  const found: Array<[string, string, MappingSchema]> = [];
  const known = new Set<string>();
  for (const [name, own] of Object.entries(schema.properties ?? {})) {
    const key = identifierOf(name);
    known.add(key);
    if (members.has(key)) found.push([key, name, own]);
  }
  for (const key of members.keys()) {
    if (known.has(key) || key === TEXT_MEMBER || key.startsWith(ATTRIBUTE_PREFIX)) continue;
    if (!/^[A-Za-z_][\w.-]*$/.test(key)) throw new JobError(`'${key}' cannot be the name of an XML element`);
    found.push([key, key, {}]);
  }
  return found;
}

function namespaceOf(name: string, namespaces: Namespaces): string | null {
  return (name.includes(':') && namespaces.get(name.slice(0, name.indexOf(':')))) || null;
}

/** A prefix that stands for nothing is left out. */
function qualified(name: string, namespaces: Namespaces): string {
  return namespaceOf(name, namespaces) === null ? name.slice(name.indexOf(':') + 1) : name;
}

function writeCsv(value: unknown, schema: MappingSchema): string {
  const names = Object.keys(itemsOf(schema).properties ?? schema.properties ?? {}).map(identifierOf);
  const rows = Array.isArray(value) ? value : [value];
  return rows.map((row) => cellsOf(row, names).map(csvCell).join(',')).join('\n');
}

function cellsOf(row: unknown, names: readonly string[]): unknown[] {
  if (typeof row !== 'object' || row === null) return [row];
  if (Array.isArray(row)) return row;
  return names.length > 0 ? names.map((name) => (row as Record<string, unknown>)[name]) : Object.values(row);
}

function csvCell(value: unknown): string {
  const text = value === undefined || value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
