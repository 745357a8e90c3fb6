/** The longest delay of a timer of Node.js, ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Waits so many ms, at most 24.8 days, or until one of the signals is aborted. */
export function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    for (const signal of signals) signal.addEventListener('abort', end);
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

/** Waits for a promise that does not reject; false when the signal was aborted before. */
export async function endsBefore(signal: AbortSignal, work: Promise<unknown>): Promise<boolean> {
  if (signal.aborted) return false;
  let abort: () => void = () => undefined;
  const aborted = new Promise<false>((resolve) => {
    abort = () => resolve(false);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work.then(() => true), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
