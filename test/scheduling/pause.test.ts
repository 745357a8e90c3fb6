import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LONGEST_INTERVAL, pause } from '../../src/scheduling/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pause, and whether it is over. */
function watched(ms: number, ...signals: readonly AbortSignal[]) {
  const seen = { over: false };
  void pause(ms, ...signals).then(() => {
    seen.over = true;
  });
  return seen;
}

describe('a pause', () => {
  it('lasts as long as it is told', async () => {
    const { signal } = new AbortController();
    const seen = watched(1_000, signal);
    await vi.advanceTimersByTimeAsync(999);
    expect(seen.over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.over).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it.each([0, 1])('ends when signal %d of two is aborted, and leaves nothing behind', async (which) => {
    const lives = [new AbortController(), new AbortController()];
    const signals = lives.map(({ signal }) => signal);
    const seen = watched(1_000, ...signals);
    expect(vi.getTimerCount()).toBe(1);
    lives[which]?.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.over).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    for (const signal of signals) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('does not begin when a signal was aborted before', async () => {
    const seen = watched(1_000, new AbortController().signal, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.over).toBe(true);
  });

  it('is long when the time is longer than a timer of Node.js can be', async () => {
    const life = new AbortController();
    const seen = watched(2 * LONGEST_INTERVAL, life.signal);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.over).toBe(false);
    life.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.over).toBe(true);
  });
});
