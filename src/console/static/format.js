const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number | null | undefined} value */
export function number(value) {
  return value === null || value === undefined ? '–' : whole.format(value);
}

/** Short enough for labels: 12.3K. @param {number} value */
export function short(value) {
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

/** @param {number | null | undefined} value per second */
export function rate(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  if (value < 0.1) return '<0.1';
  return value < 10 ? value.toFixed(1) : short(Math.round(value));
}

/** @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** How long something takes. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : span(ms);
}

/** In the two largest units: `3 min 12 s`. @param {number | null | undefined} ms */
export function span(ms) {
  if (ms === null || ms === undefined) return '–';
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, 'h', minutes % 60, 'min');
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large, largeUnit, small, smallUnit) {
  return small ? `${large} ${largeUnit} ${small} ${smallUnit}` : `${large} ${largeUnit}`;
}

/** `12 s ago`, `in 4 s`. @param {string | number | undefined} time @param {number} now */
export function relative(time, now) {
  const at = epoch(time);
  if (at === undefined) return '–';
  const ms = now - at;
  if (Math.abs(ms) < 1500) return 'now';
  return ms > 0 ? `${span(ms)} ago` : `in ${span(-ms)}`;
}

/** Of today only the time. @param {string | number | undefined} time */
export function clock(time) {
  const at = epoch(time);
  if (at === undefined) return '–';
  const date = new Date(at);
  const hours = timeOf(date);
  return date.toDateString() === new Date().toDateString() ? hours : `${dayOf(date)} ${hours}`;
}

/** The moment, to the millisecond. @param {string | number | undefined} time */
export function moment(time) {
  const at = epoch(time);
  if (at === undefined) return '–';
  const date = new Date(at);
  return `${dayOf(date)} ${timeOf(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** @param {string | number | undefined} time @returns {number | undefined} epoch ms */
export function epoch(time) {
  if (time === undefined || time === null) return undefined;
  const at = typeof time === 'number' ? time : Date.parse(time);
  return Number.isNaN(at) ? undefined : at;
}

function timeOf(date) {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pair).join(':');
}

function dayOf(date) {
  return `${date.getFullYear()}-${pair(date.getMonth() + 1)}-${pair(date.getDate())}`;
}

function pair(value) {
  return String(value).padStart(2, '0');
}

/** `1 message`, `2 messages`. */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** Ids are told apart by their ends. @param {string | undefined} id */
export function shortId(id) {
  if (!id) return '';
  const bare = id.replace(/^urn:uuid:/, '');
  return bare.length > 18 ? `${bare.slice(0, 8)}…${bare.slice(-6)}` : bare;
}

/** The last part of a Java class name or a path. */
export function lastPart(text) {
  return (text ?? '').split(/[./]/).at(-1) ?? '';
}

/** The file's name only. */
export function fileName(file) {
  return (file ?? '').split(/[\\/]/).at(-1) ?? '';
}
