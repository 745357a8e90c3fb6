import type { MessageContext } from '../../message/message-context.ts';
import { numberFunctions } from './number-functions.ts';
import { textFunctions } from './text-functions.ts';
import { timeFunctions } from './time-functions.ts';
import { typeFunctions } from './type-functions.ts';
import { EvaluationError, type Value } from './values.ts';

/** A function of the `${…}` language that gets its arguments evaluated, none of them null (spec mediators 4.5.4). */
export interface Declaration {
  readonly minimum: number;
  readonly maximum: number;
  /** @throws EvaluationError */
  call(args: readonly NonNullValue[], message: MessageContext): Value;
}

export type NonNullValue = Exclude<Value, null>;

const DECLARATIONS: Readonly<Record<string, Declaration>> = {
  ...textFunctions,
  ...numberFunctions,
  ...timeFunctions,
  ...typeFunctions,
};

/** Undefined for functions that are compiled in a way of their own. */
export function declarationOf(name: string): Declaration | undefined {
  return Object.hasOwn(DECLARATIONS, name) ? DECLARATIONS[name] : undefined;
}

/** @throws EvaluationError when one of them is null */
export function withoutNulls(name: string, args: readonly Value[]): NonNullValue[] {
  return args.map((arg) => {
    if (arg === null) throw new EvaluationError(`Null source value provided for the function: ${name}`);
    return arg;
  });
}

const COUNTS = ['no arguments', 'one argument', 'two arguments', 'three arguments'];

/** The reference's words for a wrong number of arguments. */
export function wrongCount(name: string, count: number): string {
  return `Invalid function: ${name} with ${COUNTS[count] ?? `${count} arguments`}`;
}
