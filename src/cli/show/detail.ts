import { coloured, colourOfState, printable, type Terminal } from './terminal.ts';

/** The reference's names of members whose own name says something else (spec stores 7.3). */
const LABELS: Readonly<Record<string, string>> = {
  file: 'File Name',
  container: 'Container',
  store: 'Message Store',
  messageStore: 'Message Store',
  artifactContainer: 'Artifact Container',
  wsdl1_1: 'WSDL 1.1',
  wsdl2_0: 'WSDL 2.0',
  eprs: 'Addresses',
  url: 'URL',
  id: 'Id',
};

/**
 * One thing in detail, as the reference's command line lays it out: `Name - value`, then what has members or lines of its own, and
 * whole texts last.
 */
export function detail(value: Readonly<Record<string, unknown>>, terminal: Terminal): string {
  const simple: string[] = [];
  const nested: string[] = [];
  const texts: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || member === null) continue;
    const label = labelOf(name);
    if (typeof member === 'string' && member.includes('\n'))
      texts.push(`\n${label} :\n${printable(member, 'lines').trimEnd()}\n`);
    else if (typeof member === 'object') nested.push(section(label, member));
    else simple.push(`${label} - ${coloured(printable(String(member)), colourOf(name, member), terminal)}\n`);
  }
  return [...simple, ...nested, ...texts].join('');
}

function colourOf(name: string, member: unknown) {
  return name === 'state' || name === 'status' ? colourOfState(String(member)) : undefined;
}

/** `messageStore` -> `Message Store`. */
export function labelOf(name: string): string {
  const known = Object.hasOwn(LABELS, name) ? LABELS[name] : undefined;
  if (known !== undefined) return known;
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').replaceAll(/[_-]+/g, ' ');
  return words.replaceAll(/(^| )(\w)/g, (_, blank: string, letter: string) => blank + letter.toUpperCase());
}

function section(label: string, member: object): string {
  const entries = Array.isArray(member)
    ? member.map((item) => lineOf(item))
    : Object.entries(member).map(([name, value]) => `${name} = ${lineOf(value)}`);
  if (entries.length === 0) return `No ${label} found\n`;
  return `${label} :\n${entries.map((entry) => ` ${printable(entry)}\n`).join('')}`;
}

function lineOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const { name, value } = item as { readonly name?: unknown; readonly value?: unknown };
  if (typeof name === 'string' && value !== undefined && Object.keys(item).length === 2)
    return `${name} = ${String(value)}`;
  if (Array.isArray(item)) return item.map((one) => lineOf(one)).join(', ');
  return Object.entries(item)
    .filter(([, member]) => member !== undefined && member !== null)
    .map(([key, member]) => `${key} = ${typeof member === 'object' ? JSON.stringify(member) : String(member)}`)
    .join(', ');
}
