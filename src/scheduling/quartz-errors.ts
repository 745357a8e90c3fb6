/** The seven fields of a Quartz expression, in their order (stores-and-processors 10.1). */
export type QuartzFieldName = 'seconds' | 'minutes' | 'hours' | 'day-of-month' | 'month' | 'day-of-week' | 'year';

/** A correction of a wrong expression that is known to parse. */
export interface QuartzFix {
  /** Why, as half a sentence that can stand before "write `…`". */
  readonly because: string;
  /** The corrected expression. */
  readonly expression: string;
}

/** Where and what: the material of a {@link QuartzSyntaxError}. */
export interface QuartzFault {
  /** The reference's text (10.1, 10.2). */
  readonly message: string;
  /** The expression as it was given. */
  readonly expression: string;
  /** 0-based offset into `expression`; its length when something is missing at the end. */
  readonly position: number;
  /** The field that is wrong; absent when fields are missing. */
  readonly field?: QuartzFieldName;
  /** That field's text; empty when fields are missing. */
  readonly fieldText: string;
  readonly fix?: QuartzFix;
}

/** The expression is not in the Quartz 2.3 grammar (REQ-47, OP-85). `message` is the text that Quartz gives. */
export class QuartzSyntaxError extends Error {
  override readonly name = 'QuartzSyntaxError';
  readonly expression: string;
  readonly position: number;
  readonly field: QuartzFieldName | undefined;
  readonly fieldText: string;
  readonly fix: QuartzFix | undefined;

  constructor(fault: QuartzFault, options?: ErrorOptions) {
    super(fault.message, options);
    this.expression = fault.expression;
    this.position = fault.position;
    this.field = fault.field;
    this.fieldText = fault.fieldText;
    this.fix = fault.fix;
  }

  /** The same error with a proposal; the error without it is its `cause`. */
  withFix(fix: QuartzFix): QuartzSyntaxError {
    const { message, expression, position, field, fieldText } = this;
    const fault = { message, expression, position, fieldText, fix, ...(field === undefined ? {} : { field }) };
    return new QuartzSyntaxError(fault, { cause: this });
  }
}

/** The expression parses, but no day up to a hundred years from now fits it, like 30 February (10.3). */
export class QuartzNeverFiresError extends Error {
  override readonly name = 'QuartzNeverFiresError';
  readonly expression: string;

  constructor(expression: string) {
    super(`Based on configured schedule, the cron expression '${expression}' will never fire.`);
    this.expression = expression;
  }
}

/** The name is no time zone that this Node.js knows (OP-86). */
export class UnknownTimeZoneError extends Error {
  override readonly name = 'UnknownTimeZoneError';
  readonly timeZone: string;
  /** The nearest name that is known. */
  readonly nearest: string | undefined;

  constructor(timeZone: string, nearest: string | undefined, options?: ErrorOptions) {
    const hint = nearest === undefined ? 'write a name like Europe/Berlin or UTC' : `did you mean '${nearest}'?`;
    super(`'${timeZone}' is not a known time zone: ${hint}`, options);
    this.timeZone = timeZone;
    this.nearest = nearest;
  }
}

/**
 * A syntax error for people: the text, the expression with a caret under the position, and the fix if there is one.
 * Several lines, without a line end after the last.
 */
export function explainQuartzError(error: QuartzSyntaxError): string {
  const where = error.field === undefined ? '' : ` (${error.field} '${oneLine(error.fieldText)}')`;
  const lines = [`${error.message}${where}`, `  ${oneLine(error.expression)}`, `  ${' '.repeat(error.position)}^`];
  if (error.fix !== undefined) {
    lines.push(`${error.fix.because}: write '${error.fix.expression}'`);
  }
  return lines.join('\n');
}

/** Tabs and line ends would move the caret away from its place. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
