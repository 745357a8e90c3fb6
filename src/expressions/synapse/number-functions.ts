import { doubleArgument, integerArgument, invalidArgument, numberArgument } from './arguments.ts';
import { roundedTo } from './decimal.ts';
import type { Declaration, NonNullValue } from './functions.ts';
import { EvaluationError, Numeric, type Value } from './values.ts';

/** Functions on numbers (spec mediators 4.5.4). Longs are none of theirs, as in the reference. */
export const numberFunctions: Readonly<Record<string, Declaration>> = {
  abs: keepingType('abs', Math.abs),
  ceil: keepingType('ceil', Math.ceil),
  floor: keepingType('floor', Math.floor),
  round: { minimum: 1, maximum: 2, call: round },
  sqrt: {
    minimum: 1,
    maximum: 1,
    call([value]) {
      const number = doubleArgument('sqrt', value);
      if (number < 0) throw new EvaluationError('Cannot get the square root of a negative number');
      return Numeric.double(Math.sqrt(number));
    },
  },
  pow: {
    minimum: 2,
    maximum: 2,
    call: ([base, exponent]) => Numeric.double(doubleArgument('pow', base) ** doubleArgument('pow', exponent)),
  },
  log: { minimum: 1, maximum: 2, call: logarithm },
};

function keepingType(name: string, compute: (value: number) => number): Declaration {
  return {
    minimum: 1,
    maximum: 1,
    call([value]) {
      const result = compute(doubleArgument(name, value));
      return numberArgument(name, value).type === 'integer' ? Numeric.integral(result) : Numeric.double(result);
    },
  };
}

function round([value, decimals]: readonly NonNullValue[]): Value {
  const number = doubleArgument('round', value);
  if (decimals !== undefined) {
    const places = integerArgument('round', decimals);
    if (places <= 0 || places > 300) throw invalidArgument('round');
    return Numeric.double(roundedTo(number, places));
  }
  if (!Number.isFinite(number)) throw invalidArgument('round');
  return Numeric.integral(BigInt(Math.round(number)));
}

function logarithm([value, base]: readonly NonNullValue[]): Value {
  const number = doubleArgument('log', value);
  if (base === undefined) return Numeric.double(Math.log10(number));
  const radix = doubleArgument('log', base);
  // Exact where it can be: log(8, 2) is 3, not 2.9999…
  return Numeric.double(
    radix === 2 ? Math.log2(number) : radix === 10 ? Math.log10(number) : Math.log(number) / Math.log(radix),
  );
}
