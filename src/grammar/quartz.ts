import { QuartzNeverFiresError, QuartzSyntaxError } from '../scheduling/index.ts';
import { ValueError } from './attributes.ts';

/**
 * What a wrong Quartz expression becomes in a diagnostic: the field and the character, and how to write it instead where that is
 * known. Errors of other kinds are returned as they are.
 */
export function quartzValueError(expression: string, cause: unknown, expected: string): unknown {
  if (cause instanceof QuartzNeverFiresError) return new ValueError(cause.message, expected, undefined, { cause });
  if (!(cause instanceof QuartzSyntaxError)) return cause;
  const where =
    cause.field === undefined
      ? `character ${cause.position + 1}`
      : `${cause.field} '${cause.fieldText}', character ${cause.position + 1}`;
  const fix = cause.fix === undefined ? expected : `${cause.fix.because}: write ${cause.fix.expression}`;
  return new ValueError(`CronExpression '${expression}' is invalid. ${cause.message} (${where})`, fix, undefined, {
    cause,
  });
}
