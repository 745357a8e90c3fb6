import { javaDouble } from '../../message/property-value.ts';

/** An exact decimal number: `unscaled / 10^scale`, as Java's BigDecimal has it. */
interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** The decimal that a double prints as; its number of decimals is that of Java's text (`3.0` has one). */
function decimalOf(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = javaDouble(value).split('E');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { unscaled: BigInt(whole + fraction), scale: fraction.length - Number(exponent) };
}

function toNumber({ unscaled, scale }: Decimal): number {
  return Number(`${unscaled}e${-scale}`);
}

function aligned(left: Decimal, right: Decimal): { left: bigint; right: bigint; scale: number } {
  const scale = Math.max(left.scale, right.scale);
  return { left: atScale(left, scale), right: atScale(right, scale), scale };
}

function atScale({ unscaled, scale }: Decimal, wanted: number): bigint {
  return unscaled * 10n ** BigInt(wanted - scale);
}

/** Decimal arithmetic on doubles: `0.1 + 0.2` is 0.3. Numbers that are none (NaN, Infinity) are left to the processor. */
export function decimalArithmetic(operator: '+' | '-' | '*' | '%', left: number, right: number): number {
  if (!Number.isFinite(left) || !Number.isFinite(right)) return binaryArithmetic(operator, left, right);
  const [a, b] = [decimalOf(left), decimalOf(right)];
  if (operator === '*') return toNumber({ unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale });
  const { left: x, right: y, scale } = aligned(a, b);
  const unscaled = operator === '+' ? x + y : operator === '-' ? x - y : x % y;
  return toNumber({ unscaled, scale });
}

function binaryArithmetic(operator: '+' | '-' | '*' | '%', left: number, right: number): number {
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

/** A quotient with as many decimals as the left operand, rounded half up, as in the reference (spec mediators 4.5.3). */
export function decimalQuotient(left: number, right: number): number {
  if (!Number.isFinite(left) || !Number.isFinite(right)) return left / right;
  const [a, b] = [decimalOf(left), decimalOf(right)];
  // left / right with a.scale decimals: (a.unscaled * 10^b.scale) / b.unscaled.
  const shift = BigInt(Math.abs(b.scale));
  const numerator = b.scale >= 0 ? a.unscaled * 10n ** shift : a.unscaled;
  const denominator = b.scale >= 0 ? b.unscaled : b.unscaled * 10n ** shift;
  return toNumber({ unscaled: halfUp(numerator, denominator), scale: a.scale });
}

/** Rounds half away from zero to a number of decimals. */
export function roundedTo(value: number, decimals: number): number {
  if (!Number.isFinite(value)) return value;
  const decimal = decimalOf(value);
  if (decimal.scale <= decimals) return value;
  const unscaled = halfUp(decimal.unscaled, 10n ** BigInt(decimal.scale - decimals));
  return toNumber({ unscaled, scale: decimals });
}

function halfUp(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const [top, bottom] = [absolute(numerator), absolute(denominator)];
  const rounded = (2n * top + bottom) / (2n * bottom);
  return negative ? -rounded : rounded;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
