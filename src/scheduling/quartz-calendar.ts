import type { DayRule, QuartzFields } from './quartz-grammar.ts';
import type { Reading } from './time-zone.ts';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/**
 * What an expression says about dates and times of day, without any time zone. Every search looks at tables: a field's
 * next value is one look-up, a month's days are the bits of one number, so that finding a leap day decades ahead takes
 * some hundred steps and never one a second.
 */
export class QuartzCalendar {
  /** The hour field names every hour: the schedule is an interval rather than a time of day (REQ-59). */
  readonly everyHour: boolean;
  readonly #seconds: NextValue;
  readonly #minutes: NextValue;
  readonly #hours: NextValue;
  readonly #months: NextValue;
  readonly #years: ReadonlySet<number>;
  readonly #lastYear: number;
  readonly #days: DayRule;
  /** Second of the day of the first run of a day. */
  readonly #firstSecond: number;

  constructor(fields: QuartzFields) {
    this.#seconds = nextValues(fields.seconds, 59);
    this.#minutes = nextValues(fields.minutes, 59);
    this.#hours = nextValues(fields.hours, 23);
    this.#months = nextValues(fields.months, 12);
    this.#years = fields.years;
    this.#lastYear = Math.max(0, ...fields.years);
    this.#days = fields.days;
    this.everyHour = fields.hours.size === 24;
    this.#firstSecond = this.hourFrom(0) * 3_600 + this.minuteFrom(0) * 60 + this.secondFrom(0);
  }

  /** The first matching second at or after `second`, -1 if the minute has none left. The same for minutes and hours. */
  secondFrom(second: number): number {
    return this.#seconds[second] ?? -1;
  }

  minuteFrom(minute: number): number {
    return this.#minutes[minute] ?? -1;
  }

  hourFrom(hour: number): number {
    return this.#hours[hour] ?? -1;
  }

  /** The first matching day at or after `day` (1 to 32) of that month (1 to 12), -1 if the month has none left. */
  dayFrom(year: number, month: number, day: number): number {
    if (day > 31 || this.#months[month] !== month || !this.#years.has(year)) {
      return -1;
    }
    const left = daysOf(this.#days, year, month) & (-1 << day);
    return left === 0 ? -1 : 31 - Math.clz32(left & -left);
  }

  /** No day after this year matches. */
  get lastYear(): number {
    return this.#lastYear;
  }

  /** The first matching reading after `reading`, both in whole seconds; undefined if there is none any more. */
  next(reading: Reading): Reading | undefined {
    const from = reading + SECOND;
    const midnight = Math.floor(from / DAY) * DAY;
    const today = new Date(midnight);
    const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth() + 1, today.getUTCDate()];
    if (this.dayFrom(year, month, day) === day) {
      const second = this.#secondOfDayFrom((from - midnight) / SECOND);
      if (second >= 0) {
        return midnight + second * SECOND;
      }
    }
    const next = this.#dateFrom(year, month, day + 1);
    return next === undefined ? undefined : next + this.#firstSecond * SECOND;
  }

  #secondOfDayFrom(start: number): number {
    const hour = Math.floor(start / 3_600);
    const minute = Math.floor(start / 60) % 60;
    if (this.hourFrom(hour) === hour) {
      const sameMinute = this.minuteFrom(minute) === minute ? this.secondFrom(start % 60) : -1;
      if (sameMinute >= 0) {
        return start - (start % 60) + sameMinute;
      }
      const laterMinute = this.minuteFrom(minute + 1);
      if (laterMinute >= 0) {
        return hour * 3_600 + laterMinute * 60 + this.secondFrom(0);
      }
    }
    const laterHour = this.hourFrom(hour + 1);
    return laterHour < 0 ? -1 : laterHour * 3_600 + this.minuteFrom(0) * 60 + this.secondFrom(0);
  }

  /** Midnight of the first matching date at or after the given one. */
  #dateFrom(startYear: number, startMonth: number, startDay: number): Reading | undefined {
    let [month, day] = [startMonth, startDay];
    for (let year = startYear; year <= this.#lastYear; year++) {
      for (; month <= 12 && this.#years.has(year); month++) {
        const found = this.dayFrom(year, month, day);
        if (found > 0) {
          return Date.UTC(year, month - 1, found);
        }
        day = 1;
      }
      [month, day] = [1, 1];
    }
    return undefined;
  }
}

/** At index i the smallest value at or above i, or -1. One longer than the field, so that "the next one" is in it. */
type NextValue = readonly number[];

function nextValues(values: ReadonlySet<number>, high: number): NextValue {
  const table: number[] = new Array(high + 2).fill(-1);
  for (let value = high; value >= 0; value--) {
    table[value] = values.has(value) ? value : (table[value + 1] ?? -1);
  }
  return table;
}

/** The matching days of a month as bits 1 to 31. */
function daysOf(rule: DayRule, year: number, month: number): number {
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  switch (rule.kind) {
    case 'days':
      return bitsOf(rule.days, last);
    case 'last-day':
      return bit(rule.weekday ? nearestWeekday(year, month, last - rule.offset, last) : last - rule.offset, last);
    case 'nearest-weekday':
      // REQ-62: a month without that day is left out, where Quartz looks at the day of another month
      return bit(nearestWeekday(year, month, rule.day, last), last);
    case 'weekdays':
      return weekdayBits(rule.weekdays, weekdayOf(year, month, 1), last);
    case 'last-weekday':
      return bit(last - ((weekdayOf(year, month, last) - rule.weekday + 7) % 7), last);
    case 'nth-weekday':
      return bit(1 + ((rule.weekday - weekdayOf(year, month, 1) + 7) % 7) + (rule.nth - 1) * 7, last);
  }
}

function bit(day: number, last: number): number {
  return day >= 1 && day <= last ? 1 << day : 0;
}

function bitsOf(days: ReadonlySet<number>, last: number): number {
  let bits = 0;
  for (const day of days) {
    bits |= bit(day, last);
  }
  return bits;
}

function weekdayBits(weekdays: ReadonlySet<number>, first: number, last: number): number {
  let bits = 0;
  for (let day = 1; day <= last; day++) {
    if (weekdays.has(((first + day - 2) % 7) + 1)) {
      bits |= 1 << day;
    }
  }
  return bits;
}

/** 1 = Sunday to 7 = Saturday. */
function weekdayOf(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}

/** The day itself or the Friday or Monday beside it, never in another month; 0 for a day that the month does not have. */
function nearestWeekday(year: number, month: number, day: number, last: number): number {
  if (day < 1 || day > last) {
    return 0;
  }
  switch (weekdayOf(year, month, day)) {
    case 7:
      return day === 1 ? 3 : day - 1;
    case 1:
      return day === last ? day - 2 : day + 1;
    default:
      return day;
  }
}
