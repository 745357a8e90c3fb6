import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slopePerHour, troughs } from './drift.ts';

const MINUTE_MS = 60_000;

describe('the growth of a figure', () => {
  it('of a straight line is its slope, whatever it begins with', () => {
    const numbers = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 2, max: 60 }), (begin, perMinute, length) => {
        const line = Array.from({ length }, (_, minute) => begin + minute * perMinute);
        expect(slopePerHour(line, MINUTE_MS)).toBeCloseTo(perMinute * 60, 6);
      }),
    );
  });

  it('is not moved by single outliers', () => {
    const flat = Array.from({ length: 45 }, (_, minute) => (minute % 9 === 4 ? 150 : 100));
    expect(slopePerHour(flat, MINUTE_MS)).toBe(0);
  });

  it('is unknown for a single value', () => {
    expect(slopePerHour([1], MINUTE_MS)).toBeNaN();
  });

  it('looks at the least of each stretch, and at whole stretches only', () => {
    expect(troughs([3, 1, 2, 9, 8, 7, 0], 3)).toEqual([1, 7]);
  });
});
