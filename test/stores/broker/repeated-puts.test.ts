import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RepeatedPuts } from '../../../src/stores/broker/repeated-puts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;

describe('what a broker may bring back although it was removed', () => {
  function removed(...puts: string[]): RepeatedPuts {
    const known = new RepeatedPuts();
    for (const put of puts) known.take(put)(true);
    return known;
  }

  it('is what was removed right before a connection was lost, for ten minutes', () => {
    const puts = removed('p');
    expect(puts.mayBeBack('p')).toBe(false);
    vi.advanceTimersByTime(1_500);
    puts.connectionLost();
    expect(puts.mayBeBack('p')).toBe(true);
    vi.advanceTimersByTime(9 * MINUTE_MS);
    expect(puts.mayBeBack('p')).toBe(true);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(puts.mayBeBack('p')).toBe(false);
  });

  it('is not what was removed long before, released, or in hand', () => {
    const puts = removed('old');
    vi.advanceTimersByTime(2_001);
    puts.take('released')(false);
    puts.take('in hand');
    puts.connectionLost();
    for (const put of ['old', 'released', 'in hand', 'unknown']) expect(puts.mayBeBack(put)).toBe(false);
  });

  it('is remembered for 5,000 messages at most', () => {
    const puts = removed(...Array.from({ length: 6_000 }, (_, index) => `p${index}`));
    puts.connectionLost();
    puts.connectionLost();
    expect([puts.mayBeBack('p999'), puts.mayBeBack('p1000'), puts.mayBeBack('p5999')]).toEqual([false, true, true]);
  });
});
