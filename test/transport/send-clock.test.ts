import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SendClock } from '../../src/transport/send-clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('tells the last one who asked when the time is over', () => {
  const clock = new SendClock(1000);
  const [first, second] = [vi.fn(), vi.fn()];
  vi.advanceTimersByTime(400);
  expect(clock.left).toBe(600);
  clock.arm(first);
  clock.arm(second);
  vi.advanceTimersByTime(599);
  expect(second).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
});

it('stands still, and goes on with what was left', () => {
  const clock = new SendClock(1000);
  const expired = vi.fn();
  clock.arm(expired);
  vi.advanceTimersByTime(300);
  clock.standStill();
  clock.standStill();
  vi.advanceTimersByTime(5000);
  expect([clock.left, expired.mock.calls.length]).toEqual([700, 0]);
  clock.run();
  clock.run();
  vi.advanceTimersByTime(699);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(expired).toHaveBeenCalledOnce();
});

it('may be armed while it stands still, and tells nobody any more once it is disarmed', () => {
  const clock = new SendClock(1000);
  const expired = vi.fn();
  clock.standStill();
  clock.arm(expired);
  vi.advanceTimersByTime(5000);
  clock.run();
  vi.advanceTimersByTime(500);
  clock.disarm();
  vi.advanceTimersByTime(5000);
  expect(expired).not.toHaveBeenCalled();
  expect(clock.left).toBe(0);
});
