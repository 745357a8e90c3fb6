/*
 * E4X, the XML syntax of old JavaScript engines, rewritten into calls (spec mediators 3.17 [I]). Scripts of the reference's samples are
 * full of it, and no engine of today reads it. What occurs is understood:
 *
 *     <a x={v}>{w}</a>, <></>        __e4x.xml([…texts…], "…kinds…", […values…])
 *     x..name  x..*  x..*::name      x.descendants("name") …
 *     x.*  x.*::name  x.ns::name     x["*"]  x["*::name"]  x[__e4x.name(ns, "name")]
 *     x.@name  x.@*  x.@ns::name     x["@name"] …
 *     for each (v in x) …            for (v of __e4x.each(x)) …
 *
 * The scanner knows tokens, not grammar: whether `<` or `/` begins an operand is told from the token before it. Line ends stay where
 * they are, so that the engine's line numbers are the script's.
 */

/** Something in a script that cannot be used. */
export interface SourceProblem {
  readonly message: string;
  /** Characters from the beginning of the script. */
  readonly offset: number;
}

export interface TranslatedSource {
  readonly code: string;
  /** E4X syntax occurred. */
  readonly usesE4x: boolean;
  readonly problems: readonly SourceProblem[];
  /** Java classes and packages that the script names. */
  readonly javaNames: ReadonlyArray<{ readonly name: string; readonly offset: number }>;
}

