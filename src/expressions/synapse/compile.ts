import { ValueError } from '../../grammar/attributes.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { Expression, Prefixes } from '../expression.ts';
import { jsonText } from '../json-text.ts';
import { propertyElements } from '../string-value.ts';
import { compileXPathExpression } from '../xpath.ts';
import { follow, type Path, pathOf, readPayload, readScope, readVariable } from './access.ts';
import { textArgument } from './arguments.ts';
import { type Declaration, declarationOf, withoutNulls, wrongCount } from './functions.ts';
import { conventionalReading, literalReading, operandsOfLogical } from './grouping.ts';
import { NotLogicalError, operate } from './operators.ts';
import type { PathTree, Tree } from './tree.ts';
import {
  EvaluationError,
  fromProperty,
  jsonOfValue,
  Numeric,
  OuterText,
  printed,
  type Value,
  XmlValue,
} from './values.ts';

/** Gives the value for one message. @throws EvaluationError */
export type Run = (message: MessageContext) => Value;

type CallTree = Extract<Tree, { kind: 'call' }>;
type RowTree = Extract<Tree, { kind: 'row' }>;

const LOGICAL_FUNCTIONS: ReadonlySet<string> = new Set(
  'startsWith endsWith contains isString isNumber isArray isObject boolean not exists'.split(' '),
);

/** Turns a tree into closures and finds out on the way whether the payload is looked at, and what is suspicious. */
export class Compiler {
  needsBody = false;
  readonly warnings: string[] = [];
  readonly #prefixes: Prefixes;

  constructor(prefixes: Prefixes) {
    this.#prefixes = prefixes;
  }

  /** @throws ValueError for what can be seen to be wrong without a message */
  compile(tree: Tree): Run {
    switch (tree.kind) {
      case 'literal': {
        const { value } = tree;
        return () => value;
      }
      case 'number': {
        const value = withoutWriting(Numeric.parse(tree.text));
        return () => value;
      }
      case 'list':
        return this.#list(tree.items);
      case 'operation': {
        const [left, right] = [this.compile(tree.left), this.compile(tree.right)];
        return (message) => operate(tree.operator, left(message), right(message));
      }
      case 'row':
        return this.#row(tree);
      case 'condition':
        return this.#condition(tree);
      case 'payload': {
        this.needsBody = true;
        return this.#withPath(tree.path, readPayload);
      }
      case 'variable':
        return this.#withPath(tree.path, (message, path) => readVariable(message, tree.name, path));
      case 'lookup':
        return (message) => readScope(message, tree.scope, tree.name);
      case 'call':
        return this.#call(tree);
    }
  }

