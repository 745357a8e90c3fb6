import { ownCopy } from '../own-copy.ts';

/** A Content-Type header, taken apart. */
export interface MediaType {
  /** `type/subtype` in lower case, blanks removed; empty when there is none. */
  readonly type: string;
  /** Parameters by lower-case name; of repeated ones the first wins. */
  readonly parameters: ReadonlyMap<string, string>;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();
const MAX_PARAMETERS = 16;
/** Almost all messages of a server have one of a few Content-Types: they are read once. */
const KNOWN_HEADERS = 256;
const LONGEST_KNOWN = 256;
const known = new Map<string, MediaType>();
const NOTHING: MediaType = { type: '', parameters: NO_PARAMETERS };
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The media type alone, in lower case: what stands before the first `;` or `,` (spec proxies 1.6). Cheap enough to be asked for
 * on every message.
 */
export function mediaTypeOf(contentType: string | undefined): string {
  return parseMediaType(contentType).type;
}

function typeOf(contentType: string): string {
  const end = contentType.search(/[;,]/);
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** Reads a Content-Type header. Never throws: what cannot be read is left out. Linear in the length of the header. */
export function parseMediaType(contentType: string | undefined): MediaType {
  if (contentType === undefined) return NOTHING;
  const before = known.get(contentType);
  if (before) return before;
  if (contentType.length > LONGEST_KNOWN) return readMediaType(contentType);
  const own = ownCopy(contentType);
  const read = readMediaType(own);
  if (known.size >= KNOWN_HEADERS) known.clear();
  known.set(own, read);
  return read;
}

function readMediaType(contentType: string): MediaType {
  const start = contentType.indexOf(';');
  const parameters = start < 0 ? NO_PARAMETERS : parseParameters(contentType, start);
  return { type: typeOf(contentType), parameters };
}

function parseParameters(header: string, from: number): Map<string, string> {
  const parameters = new Map<string, string>();
  let at = from;
  while (at >= 0 && at < header.length && parameters.size < MAX_PARAMETERS) {
    const equals = header.indexOf('=', at + 1);
    if (equals < 0) break;
    const name = header
      .slice(at + 1, equals)
      .trim()
      .toLowerCase();
    const { value, next } = parameterValue(header, equals + 1);
    if (TOKEN.test(name) && !parameters.has(name)) parameters.set(name, value);
    at = header.indexOf(';', next);
  }
  return parameters;
}

function parameterValue(header: string, from: number): { value: string; next: number } {
  let at = from;
  while (header[at] === ' ' || header[at] === '\t') at += 1;
  if (header[at] !== '"') {
    const end = header.indexOf(';', at);
    const next = end < 0 ? header.length : end;
    return { value: header.slice(at, next).trim(), next };
  }
  let value = '';
  for (at += 1; at < header.length && header[at] !== '"'; at += 1) {
    if (header[at] === '\\' && at + 1 < header.length) at += 1;
    value += header[at];
  }
  return { value, next: at + 1 };
}

/** Writes a Content-Type header; values that are no tokens are quoted, control characters dropped. */
export function formatMediaType(type: string, parameters: Iterable<readonly [string, string]> = []): string {
  let text = type;
  for (const [name, value] of parameters) {
    text += `; ${name}=${TOKEN.test(value) ? value : quoted(value)}`;
  }
  return text;
}

function quoted(value: string): string {
  return `"${value.replace(/[\u0000-\u001f\u007f]/g, '').replace(/["\\]/g, '\\$&')}"`;
}

/** The same header with another charset, or without one; other parameters keep their order. */
export function withCharset(contentType: string, charset: string | undefined): string {
  const { type, parameters } = parseMediaType(contentType);
  const kept = [...parameters].filter(([name]) => name !== 'charset');
  return formatMediaType(type, charset === undefined ? kept : [['charset', charset], ...kept]);
}
