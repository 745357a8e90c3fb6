import { ValueError } from '../grammar/attributes.ts';

/** A local date, time or both, as far as a text says it. */
export interface LocalFields {
  year?: number;
  /** From 1. */
  month?: number;
  day?: number;
  hour?: number;
  minute?: number;
  second?: number;
  nano?: number;
}

/** A compiled pattern of Java's DateTimeFormatter (spec mediators 4.5.4), English names, without optional sections. */
export interface DateTimePattern {
  /** Undefined when a field that the pattern needs is missing. */
  format(fields: LocalFields): string | undefined;
  /** Undefined when the text does not match. */
  parse(text: string): LocalFields | undefined;
}

interface Part {
  /** What the text must look like; one group if it holds a value. */
  readonly pattern: string;
  write(fields: LocalFields): string | undefined;
  read?(text: string, fields: Reading): void;
}

/** What is read besides the fields themselves. */
interface Reading extends LocalFields {
  hour12?: number;
  afternoon?: boolean;
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const MAX_PATTERN = 200;

/**
 * Compiles a pattern.
 * @throws ValueError for a letter that means nothing or a quote that is not closed
 */
export function compileDateTimePattern(pattern: string): DateTimePattern {
  if (pattern.length > MAX_PATTERN) throw new ValueError(`the date pattern is longer than ${MAX_PATTERN} characters`);
  const parts = [...pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[\s\S]/g)].map((match) => partOf(match, pattern));
  const whole = new RegExp(`^${parts.map((part) => part.pattern).join('')}$`);
  const reading = parts.filter((part) => part.read);
  return {
    format(fields) {
      let text = '';
      for (const part of parts) {
        const written = part.write(fields);
        if (written === undefined) return undefined;
        text += written;
      }
      return text;
    },
    parse(text) {
      const match = whole.exec(text);
      if (!match) return undefined;
      const fields: Reading = {};
      for (const [index, part] of reading.entries()) part.read?.(match[index + 1] ?? '', fields);
      return finished(fields);
    },
  };
}

function partOf([all, quoted, letter]: RegExpExecArray, pattern: string): Part {
  if (letter !== undefined) return field(letter, all.length, pattern);
  if (all === "'") throw new ValueError(`a quote of the date pattern '${pattern}' is not closed`);
  const text = quoted === undefined ? all : quoted === '' ? "'" : quoted.replaceAll("''", "'");
  return { pattern: text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), write: () => text };
}

function field(letter: string, length: number, pattern: string): Part {
  const make = FIELDS[letter];
  if (make) return make(length);
  throw new ValueError(
    `Unknown pattern letter: ${letter} in the date pattern '${pattern}'`,
    'letters of DateTimeFormatter, for example yyyy-MM-dd HH:mm:ss.SSS',
  );
}

type NumberField = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

function number(
  name: NumberField | 'hour12',
  length: number,
  value: (fields: LocalFields) => number | undefined,
): Part {
  return {
    pattern: length === 1 ? '(\\d{1,19})' : `(\\d{${length}})`,
    write: (fields) => value(fields)?.toString().padStart(length, '0'),
    read: (text, fields) => {
      fields[name] = Number(text);
    },
  };
}

function plain(name: NumberField): (length: number) => Part {
  return (length) => number(name, length, (fields) => fields[name]);
}

const FIELDS: Readonly<Record<string, (length: number) => Part>> = {
  y: year,
  u: year,
  M: month,
  L: month,
  d: plain('day'),
  H: plain('hour'),
  k: (length) => ({
    ...number('hour', length, ({ hour }) => (hour === undefined ? undefined : hour || 24)),
    read: (text, fields) => {
      fields.hour = Number(text) % 24;
    },
  }),
  h: (length) => number('hour12', length, ({ hour }) => (hour === undefined ? undefined : hour % 12 || 12)),
  K: (length) => number('hour12', length, ({ hour }) => (hour === undefined ? undefined : hour % 12)),
  m: plain('minute'),
  s: plain('second'),
  S: fraction,
  n: () => ({
    pattern: '(\\d{1,9})',
    write: ({ nano }) => nano?.toString(),
    read: (text, fields) => {
      fields.nano = Number(text);
    },
  }),
  a: () => ({
    pattern: '([AaPp][Mm])',
    write: ({ hour }) => (hour === undefined ? undefined : hour < 12 ? 'AM' : 'PM'),
    read: (text, fields) => {
      fields.afternoon = /^p/i.test(text);
    },
  }),
  E: (length) => ({
    pattern: `(?:${names(DAYS, length).join('|')})`,
    write: (fields) => names(DAYS, length)[dateOf(fields)?.getUTCDay() ?? -1],
  }),
  D: (length) => ({ pattern: '\\d{1,3}', write: (fields) => dayOfYear(fields)?.toString().padStart(length, '0') }),
  Z: (length) => zoned(length > 3 ? (offset) => `GMT${withColon(offset)}` : (offset) => offset),
  X: (length) => zoned((offset, minutes) => (minutes === 0 ? 'Z' : isoOffset(offset, length))),
  x: (length) => zoned((offset) => isoOffset(offset, length)),
  z: (length) => ({ pattern: '[A-Za-z ]+', write: (fields) => zoneName(fields, length) }),
  V: () => ({ pattern: '[A-Za-z/_]+', write: () => Intl.DateTimeFormat().resolvedOptions().timeZone }),
};

