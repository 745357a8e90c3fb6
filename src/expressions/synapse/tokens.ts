import { ValueError } from '../../grammar/attributes.ts';

export type TokenKind = 'number' | 'text' | 'name' | 'sign' | 'end';

/** A word of the `${…}` language. */
export interface Token {
  readonly kind: TokenKind;
  /** As written; for text what stands between the quotes, untouched (spec mediators 4.5.1). */
  readonly text: string;
  /** Offset of its first character in the expression. */
  readonly at: number;
  /** Offset behind its last character. */
  readonly end: number;
}

/** In front of the expression stands `${`. */
const LEAD = 2;
const PATTERN =
  /\s*(?:(-?\d+(?:\.\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_-]*)|(\.\.|==|!=|<=|>=|&&|\|\||[-+*/%<>?:,.()[\]$]))/sy;
const BLANKS = /\s*/y;

/**
 * Cuts an expression into tokens, one at a time, because a filter inside it is JSONPath and has words of its own. A `-` belongs to the
 * number or name that it touches. Characters that mean nothing are an error (MREQ-23).
 */
export class Tokens {
  readonly source: string;
  #next: Token | undefined;
  #at = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** The token that comes next. @throws ValueError for a character that starts none */
  get next(): Token {
    this.#next ??= this.#read(this.#at);
    return this.#next;
  }

  take(): Token {
    const token = this.next;
    this.#at = token.end;
    this.#next = undefined;
    return token;
  }

  isSign(sign: string): boolean {
    return this.next.kind === 'sign' && this.next.text === sign;
  }

  takeSign(sign: string): boolean {
    if (!this.isSign(sign)) return false;
    this.take();
    return true;
  }

  expectSign(sign: string): void {
    if (!this.takeSign(sign)) throw this.unexpected(`'${sign}'`);
  }

  /** Reads what a sticky pattern matches here, which need not be a token. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.source);
    if (match) this.moveTo(pattern.lastIndex);
    return match ?? undefined;
  }

  /** Whether this character comes next, without blanks in front of it. */
  isAt(character: string): boolean {
    return this.source[this.#at] === character;
  }

  /** Goes on reading at another place. */
  moveTo(offset: number): void {
    this.#at = offset;
    this.#next = undefined;
  }

  unexpected(expected: string, token: Token = this.next): ValueError {
    const found = token.kind === 'end' ? 'it ends' : `unexpected '${this.source.slice(token.at, token.end)}'`;
    return this.error(`${found} at column ${token.at + LEAD + 1}, expected ${expected}`);
  }

  /** The reference's words, then ours. */
  error(details: string): ValueError {
    return new ValueError(
      `Syntax error in expression: \${${this.source}} ${details}`,
      `for example \${payload.order.id}, \${vars.count + 1} or \${(payload.a == 1) and exists(vars.b)}`,
    );
  }

  #read(from: number): Token {
    PATTERN.lastIndex = from;
    const match = PATTERN.exec(this.source);
    if (match) return tokenOf(match, PATTERN.lastIndex);
    BLANKS.lastIndex = from;
    BLANKS.test(this.source);
    const at = Math.max(from, BLANKS.lastIndex);
    if (at >= this.source.length) return { kind: 'end', text: '', at, end: at };
    const character = String.fromCodePoint(this.source.codePointAt(at) ?? 0);
    const problem =
      character === "'" || character === '"'
        ? `the text that starts at column ${at + LEAD + 1} is not closed`
        : `unexpected '${character}' at column ${at + LEAD + 1}${HINTS[character] ?? ''}`;
    throw this.error(problem);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  '=': " (the comparison is written '==')",
  '!': " ('not' is written not(…))",
  '&': " (write 'and')",
  '|': " (write 'or')",
};

function tokenOf(match: RegExpExecArray, end: number): Token {
  const [all, number, single, double, name, sign] = match;
  const text = number ?? single ?? double ?? name ?? sign ?? '';
  const quotes = single !== undefined || double !== undefined;
  const at = end - (quotes ? text.length + 2 : text.length);
  const kind = number !== undefined ? 'number' : quotes ? 'text' : name !== undefined ? 'name' : 'sign';
  return { kind, text, at: Math.max(at, end - all.length), end };
}