/** Literals and expressions inside each other. */
const MAX_DEPTH = 100;
const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /0[xXoObB][\da-fA-F_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?/y;
const XML_NAME = /[\p{L}_][\p{L}\p{N}_.:-]*/uy;
const SPACE = /\s+/y;
const JAVA_PATH = /(?:java|javax|Packages)(?:\s*\.\s*[\w$]+)+/y;
const JAVA_TYPE = /Java\s*\.\s*type\s*\(\s*(["'])([\w.$]+)\1/y;
const JAVA_IMPORT = /importPackage\b|importClass\b|JavaImporter\b/y;
/** After these words an operand follows. */
const OPERAND_WORDS: ReadonlySet<string> = new Set(
  'return typeof case in of instanceof new delete void throw do else yield await'.split(' '),
);

/** Thrown inside the scanner to give up. */
class Unreadable extends Error {
  readonly problem: SourceProblem;

  constructor(problem: SourceProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Rewrites the E4X in a script; a script without any stays as it is. Never throws. */
export function translateE4x(source: string): TranslatedSource {
  const scanner = new Scanner(source);
  const problems: SourceProblem[] = [];
  let code = source;
  try {
    code = scanner.code('end');
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    problems.push(error.problem);
  }
  return { code, usesE4x: scanner.usesE4x, problems, javaNames: scanner.javaNames };
}

class Scanner {
  readonly #source: string;
  readonly javaNames: Array<{ name: string; offset: number }> = [];
  usesE4x = false;
  #at = 0;
  #depth = 0;
  #operand = true;
  /** The identifier just read, for `for each` and property names after a dot. */
  #word = '';
  #afterDot = false;

  constructor(source: string) {
    this.#source = source;
  }

  /** Code up to the end of the script, or to the brace that closes what surrounds it (which is taken, not given back). */
  code(until: 'end' | '}'): string {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail('expressions are nested too deeply', this.#at);
    let out = '';
    let braces = 0;
    /** Of `for each` loops: how many parentheses are open inside their head. */
    const heads: number[] = [];
    this.#operand = true;
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at] as string;
      if (char === '}') {
        if (braces === 0 && until === '}') {
          this.#at += 1;
          this.#depth -= 1;
          return out;
        }
        braces -= 1;
      } else if (char === '{') braces += 1;
      out += this.#token(char, heads);
    }
    if (until === '}') this.#fail("'}' is missing", this.#source.length);
    this.#depth -= 1;
    return out;
  }

  #token(char: string, heads: number[]): string {
    const space = this.#match(SPACE);
    if (space !== undefined) return space;
    const next = this.#source[this.#at + 1] ?? '';
    if (char === '/' && (next === '/' || next === '*')) return this.#comment(next);
    if (char === '"' || char === "'") return this.#string(char);
    if (char === '`') return this.#template();
    if (char === '/' && this.#operand) return this.#regex();
    if (char === '<' && this.#operand && /[\p{L}_>{!?]/u.test(next)) return this.#markup(next);
    if (char === '.' && !/\d/.test(next)) return this.#dot();
    if (char === '@') this.#fail(`'@' is understood only as x.@name`, this.#at);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#after(number, false);
    const word = this.#match(IDENTIFIER);
    if (word !== undefined) return this.#identifier(word, heads);
    return this.#punctuator(char, heads);
  }

  #after(text: string, operand: boolean): string {
    this.#operand = operand;
    this.#word = '';
    this.#afterDot = false;
    return text;
  }

  #punctuator(char: string, heads: number[]): string {
    this.#at += 1;
    const last = heads.length - 1;
    if (char === '(' && last >= 0) heads[last] = (heads[last] as number) + 1;
    if (char === ')' && last >= 0) {
      heads[last] = (heads[last] as number) - 1;
      if (heads[last] === 0) {
        heads.pop();
        return this.#after('))', true);
      }
    }
    // `x++` and `x--` leave what they stand behind a value.
    const step = (char === '+' || char === '-') && this.#source[this.#at] === char;
    if (step) {
      this.#at += 1;
      return this.#after(char + char, this.#operand);
    }
    return this.#after(char, char !== ')' && char !== ']');
  }

  #identifier(word: string, heads: number[]): string {
    const start = this.#at - word.length;
    const property = this.#afterDot;
    if (!property) {
      this.#noteJava(start);
      if (word === 'each' && this.#word === 'for') return this.#forEach(heads);
      if (word === 'in' && heads.at(-1) === 1) return this.#after('of __e4x.each(', true);
      if (word === 'default' && /^\s+xml\s+namespace/.test(this.#source.slice(this.#at, this.#at + 64))) {
        this.#fail("'default xml namespace' is not supported: give the elements a prefix or xmlns", start);
      }
    }
    const text = this.#after(word, !property && OPERAND_WORDS.has(word));
    this.#word = property ? '' : word;
    return text;
  }

  /** `for each (v in x)`: the `in` of its head becomes `of`. */
  #forEach(heads: number[]): string {
    const space = this.#match(SPACE) ?? '';
    if (this.#source[this.#at] !== '(') return this.#after(`each${space}`, false);
    this.#at += 1;
    this.usesE4x = true;
    heads.push(1);
    return this.#after(`${space}(`, true);
  }

  #noteJava(offset: number): void {
    for (const pattern of [JAVA_PATH, JAVA_TYPE, JAVA_IMPORT]) {
      pattern.lastIndex = offset;
      const found = pattern.exec(this.#source);
      const name = found && (found[2] ?? found[0].replace(/\s/g, '').replace(/^Packages\./, ''));
      if (name) this.javaNames.push({ name, offset });
    }
  }

  #dot(): string {
    const rest = this.#source.slice(this.#at, this.#at + 3);
    if (rest === '...') {
      this.#at += 3;
      return this.#after('...', true);
    }
    if (rest.startsWith('..')) return this.#xmlName(2, (name) => `.descendants(${name})`, true);
    if (rest.startsWith('.@')) return this.#xmlName(2, (name) => `[${name}]`, true, '@');
    if (rest.startsWith('.*')) return this.#xmlName(1, (name) => `[${name}]`, true);
    if (rest.startsWith('.(')) {
      this.#fail('x.(condition) is not supported: use a loop with an if', this.#at);
    }
    const qualified = /\.([\p{ID_Start}$_][\p{ID_Continue}$]*)::/uy;
    qualified.lastIndex = this.#at;
    if (qualified.test(this.#source)) return this.#xmlName(1, (name) => `[${name}]`, true);
    this.#at += 1;
    this.#after('.', false);
    this.#afterDot = true;
    return '.';
  }

  /** The name after `..`, `.@` or `.`: `name`, `*`, `*::name`, `prefix::name`. */
  #xmlName(lead: number, write: (name: string) => string, isE4x: boolean, mark = ''): string {
    const start = this.#at;
    this.#at += lead;
    this.usesE4x ||= isE4x;
    let kind = mark;
    if (kind === '' && this.#source[this.#at] === '@') {
      kind = '@';
      this.#at += 1;
    }
    const first = this.#namePart(start);
    if (!this.#source.startsWith('::', this.#at)) return this.#after(write(JSON.stringify(kind + first)), false);
    this.#at += 2;
    const local = this.#namePart(start);
    if (first === '*') return this.#after(write(JSON.stringify(`${kind}*::${local}`)), false);
    return this.#after(write(`__e4x.name(${first}, ${JSON.stringify(local)}, ${JSON.stringify(kind)})`), false);
  }

  #namePart(start: number): string {
    if (this.#source[this.#at] === '*') {
      this.#at += 1;
      return '*';
    }
    const name = this.#match(IDENTIFIER);
    return name ?? this.#fail('this way of selecting XML is not supported', start);
  }

  #markup(next: string): string {
    const start = this.#at;
    if (this.#source.startsWith('<!--', start)) return this.#through('\n', 'comment', false);
    if (next === '!' || next === '?') this.#fail('XML cannot begin like this in a script', start);
    this.usesE4x = true;
    const parts: string[] = [];
    const values: string[] = [];
    let kinds = '';
    let text = '';
    let open = 0;
    const insert = (kind: string) => {
      parts.push(text);
      text = '';
      kinds += kind;
      values.push(this.code('}'));
    };
    do {
      if (this.#at >= this.#source.length) this.#fail('the XML that begins here is not closed', start);
      const verbatim = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>/y;
      const taken = this.#match(verbatim);
      if (taken !== undefined) text += taken;
      else if (this.#source[this.#at] === '{') {
        this.#at += 1;
        insert('c');
      } else if (this.#source[this.#at] === '<') {
        const tag = this.#tag(start, (written, kind) => {
          text += written;
          if (kind) insert(kind);
        });
        open += tag;
      } else text += this.#match(/[^<{]+/y) ?? this.#fail('the XML that begins here is not closed', start);
    } while (open > 0);
    parts.push(text);
    const lines = parts.join('').match(/\n/g)?.length ?? 0;
    return this.#after(
      `__e4x.xml(${JSON.stringify(parts)}, "${kinds}", [${values.map((value) => `(${value})`).join(', ')}]${'\n'.repeat(lines)})`,
      false,
    );
  }

  /** One tag; 1 for a start tag, -1 for an end tag, 0 for an empty element. */
  #tag(start: number, emit: (written: string, insertion?: string) => void): number {
    const closing = this.#source[this.#at + 1] === '/';
    this.#at += closing ? 2 : 1;
    const name = this.#match(XML_NAME);
    emit(closing ? `</${name ?? ''}` : `<${name ?? ''}`);
    if (name === undefined && this.#source[this.#at] === '{') {
      this.#at += 1;
      emit('', 'n');
    }
    for (;;) {
      const plain = this.#match(/[^"'{/<>]+|"[^"<]*"|'[^'<]*'/y);
      if (plain !== undefined) {
        emit(plain);
        continue;
      }
      const char = this.#source[this.#at];
      this.#at += 1;
      if (char === '>') {
        emit('>');
        return closing ? -1 : 1;
      }
      if (char === '/' && this.#source[this.#at] === '>') {
        this.#at += 1;
        emit('/>');
        return 0;
      }
      if (char !== '{') this.#fail('the XML that begins here is not well-formed', start);
      emit('', 'a');
    }
  }

  #comment(next: string): string {
    if (next === '/') return this.#through('\n', 'comment', false);
    return this.#through('*/', 'comment', true);
  }

  /** Everything up to and including `end`; it changes nothing about what is expected next. */
  #through(end: string, what: string, required: boolean): string {
    const start = this.#at;
    const found = this.#source.indexOf(end, start + 2);
    if (found < 0 && required) this.#fail(`the ${what} that begins here is not closed`, start);
    this.#at = found < 0 ? this.#source.length : found + end.length;
    return this.#source.slice(start, this.#at);
  }

  #string(quote: string): string {
    const pattern = quote === '"' ? /"(?:[^"\\\n]|\\[\s\S])*"/y : /'(?:[^'\\\n]|\\[\s\S])*'/y;
    const text = this.#match(pattern) ?? this.#fail('the text that begins here is not closed', this.#at);
    return this.#after(text, false);
  }

  #template(): string {
    const start = this.#at;
    this.#at += 1;
    let out = '`';
    for (;;) {
      out += this.#match(/(?:[^`\\$]|\\[\s\S]|\$(?!\{))+/y) ?? '';
      if (this.#source[this.#at] === '`') {
        this.#at += 1;
        return this.#after(`${out}\``, false);
      }
      if (!this.#source.startsWith('${', this.#at)) this.#fail('the template that begins here is not closed', start);
      this.#at += 2;
      out += `\${${this.code('}')}}`;
    }
  }

  #regex(): string {
    const pattern = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
    const text = this.#match(pattern);
    if (text !== undefined) return this.#after(text, false);
    this.#at += 1;
    return this.#after('/', true);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (!found || found[0] === '') return undefined;
    this.#at += found[0].length;
    return found[0];
  }

  #fail(message: string, offset: number): never {
    throw new Unreadable({ message, offset });
  }
}
