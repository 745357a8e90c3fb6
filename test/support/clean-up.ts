import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from 'vitest';

const ACTION_DEADLINE_MS = 30_000;

/**
 * For the top of a test file: what is handed to the returned function is done after the test, the last first, whatever became of
 * the test. One that fails or hangs is told by its name and does not keep the others from being done.
 */
export function afterTheTest(): (what: string, action: () => unknown) => void {
  const actions: Array<{ readonly what: string; readonly action: () => unknown }> = [];
  afterEach(async () => {
    const failures: string[] = [];
    for (const { what, action } of actions.splice(0).reverse()) {
      const failure = await failureOf(action);
      if (failure !== undefined) failures.push(`${what}: ${failure}`);
    }
    if (failures.length > 0) throw new Error(`not cleaned up after the test: ${failures.join('; ')}`);
  }, 180_000);
  return (what, action) => actions.push({ what, action });
}

async function failureOf(action: () => unknown): Promise<string | undefined> {
  const deadline = new AbortController();
  const late = delay(ACTION_DEADLINE_MS, `not done within ${ACTION_DEADLINE_MS} ms`, { signal: deadline.signal });
  try {
    const done = Promise.resolve(action()).then(() => undefined);
    return await Promise.race([done, late]);
  } catch (error) {
    return String(error);
  } finally {
    late.catch(() => {});
    deadline.abort();
  }
}