function year(length: number): Part {
  const twoDigits = length === 2;
  return {
    pattern: twoDigits ? '(\\d{2})' : length < 4 ? '(\\d{1,9})' : `(\\d{${length},9})`,
    write: ({ year: value }) =>
      value === undefined ? undefined : String(twoDigits ? value % 100 : value).padStart(length, '0'),
    read: (text, fields) => {
      fields.year = twoDigits ? 2000 + Number(text) : Number(text);
    },
  };
}

function month(length: number): Part {
  if (length < 3) return number('month', length, (fields) => fields.month);
  const known = names(MONTHS, length);
  return {
    pattern: `(${known.join('|')})`,
    write: ({ month: value }) => known[(value ?? 0) - 1],
    read: (text, fields) => {
      fields.month = known.indexOf(text) + 1;
    },
  };
}

function fraction(length: number): Part {
  return {
    pattern: `(\\d{${length}})`,
    write: ({ nano }) => nano?.toString().padStart(9, '0').padEnd(length, '0').slice(0, length),
    read: (text, fields) => {
      fields.nano = Number(text.padEnd(9, '0').slice(0, 9));
    },
  };
}

function names(full: readonly string[], length: number): string[] {
  return full.map((name) => (length === 4 ? name : length === 5 ? name.slice(0, 1) : name.slice(0, 3)));
}

function finished({ hour12, afternoon, ...fields }: Reading): LocalFields | undefined {
  if (hour12 !== undefined && fields.hour === undefined) fields.hour = (hour12 % 12) + (afternoon ? 12 : 0);
  const { month: m = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  const valid = m >= 1 && m <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60;
  if (!valid) return undefined;
  // Java's smart resolving: 31 April is the last of April.
  if (fields.year !== undefined && fields.day !== undefined) fields.day = Math.min(day, daysIn(fields.year, m));
  return fields;
}

function daysIn(inYear: number, inMonth: number): number {
  return new Date(Date.UTC(inYear, inMonth, 0)).getUTCDate();
}

function dateOf({ year: y, month: m, day }: LocalFields): Date | undefined {
  return y === undefined || m === undefined || day === undefined ? undefined : new Date(Date.UTC(y, m - 1, day));
}

function dayOfYear(fields: LocalFields): number | undefined {
  const date = dateOf(fields);
  return date && Math.round((date.getTime() - Date.UTC(fields.year ?? 0, 0, 1)) / 86_400_000) + 1;
}

/** Local fields are those of this server's zone. */
function instantOf(fields: LocalFields): Date | undefined {
  const { year: y, month: m, day, hour, minute = 0, second = 0 } = fields;
  if (y === undefined || m === undefined || day === undefined || hour === undefined) return undefined;
  return new Date(y, m - 1, day, hour, minute, second);
}

function zoned(show: (offset: string, minutes: number) => string): Part {
  return {
    pattern: '(?:Z|(?:GMT)?[+-]\\d{2}(?::?\\d{2})?)',
    write(fields) {
      const minutes = instantOf(fields)?.getTimezoneOffset();
      if (minutes === undefined) return undefined;
      const absolute = Math.abs(minutes);
      const digits = [Math.floor(absolute / 60), absolute % 60].map((part) => String(part).padStart(2, '0')).join('');
      return show(`${minutes > 0 ? '-' : '+'}${digits}`, minutes);
    },
  };
}

function isoOffset(offset: string, length: number): string {
  if (length === 1 && offset.endsWith('00')) return offset.slice(0, 3);
  return length === 3 || length === 5 ? withColon(offset) : offset;
}

function withColon(offset: string): string {
  return `${offset.slice(0, 3)}:${offset.slice(3)}`;
}

function zoneName(fields: LocalFields, length: number): string | undefined {
  const instant = instantOf(fields);
  if (!instant) return undefined;
  const style = length > 3 ? 'long' : 'short';
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: style }).formatToParts(instant);
  return parts.find(({ type }) => type === 'timeZoneName')?.value;
}

/** The fields of a moment in this server's time zone. */
export function localFieldsOf(epochMilliseconds: number): LocalFields {
  const date = new Date(epochMilliseconds);
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    nano: date.getMilliseconds() * 1_000_000,
  };
}
