/** The longest delay of a timer of Node.js, ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Waits so many ms, at most 24.8 days, or until the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    signal.addEventListener('abort', end);
  });
}

/** Waits for a promise that does not reject, at most so many ms; false when it took longer. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const expired = pause(ms, timer.signal).then(() => false);
  const ended = await Promise.race([work.then(() => true), expired]);
  timer.abort();
  return ended;
}
