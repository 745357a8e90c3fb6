/**
 * Numbers and dates as Java's samples print and read them (stockquote-samples 1.8 and 1.12), so that transcripts,
 * regular expressions and message samples written for the Java programs stay valid.
 */

/** Text of `Double.toString(value)`: the shortest digits that round-trip, in Java's layout (`50.0`, `1.2E7`, `9.9E-4`). */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0.0';
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e7)) {
    const plain = String(value);
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)[fFdD]?$/;

/** Reads what `Double.parseDouble` reads, surrounding white space included; undefined for anything else. */
export function parseDouble(text: string): number | undefined {
  const literal = text.trim();
  if (DECIMAL.test(literal)) return Number(literal.replace(/[fFdD]$/, ''));
  const special = /^([+-]?)(NaN|Infinity)$/.exec(literal);
  if (special) return special[1] === '-' ? -Number(special[2]) : Number(special[2]);
  const hexadecimal = HEXADECIMAL.exec(literal);
  if (!hexadecimal) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = hexadecimal;
  if (whole === '' && fraction === '') return undefined;
  const size = Number.parseInt(`0${whole}${fraction}`, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -size : size;
}

/** Reads what `Integer.parseInt` reads (32 bits, signed), surrounding white space allowed; undefined for anything else. */
export function parseInteger(text: string): number | undefined {
  const literal = text.trim();
  if (!/^[+-]?\d+$/.test(literal)) return undefined;
  const value = Number(literal);
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : undefined;
}

interface DateWriter {
  readonly zone: string;
  readonly format: Intl.DateTimeFormat;
  readonly zoneNames: Map<string, string>;
  second: number;
  text: string;
}

let localZone: string | undefined;

/** One writer per zone ever asked for: in practice one, the local zone. */
const writers = new Map<string, DateWriter>();

/**
 * Text of `new Date().toString()` in Java: `Sun Aug 18 10:58:00 IST 2013`.
 *
 * @param zone IANA name of the time zone, the local one by default
 */
export function dateText(date: Date, zone?: string): string {
  localZone ??= Intl.DateTimeFormat().resolvedOptions().timeZone;
  const writer = writerFor(zone ?? localZone);
  const second = Math.floor(date.getTime() / 1000);
  // A server under load prints thousands of lines a second, all with the same date.
  if (second !== writer.second) {
    writer.second = second;
    writer.text = writeDate(date, writer);
  }
  return writer.text;
}

function writerFor(zone: string): DateWriter {
  let writer = writers.get(zone);
  if (!writer) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      month: 'short',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      year: 'numeric',
      timeZoneName: 'longOffset',
    });
    writer = { zone, format, zoneNames: new Map(), second: Number.NaN, text: '' };
    writers.set(zone, writer);
  }
  return writer;
}

function writeDate(date: Date, writer: DateWriter): string {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of writer.format.formatToParts(date)) part[type] = value;
  const offset = part.timeZoneName ?? 'GMT';
  let name = writer.zoneNames.get(offset);
  if (name === undefined) {
    name = zoneName(date, writer.zone, offset);
    writer.zoneNames.set(offset, name);
  }
  return `${part.weekday} ${part.month} ${part.day} ${part.hour}:${part.minute}:${part.second} ${name} ${part.year}`;
}

/** Each English locale knows only the abbreviations of its own part of the world; Java knows them all. */
const LOCALES = ['en-US', 'en-GB', 'en-IN', 'en-AU', 'en-NZ', 'en-ZA', 'en-KE'];

function zoneName(date: Date, zone: string, offset: string): string {
  for (const locale of LOCALES) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' });
    const name = format.formatToParts(date).find((part) => part.type === 'timeZoneName')?.value;
    if (name && !/[+\-−\d]/.test(name)) return name;
  }
  return offset.replace('−', '-');
}
