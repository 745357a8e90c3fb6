import { pause } from '../scheduling/index.ts';

/** A clock that only goes forward, also while the process is stopped. It says nothing about the time of day. */
export interface MonotonicClock {
  /** ms */
  now(): number;
  /** Waits, at most until a signal is aborted. Never rejects. */
  pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void>;
}

/** Leases are counted by this: the time of day may be set back by anybody. */
export const processClock: MonotonicClock = { now: () => performance.now(), pause };
