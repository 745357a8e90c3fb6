import { nearestName } from '../../grammar/diagnostic.ts';
import { FUNCTION_NAMES } from './function-names.ts';
import { type Level, levelOf, treeOfRow } from './grouping.ts';
import { PathParser } from './path-syntax.ts';
import { Tokens } from './tokens.ts';
import type { ArithmeticOperator, PathTree, Scope, Tree } from './tree.ts';

/** Deeper nesting of brackets and conditions is refused. */
const MAX_DEPTH = 100;
/** More parts than any expression that a person writes has. */
const MAX_TREES = 2_000;

const PARAMETERS: Readonly<Record<string, Scope>> = {
  queryParams: 'query',
  pathParams: 'path',
  uriParams: 'path',
  functionParams: 'function',
};
const FACTOR = 'payload, vars, headers, props, params, configs, a function, a number, a text, true, false, null or (';

/**
 * Parses what stands between `${` and `}` (spec mediators 4.5.1).
 * @throws ValueError in the reference's words, with the column
 */
export function parseSynapseExpression(source: string): Tree {
  return new Parser(new Tokens(source)).whole();
}

class Parser {
  readonly #tokens: Tokens;
  readonly #paths: PathParser;
  #depth = 0;
  #trees = 0;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
    this.#paths = new PathParser(
      tokens,
      () => this.#expression(),
      () => this.#factor(),
    );
  }

  whole(): Tree {
    const tree = this.#expression();
    const { next, source } = this.#tokens;
    if (next.kind === 'end') return tree;
    throw this.#tokens.error(
      `(Parse error: leftover input after parsing expression in \${${source}}: '${source.slice(next.at, next.at + 20)}' at column ${next.at + 3})`,
    );
  }

  #expression(): Tree {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#tokens.error(`it is nested deeper than ${MAX_DEPTH}`);
    const test = this.#comparison();
    let tree = test;
    if (this.#tokens.takeSign('?')) {
      const yes = this.#expression();
      this.#tokens.expectSign(':');
      tree = { kind: 'condition', test, yes, no: this.#expression() };
    }
    this.#depth -= 1;
    return tree;
  }

  /** Comparisons and logical operators in a row; how they group is decided when all of them are known. */
  #comparison(): Tree {
    const operands = [this.#arithmetic()];
    const operators: Level[] = [];
    for (;;) {
      const operator = this.#level();
      if (!operator) return treeOfRow({ operands, operators });
      operators.push(operator);
      operands.push(this.#arithmetic());
    }
  }

  #level(): Level | undefined {
    const { text, kind } = this.#tokens.next;
    const operator = kind === 'name' || kind === 'sign' ? levelOf(text) : undefined;
    if (operator) this.#tokens.take();
    return operator;
  }

  #arithmetic(): Tree {
    return this.#leftToRight(['+', '-'], () => this.#leftToRight(['*', '/', '%'], () => this.#factor()));
  }

  #leftToRight(operators: readonly ArithmeticOperator[], operand: () => Tree): Tree {
    let tree = operand();
    for (;;) {
      const operator = operators.find((sign) => this.#tokens.takeSign(sign));
      if (!operator) return tree;
      tree = { kind: 'operation', operator, left: tree, right: operand() };
    }
  }

  #factor(): Tree {
    this.#trees += 1;
    if (this.#trees > MAX_TREES) throw this.#tokens.error(`it has more than ${MAX_TREES} parts`);
    const token = this.#tokens.next;
    if (token.kind === 'name') return this.#named();
    if (token.kind === 'end') throw this.#tokens.unexpected(FACTOR);
    this.#tokens.take();
    if (token.kind === 'number') return { kind: 'number', text: token.text };
    if (token.kind === 'text') return { kind: 'literal', value: token.text };
    if (token.text === '$') return { kind: 'payload', path: this.#paths.path() };
    if (token.text === '(') {
      const inner = this.#expression();
      this.#tokens.expectSign(')');
      return inner;
    }
    if (token.text === '[') return { kind: 'list', items: this.#items(']') };
    throw this.#tokens.unexpected(FACTOR, token);
  }

  #items(close: string): Tree[] {
    const items: Tree[] = [];
    if (this.#tokens.takeSign(close)) return items;
    do items.push(this.#expression());
    while (this.#tokens.takeSign(','));
    this.#tokens.expectSign(close);
    return items;
  }

  #named(): Tree {
    const token = this.#tokens.take();
    switch (token.text) {
      case 'true':
      case 'false':
        return { kind: 'literal', value: token.text === 'true' };
      case 'null':
        return { kind: 'literal', value: null };
      case 'payload':
        return { kind: 'payload', path: this.#paths.path() };
      case 'var':
      case 'vars':
      case 'variables':
        return { kind: 'variable', name: this.#key(), path: this.#paths.path() };
      case 'headers':
        return { kind: 'lookup', scope: 'header', name: this.#key() };
      case 'configs':
        return { kind: 'lookup', scope: 'config', name: this.#key() };
      case 'props':
      case 'properties':
        return { kind: 'lookup', scope: this.#word({ axis2: 'axis2', synapse: 'synapse' }), name: this.#key() };
      case 'params':
        return { kind: 'lookup', scope: this.#word(PARAMETERS), name: this.#key() };
      default:
    }
    if (this.#tokens.isSign('(')) return this.#call(token.text);
    this.#tokens.moveTo(token.at);
    const nearest = nearestName(token.text, ['payload', 'vars', 'headers', 'props', 'params', 'configs']);
    throw this.#tokens.unexpected(nearest === undefined ? FACTOR : `${FACTOR}; did you mean '${nearest}'?`);
  }

  #call(name: string): Tree {
    if (!FUNCTION_NAMES.has(name)) {
      const nearest = nearestName(name, FUNCTION_NAMES);
      const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
      throw this.#tokens.error(`there is no function ${name}()${hint}`);
    }
    this.#tokens.expectSign('(');
    const args = this.#items(')');
    if (name === 'registry' && this.#paths.takesProperty()) {
      const property = this.#expression();
      this.#tokens.expectSign(')');
      return { kind: 'call', name, args, path: [], property };
    }
    const path: PathTree = this.#paths.path();
    return { kind: 'call', name, args, path, property: undefined };
  }

  /** `.name` or `["name"]`. */
  #key(): string {
    if (this.#tokens.takeSign('[')) {
      const token = this.#tokens.take();
      if (token.kind !== 'text') throw this.#tokens.unexpected('a name in quotes', token);
      this.#tokens.expectSign(']');
      return token.text;
    }
    this.#tokens.expectSign('.');
    return this.#paths.name();
  }

  /** One of the words that may follow `props` or `params`. */
  #word(words: Readonly<Record<string, Scope>>): Scope {
    this.#tokens.expectSign('.');
    const token = this.#tokens.take();
    const scope = Object.hasOwn(words, token.text) ? words[token.text] : undefined;
    if (!scope) throw this.#tokens.unexpected(Object.keys(words).join(' or '), token);
    return scope;
  }
}