  /** Numbers stay numbers, everything else becomes text, truth values included, as in the reference. */
  #list(items: readonly Tree[]): Run {
    const runs = items.map((item) => this.compile(item));
    return (message) => ({
      kind: 'array',
      items: runs.map((run) => {
        const value = run(message);
        return value instanceof Numeric ? jsonOfValue(value) : { kind: 'string', value: printed(value) };
      }),
    });
  }

  /** Each operand is evaluated once; the reference's grouping counts unless it puts `and` between what is no truth value. */
  #row(tree: RowTree): Run {
    const { operators } = tree;
    const runs = tree.operands.map((operand) => this.compile(operand));
    const hopeless = operandsOfLogical(tree).some((index) => isNeverLogical(tree.operands[index] as Tree));
    this.warnings.push(
      "comparisons beside 'and' or 'or' need parentheses: the reference groups a == b and c == d as a == (b and c) == d; here it is read as (a == b) and (c == d) where that fails",
    );
    return (message) => {
      const row = { operands: runs.map((run) => run(message)), operators };
      if (hopeless) return conventionalReading(row, operate);
      try {
        return literalReading(row, operate);
      } catch (error) {
        if (error instanceof NotLogicalError) return conventionalReading(row, operate);
        throw error;
      }
    };
  }

  #condition(tree: Extract<Tree, { kind: 'condition' }>): Run {
    const [test, yes, no] = [this.compile(tree.test), this.compile(tree.yes), this.compile(tree.no)];
    return (message) => {
      const value = test(message);
      if (value === null) throw new EvaluationError('Condition is null in conditional expression');
      if (typeof value !== 'boolean') {
        throw new EvaluationError('Condition is not a boolean in conditional expression');
      }
      return value ? yes(message) : no(message);
    };
  }

  /** A path without expressions in it is compiled once. */
  #withPath(tree: PathTree, read: (message: MessageContext, path: Path | undefined) => Value): Run {
    if (tree.length === 0) return (message) => read(message, undefined);
    const [only] = tree;
    if (tree.length === 1 && typeof only === 'string') {
      const path = pathOf(only);
      return (message) => read(message, path);
    }
    const pieces = tree.map((piece) => (typeof piece === 'string' ? piece : this.compile(piece)));
    return (message) => {
      const text = pieces.map((piece) => (typeof piece === 'string' ? piece : literalIn(piece(message)))).join('');
      return read(message, dynamicPath(text));
    };
  }

  #call(tree: CallTree): Run {
    const { name, path, property } = tree;
    const args = property ? [...tree.args, property] : tree.args;
    const run = this.#function(name, args);
    if (path.length === 0) return run;
    return this.#withPath(path, (message, wanted) => (wanted ? follow(run(message), wanted) : run(message)));
  }

  #function(name: string, args: readonly Tree[]): Run {
    if (name === 'exists') return this.#exists(args);
    if (name === 'xpath') return this.#xpath(args);
    const declaration = declarationOf(name);
    if (!declaration) throw new ValueError(`there is no function ${name}()`);
    const runs = args.map((arg) => this.compile(arg));
    if (!takes(declaration, args.length)) return this.#failing(wrongCount(name, args.length));
    return (message) =>
      declaration.call(
        withoutNulls(
          name,
          runs.map((run) => run(message)),
        ),
        message,
      );
  }

  #exists(args: readonly Tree[]): Run {
    const [run] = args.map((arg) => this.compile(arg));
    if (!run || args.length !== 1) return this.#failing(wrongCount('exists', args.length));
    return (message) => {
      try {
        return run(message) !== null;
      } catch (error) {
        if (error instanceof EvaluationError) return false;
        throw error;
      }
    };
  }

  /** `xpath('path')`, or `xpath('path', 'variable')` with a path into that variable. */
  #xpath(args: readonly Tree[]): Run {
    if (args.length === 0 || args.length > 2) return this.#failing(wrongCount('xpath', args.length));
    const literals = args.map((arg) =>
      arg.kind === 'literal' && typeof arg.value === 'string' ? arg.value : undefined,
    );
    if (literals.every((literal) => literal !== undefined)) {
      const expression = this.#compiledXPath(literals[0] ?? '', literals[1]);
      this.needsBody ||= expression.needsBody;
      this.warnings.push(...expression.warnings);
      return (message) => xpathValue(expression, message);
    }
    this.needsBody = true;
    const runs = args.map((arg) => this.compile(arg));
    return (message) => {
      const texts = runs.map((run) => textArgument('xpath', run(message)));
      try {
        return xpathValue(this.#compiledXPath(texts[0] ?? '', texts[1]), message);
      } catch (cause) {
        if (cause instanceof ValueError) throw new EvaluationError(cause.message, { cause });
        throw cause;
      }
    };
  }

  #compiledXPath(path: string, variable: string | undefined): Expression {
    return compileXPathExpression(variable === undefined ? path : `$var:${variable}${path}`, this.#prefixes);
  }

  #failing(problem: string): Run {
    this.warnings.push(`${problem}: the expression will fail`);
    return () => {
      throw new EvaluationError(problem);
    };
  }
}

function takes({ minimum, maximum }: Declaration, count: number): boolean {
  return count >= minimum && count <= maximum;
}

/** A literal of the expression prints as Java prints it, not as it was written. */
function withoutWriting(number: Numeric): Numeric {
  if (number.type === 'double') return Numeric.double(Number(number.value));
  return number.type === 'long' ? Numeric.long(BigInt(number.value)) : Numeric.integral(number.value);
}

/** A value where a path or a filter takes a literal. */
function literalIn(value: Value): string {
  if (value instanceof OuterText) return value.number ? String(value.number) : JSON.stringify(value.text);
  return jsonText(jsonOfValue(value));
}

function dynamicPath(text: string): Path {
  try {
    return pathOf(text);
  } catch (cause) {
    if (cause instanceof ValueError) throw new EvaluationError(cause.message, { cause });
    throw cause;
  }
}

/** Whether a part can be seen to give no truth value. */
function isNeverLogical(tree: Tree): boolean {
  switch (tree.kind) {
    case 'number':
    case 'list':
      return true;
    case 'literal':
      return typeof tree.value !== 'boolean';
    case 'operation':
      return ['+', '-', '*', '/', '%'].includes(tree.operator);
    case 'call':
      return tree.path.length === 0 && tree.name !== 'xpath' && !LOGICAL_FUNCTIONS.has(tree.name);
    default:
      return false;
  }
}

function xpathValue(expression: Expression, message: MessageContext): Value {
  try {
    const value = expression.value(message);
    if (value === null) return null;
    const elements = propertyElements(value);
    return elements ? new XmlValue(elements, () => expression.stringValue(message) ?? '') : fromProperty(value);
  } catch (cause) {
    if (!(cause instanceof MediationError) || cause.code !== undefined) throw cause;
    throw new EvaluationError(cause.detail ?? cause.message, { cause });
  }
}
