import type { QuartzCalendar } from './quartz-calendar.ts';
import type { Reading, TimeZone } from './time-zone.ts';

const SECOND = 1_000;

/**
 * The next run as Quartz finds it, clock changes included (10.3, `x.cron.dst=quartz`): times in the spring gap are
 * dropped, in autumn only the second pass of the repeated hour counts.
 *
 * Both effects come from the calendar underneath, which knows a time only by its reading: a repeated reading is taken
 * for its second pass, a missing one is pushed behind the gap, and the search then goes on from there. So the search
 * is done the same way here: field by field, with the reading settled wherever Quartz asks its calendar.
 *
 * @param after epoch milliseconds, whole seconds
 */
export function nextAsQuartz(calendar: QuartzCalendar, zone: TimeZone, after: number): number | undefined {
  const clock = new LenientClock(zone, zone.reading(after + SECOND));
  while (clock.year <= calendar.lastYear) {
    if (atSecond(calendar, clock) && atMinute(calendar, clock) && atHour(calendar, clock) && atDay(calendar, clock)) {
      return clock.instant;
    }
  }
  return undefined;
}

/** Moves on to a matching second; always goes on with the minute. */
function atSecond(calendar: QuartzCalendar, clock: LenientClock): boolean {
  const second = calendar.secondFrom(clock.second);
  if (second < 0) {
    clock.set({ minute: clock.minute + 1, second: calendar.secondFrom(0) });
  } else if (second !== clock.second) {
    clock.set({ second });
  }
  return true;
}

/** True if the minute matches; otherwise moves on, and the search begins anew. The same for hours and days. */
function atMinute(calendar: QuartzCalendar, clock: LenientClock): boolean {
  const minute = calendar.minuteFrom(clock.minute);
  if (minute === clock.minute) {
    return true;
  }
  if (minute < 0) {
    clock.setHour(clock.hour + 1, { minute: calendar.minuteFrom(0), second: 0 });
  } else {
    clock.setHour(clock.hour, { minute, second: 0 });
  }
  return false;
}

function atHour(calendar: QuartzCalendar, clock: LenientClock): boolean {
  const hour = calendar.hourFrom(clock.hour);
  if (hour === clock.hour) {
    return true;
  }
  if (hour < 0) {
    clock.setHour(calendar.hourFrom(0), { day: clock.day + 1, minute: 0, second: 0 });
  } else {
    clock.setHour(hour, { minute: 0, second: 0 });
  }
  return false;
}

function atDay(calendar: QuartzCalendar, clock: LenientClock): boolean {
  const day = calendar.dayFrom(clock.year, clock.month, clock.day);
  if (day === clock.day) {
    return true;
  }
  const midnight = { hour: 0, minute: 0, second: 0 };
  clock.set(day < 0 ? { month: clock.month + 1, day: 1, ...midnight } : { day, ...midnight });
  return false;
}

interface ClockFields {
  month?: number;
  day?: number;
  hour?: number;
  minute?: number;
  second?: number;
}

/** A clock whose fields can be set beyond their limits and to readings that do not exist: it settles on a real one. */
class LenientClock {
  instant = 0;
  readonly #zone: TimeZone;
  #shown = new Date(0);

  constructor(zone: TimeZone, reading: Reading) {
    this.#zone = zone;
    this.#settle(reading);
  }

  get year(): number {
    return this.#shown.getUTCFullYear();
  }

  /** 1 to 12. */
  get month(): number {
    return this.#shown.getUTCMonth() + 1;
  }

  get day(): number {
    return this.#shown.getUTCDate();
  }

  get hour(): number {
    return this.#shown.getUTCHours();
  }

  get minute(): number {
    return this.#shown.getUTCMinutes();
  }

  get second(): number {
    return this.#shown.getUTCSeconds();
  }

  set(fields: ClockFields): void {
    const { month = this.month, day = this.day } = fields;
    const { hour = this.hour, minute = this.minute, second = this.second } = fields;
    this.#settle(Date.UTC(this.year, month - 1, day, hour, minute, second));
  }

  /** Quartz tries the hour after one that turns out to be missing. */
  setHour(hour: number, fields: ClockFields): void {
    this.set({ ...fields, hour });
    if (this.hour !== hour && hour !== 24) {
      this.set({ hour: hour + 1 });
    }
  }

  #settle(reading: Reading): void {
    const change = this.#zone.changeAround(reading);
    if (change === undefined) {
      this.instant = this.#zone.instant(reading);
    } else {
      // in a gap the old offset still counts, in an overlap the new one
      this.instant = reading - Math.min(change.before, change.after);
    }
    this.#shown = new Date(this.#zone.reading(this.instant));
  }
}
