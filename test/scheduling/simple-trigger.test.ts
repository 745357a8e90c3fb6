import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SimpleTrigger } from '../../src/scheduling/index.ts';

describe('a simple trigger', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function trigger(intervalMs: number, count?: number) {
    const runs: number[] = [];
    const made = new SimpleTrigger({ intervalMs, count }, () => runs.push(performance.now()));
    const from = performance.now();
    made.start();
    return { made, at: () => runs.map((time) => Math.round(time - from)) };
  }

  it('fires at once, then at its interval', () => {
    const { at } = trigger(1000);
    vi.advanceTimersByTime(3500);
    expect(at()).toEqual([0, 1000, 2000, 3000]);
  });

  it('ends after its count', () => {
    const { made, at } = trigger(1000, 2);
    vi.advanceTimersByTime(10_000);
    expect(at()).toEqual([0, 1000]);
    expect(made.runs).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
    made.start();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not fire after its stop', () => {
    const { made, at } = trigger(1000);
    vi.advanceTimersByTime(1500);
    made.stop();
    vi.advanceTimersByTime(5000);
    expect(at()).toEqual([0, 1000]);
  });

  it('catches up nothing', () => {
    const late = vi.spyOn(performance, 'now');
    let blocked = 0;
    const real = late.getMockImplementation();
    late.mockImplementation(() => (real?.() ?? Date.now()) + blocked);
    const runs: number[] = [];
    const made = new SimpleTrigger({ intervalMs: 1000, count: undefined }, () => runs.push(1));
    made.start();
    vi.advanceTimersByTime(0);
    blocked = 5500;
    vi.advanceTimersByTime(1000);
    expect(runs).toHaveLength(2);
    made.stop();
    late.mockRestore();
  });

  it('an interval longer than any timer is waited for in parts', () => {
    const days = 30 * 24 * 3_600_000;
    const { made, at } = trigger(days);
    vi.advanceTimersByTime(days - 1);
    expect(at()).toEqual([0]);
    vi.advanceTimersByTime(1);
    expect(at()).toEqual([0, days]);
    made.stop();
  });
});
