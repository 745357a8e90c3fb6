import type { Tenure } from '../coordination/tenure.ts';
import type { DeliveryMethod } from './delivery-method.ts';
import type { ProcessorCore } from './processor-core.ts';

/**
 * A processor as a worker sees it that works under a lease (REQ-25). Every attempt looks first whether the lease still holds, by the
 * monotonic clock: a process that was stopped for longer delivers nothing any more, its message goes back. An attempt in flight is
 * cut off when the lease ends, as another node is about to take over.
 */
export function fencedCore(core: ProcessorCore, tenure: Tenure): ProcessorCore {
  return {
    name: core.name,
    position: core.position,
    storeName: core.storeName,
    services: core.services,
    method: fencedMethod(core.method, tenure),
    policy: core.policy,
    sequences: core.sequences,
    circuit: core.circuit,
    counters: core.counters,
    cutOff: AbortSignal.any([core.cutOff, tenure.over]),
    deactivateItself: (stop) => core.deactivateItself(stop),
    noteFailure: (error, messageId) => core.noteFailure(error, messageId),
  };
}

function fencedMethod(method: DeliveryMethod, tenure: Tenure): DeliveryMethod {
  // What was acknowledged before is with nobody else: giving it up would lose it.
  if (method.acknowledge === 'before') return method;
  return {
    service: method.service,
    acknowledge: method.acknowledge,
    texts: method.texts,
    deliver: (attempt) => (tenure.holds() ? method.deliver(attempt) : Promise.resolve({ kind: 'aborted' })),
    obstacle: (configuration) => method.obstacle(configuration),
    waitsFor: (configuration) => method.waitsFor?.(configuration),
  };
}
