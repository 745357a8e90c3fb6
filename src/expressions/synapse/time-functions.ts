import { ValueError } from '../../grammar/attributes.ts';
import { compileDateTimePattern, type LocalFields, localFieldsOf } from '../java-time.ts';
import { numberArgument, textArgument } from './arguments.ts';
import type { Declaration, NonNullValue } from './functions.ts';
import { EvaluationError, Numeric, type Value } from './values.ts';

/** Functions on dates and times (spec mediators 4.5.4). */
export const timeFunctions: Readonly<Record<string, Declaration>> = {
  now: { minimum: 0, maximum: 0, call: () => Numeric.long(BigInt(Date.now())) },
  formatDateTime: { minimum: 2, maximum: 3, call: formatDateTime },
};

function formatDateTime(args: readonly NonNullValue[]): Value {
  const [value, ...patterns] = args;
  try {
    const [first = '', second] = patterns.map((pattern) => textArgument('formatDateTime', pattern));
    if (second === undefined)
      return written(localFieldsOf(Number(numberArgument('formatDateTime', value).value)), first);
    const text = textArgument('formatDateTime', value);
    const fields = compileDateTimePattern(first).parse(text);
    if (!fields) throw new EvaluationError(`Text '${text}' could not be parsed as ${first}`);
    return written(complete(fields), second);
  } catch (cause) {
    if (cause instanceof ValueError) throw new EvaluationError(cause.message, { cause });
    throw cause;
  }
}

function written(fields: LocalFields, pattern: string): string {
  const text = compileDateTimePattern(pattern).format(fields);
  if (text === undefined) throw new EvaluationError(`the date or time has not all the fields of '${pattern}'`);
  return text;
}

/** A time that names the hour has minutes, seconds and fractions, too. */
function complete(fields: LocalFields): LocalFields {
  if (fields.hour === undefined) return fields;
  return { minute: 0, second: 0, nano: 0, ...fields };
}
