import { LONGEST_INTERVAL } from './spacing.ts';

/**
 * Waits for `ms`, at most {@link LONGEST_INTERVAL}, or until one of the signals is aborted. Never rejects, and leaves neither a timer
 * nor a listener behind.
 */
export function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), LONGEST_INTERVAL));
    for (const signal of signals) signal.addEventListener('abort', end);
  });
}
