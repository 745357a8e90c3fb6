import { QuartzSyntaxError } from './quartz-errors.ts';
import { type FieldKind, GREATEST_INT, QuartzField, type QuartzToken } from './quartz-field.ts';

/** Which days of a month an expression means: what its day-of-month and day-of-week fields say together. */
export type DayRule =
  | { readonly kind: 'days'; readonly days: ReadonlySet<number> }
  /** `L`, `L-n`: `offset` days before the last; with `weekday` (`LW`, `L-nW`) the weekday nearest to that day. */
  | { readonly kind: 'last-day'; readonly offset: number; readonly weekday: boolean }
  /** `nW`: the Monday to Friday nearest to `day`, within the month. */
  | { readonly kind: 'nearest-weekday'; readonly day: number }
  /** Weekdays count from 1 = Sunday, as in Quartz. */
  | { readonly kind: 'weekdays'; readonly weekdays: ReadonlySet<number> }
  | { readonly kind: 'last-weekday'; readonly weekday: number }
  | { readonly kind: 'nth-weekday'; readonly weekday: number; readonly nth: number };

/** A Quartz expression as sets of numbers. */
export interface QuartzFields {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: DayRule;
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  /** Bounded by the last year that was asked for; empty if all lie behind it: such an expression never fires. */
  readonly years: ReadonlySet<number>;
}

const FIRST_YEAR = 1970;
const BOTH_TEXT = 'Support for specifying both a day-of-week AND a day-of-month parameter is not implemented.';

/**
 * Reads a Quartz 2.3 expression (stores-and-processors 10.1, 10.2).
 *
 * It accepts what Quartz accepts, leftovers included: whatever follows a complete value (`12X`), the end of a name
 * (`JANUARY`), a step after a name range, text after the seventh field. It is stricter where Quartz accepts and then
 * misbehaves: a field without any value (`,` or `L` outside of the two day fields), the values 98 and 99, which Quartz
 * takes for its own marks of `?` and `*`, weekday 0 or above 7 before `#`, and `0W`.
 *
 * @param lastYear years above it are left out, so that `*` and open ranges end
 * @throws QuartzSyntaxError without a fix
 */
export function readQuartzFields(expression: string, lastYear: number): QuartzFields {
  const tokens = splitFields(expression);
  const year = { name: 'year', low: FIRST_YEAR, high: lastYear, greatestStep: GREATEST_INT } as const;
  const kinds: readonly FieldKind[] = [...SIX_FIELDS, { ...year, stepText: '', rangeText: '' }];
  const fields: QuartzField[] = [];
  for (const [index, kind] of kinds.entries()) {
    const token = tokens[index] ?? (kind.name === 'year' ? { text: '*', position: expression.length } : undefined);
    if (token === undefined) {
      const position = expression.length;
      throw new QuartzSyntaxError({ message: 'Unexpected end of expression.', expression, position, fieldText: '' });
    }
    const field = new QuartzField(kind, token, expression);
    field.read(fields[3]);
    fields.push(field);
  }
  return assemble(fields);
}

/** Splits at blanks and tabs only, as Quartz does; other control characters are dropped at the ends of a field. */
export function splitFields(expression: string): QuartzToken[] {
  const tokens: QuartzToken[] = [];
  for (const match of expression.matchAll(/[^ \t]+/g)) {
    const text = match[0].replace(/^\p{Cc}+|\p{Cc}+$/gu, '');
    // only ASCII letters are raised, so that positions stay what they are
    const upper = text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    tokens.push({ text: upper, position: match.index + match[0].indexOf(text) });
  }
  return tokens;
}

function assemble(fields: readonly QuartzField[]): QuartzFields {
  const [seconds, minutes, hours, dayOfMonth, months, dayOfWeek, years] = fields;
  if (!(seconds && minutes && hours && dayOfMonth && months && dayOfWeek && years)) {
    throw new RangeError('a Quartz expression has seven fields');
  }
  return {
    seconds: seconds.values,
    minutes: minutes.values,
    hours: hours.values,
    days: dayRule(dayOfMonth, dayOfWeek),
    months: months.values,
    years: years.values,
  };
}

function dayRule(dayOfMonth: QuartzField, dayOfWeek: QuartzField): DayRule {
  if (dayOfMonth.unspecified === dayOfWeek.unspecified) {
    // points at the field that can become `?`: one that says nothing anyway
    const field = dayOfMonth.every && !dayOfWeek.every ? dayOfMonth : dayOfWeek;
    throw field.error(BOTH_TEXT, 0);
  }
  if (dayOfWeek.unspecified) {
    if (dayOfMonth.lastDay !== undefined) {
      return { kind: 'last-day', offset: dayOfMonth.lastDay, weekday: dayOfMonth.nearestWeekday };
    }
    return dayOfMonth.nearestWeekday
      ? { kind: 'nearest-weekday', day: smallest(dayOfMonth.values) }
      : { kind: 'days', days: dayOfMonth.values };
  }
  if (dayOfWeek.lastWeekday) {
    return { kind: 'last-weekday', weekday: smallest(dayOfWeek.values) };
  }
  return dayOfWeek.nth === 0
    ? { kind: 'weekdays', weekdays: dayOfWeek.values }
    : { kind: 'nth-weekday', weekday: smallest(dayOfWeek.values), nth: dayOfWeek.nth };
}

function smallest(values: ReadonlySet<number>): number {
  return Math.min(...values);
}

const SIXTY_TEXT = 'Minute and Second values must be between 0 and 59';
const SIXTY = { low: 0, high: 59, greatestStep: 59, stepText: '60', rangeText: SIXTY_TEXT };

const SIX_FIELDS: readonly FieldKind[] = [
  { name: 'seconds', ...SIXTY },
  { name: 'minutes', ...SIXTY },
  { name: 'hours', ...upTo(0, 23, '24'), rangeText: 'Hour values must be between 0 and 23' },
  { name: 'day-of-month', ...upTo(1, 31, '31'), rangeText: 'Day of month values must be between 1 and 31' },
  { name: 'month', ...upTo(1, 12, '12'), rangeText: 'Month values must be between 1 and 12' },
  { name: 'day-of-week', ...upTo(1, 7, '7'), rangeText: 'Day-of-Week values must be between 1 and 7' },
];

function upTo(low: number, high: number, stepText: string) {
  return { low, high, greatestStep: high, stepText };
}
