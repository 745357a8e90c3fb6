import { describe, expect, it } from 'vitest';
import { TimeZone, UnknownTimeZoneError } from '../../src/scheduling/index.ts';

const HOUR = 3_600_000;

describe('a time zone', () => {
  it('knows its offset on both sides of a change', () => {
    const berlin = TimeZone.of('Europe/Berlin');
    const change = Date.UTC(2026, 2, 29, 1);
    expect([change - 1, change].map((at) => berlin.offsetAt(at) / HOUR)).toEqual([1, 2]);
    expect(berlin.changeAround(Date.UTC(2026, 2, 29, 2, 30))).toEqual({ at: change, before: HOUR, after: 2 * HOUR });
    expect(berlin.changeAround(Date.UTC(2026, 2, 29, 3))).toBeUndefined();
  });

  it('gives the instant of a reading: of the first pass, or the end of a gap', () => {
    const newYork = TimeZone.of('America/New_York');
    const instant = (reading: string) => new Date(newYork.firstInstant(Date.parse(`${reading}Z`))).toISOString();
    expect(instant('2026-07-01T12:00:00')).toBe('2026-07-01T16:00:00.000Z');
    expect(instant('2026-03-08T02:30:00')).toBe('2026-03-08T07:00:00.000Z');
    expect(instant('2026-11-01T01:30:00')).toBe('2026-11-01T05:30:00.000Z');
    expect(instant('2026-11-01T02:00:00')).toBe('2026-11-01T07:00:00.000Z');
  });

  it.each([
    'UTC',
    'America/New_York',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Pacific/Apia',
    'Antarctica/Troll',
  ])('agrees with Intl all year: %s', (name) => {
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
    const zone = TimeZone.of(name);
    for (let at = Date.UTC(2025, 11, 30); at < Date.UTC(2027, 0, 3); at += 3 * HOUR + 61_000) {
      expect(new Date(zone.reading(at)).toISOString().slice(0, 19)).toBe(format.format(at).replace(' ', 'T'));
    }
  });

  it('skips a whole day where the calendar did', () => {
    const apia = TimeZone.of('Pacific/Apia');
    expect(apia.describe(apia.firstInstant(Date.UTC(2011, 11, 30, 12)))).toBe('Sat 2011-12-31 00:00:00 +14:00');
  });

  it('describes an instant for people', () => {
    expect(TimeZone.of('Asia/Kathmandu').describe(Date.UTC(2026, 0, 1))).toBe('Thu 2026-01-01 05:45:00 +05:45');
    expect(TimeZone.of('America/St_Johns').describe(Date.UTC(2026, 0, 1))).toBe('Wed 2025-12-31 20:30:00 -03:30');
  });

  it.each([
    ['Europe/Berlim', 'Europe/Berlin'],
    ['New York', 'America/New_York'],
    ['utcc', 'UTC'],
    ['Middle-earth/Bag_End_Under_Hill', undefined],
  ])('refuses %s', (name, nearest) => {
    expect(() => TimeZone.of(name)).toThrow(UnknownTimeZoneError);
    expect(() => TimeZone.of(name)).toThrow(nearest ?? 'write a name like Europe/Berlin or UTC');
  });
});
