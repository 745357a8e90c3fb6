import { joinTexts } from '../../xml/index.ts';
import { decimalArithmetic, decimalQuotient } from './decimal.ts';
import type { ArithmeticOperator, ComparisonOperator, LogicalOperator, Operator } from './tree.ts';
import { asNumber, asText, compared, EvaluationError, Numeric, OuterText, printed, type Value } from './values.ts';

/** `and` or `or` between what is no truth value: the one failure that another grouping may mend (MREQ-22). */
export class NotLogicalError extends EvaluationError {}

/** Texts in error messages are cut: they may be whole payloads. */
const MAX_SHOWN = 100;

/**
 * Applies an operator (spec mediators 4.5.3).
 * @throws EvaluationError
 */
export function operate(operator: Operator, left: Value, right: Value): Value {
  switch (operator) {
    case '==':
      return compared(left) === compared(right);
    case '!=':
      return compared(left) !== compared(right);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return isOrdered(operator, left, right);
    case 'and':
    case 'or':
      return logical(operator, left, right);
    default:
      return arithmetic(operator, left, right);
  }
}

/** Integers and doubles can be ordered; longs and texts cannot, as in the reference. */
function isOrdered(operator: Exclude<ComparisonOperator, '==' | '!='>, left: Value, right: Value): boolean {
  const [a, b] = [asNumber(left), asNumber(right)];
  if (!a || !b || a.type === 'long' || b.type === 'long') {
    throw new EvaluationError(`Comparison between non-numeric values: ${shown(left)} and ${shown(right)}`);
  }
  const [x, y] = [Number(a.value), Number(b.value)];
  switch (operator) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
  }
}

function logical(operator: LogicalOperator, left: Value, right: Value): boolean {
  if (typeof left !== 'boolean' || typeof right !== 'boolean') {
    throw new NotLogicalError(`Logical operation between non-boolean values: ${shown(left)} and ${shown(right)}`);
  }
  return operator === 'and' ? left && right : left || right;
}

function arithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (left === null || right === null) throw new EvaluationError(`Null inputs for ${operator} operation`);
  const [a, b] = [asNumber(left), asNumber(right)];
  if (a && b) return computed(operator, a, b);
  const texts = operator === '+' ? joined(left, right) : undefined;
  if (texts !== undefined) return texts;
  throw new EvaluationError(
    `${NAMES[operator]} between non-numeric values: ${shown(left)} and ${shown(right)}${hint(operator, left, right)}`,
  );
}

const NAMES: Readonly<Record<ArithmeticOperator, string>> = {
  '+': 'Addition',
  '-': 'Subtraction',
  '*': 'Multiplication',
  '/': 'Division',
  '%': 'Modulo',
};

function hint(operator: ArithmeticOperator, left: Value, right: Value): string {
  const mixed = operator === '+' && (asText(left) !== undefined || asText(right) !== undefined);
  return mixed ? ' (use string(…) to put them together)' : '';
}

/** Text and text; a number that came as text may stand beside one. */
function joined(left: Value, right: Value): string | undefined {
  const [a, b] = [asText(left), asText(right)];
  if (a === undefined || b === undefined) return undefined;
  return left instanceof OuterText && right instanceof OuterText && left.number && right.number
    ? undefined
    : joinTexts([a, b], '+');
}

function computed(operator: ArithmeticOperator, left: Numeric, right: Numeric): Numeric {
  const integral = typeof left.value === 'bigint' || left.type === 'integer' ? right.type !== 'double' : false;
  if (operator === '/') return quotient(left, right, integral);
  if (operator === '%' && Number(right.value) === 0) throw new EvaluationError('Division by zero');
  if (!integral) return Numeric.double(decimalArithmetic(operator, Number(left.value), Number(right.value)));
  const result = exact(operator, BigInt(left.value), BigInt(right.value));
  // A long stays one, so that it prints and compares like its operands.
  return left.type === 'long' || right.type === 'long' ? Numeric.long(result) : Numeric.integral(result);
}

function exact(operator: '+' | '-' | '*' | '%', left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '%':
      return left % right;
  }
}

function quotient(left: Numeric, right: Numeric, integral: boolean): Numeric {
  const [a, b] = [Number(left.value), Number(right.value)];
  if (b === 0) throw new EvaluationError('Division by zero');
  if (!integral) return Numeric.double(decimalQuotient(a, b));
  const [x, y] = [BigInt(left.value), BigInt(right.value)];
  if (x % y !== 0n) return Numeric.double(a / b);
  return left.type === 'long' || right.type === 'long' ? Numeric.long(x / y) : Numeric.integral(x / y);
}

/** A value in an error message. */
export function shown(value: Value): string {
  if (value === null) return 'null';
  const text = printed(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
