/**
 * JSON read without loss: members keep their order and their repetitions, numbers their digits (MREQ-41), which `JSON.parse` does
 * not promise.
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: ReadonlyArray<readonly [key: string, value: JsonNode]> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  /** The digits as written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

/** Text that is not JSON; the position counts characters from 0. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(`${message} at position ${position}`);
    this.position = position;
  }
}

/** OP-91: deeper nesting is refused. */
export const MAX_JSON_DEPTH = 256;

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING_RUN = /[^"\\\u0000-\u001f]*/y;
const LITERALS: ReadonlyArray<readonly [string, JsonNode]> = [
  ['true', { kind: 'boolean', value: true }],
  ['false', { kind: 'boolean', value: false }],
  ['null', { kind: 'null' }],
];
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses strict JSON (RFC 8259).
 * @throws JsonSyntaxError
 */
export function parseJson(text: string): JsonNode {
  return new JsonReader(text).document();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const node = this.#value(0);
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return node;
  }

  #value(depth: number): JsonNode {
    this.#blanks();
    if (depth > MAX_JSON_DEPTH) throw new JsonSyntaxError(`nested deeper than ${MAX_JSON_DEPTH}`, this.#at);
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return { kind: 'string', value: this.#string() };
    for (const [word, node] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return node;
      }
    }
    const number = this.#match(NUMBER);
    if (number === '') throw this.#unexpected();
    return { kind: 'number', text: number };
  }

  #object(depth: number): JsonNode {
    const members: Array<readonly [string, JsonNode]> = [];
    this.#list('}', () => {
      this.#blanks();
      if (this.#text[this.#at] !== '"') throw this.#unexpected();
      const key = this.#string();
      this.#blanks();
      if (this.#text[this.#at] !== ':') throw this.#unexpected();
      this.#at += 1;
      members.push([key, this.#value(depth + 1)]);
    });
    return { kind: 'object', members };
  }

  #array(depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#list(']', () => items.push(this.#value(depth + 1)));
    return { kind: 'array', items };
  }

  /** Items between commas up to the closing bracket. */
  #list(close: string, readItem: () => void): void {
    this.#at += 1;
    this.#blanks();
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      readItem();
      this.#blanks();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== close) throw this.#unexpected();
      this.#at += 1;
      if (next === close) return;
    }
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#match(STRING_RUN);
      const next = this.#text[this.#at];
      if (next === '"') {
        this.#at += 1;
        return value;
      }
      if (next !== '\\') throw this.#unexpected();
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#unexpected();
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = ESCAPES[letter];
    if (character === undefined) throw this.#unexpected();
    this.#at += 2;
    return character;
  }

  #blanks(): void {
    this.#match(BLANKS);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #unexpected(): JsonSyntaxError {
    const character = this.#text[this.#at];
    const what = character === undefined ? 'the text ends' : `unexpected ${JSON.stringify(character)}`;
    return new JsonSyntaxError(what, this.#at);
  }
}

/** Text that nobody can take for JSON, in the reference's words (spec mediators 5.2). */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';

  constructor() {
    super('#getNewJsonPayload. Could not save JSON payload. Invalid input stream found. Payload is not a JSON string.');
  }
}

const JSON_START = /[{["tnf\-0-9]/;
const SCALAR = /^(?:"(?:[^"\\]|\\.)*"|true|false|null|-?\d+(?:\.\d+)?)$/s;

/**
 * Decides whether text is accepted as a JSON payload, as the reference does it on receipt: objects and arrays are not validated yet,
 * scalars must stand alone (spec mediators 5.2).
 * @returns the text, or undefined when there is nothing but blanks
 * @throws NotJsonError
 */
export function acceptJson(text: string): string | undefined {
  const start = text.search(JSON_START);
  if (start < 0) {
    if (/^[ \t\r]*$/.test(text)) return undefined;
    throw new NotJsonError();
  }
  const first = text[start];
  if (first === '{' || first === '[' || SCALAR.test(text)) return text;
  throw new NotJsonError();
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * A JSON number's text as Java's decimals print it: `1e5` → `1E+5`, `-0` → `0`, `1.50` stays (spec mediators 5.4). Text in, text
 * out: no digit is lost.
 */
export function javaDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = DECIMAL.exec(text) ?? [];
  const exponent = Number(exponentText);
  if (whole === '' || !Number.isSafeInteger(exponent)) return text;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  const scale = fraction.length - exponent;
  const minus = digits === '0' || /^0+$/.test(digits) ? '' : sign;
  const adjusted = digits.length - 1 - scale;
  if (scale === 0) return minus + digits;
  if (scale > 0 && adjusted >= -6) {
    const padded = digits.padStart(scale + 1, '0');
    return `${minus}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return adjusted === 0 ? minus + mantissa : `${minus}${mantissa}E${adjusted > 0 ? '+' : ''}${adjusted}`;
}
