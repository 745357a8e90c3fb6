const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `840 ms`, `3.2 s`, `5 m 03 s`, `2 h 04 m`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m ${two((ms % MINUTE) / SECOND)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two((ms % HOUR) / MINUTE)} m`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}

/** `812 B`, `1.2 KiB`, `16.0 MiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** Events a second: `0`, `0.4`, `12`, `826`. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

/** How long ago; empty for what is unknown. */
export function ago(time: string | undefined, now = Date.now()): string {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? '' : duration(Math.max(0, now - at));
}

/** On the clocks here: `2026-01-31 12:00:00`. */
export function clock(time: string | undefined): string {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(at)) return '';
  const local = new Date(at - new Date(at).getTimezoneOffset() * MINUTE);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** A time as people write it: ISO 8601, or `15m`, `2h`, `3d` ago; as ISO 8601. Undefined when it is none. */
export function timeOf(written: string, now = Date.now()): string | undefined {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(written) ?? [];
  const at = number === undefined ? Date.parse(written) : now - Number(number) * (UNITS[unit] ?? 0);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** A time to come as people write it: ISO 8601, or `15m`, `2h`, `3d` from now; as ISO 8601. Undefined when it is none. */
export function laterTime(written: string, now = Date.now()): string | undefined {
  const span = spanOf(written);
  return span === undefined ? timeOf(written) : new Date(now + span).toISOString();
}

/** A span of time as people write it: `90s`, `15m`, `2h`, `1d`; in ms. Undefined when it is none. */
export function spanOf(written: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(written) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  return ms > 0 ? ms : undefined;
}
