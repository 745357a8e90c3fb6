import type { JsonNode } from '../message/json.ts';
import { javaDouble } from '../message/property-value.ts';

/** Compact JSON text; numbers as they were written (MREQ-41). */
export function jsonText(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members.map(([key, value]) => `${quoted(key)}:${jsonText(value)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(jsonText).join(',')}]`;
    case 'string':
      return quoted(node.value);
    case 'number':
      return node.text;
    case 'boolean':
      return String(node.value);
    case 'null':
      return 'null';
  }
}

/** What json-eval gives for a result: text without quotes, otherwise JSON (spec mediators 4.3). */
export function plainText(node: JsonNode): string {
  return node.kind === 'string' ? node.value : jsonText(node);
}

/** The value as `JSON.parse` gives it; of repeated keys the last counts. */
export function plainJson(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(([key, value]) => [key, plainJson(value)]));
    case 'array':
      return node.items.map(plainJson);
    case 'number':
      return Number(node.text);
    case 'null':
      return null;
    default:
      return node.value;
  }
}

export function jsonNumber(value: number): JsonNode {
  return { kind: 'number', text: Number.isInteger(value) ? String(value) : javaDouble(value) };
}

/** A double as the reference's path functions give it: `1.0`. */
export function jsonDouble(value: number): JsonNode {
  return { kind: 'number', text: javaDouble(value) };
}

/** Line separators are escaped so that the text may also stand in a script. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
