import type { JsonNode } from '../message/json.ts';
import { javaDouble } from '../message/property-value.ts';
import { maxTextLength, TooLargeError } from '../xml/index.ts';

/**
 * Compact JSON text; numbers as they were written (MREQ-41).
 * @throws TooLargeError when it is longer than a text may be: a value may stand in a document as often as one likes, and costs nothing
 *   until it is written (OP-91)
 */
export function jsonText(node: JsonNode): string {
  if (node.kind === 'object' || node.kind === 'array') return new JsonWriter().text(node);
  return scalarText(node);
}

/**
 * The texts of several values. One that stands inside another is written twice: all of them together are bounded as one text is.
 * @throws TooLargeError
 */
export function jsonTexts(nodes: readonly JsonNode[]): string[] {
  const limit = maxTextLength();
  let length = 0;
  return nodes.map((node) => {
    const text = jsonText(node);
    length += text.length;
    if (length > limit)
      throw new TooLargeError(`the JSON texts of the values have more than ${limit} characters in all`);
    return text;
  });
}

function scalarText(node: Exclude<JsonNode, { kind: 'object' | 'array' }>): string {
  switch (node.kind) {
    case 'string':
      return quoted(node.value);
    case 'number':
      return node.text;
    case 'boolean':
      return node.value ? 'true' : 'false';
    case 'null':
      return 'null';
  }
}

/** Writes one document, and stops as soon as it is too long. */
class JsonWriter {
  readonly #limit = maxTextLength();
  #out = '';

  text(node: JsonNode): string {
    this.#write(node);
    return this.#out;
  }

  #write(node: JsonNode): void {
    if (node.kind === 'array') this.#array(node.items);
    else if (node.kind === 'object') this.#object(node.members);
    else this.#out += scalarText(node);
    if (this.#out.length > this.#limit)
      throw new TooLargeError(`the JSON text has more than ${this.#limit} characters`);
  }

  #array(items: readonly JsonNode[]): void {
    let separator = '[';
    for (const item of items) {
      this.#out += separator;
      this.#write(item);
      separator = ',';
    }
    this.#out += separator === '[' ? '[]' : ']';
  }

  #object(members: ReadonlyArray<readonly [key: string, value: JsonNode]>): void {
    let separator = '{';
    for (const [key, value] of members) {
      this.#out += `${separator}${quoted(key)}:`;
      this.#write(value);
      separator = ',';
    }
    this.#out += separator === '{' ? '{}' : '}';
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
