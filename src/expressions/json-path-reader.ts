import { ValueError } from '../grammar/attributes.ts';

/** Reads the text of a JSONPath from left to right. */
export class PathReader {
  readonly #text: string;
  /** Characters in front of what the user wrote. */
  readonly #added: number;
  #at = 0;

  constructor(text: string, added = 0) {
    this.#text = text;
    this.#added = added;
  }

  get next(): string | undefined {
    return this.#text[this.#at];
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** @throws ValueError */
  expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(text);
  }

  /** Matches a sticky pattern here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match;
  }

  blanks(): void {
    this.match(/\s*/y);
  }

  /** Text in single or double quotes; a backslash takes the next character literally. */
  quoted(): string {
    const match = this.match(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/sy);
    if (!match) throw this.unexpected('a string');
    return unescaped(match[1] ?? match[2] ?? '');
  }

  integer(): number {
    const match = this.match(/-?\d+/y);
    if (!match) throw this.unexpected("a name in quotes, a number, '*' or '?('");
    return Number(match[0]);
  }

  /** One or more items between commas. */
  list<T>(readItem: () => T): T[] {
    const items: T[] = [];
    do {
      this.blanks();
      items.push(readItem());
      this.blanks();
    } while (this.take(','));
    return items;
  }

  unexpected(wanted?: string): ValueError {
    const column = Math.max(1, this.#at + 1 - this.#added);
    const found = this.atEnd ? 'the path ends' : `unexpected '${this.#text.slice(this.#at, this.#at + 20)}'`;
    const expected = wanted === undefined ? '' : `, expected ${wanted.length > 1 ? wanted : `'${wanted}'`}`;
    return new ValueError(`${found} at column ${column}${expected}`, 'a JSONPath, for example $.order.items[0].id');
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, character: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (ESCAPES[character] ?? character),
  );
}
