import { type QuartzFieldName, QuartzSyntaxError } from './quartz-errors.ts';

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

/** One of the seven fields: its values and the texts with which the reference refuses others. */
interface FieldKind {
  readonly name: QuartzFieldName;
  readonly low: number;
  readonly high: number;
  /** Greatest `n` of `a/n` and `*` with `/n`; not looked at after a range. */
  readonly greatestStep: number;
  readonly stepText: string;
  readonly rangeText: string;
}

/** Names of months and weekdays; the number of a name is its place, from 1. */
export const MONTHS: readonly string[] = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
export const WEEKDAYS: readonly string[] = 'SUN MON TUE WED THU FRI SAT'.split(' ');

/** A field's text in upper case, and its 0-based offset in the expression. */
export interface QuartzToken {
  readonly text: string;
  readonly position: number;
}

const FIRST_YEAR = 1970;
/** What one Java int holds; a longer number is refused. */
const GREATEST_INT = 2_147_483_647;
const SIXTY_TEXT = 'Minute and Second values must be between 0 and 59';
const NTH_TEXT = "A numeric value between 1 and 5 must follow the '#' option";
const BOTH_TEXT = 'Support for specifying both a day-of-week AND a day-of-month parameter is not implemented.';
const LAST_DAY_FORMS = /^L(?:W|-[0-9]*W?)?$/;

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
  const fields: Field[] = [];
  for (const [index, kind] of kinds.entries()) {
    const token = tokens[index] ?? (kind.name === 'year' ? { text: '*', position: expression.length } : undefined);
    if (token === undefined) {
      const position = expression.length;
      throw new QuartzSyntaxError({ message: 'Unexpected end of expression.', expression, position, fieldText: '' });
    }
    const field = new Field(kind, token, expression);
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

function assemble(fields: readonly Field[]): QuartzFields {
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

function dayRule(dayOfMonth: Field, dayOfWeek: Field): DayRule {
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

/** Reads one field. The methods take a list element's text and, as `at`, its offset within the field. */
class Field {
  readonly values = new Set<number>();
  /** A lone `*`, or one with step 0. */
  every = false;
  /** `?` */
  unspecified = false;
  /** Days before the last of the month: `L-n`. */
  lastDay: number | undefined;
  nearestWeekday = false;
  lastWeekday = false;
  /** `#n`, 0 = none. */
  nth = 0;
  readonly #kind: FieldKind;
  readonly #token: QuartzToken;
  readonly #expression: string;

  constructor(kind: FieldKind, token: QuartzToken, expression: string) {
    this.#kind = kind;
    this.#token = token;
    this.#expression = expression;
  }

  /** @param dayOfMonth the field that was read before, where there is one: `?` may stand only once */
  read(dayOfMonth: Field | undefined): void {
    this.#refuseListsOfSpecials();
    let any = false;
    for (const { 0: element, index } of this.#token.text.matchAll(/[^,]+/g)) {
      this.#readElement(element, index, dayOfMonth);
      any = true;
    }
    if (!any) {
      throw this.#illegal('the field has no value', 0);
    }
  }

  /** @param at offset within the field */
  error(message: string, at: number): QuartzSyntaxError {
    const { text, position } = this.#token;
    const expression = this.#expression;
    const fieldText = expression.slice(position, position + text.length);
    return new QuartzSyntaxError({ message, expression, position: position + at, field: this.#kind.name, fieldText });
  }

  /** For what the reference reports with the text of a Java exception. */
  #illegal(why: string, at: number): QuartzSyntaxError {
    return this.error(`Illegal cron expression format (${why})`, at);
  }

  #is(name: QuartzFieldName): boolean {
    return this.#kind.name === name;
  }

  #refuseListsOfSpecials(): void {
    const { text } = this.#token;
    const listed = text.includes(',') && text.includes('L');
    if (listed && this.#is('day-of-month')) {
      const message = "Support for specifying 'L' and 'LW' with other days of the month is not implemented";
      throw this.error(message, text.indexOf('L'));
    }
    if (listed && this.#is('day-of-week')) {
      const message = "Support for specifying 'L' with other days of the week is not implemented";
      throw this.error(message, text.indexOf('L'));
    }
    const second = text.indexOf('#', text.indexOf('#') + 1);
    if (this.#is('day-of-week') && second > text.indexOf('#')) {
      throw this.error('Support for specifying multiple "nth" days is not implemented.', second);
    }
  }

  #readElement(element: string, at: number, dayOfMonth: Field | undefined): void {
    const first = element.charAt(0);
    if (/[A-Z]/.test(first) && !LAST_DAY_FORMS.test(element)) {
      this.#readName(element, at);
    } else if (first === '?') {
      this.#readUnspecified(element, at, dayOfMonth);
    } else if (first === '*' || first === '/') {
      this.#readEvery(element, at);
    } else if (first === 'L') {
      this.#readLast(element, at);
    } else if (/[0-9]/.test(first)) {
      this.#readNumber(element, at);
    } else {
      throw this.error(`Unexpected character: ${String.fromCodePoint(element.codePointAt(0) ?? 0)}`, at);
    }
  }

  /** `MON`, `MON-FRI`, `MON#2`, `MONL`, `JAN-MAR`. */
  #readName(element: string, at: number): void {
    const value = this.#nameAt(element, at, 0);
    const next = element.charAt(3);
    if (next === '-') {
      this.#add(value, this.#nameAt(element, at, 4), 1, at);
      return;
    }
    if (this.#is('day-of-week') && next === '#') {
      this.#readNth(element.slice(4), at + 4);
    } else if (this.#is('day-of-week') && next === 'L') {
      this.lastWeekday = true;
    }
    this.#add(value, undefined, 0, at);
  }

  /** The number of the three-letter name that begins at `start` within the element. */
  #nameAt(element: string, at: number, start: number): number {
    const name = element.slice(start, start + 3);
    if (name.length < 3) {
      throw this.#illegal('a name has three letters', at + start);
    }
    if (!this.#is('month') && !this.#is('day-of-week')) {
      throw this.error(`Illegal characters for this position: '${name}'`, at + start);
    }
    const place = (this.#is('month') ? MONTHS : WEEKDAYS).indexOf(name);
    if (place < 0) {
      throw this.error(`Invalid ${this.#is('month') ? 'Month' : 'Day-of-Week'} value: '${name}'`, at + start);
    }
    return place + 1;
  }

  #readUnspecified(element: string, at: number, dayOfMonth: Field | undefined): void {
    // a single character after `?` slips through in the reference too
    if (element.length > 2) {
      throw this.error(`Illegal character after '?': ${element.charAt(1)}`, at + 1);
    }
    if (!this.#is('day-of-week') && !this.#is('day-of-month')) {
      throw this.error("'?' can only be specified for Day-of-Month or Day-of-Week.", at);
    }
    if (this.#is('day-of-week') && dayOfMonth?.unspecified && !dayOfMonth.every) {
      throw this.error("'?' can only be specified for Day-of-Month -OR- Day-of-Week.", at);
    }
    this.unspecified = true;
  }

  /** `*`, `*` with `/n`, `/n`; what follows a `*` is looked at only if it is a slash. */
  #readEvery(element: string, at: number): void {
    if (element === '/') {
      throw this.error("'/' must be followed by an integer.", at);
    }
    const slash = element.startsWith('*') ? 1 : 0;
    this.every ||= element === '*';
    if (element.charAt(slash) !== '/') {
      this.#fill(this.#kind.low, this.#kind.high, 1);
      return;
    }
    const from = slash + 1;
    if (from >= element.length) {
      throw this.error('Unexpected end of string.', at + from);
    }
    const step = this.#signedNumber(element.slice(from), at + from);
    this.#checkStep(step, at + from);
    this.every ||= step <= 0;
    this.#fill(this.#kind.low, this.#kind.high, Math.max(1, step));
  }

  /** `L`, `LW`, `L-n`, `L-nW`; in day-of-week everything after the `L` is ignored. */
  #readLast(element: string, at: number): void {
    if (this.#is('day-of-week')) {
      this.values.add(7);
      return;
    }
    if (!this.#is('day-of-month')) {
      throw this.error("'L' option is not valid here. (pos=0)", at);
    }
    if (element === 'L-') {
      throw this.#illegal('a number must follow', at + 2);
    }
    const digits = /[0-9]+/.exec(element)?.[0] ?? '0';
    this.lastDay = this.#number(digits, at + 2);
    if (this.lastDay > 30) {
      throw this.error('Offset from last day must be <= 30', at + 2);
    }
    this.nearestWeekday ||= element.endsWith('W');
  }

  /** `a`, `a-b`, `a-b/n`, `a/n`, `nL`, `nW`, `d#k`; what else follows the number is ignored. */
  #readNumber(element: string, at: number): void {
    const digits = leadingDigits(element);
    const value = this.#number(digits, at);
    const rest = element.slice(digits.length);
    const restAt = at + digits.length;
    switch (rest.charAt(0)) {
      case 'L':
        this.#allow('L', 'day-of-week', digits.length, restAt);
        this.lastWeekday = true;
        this.#add(value, undefined, 0, at);
        break;
      case 'W':
        this.#allow('W', 'day-of-month', digits.length, restAt);
        this.#addNearestWeekday(value, at);
        break;
      case '#':
        this.#allow('#', 'day-of-week', digits.length, restAt);
        this.#readNth(rest.slice(1), restAt + 1);
        this.#add(value, undefined, 0, at);
        break;
      case '-':
        this.#readRange(value, rest.slice(1), at, restAt + 1);
        break;
      case '/':
        this.#readStep(value, rest.slice(1), at, restAt + 1);
        break;
      default:
        this.#add(value, undefined, 0, at);
    }
  }

  #allow(option: string, name: QuartzFieldName, digits: number, at: number): void {
    if (!this.#is(name)) {
      throw this.error(`'${option}' option is not valid here. (pos=${digits})`, at);
    }
  }

  #addNearestWeekday(day: number, at: number): void {
    if (day > 31) {
      const limit = "The 'W' option does not make sense with values larger than 31 (max number of days in a month)";
      throw this.error(limit, at);
    }
    this.nearestWeekday = true;
    this.#add(day, undefined, 0, at);
  }

  #readNth(text: string, at: number): void {
    const nth = /^[+]?[0-9]+$/.test(text) ? Number(text) : 0;
    if (nth < 1 || nth > 5) {
      throw this.error(NTH_TEXT, at);
    }
    this.nth = nth;
  }

  /** After `a-`. A step behind the range is not limited; 0 leaves only `a`. */
  #readRange(from: number, text: string, fromAt: number, at: number): void {
    const digits = this.#digits(text, at);
    const to = this.#number(digits, at);
    if (text.charAt(digits.length) !== '/') {
      this.#add(from, to, 1, fromAt);
      return;
    }
    const stepAt = at + digits.length + 1;
    const step = this.#number(this.#digits(text.slice(digits.length + 1), stepAt), stepAt);
    this.#add(from, to, step, fromAt);
  }

  /** After `a/`. */
  #readStep(from: number, text: string, fromAt: number, at: number): void {
    if (text === '') {
      throw this.error("'/' must be followed by an integer.", at - 1);
    }
    const digits = this.#digits(text, at);
    if (digits.length === 1 && text.length > 1) {
      throw this.error(`Unexpected character '${text.charAt(1)}' after '/'`, at + 1);
    }
    const step = this.#number(digits, at);
    this.#checkStep(step, at);
    this.#add(from, undefined, step, fromAt);
  }

  #digits(text: string, at: number): string {
    const digits = leadingDigits(text);
    if (digits === '') {
      throw this.#illegal('a number must follow', at);
    }
    return digits;
  }

  #number(digits: string, at: number): number {
    const value = Number(digits);
    if (value > GREATEST_INT) {
      throw this.#illegal('the number is too large', at);
    }
    return value;
  }

  #signedNumber(text: string, at: number): number {
    const [, sign, digits] = /^([+-]?)([0-9]+)$/.exec(text) ?? [];
    if (digits === undefined) {
      throw this.#illegal(`'${text}' is not a number`, at);
    }
    return (sign === '-' ? -1 : 1) * this.#number(digits, at);
  }

  #checkStep(step: number, at: number): void {
    if (step > this.#kind.greatestStep) {
      throw this.error(`Increment > ${this.#kind.stepText} : ${step}`, at);
    }
  }

  /** Adds `from` alone (`step` 0), or every `step`-th value up to `to`, or to the field's greatest. */
  #add(from: number, to: number | undefined, step: number, at: number): void {
    const { low, high, rangeText } = this.#kind;
    if (!this.#is('year') && (from < low || from > high || (to !== undefined && to > high))) {
      throw this.error(rangeText, at);
    }
    if (step === 0) {
      this.values.add(from);
      return;
    }
    this.#fill(from, to ?? high, step, at);
  }

  /** A range that descends wraps around the cycle of its field. */
  #fill(from: number, to: number, step: number, at = 0): void {
    const { low, high } = this.#kind;
    if (this.#is('year')) {
      if (to < from) {
        throw this.#illegal('the first year must be less than the last', at);
      }
      for (let year = from; year <= Math.min(to, high); year += step) {
        this.values.add(year);
      }
      return;
    }
    const cycle = high - low + 1;
    const end = to < from ? to + cycle : to;
    for (let value = from; value <= end; value += step) {
      this.values.add(value > high ? value - cycle : value);
    }
  }
}

function leadingDigits(text: string): string {
  return /^[0-9]*/.exec(text)?.[0] ?? '';
}

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
