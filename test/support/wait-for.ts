import { setTimeout as delay } from 'node:timers/promises';

/** What was waited for did not happen in time; `cause` is the last error of the condition, if it threw. */
export class WaitedInVainError extends Error {
  override readonly name = 'WaitedInVainError';
}

export interface WaitOptions {
  /** Completes the sentence "waited N ms for …"; a function is asked at the end, so that it can tell what there is instead. */
  readonly what: string | (() => string);
  /** Default 10,000. */
  readonly deadlineMs?: number;
  /** Default 20. */
  readonly everyMs?: number;
}

type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

/**
 * Polls until `condition` gives something truthy, and returns that. A condition that throws counts as "not yet".
 * For what announces itself (an event, a line) await that instead.
 *
 * @throws WaitedInVainError at the deadline
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<Truthy<T>> {
  const { what, deadlineMs = 10_000, everyMs = 20 } = options;
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await condition();
      if (value) return value as Truthy<T>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) {
      const waited = `waited ${deadlineMs} ms for ${typeof what === 'string' ? what : what()}`;
      throw new WaitedInVainError(waited, failure === undefined ? undefined : { cause: failure });
    }
    await delay(everyMs);
  }
}
