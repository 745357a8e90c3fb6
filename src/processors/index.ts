import type { ProcessorKind } from './component.ts';
import { failover } from './failover.ts';
import { forwarding } from './forwarding.ts';
import { sampling } from './sampling.ts';

export { messageProcessor, type ProcessorKind, type ProcessorOpening, type ProcessorServices } from './component.ts';
export { DeliveryLedger } from './delivery-ledger.ts';
export {
  type CurrentMessage,
  isActiveState,
  type MessageProcessor,
  type ProcessorCounters,
  type ProcessorState,
  type ProcessorStatus,
  type WorkerStatus,
} from './message-processor.ts';

/** Every kind of processor. A new kind is one file and one line here. */
export const PROCESSOR_KINDS: readonly ProcessorKind[] = [forwarding, failover, sampling];

/** Classes of the reference that are known and come later (spec stores 1.3). */
const LATER_CLASSES: ReadonlySet<string> = new Set([
  'org.apache.synapse.message.processors.resequence.ResequencingProcessor',
]);

/**
 * The kind that a `class` attribute means; `not-supported-yet` for a class of the reference that comes later (the diagnostic says
 * "known, not supported yet"), undefined for a class that nobody knows.
 */
export function findProcessorKind(className: string): ProcessorKind | 'not-supported-yet' | undefined {
  const kind = PROCESSOR_KINDS.find(({ classes }) => classes.includes(className));
  return kind ?? (LATER_CLASSES.has(className) ? 'not-supported-yet' : undefined);
}

/** All class names that can be meant, for "did you mean". */
export function processorClassNames(): string[] {
  return [...PROCESSOR_KINDS.flatMap(({ classes }) => classes), ...LATER_CLASSES];
}
