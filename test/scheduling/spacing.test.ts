import { describe, expect, it } from 'vitest';
import { LONGEST_INTERVAL, Spacing } from '../../src/scheduling/index.ts';

describe('spacing', () => {
  it('is measured from the start of the delivery before', () => {
    let now = 5_000;
    const spacing = new Spacing(1_000, () => now);
    expect(spacing.untilFree()).toBe(0);
    spacing.started();
    expect(spacing.untilFree()).toBe(1_000);
    now += 400.4;
    expect(spacing.untilFree()).toBe(600);
    now += 700;
    expect(spacing.untilFree()).toBe(0);
  });

  it('does not catch up after a slow delivery', () => {
    let now = 0;
    const spacing = new Spacing(1_000, () => now);
    const starts: number[] = [];
    for (const lasts of [3_500, 10, 10]) {
      now += spacing.untilFree();
      starts.push(now);
      spacing.started();
      now += lasts;
    }
    expect(starts).toEqual([0, 3_500, 4_500]);
  });

  it('takes its time from the monotonic clock', () => {
    const spacing = new Spacing(60_000);
    spacing.started();
    expect(spacing.untilFree()).toBeGreaterThan(0);
    expect(spacing.untilFree()).toBeLessThanOrEqual(60_000);
  });

  it('never waits with interval 0', () => {
    const spacing = new Spacing(0, () => 7);
    spacing.started();
    expect(spacing.untilFree()).toBe(0);
  });

  it.each([-1, 1.5, Number.NaN, LONGEST_INTERVAL + 1, Number.POSITIVE_INFINITY])('refuses %s', (interval) => {
    expect(() => new Spacing(interval)).toThrow(RangeError);
  });
});
