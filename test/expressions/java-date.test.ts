import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileDateFormat } from '../../src/expressions/java-date.ts';
import { ValueError } from '../../src/grammar/attributes.ts';

describe('date patterns of SimpleDateFormat', () => {
  const zone = process.env.TZ;

  beforeEach(() => {
    process.env.TZ = 'Europe/Berlin';
  });

  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it.each([
    ['yyyy-MM-dd', '2024-02-09'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSZ", '2024-02-09T15:04:05.006+0100'],
    ["yyyy-MM-dd'T'HH:mm:ssXXX", '2024-02-09T15:04:05+01:00'],
    ['X XX XXX', '+01 +0100 +01:00'],
    ['yy y yyyyy', '24 2024 02024'],
    ['M MM MMM MMMM', '2 02 Feb February'],
    ['d dd ddd', '9 09 009'],
    ['E EEE EEEE', 'Fri Fri Friday'],
    ['h hh K k H a', '3 03 3 15 15 PM'],
    ['m s S SSS', '4 5 6 006'],
    ['D DDD F u w W', '40 040 2 5 6 2'],
    ['G', 'AD'],
    ['YYYY', '2024'],
    ["'it''s' ''yy''", "it's '24'"],
    ['dd/MM/yyyy, HH:mm', '09/02/2024, 15:04'],
    ['', ''],
  ])('%s → %s', (pattern, text) => {
    expect(compileDateFormat(pattern)(new Date(2024, 1, 9, 15, 4, 5, 6))).toBe(text);
  });

  it('names the zone', () => {
    expect(compileDateFormat('zzzz')(new Date(2024, 1, 9))).toBe('Central European Standard Time');
    expect(compileDateFormat('Z')(new Date(2024, 6, 9))).toBe('+0200');
  });

  it.each([
    [new Date(2023, 11, 31), '2024 1 365'],
    [new Date(2024, 0, 1), '2024 1 1'],
    [new Date(2024, 0, 7), '2024 2 7'],
    [new Date(2024, 11, 28), '2024 52 363'],
    [new Date(2024, 11, 29), '2025 1 364'],
    [new Date(2022, 0, 1), '2022 1 1'],
  ])('counts weeks from Sunday: %s → %s', (date, text) => {
    expect(compileDateFormat('Y w D')(date)).toBe(text);
  });

  it.each(['T', 'yyyy-MM-ddTHH:mm', 'b', "'open"])('%s is refused', (pattern) => {
    expect(() => compileDateFormat(pattern)).toThrow(ValueError);
  });
});
