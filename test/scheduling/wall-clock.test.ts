import { getTasks } from 'node-cron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wallClock } from '../../src/scheduling/index.ts';

const NOON = Date.UTC(2026, 4, 5, 12);

describe('an alarm', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOON + 250 });
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    expect(getTasks().size).toBe(0);
    vi.useRealTimers();
  });

  it('rings once, in its second, rounded up', async () => {
    const rung: number[] = [];
    wallClock.alarm(NOON + 29_001, () => rung.push(Date.now()));
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(rung).toEqual([NOON + 30_000]);
  });

  it('rings at the next second if its own has passed', async () => {
    const rung: number[] = [];
    wallClock.alarm(NOON - 5_000, () => rung.push(Date.now()));
    wallClock.alarm(NOON, () => rung.push(Date.now()));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rung).toEqual([NOON + 1_000, NOON + 1_000]);
  });

  it('rings late rather than never', async () => {
    const rung: number[] = [];
    wallClock.alarm(NOON + 30_000, () => rung.push(Date.now()));
    vi.setSystemTime(NOON + 3_600_000);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(rung).toHaveLength(1);
  });

  it('rings after its time if the clock was set back', async () => {
    const rung: number[] = [];
    wallClock.alarm(NOON + 30_000, () => rung.push(Date.now()));
    vi.setSystemTime(NOON - 24 * 3_600_000);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(rung).toHaveLength(1);
  });

  it('is silent once turned off, even twice', async () => {
    const ring = vi.fn();
    const turnOff = wallClock.alarm(NOON + 30_000, ring);
    await vi.advanceTimersByTimeAsync(29_000);
    turnOff();
    turnOff();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ring).not.toHaveBeenCalled();
  });

  it('sees over the end of a day and a year', async () => {
    vi.setSystemTime(Date.UTC(2027, 11, 31, 23, 59, 40));
    const rung: number[] = [];
    wallClock.alarm(Date.UTC(2028, 0, 1, 0, 0, 10), () => rung.push(Date.now()));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rung).toEqual([Date.UTC(2028, 0, 1, 0, 0, 10)]);
  });
});

describe('an alarm on real time', () => {
  it('never rings before its second', async () => {
    for (let i = 0; i < 2; i++) {
      const at = Math.ceil(Date.now() / 1_000) * 1_000;
      await new Promise<void>((resolve) => wallClock.alarm(at, resolve));
      expect(Date.now()).toBeGreaterThanOrEqual(at);
    }
    expect(getTasks().size).toBe(0);
  });
});
