import { ValueError } from '../grammar/attributes.ts';

/** Writes a date in the time zone of this process. */
export type DateFormat = (date: Date) => string;

type Part = (date: Date) => string;

/** What `SYSTEM_DATE` gives without a pattern: Java's short date and time of the English locale. */
export const SHORT_DATE_PATTERN = 'M/d/yy, h:mm a';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const DAY_MS = 86_400_000;

/**
 * Compiles a pattern of Java's SimpleDateFormat (spec mediators 4.2.4), English names.
 * @throws ValueError for a letter that means nothing or a quote that is not closed
 */
export function compileDateFormat(pattern: string): DateFormat {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] as string;
    if (character === "'") {
      const end = endOfQuotation(pattern, at);
      const quoted = end === at + 1 ? "'" : pattern.slice(at + 1, end).replaceAll("''", "'");
      parts.push(() => quoted);
      at = end + 1;
    } else if (/[A-Za-z]/.test(character)) {
      const length = runLength(pattern, at);
      parts.push(field(character, length, pattern));
      at += length;
    } else {
      parts.push(() => character);
      at += 1;
    }
  }
  return (date) => parts.map((part) => part(date)).join('');
}

function endOfQuotation(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at += 1) {
    if (pattern[at] !== "'") continue;
    if (at === start + 1 || pattern[at + 1] !== "'") return at;
    at += 1;
  }
  throw new ValueError(`a quote of the date pattern '${pattern}' is not closed`, "for example yyyy-MM-dd'T'HH:mm:ss");
}

function runLength(pattern: string, start: number): number {
  let end = start;
  while (pattern[end] === pattern[start]) end += 1;
  return end - start;
}

function field(letter: string, length: number, pattern: string): Part {
  const text = TEXT_FIELDS[letter];
  if (text) return (date) => text(date, length);
  const number = NUMBER_FIELDS[letter];
  if (number) return (date) => String(number(date)).padStart(length, '0');
  throw new ValueError(
    `Illegal pattern character '${letter}' in the date pattern '${pattern}'`,
    'letters of SimpleDateFormat, for example yyyy-MM-dd HH:mm:ss.SSS',
  );
}

const NUMBER_FIELDS: Readonly<Record<string, (date: Date) => number>> = {
  d: (date) => date.getDate(),
  H: (date) => date.getHours(),
  k: (date) => date.getHours() || 24,
  K: (date) => date.getHours() % 12,
  h: (date) => date.getHours() % 12 || 12,
  m: (date) => date.getMinutes(),
  s: (date) => date.getSeconds(),
  S: (date) => date.getMilliseconds(),
  D: (date) => Math.round((midnight(date) - Date.UTC(date.getFullYear(), 0, 1)) / DAY_MS) + 1,
  F: (date) => Math.floor((date.getDate() - 1) / 7) + 1,
  u: (date) => date.getDay() || 7,
  w: weekOfYear,
  W: (date) => Math.floor((date.getDate() - 1 + firstWeekday(date.getFullYear(), date.getMonth())) / 7) + 1,
};

const TEXT_FIELDS: Readonly<Record<string, (date: Date, length: number) => string>> = {
  G: (date) => (date.getFullYear() > 0 ? 'AD' : 'BC'),
  y: (date, length) => year(date.getFullYear(), length),
  Y: (date, length) => year(weekYear(date), length),
  M: month,
  L: month,
  E: (date, length) => name(DAYS[date.getDay()], length),
  a: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  z: (date, length) => zoneName(date, length),
  Z: (date) => offset(date, ''),
  X: isoZone,
};

function year(value: number, length: number): string {
  return length === 2 ? String(value % 100).padStart(2, '0') : String(value).padStart(length, '0');
}

function month(date: Date, length: number): string {
  return length > 2 ? name(MONTHS[date.getMonth()], length) : String(date.getMonth() + 1).padStart(length, '0');
}

function name(full: string | undefined, length: number): string {
  return length > 3 ? (full ?? '') : (full ?? '').slice(0, 3);
}

function zoneName(date: Date, length: number): string {
  const style = length > 3 ? 'long' : 'short';
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: style }).formatToParts(date);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
}

function isoZone(date: Date, length: number): string {
  if (date.getTimezoneOffset() === 0) return 'Z';
  const full = offset(date, length > 2 ? ':' : '');
  return length === 1 ? full.slice(0, 3) : full;
}

function offset(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  const hours = String(Math.floor(absolute / 60)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${hours}${separator}${String(absolute % 60).padStart(2, '0')}`;
}

/** Local midnight as if it were UTC, so that days can be counted without daylight saving. */
function midnight(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}

function firstWeekday(fullYear: number, monthIndex: number): number {
  return new Date(fullYear, monthIndex, 1).getDay();
}

/** Weeks of the English locale: they start on Sunday, and the one with 1 January is the first. */
function weekOfYear(date: Date): number {
  if (weekYear(date) !== date.getFullYear()) return 1;
  const dayOfYear = Math.round((midnight(date) - Date.UTC(date.getFullYear(), 0, 1)) / DAY_MS);
  return Math.floor((dayOfYear + firstWeekday(date.getFullYear(), 0)) / 7) + 1;
}

function weekYear(date: Date): number {
  const saturday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + (6 - date.getDay()));
  return saturday.getFullYear();
}
