import { asNumber, asText, EvaluationError, type Numeric, type Value } from './values.ts';

export function invalidArgument(name: string): EvaluationError {
  return new EvaluationError(`Invalid argument provided for ${name} function`);
}

/** @throws EvaluationError for what is no text */
export function textArgument(name: string, value: Value | undefined): string {
  const text = value === undefined ? undefined : asText(value);
  if (text === undefined) throw invalidArgument(name);
  return text;
}

/** @throws EvaluationError for what is no number */
export function numberArgument(name: string, value: Value | undefined): Numeric {
  const number = value === undefined ? undefined : asNumber(value);
  if (!number) throw invalidArgument(name);
  return number;
}

/** @throws EvaluationError for what is no 32-bit integer */
export function integerArgument(name: string, value: Value | undefined): number {
  const number = numberArgument(name, value);
  if (number.type !== 'integer') throw invalidArgument(name);
  return Number(number.value);
}

/** @throws EvaluationError for text and for longs, which the reference does not calculate with */
export function doubleArgument(name: string, value: Value | undefined): number {
  const number = numberArgument(name, value);
  if (number.type === 'long') throw invalidArgument(name);
  return Number(number.value);
}
