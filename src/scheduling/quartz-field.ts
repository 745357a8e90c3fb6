import { type QuartzFieldName, QuartzSyntaxError } from './quartz-errors.ts';

/** One of the seven fields: its values and the texts with which the reference refuses others. */
export interface FieldKind {
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

/** What one Java int holds; a longer number is refused. */
export const GREATEST_INT = 2_147_483_647;
const NTH_TEXT = "A numeric value between 1 and 5 must follow the '#' option";
const LAST_DAY_FORMS = /^L(?:W|-[0-9]*W?)?$/;

/** Reads one field. The methods take a list element's text and, as `at`, its offset within the field. */
export class QuartzField {
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
  read(dayOfMonth: QuartzField | undefined): void {
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

  #readElement(element: string, at: number, dayOfMonth: QuartzField | undefined): void {
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

  #readUnspecified(element: string, at: number, dayOfMonth: QuartzField | undefined): void {
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
