import { toneOf } from './components/state.js';
import { lastPart } from './format.js';
import { useResource } from './hooks.js';
import { useLive } from './live.js';

/** Processors as of now: from the stream, else asked for. */
export function useProcessors() {
  const { overview } = useLive();
  const asked = useResource(overview ? undefined : 'message-processors', { every: 2000 });
  return { processors: overview?.processors ?? asked.data?.list, error: asked.error };
}

/** Why a processor is in its state, in one line. */
export function reasonOf({ state, stuck, stuckReason, reason, lastError, by, current }) {
  if (stuck) return stuckReason ?? 'Messages wait, and nothing is tried';
  if (toneOf(state) !== 'good') return reason ?? lastError ?? (by ? `by ${by}` : '');
  if (current?.attempt > 1) return `attempt ${current.attempt}: ${lastError ?? 'the last one failed'}`;
  return '';
}

/** `Scheduled-message-forwarding-processor` as people say it. */
export function kindOf(type = '') {
  return lastPart(type).replaceAll('-', ' ').toLowerCase();
}
