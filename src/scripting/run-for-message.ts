import { limitsOf } from '../isolation/limits.ts';
import { IsolationError, runIsolated } from '../isolation/worker-pool.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { PayloadPart, ScriptJob, ScriptResult } from './script-job.ts';
import { sentMessage } from './sent-message.ts';

/** How often a script may ask for more of its message before it is given up: parts of the payload and entries. */
const MAX_RUNS = 20;

export type EndedScript = Extract<ScriptResult, { ended: true }>;

/**
 * Runs a script for a message, which is not changed: that is for `apply-effects.ts`. What the script does is only noted down, so that
 * it can be run again from the beginning when it asks for something that was not sent along.
 * @throws IsolationError, MediationError when the payload cannot be read
 */
export async function runForMessage(
  message: MessageContext,
  script: Pick<ScriptJob, 'sources' | 'call' | 'xmlObjects'>,
  likely: readonly PayloadPart[],
): Promise<EndedScript> {
  const parts = new Set<PayloadPart>(likely);
  const entries = new Set<string>();
  const limitMs = limitsOf(message.configuration).scriptMs;
  for (let run = 0; run < MAX_RUNS; run += 1) {
    const job: ScriptJob = { ...script, message: sentMessage(message, parts, entries), limitMs };
    const result = await runIsolated('script', job, limitMs);
    if (result.ended) return result;
    if ('payload' in result.needs) parts.add(result.needs.payload);
    else entries.add(result.needs.entry);
  }
  throw new IsolationError('failed', `it asks for more than ${MAX_RUNS} entries`);
}
