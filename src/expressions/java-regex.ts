import { ValueError } from '../grammar/attributes.ts';

/** A Java regular expression in this runtime's terms. */
export interface JavaRegex {
  readonly source: string;
  /** Always with `u`. */
  readonly flags: string;
  /** What behaves differently here. */
  readonly warnings: readonly string[];
}

const LINE_ENDS = '\\n\\r\\u0085\\u2028\\u2029';
const END_OF_TEXT = '(?![^])';
/** Java's `$` and `\Z` also match before a line end that ends the text. */
const BEFORE_LAST_LINE_END = `(?=(?:\\r\\n|[${LINE_ENDS}])?${END_OF_TEXT})`;

/** Escapes whose meaning differs, as the inside of a character class. */
const CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: 'A-Za-z0-9_',
  s: ' \\t\\n\\x0B\\f\\r',
  h: ' \\t\\xA0\\u1680\\u180E\\u2000-\\u200A\\u202F\\u205F\\u3000',
  v: '\\n\\x0B\\f\\r\\x85\\u2028\\u2029',
};

const POSIX: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7F',
  Alpha: 'A-Za-z',
  Digit: '0-9',
  Alnum: 'A-Za-z0-9',
  Punct: '!-\\/:-@\\[-`\\{-~',
  Graph: '!-~',
  Print: ' -~',
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1F\\x7F',
  XDigit: '0-9A-Fa-f',
  Space: ' \\t\\n\\x0B\\f\\r',
};

/** Escapes outside of classes that stand for something longer or for themselves. */
const ESCAPES: Readonly<Record<string, string>> = {
  A: '(?<![^])',
  z: END_OF_TEXT,
  Z: BEFORE_LAST_LINE_END,
  R: `(?:\\r\\n|[\\x0B\\f${LINE_ENDS}])`,
  b: '\\b',
  B: '\\B',
  k: '\\k',
};

const CONTROL: Readonly<Record<string, string>> = {
  t: '\\t',
  n: '\\n',
  r: '\\r',
  f: '\\f',
  a: '\\x07',
  e: '\\x1B',
};

/**
 * Rewrites a Java pattern token by token, so that what means something else here is translated and what does not exist is refused
 * (spec mediators 4.6).
 * @throws ValueError naming the construct and its column
 */
export function translateJavaRegex(pattern: string): JavaRegex {
  return new RegexTranslator(pattern).translate();
}

class RegexTranslator {
  readonly #pattern: string;
  readonly #warnings: string[] = [];
  #at = 0;
  #dotAll = false;
  #multiline = false;
  #comments = false;
  #ignoreCase = false;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  translate(): JavaRegex {
    this.#leadingFlags();
    let source = '';
    while (this.#at < this.#pattern.length) source += this.#token();
    const flags = `u${this.#ignoreCase ? 'i' : ''}${this.#multiline ? 'm' : ''}`;
    return { source, flags, warnings: this.#warnings };
  }

  #leadingFlags(): void {
    for (;;) {
      const match = /^\(\?([a-zA-Z]+)\)/.exec(this.#pattern.slice(this.#at));
      if (!match) return;
      for (const flag of match[1] ?? '') this.#flag(flag);
      this.#at += match[0].length;
    }
  }

  #flag(flag: string): void {
    if (flag === 'i') this.#ignoreCase = true;
    else if (flag === 's') this.#dotAll = true;
    else if (flag === 'm') this.#multiline = true;
    else if (flag === 'x') this.#comments = true;
    else if (flag !== 'u') this.#refuse(`the flag (?${flag})`);
  }

