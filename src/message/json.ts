import { maxXmlNodes, TooLargeError } from '../xml/index.ts';

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
const BLANKS_AND_COMMENTS = /[ \t\n\r]*(?:(?:\/\/[^\n\r]*|#[^\n\r]*|\/\*[\s\S]*?\*\/)[ \t\n\r]*)*/y;
/** Up to what ends a text without quotes. */
const BARE_WORD = /[^{}[\]:,"'\\;=#/ \t\f\r\n]+/y;
const LENIENT_RUNS = { '"': /[^"\\]*/y, "'": /[^'\\]*/y } as const;
const WHOLE_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LITERALS: ReadonlyArray<readonly [string, JsonNode]> = [
  ['true', { kind: 'boolean', value: true }],
  ['false', { kind: 'boolean', value: false }],
  ['null', { kind: 'null' }],
];
const LONGEST_LITERAL = 5;
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

const BLANK = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const APOSTROPHE = 0x27;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Parses strict JSON (RFC 8259).
 * @throws JsonSyntaxError
 * @throws TooLargeError when it has more values than an XML document may have nodes (OP-91)
 */
export function parseJson(text: string): JsonNode {
  return new JsonReader(text, false).document();
}

/**
 * Parses JSON as forgivingly as the reference does where a document is looked into (spec mediators 4.3): texts and keys without quotes
 * or in single ones, comments, `;` for a comma, `=` for a colon.
 * @throws JsonSyntaxError
 * @throws TooLargeError as {@link parseJson}
 */
export function parseLenientJson(text: string): JsonNode {
  return new JsonReader(text, true).document();
}

/** Reads one document from left to right; `#at` is the offset of what is read next. */
class JsonReader {
  readonly #text: string;
  readonly #lenient: boolean;
  readonly #maxValues = maxXmlNodes();
  #values = 0;
  #at = 0;

  constructor(text: string, lenient: boolean) {
    this.#text = text;
    this.#lenient = lenient;
  }

  document(): JsonNode {
    const node = this.#value(0);
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return node;
  }

  #value(depth: number): JsonNode {
    this.#blanks();
    this.#admit(depth);
    switch (this.#text.charCodeAt(this.#at)) {
      case OPEN_BRACE:
        return this.#object(depth);
      case OPEN_BRACKET:
        return this.#array(depth);
      case QUOTE:
        return { kind: 'string', value: this.#string() };
      default:
        return this.#lenient ? this.#lenientScalar() : this.#scalar();
    }
  }

  #admit(depth: number): void {
    if (depth > MAX_JSON_DEPTH) throw new JsonSyntaxError(`nested deeper than ${MAX_JSON_DEPTH}`, this.#at);
    this.#values += 1;
    if (this.#values <= this.#maxValues) return;
    throw new TooLargeError(`the JSON document has more than ${this.#maxValues} values`);
  }

  #scalar(): JsonNode {
    const number = this.#match(NUMBER);
    if (number !== '') return { kind: 'number', text: number };
    for (const [word, node] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return node;
      }
    }
    throw this.#unexpected();
  }

  /** A word is what it says if it is all of the value, else it is text. */
  #lenientScalar(): JsonNode {
    if (this.#text.charCodeAt(this.#at) === APOSTROPHE) return { kind: 'string', value: this.#string("'") };
    const word = this.#match(BARE_WORD);
    if (word === '') throw this.#unexpected();
    const literal =
      word.length <= LONGEST_LITERAL ? LITERALS.find(([known]) => known === word.toLowerCase())?.[1] : undefined;
    if (literal) return literal;
    return WHOLE_NUMBER.test(word) ? { kind: 'number', text: word } : { kind: 'string', value: word };
  }

  #object(depth: number): JsonNode {
    const members: Array<readonly [string, JsonNode]> = [];
    if (!this.#opened(CLOSE_BRACE)) return { kind: 'object', members };
    do {
      this.#blanks();
      const key = this.#key();
      this.#blanks();
      this.#colon();
      members.push([key, this.#value(depth + 1)]);
    } while (this.#another(CLOSE_BRACE));
    return { kind: 'object', members };
  }

  #array(depth: number): JsonNode {
    const items: JsonNode[] = [];
    if (!this.#opened(CLOSE_BRACKET)) return { kind: 'array', items };
    do items.push(this.#value(depth + 1));
    while (this.#another(CLOSE_BRACKET));
    return { kind: 'array', items };
  }

  #key(): string {
    const first = this.#text.charCodeAt(this.#at);
    if (first === QUOTE) return this.#string();
    if (!this.#lenient) throw this.#unexpected();
    if (first === APOSTROPHE) return this.#string("'");
    const word = this.#match(BARE_WORD);
    if (word === '') throw this.#unexpected();
    return word;
  }

  #colon(): void {
    const sign = this.#text.charCodeAt(this.#at);
    if (sign !== COLON && !(this.#lenient && sign === EQUALS)) throw this.#unexpected();
    this.#at += 1;
    if (sign === EQUALS && this.#text.charCodeAt(this.#at) === GREATER) this.#at += 1;
  }

  /** Steps over the opening bracket; false when the closing one follows at once. */
  #opened(close: number): boolean {
    this.#at += 1;
    this.#blanks();
    if (this.#text.charCodeAt(this.#at) !== close) return true;
    this.#at += 1;
    return false;
  }

  /** Steps over what follows an item: a comma, or the closing bracket, which says that there is no more. */
  #another(close: number): boolean {
    this.#blanks();
    const next = this.#text.charCodeAt(this.#at);
    if (next !== COMMA && next !== close && !(this.#lenient && next === SEMICOLON)) throw this.#unexpected();
    this.#at += 1;
    return next !== close;
  }

  #string(quote: '"' | "'" = '"'): string {
    this.#at += 1;
    const end = quote === '"' ? QUOTE : APOSTROPHE;
    const run = this.#lenient ? LENIENT_RUNS[quote] : STRING_RUN;
    let value = this.#match(run);
    for (;;) {
      const next = this.#text.charCodeAt(this.#at);
      if (next === end) {
        this.#at += 1;
        return value;
      }
      if (next !== BACKSLASH) throw this.#unexpected();
      value += this.#escape();
      value += this.#match(run);
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
    const character = ESCAPES[letter] ?? (this.#lenient && (letter === "'" || letter === '\n') ? letter : undefined);
    if (character === undefined) throw this.#unexpected();
    this.#at += 2;
    return character;
  }

  /** Compact documents have none: a look at the next character is enough to know. */
  #blanks(): void {
    const next = this.#text.charCodeAt(this.#at);
    if (next <= BLANK) this.#match(this.#lenient ? BLANKS_AND_COMMENTS : BLANKS);
    else if (this.#lenient && (next === SLASH || next === HASH)) this.#match(BLANKS_AND_COMMENTS);
  }

  /** Without an array of matches, of which a document would need one for each of its values. */
  #match(pattern: RegExp): string {
    const start = this.#at;
    pattern.lastIndex = start;
    if (!pattern.test(this.#text)) return '';
    this.#at = pattern.lastIndex;
    return this.#text.slice(start, this.#at);
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

/** Is the text a JSON document? */
export function isJsonText(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}
