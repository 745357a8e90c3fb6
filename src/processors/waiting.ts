import { pause } from '../scheduling/index.ts';

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
