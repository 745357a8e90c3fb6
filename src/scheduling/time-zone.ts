import { nearestName } from '../grammar/diagnostic.ts';
import { UnknownTimeZoneError } from './quartz-errors.ts';

/**
 * A wall-clock reading: what a clock on the wall shows, as if it showed UTC, in epoch milliseconds. `12:00` in any
 * zone is the same reading, and arithmetic on readings knows no clock changes.
 */
export type Reading = number;

/** An instant at which the clocks of a zone are put forward (`after > before`: a gap) or back (an overlap). */
export interface ClockChange {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Milliseconds to add to an instant to get the reading, before and after `at`. */
  readonly before: number;
  readonly after: number;
}

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
/** Two changes are never nearer to each other than this, so a year sampled at this distance shows all of them. */
const SAMPLING = 7 * DAY;

interface YearOfChanges {
  readonly firstOffset: number;
  readonly changes: readonly ClockChange[];
}

/**
 * A time zone by its IANA name, on Intl alone. Its clock changes are looked up once a year of the calendar (about
 * 0.2 ms) and kept, after which readings and instants are plain arithmetic.
 */
export class TimeZone {
  static readonly #known = new Map<string, TimeZone>();

  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** Bounded: the schedules that ask look at most a hundred years ahead. */
  readonly #years = new Map<number, YearOfChanges>();

  /**
   * @param name an IANA name such as `Europe/Berlin`; without it, the zone of the process
   * @throws UnknownTimeZoneError
   */
  static of(name: string = processZone()): TimeZone {
    let zone = TimeZone.#known.get(name);
    if (zone === undefined) {
      zone = new TimeZone(name);
      TimeZone.#known.set(name, zone);
    }
    return zone;
  }

  private constructor(name: string) {
    this.#format = formatOf(name);
    this.name = name;
  }

  /** Milliseconds to add to `instant` to get its reading. */
  offsetAt(instant: number): number {
    const { firstOffset, changes } = this.#year(yearOf(instant));
    let offset = firstOffset;
    for (const change of changes) {
      if (change.at > instant) {
        break;
      }
      offset = change.after;
    }
    return offset;
  }

  reading(instant: number): Reading {
    return instant + this.offsetAt(instant);
  }

  /** The change whose missing or repeated hour holds `reading`, if there is one. */
  changeAround(reading: Reading): ClockChange | undefined {
    const first = yearOf(reading - 2 * DAY);
    const last = yearOf(reading + 2 * DAY);
    for (let year = first; year <= last; year++) {
      for (const change of this.#year(year).changes) {
        const start = change.at + Math.min(change.before, change.after);
        const end = change.at + Math.max(change.before, change.after);
        if (reading >= start && reading < end) {
          return change;
        }
      }
    }
    return undefined;
  }

  /** The instant of a reading that exists once, that is, around which no clock changes. */
  instant(reading: Reading): number {
    const guess = reading - this.offsetAt(reading);
    return reading - this.offsetAt(guess);
  }

  /** The instant of any reading: in the first pass if there are two, the end of the gap if it is missing. */
  firstInstant(reading: Reading): number {
    const change = this.changeAround(reading);
    if (change === undefined) {
      return this.instant(reading);
    }
    return change.after > change.before ? change.at : reading - change.before;
  }

  /** For people: weekday, date, time and offset, like `Sun 2026-11-22 12:00:00 +01:00`. */
  describe(instant: number): string {
    const reading = new Date(this.reading(instant));
    const [date = '', time = ''] = reading.toISOString().split('T');
    return `${reading.toUTCString().slice(0, 3)} ${date} ${time.slice(0, 8)} ${offsetText(this.offsetAt(instant))}`;
  }

  #year(year: number): YearOfChanges {
    let found = this.#years.get(year);
    if (found === undefined) {
      found = this.#survey(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
      this.#years.set(year, found);
    }
    return found;
  }

  #survey(start: number, end: number): YearOfChanges {
    const firstOffset = this.#measure(start);
    const changes: ClockChange[] = [];
    let before = firstOffset;
    for (let from = start; from < end; from += SAMPLING) {
      const to = Math.min(from + SAMPLING, end);
      const after = this.#measure(to);
      if (after !== before) {
        const at = this.#bisect(from, to, before);
        // a change at the very end is the first offset of the year that follows
        if (at < end) {
          changes.push({ at, before, after });
        }
        before = after;
      }
    }
    return { firstOffset, changes };
  }

  /** The first second at which the offset is no longer `before`. */
  #bisect(from: number, to: number, before: number): number {
    let low = from;
    let high = to;
    while (high - low > SECOND) {
      const middle = low + Math.floor((high - low) / 2 / SECOND) * SECOND;
      if (this.#measure(middle) === before) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** Asks Intl what the clock shows. */
  #measure(instant: number): number {
    const [month = 1, day = 1, year = FIRST_YEAR, hour = 0, minute = 0, second = 0] = Array.from(
      this.#format.format(instant).matchAll(/\d+/g),
      Number,
    );
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
  }
}

const FIRST_YEAR = 1970;

function offsetText(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${offset < 0 ? '-' : '+'}${hour}:${minute}`;
}

function yearOf(instant: number): number {
  return new Date(instant).getUTCFullYear();
}

function processZone(): string {
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  // ICU's name for a TZ variable that it cannot read, which Intl itself then refuses
  return name === undefined || name === 'Etc/Unknown' ? 'UTC' : name;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const [numeric, hourCycle] = ['numeric', 'h23'] as const;
  const date = { year: numeric, month: numeric, day: numeric } as const;
  const time = { hour: numeric, minute: numeric, second: numeric, hourCycle } as const;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      ...date,
      ...time,
      calendar: 'gregory',
      numberingSystem: 'latn',
    });
  } catch (cause) {
    throw new UnknownTimeZoneError(timeZone, nearestZone(timeZone), { cause });
  }
}

/** By the name of its city, or by the whole name. */
function nearestZone(wrong: string): string | undefined {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const ofCity = new Map(zones.map((name) => [name.slice(name.lastIndexOf('/') + 1), name]));
  const city = nearestName(wrong.replaceAll(' ', '_'), ofCity.keys());
  return ofCity.get(city ?? '') ?? nearestName(wrong, zones);
}