  /** The translation of what is read next. */
  #token(): string {
    const character = this.#pattern[this.#at] as string;
    switch (character) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#characterClass();
      case '(':
        return this.#group();
      case '.':
        return this.#take(1, this.#dotAll ? '[^]' : `[^${LINE_ENDS}]`);
      case '$':
        return this.#take(1, this.#multiline ? '$' : BEFORE_LAST_LINE_END);
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#quantifier();
      case ']':
      case '}':
        return this.#take(1, `\\${character}`);
      default:
        return this.#literal(character);
    }
  }

  #literal(character: string): string {
    if (this.#comments && /\s/.test(character)) return this.#take(1, '');
    if (this.#comments && character === '#') return this.#take(this.#restOfLine(), '');
    return this.#take(1, character);
  }

  #restOfLine(): number {
    const end = this.#pattern.indexOf('\n', this.#at);
    return (end === -1 ? this.#pattern.length : end + 1) - this.#at;
  }

  #quantifier(): string {
    const match = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#pattern.slice(this.#at));
    if (!match) return this.#refuse("'{' that starts no quantifier");
    const quantifier = this.#take(match[0].length, match[0]);
    const mode = this.#pattern[this.#at];
    if (mode === '+') this.#warnings.push('possessive quantifiers are read as greedy ones');
    if (mode === '+') return this.#take(1, quantifier);
    return mode === '?' ? this.#take(1, `${quantifier}?`) : quantifier;
  }

  #group(): string {
    const rest = this.#pattern.slice(this.#at);
    if (rest.startsWith('(?>')) {
      this.#warnings.push('atomic groups are read as plain ones');
      return this.#take(3, '(?:');
    }
    const known = /^\((?:\?(?::|=|!|<=|<!|<[A-Za-z][A-Za-z0-9]*>))?/.exec(rest);
    if (known && (known[0] !== '(' || rest[1] !== '?')) return this.#take(known[0].length, known[0]);
    return this.#refuse(`'${rest.slice(0, 4)}': flags are only understood at the start`);
  }

  #escape(): string {
    const letter = this.#pattern[this.#at + 1];
    if (letter === undefined) return this.#refuse("a '\\' at the end");
    if (letter === 'Q') return this.#quotation();
    const range = this.#rangeEscape();
    if (range) return range.negated ? `[^${range.inside}]` : `[${range.inside}]`;
    const fixed = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (fixed !== undefined) return this.#take(2, fixed);
    return /[1-9]/.test(letter) ? this.#take(2, `\\${letter}`) : this.#characterEscape();
  }

  #quotation(): string {
    const end = this.#pattern.indexOf('\\E', this.#at + 2);
    const quoted = this.#pattern.slice(this.#at + 2, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#pattern.length : end + 2;
    return quoted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }

  /** `\d`, `\p{Alpha}` and the like; consumed when recognised. */
  #rangeEscape(): { inside: string; negated: boolean } | undefined {
    const letter = this.#pattern[this.#at + 1] as string;
    const simple = CLASSES[letter.toLowerCase()];
    if (simple !== undefined) {
      this.#at += 2;
      return { inside: simple, negated: letter !== letter.toLowerCase() };
    }
    if (letter !== 'p' && letter !== 'P') return undefined;
    const match = /^\\[pP](?:\{(\^?)([A-Za-z_=]+)\}|([A-Z]))/.exec(this.#pattern.slice(this.#at));
    if (!match) this.#refuse(`'\\${letter}'`);
    const [all, caret, braced, single] = match as RegExpExecArray;
    const inside = this.#propertyRange(braced ?? single ?? '');
    this.#at += all.length;
    return { inside, negated: (letter === 'P') !== (caret === '^') };
  }

  #propertyRange(name: string): string {
    const posix = POSIX[name];
    if (posix !== undefined) return posix;
    const general = name.replace(/^Is/, '');
    if (
      /^(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfosn]?|Alphabetic|Lowercase|Uppercase)$/.test(
        general,
      )
    ) {
      return `\\p{${general}}`;
    }
    return this.#refuse(`the character class \\p{${name}}`);
  }

  /** An escape that stands for one character; consumed. */
  #characterEscape(): string {
    const rest = this.#pattern.slice(this.#at);
    const coded =
      /^\\x([0-9A-Fa-f]{2})/.exec(rest) ?? /^\\x\{([0-9A-Fa-f]{1,6})\}/.exec(rest) ?? /^\\u([0-9A-Fa-f]{4})/.exec(rest);
    if (coded) {
      this.#at += coded[0].length;
      return `\\u{${coded[1]}}`;
    }
    const octal = /^\\0([0-3]?[0-7]{1,2})/.exec(rest);
    if (octal) {
      this.#at += octal[0].length;
      return `\\u{${Number.parseInt(octal[1] as string, 8).toString(16)}}`;
    }
    const letter = rest[1] as string;
    if (/[A-Za-z0-9]/.test(letter) && CONTROL[letter] === undefined) this.#refuse(`'\\${letter}'`);
    this.#at += 2;
    return CONTROL[letter] ?? escaped(letter);
  }

  #characterClass(): string {
    let source = this.#take(1, '[');
    if (this.#pattern[this.#at] === '^') source += this.#take(1, '^');
    if (this.#pattern[this.#at] === ']') source += this.#take(1, '\\]');
    for (;;) {
      const character = this.#pattern[this.#at];
      if (character === undefined) return this.#refuse('a character class that is not closed');
      if (character === ']') return this.#take(1, `${source}]`);
      source += this.#classItem(character);
    }
  }

  #classItem(character: string): string {
    if (character === '[') return this.#refuse("a class inside a character class ('[a[b]]')");
    if (this.#pattern.startsWith('&&', this.#at)) return this.#refuse("an intersection ('&&')");
    if (character !== '\\') return this.#take(1, character === '-' ? '-' : escaped(character));
    const letter = this.#pattern[this.#at + 1];
    if (letter === undefined || letter === 'Q') return this.#refuse(`'\\${letter ?? ''}' inside a character class`);
    const range = this.#rangeEscape();
    if (!range) return this.#characterEscape();
    if (!range.negated) return range.inside;
    return complement(range.inside) ?? this.#refuse('this negated class inside a character class');
  }

  #take(consumed: number, translation: string): string {
    this.#at += consumed;
    return translation;
  }

  #refuse(what: string): never {
    throw new ValueError(
      `${what} at column ${this.#at + 1} of the regular expression '${this.#pattern}' is not supported`,
      'a Java regular expression without character class operations',
    );
  }
}

/** The ranges whose complement is needed inside another class. */
function complement(inside: string): string | undefined {
  switch (inside) {
    case CLASSES.d:
      return '\\D';
    case CLASSES.w:
      return '\\W';
    case CLASSES.s:
      return '\\0-\\x08\\x0E-\\x1F!-\\u{10FFFF}';
    default:
      return /^\\p\{/.test(inside) ? inside.replace('\\p', '\\P') : undefined;
  }
}

/** A character that must not be taken for syntax, in or outside of a class. */
function escaped(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? (character === '-' ? '\\x2D' : `\\${character}`) : character;
}
