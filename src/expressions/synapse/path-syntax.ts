import { FUNCTION_NAMES } from './function-names.ts';
import { KEYWORDS } from './keywords.ts';
import type { Tokens } from './tokens.ts';
import type { PathTree, Tree } from './tree.ts';

/** Words that start a value inside a filter, where everything else is JSONPath. */
const ROOTS: ReadonlySet<string> = new Set(
  'payload var vars variables headers props properties params configs'.split(' '),
);

const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/.source;
/** What stands between brackets that are the same for every message: indexes, a slice, or names in quotes. */
const FIXED_BRACKET = new RegExp(
  `\\s*(?:-?\\d+(?:\\s*,\\s*-?\\d+)*|(?:-?\\d+)?\\s*:\\s*(?:-?\\d+)?|(?:${QUOTED})(?:\\s*,\\s*(?:${QUOTED}))*)\\s*(?=\\])`,
  'sy',
);
/** What is JSONPath in a filter whatever it says: texts, regular expressions, members, signs. */
const FILTER_TEXT = new RegExp(
  `${QUOTED}|=~\\s*/(?:[^/\\\\]|\\\\.)*/[a-z]*|\\.[A-Za-z_][\\w-]*|\\s+|[^A-Za-z_()[\\]'"]`,
  'sy',
);
const FILTER_BRACKET = /[()[\]]/y;
const FILTER_WORD = /[A-Za-z_][\w-]*/y;
const CALL_AHEAD = /\s*(?=\()/y;
const PATH_FUNCTION = /\s*([A-Za-z]+)\s*\(\s*(-?\d+)?\s*\)/y;

/** Reads the JSONPath behind a root or a call (spec mediators 4.5.1), piece by piece. */
export class PathParser {
  readonly #tokens: Tokens;
  readonly #expression: () => Tree;
  readonly #factor: () => Tree;

  constructor(tokens: Tokens, expression: () => Tree, factor: () => Tree) {
    this.#tokens = tokens;
    this.#expression = expression;
    this.#factor = factor;
  }

  /** @throws ValueError */
  path(): PathTree {
    const pieces: Array<string | Tree> = [];
    for (;;) {
      if (this.#tokens.takeSign('..')) this.#afterTwoDots(pieces);
      else if (this.#tokens.takeSign('.')) pieces.push(this.#afterDot());
      else if (this.#tokens.takeSign('[')) this.#bracket(pieces);
      else return joined(pieces);
    }
  }

  /** The name behind a dot. @throws ValueError */
  name(): string {
    const token = this.#tokens.next;
    if (token.kind !== 'name') throw this.#tokens.unexpected('a name');
    if (KEYWORDS.has(token.text)) throw this.#tokens.unexpected(`["${token.text}"] for a name that is a keyword`);
    return this.#tokens.take().text;
  }

  /** `.property(` behind `registry(…)`; consumed. */
  takesProperty(): boolean {
    return this.#tokens.match(/\s*\.\s*property\s*\(/y) !== undefined;
  }

  #afterTwoDots(pieces: Array<string | Tree>): void {
    if (this.#tokens.takeSign('*')) pieces.push('..*');
    else if (this.#tokens.takeSign('[')) {
      pieces.push('..');
      this.#bracket(pieces);
    } else pieces.push(`..[${JSON.stringify(this.name())}]`);
  }

  #afterDot(): string {
    if (this.#tokens.takeSign('*')) return '.*';
    const call = this.#tokens.match(PATH_FUNCTION);
    return call ? `.${call[1]}(${call[2] ?? ''})` : `[${JSON.stringify(this.name())}]`;
  }

  #bracket(pieces: Array<string | Tree>): void {
    if (this.#tokens.isSign('?')) this.#filter(pieces);
    else if (this.#tokens.takeSign('*')) pieces.push('[*]');
    else {
      const fixed = this.#tokens.match(FIXED_BRACKET);
      if (fixed) pieces.push(`[${fixed[0]}]`);
      else pieces.push('[', this.#expression(), ']');
    }
    this.#tokens.expectSign(']');
  }

  /** The text of a filter is JSONPath; roots and calls of this language in it are evaluated first and put in as literals. */
  #filter(pieces: Array<string | Tree>): void {
    let raw = '[';
    for (let depth = 0; ; ) {
      const text = this.#tokens.match(FILTER_TEXT);
      const bracket = text ? undefined : this.#bracketAhead(depth);
      if (bracket === 'end') break;
      const word = text || bracket ? undefined : this.#filterWord();
      if (typeof word === 'object') {
        pieces.push(raw, word);
        raw = '';
        continue;
      }
      const read = text?.[0] ?? bracket ?? word;
      if (read === undefined) throw this.#tokens.error('a filter is not closed: expected )]');
      if (bracket) depth += bracket === '(' || bracket === '[' ? 1 : -1;
      raw += read;
    }
    pieces.push(`${raw}]`);
  }

  #bracketAhead(depth: number): string | undefined {
    if (depth === 0 && this.#tokens.isAt(']')) return 'end';
    return this.#tokens.match(FILTER_BRACKET)?.[0];
  }

  /** A word of JSONPath as text, or the value that starts here. */
  #filterWord(): string | Tree | undefined {
    const word = this.#tokens.match(FILTER_WORD);
    if (!word) return undefined;
    const isCall = FUNCTION_NAMES.has(word[0]) && this.#tokens.match(CALL_AHEAD) !== undefined;
    if (!ROOTS.has(word[0]) && !isCall) return word[0];
    this.#tokens.moveTo(word.index);
    return this.#factor();
  }
}

/** Neighbouring texts become one. */
function joined(pieces: ReadonlyArray<string | Tree>): PathTree {
  const result: Array<string | Tree> = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') result[result.length - 1] = last + piece;
    else result.push(piece);
  }
  return result;
}
