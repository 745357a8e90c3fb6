import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateText, doubleText, parseDouble, parseInteger } from '../../../samples/stockquote/wire/java-text.ts';

describe('doubles as Java writes them', () => {
  it.each([
    [100, '100.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [0.001, '0.001'],
    [9_999_999, '9999999.0'],
    [10_000_000, '1.0E7'],
    [12_851_652.039616395, '1.2851652039616395E7'],
    [-558_317.9771472402, '-558317.9771472402'],
    [0.0009999, '9.999E-4'],
    [123_456_789, '1.23456789E8'],
    [61.782478265721714, '61.782478265721714'],
    [5e-324, '5.0E-324'],
    [-1e21, '-1.0E21'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d is %s', (value, text) => {
    expect(doubleText(value)).toBe(text);
  });

  it('reads back whatever it writes, in one of the two layouts', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const text = doubleText(value);
        expect(parseDouble(text)).toBe(value);
        if (Number.isFinite(value)) expect(text).toMatch(/^-?(\d{1,7}\.\d+|\d\.\d+E-?\d+)$/);
      }),
    );
  });
});

describe('numbers as Java reads them', () => {
  it.each([
    ['12.33', 12.33],
    ['50', 50],
    ['1E3', 1000],
    ['6.178247E1', 61.78247],
    ['.5', 0.5],
    ['5.', 5],
    [' +7.25 ', 7.25],
    ['1.5f', 1.5],
    ['1e2D', 100],
    ['0x1.8p1', 3],
    ['-0X.8P0', -0.5],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['NaN', Number.NaN],
  ])('%s is the double %d', (text, value) => {
    expect(parseDouble(text)).toBe(value);
  });

  it.each(['', 'abc', '1,5', '0x10', '1e', '--1', '.', '0xp1', '1.5 2'])('"%s" is no double', (text) => {
    expect(parseDouble(text)).toBeUndefined();
  });

  it.each([
    ['18851', 18_851],
    ['-3', -3],
    ['+4', 4],
    [' 7 ', 7],
    ['2147483647', 2_147_483_647],
    ['-2147483648', -2_147_483_648],
  ])('%s is the integer %d', (text, value) => {
    expect(parseInteger(text)).toBe(value);
  });

  it.each(['1.5', 'abc', '', '2147483648', '-2147483649', '1e3'])('"%s" is no integer', (text) => {
    expect(parseInteger(text)).toBeUndefined();
  });
});

describe('dates as Java writes them', () => {
  const august = new Date('2013-08-18T05:28:00Z');
  const january = new Date('2024-01-07T23:05:09Z');

  it.each([
    ['Asia/Kolkata', august, 'Sun Aug 18 10:58:00 IST 2013'],
    ['UTC', august, 'Sun Aug 18 05:28:00 UTC 2013'],
    ['America/New_York', august, 'Sun Aug 18 01:28:00 EDT 2013'],
    ['America/New_York', january, 'Sun Jan 07 18:05:09 EST 2024'],
    ['Europe/Berlin', august, 'Sun Aug 18 07:28:00 CEST 2013'],
    ['Europe/Berlin', january, 'Mon Jan 08 00:05:09 CET 2024'],
    ['Asia/Tashkent', january, 'Mon Jan 08 04:05:09 GMT+05:00 2024'],
  ])('in %s', (zone, date, text) => {
    expect(dateText(date, zone)).toBe(text);
  });

  it('follows the clock within the local zone', () => {
    const first = dateText(new Date(1_700_000_000_000));
    expect(dateText(new Date(1_700_000_000_999))).toBe(first);
    expect(dateText(new Date(1_700_000_001_000))).not.toBe(first);
    expect(first).toMatch(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4}$/);
  });
});
