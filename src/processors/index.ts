import type { ProcessorKind } from './component.ts';
import { failover } from './failover.ts';
import { forwarding } from './forwarding.ts';
import { resequencing } from './resequencing.ts';
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
export const PROCESSOR_KINDS: readonly ProcessorKind[] = [forwarding, failover, sampling, resequencing];

/** The kind that a `class` attribute means (spec stores 1.3); undefined for a class that nobody knows. */
export function findProcessorKind(className: string): ProcessorKind | undefined {
  return PROCESSOR_KINDS.find(({ classes }) => classes.includes(className));
}

/** All class names that are understood, for "did you mean". */
export function processorClassNames(): string[] {
  return PROCESSOR_KINDS.flatMap(({ classes }) => classes);
}
