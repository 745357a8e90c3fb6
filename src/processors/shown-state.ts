import type { Hindrance } from './delivery-method.ts';
import type { KeptCondition } from './kept-condition.ts';
import type { ProcessorStatus } from './message-processor.ts';
import type { ProcessorCore } from './processor-core.ts';

export type ShownState = Pick<ProcessorStatus, 'state' | 'since' | 'reason' | 'lastError'>;

/**
 * The state as operators see it. One that is ACTIVE may have nothing to do with its messages: its store is not there or out of reach,
 * what it delivers to is not ready, or the circuit is open; that is shown, and since when.
 */
export function shownState(
  { storeName, services, method, circuit }: Pick<ProcessorCore, 'storeName' | 'services' | 'method' | 'circuit'>,
  { current: { condition, since, reason }, lastError }: Pick<KeptCondition, 'current' | 'lastError'>,
): ShownState {
  if (condition !== 'ACTIVE') return { state: condition, since, reason, lastError };
  const waiting = (hindrance: Hindrance): ShownState => ({
    state: 'WAITING_STORE',
    since: hindrance.since ?? since,
    reason: hindrance.reason,
    lastError: hindrance.lastError ?? lastError,
  });
  const configuration = services.configuration();
  const store = configuration.find('messageStore', storeName)?.status();
  if (!store) {
    const reason = `there is no message store named '${storeName}'`;
    return waiting({ reason, since: undefined, lastError: undefined });
  }
  if (store.state !== 'READY' && store.state !== 'DEGRADED') {
    return waiting({ ...store, reason: `the message store '${storeName}' is ${store.state}` });
  }
  const hindrance = method.waitsFor?.(configuration);
  if (hindrance) return waiting(hindrance);
  const open = circuit?.open;
  if (open) return { state: 'CIRCUIT_OPEN', since: open.since, reason: open.reason, lastError };
  return { state: 'ACTIVE', since, reason, lastError };
}
