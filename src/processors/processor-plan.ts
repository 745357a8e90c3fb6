import { taskNames } from '../coordination/cluster.ts';
import type { Lease } from '../coordination/lease.ts';
import type { Position } from '../grammar/diagnostic.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { ProcessorServices } from './component.ts';
import type { DeliveryMethod } from './delivery-method.ts';
import type { MessageProcessor } from './message-processor.ts';
import { Ordering } from './ordering.ts';
import type { ProcessorCore } from './processor-core.ts';
import type { ProcessorSequences } from './processor-sequences.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { DeliverySource, StoreConnectionLimits, StoreLinkOptions } from './store-link.ts';
import { Worker, type WorkerSchedule } from './worker.ts';

/** All that a kind decides about a processor. */
export interface ProcessorPlan {
  readonly name: string;
  readonly position: Position;
  readonly type: string;
  readonly storeName: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly services: ProcessorServices;
  readonly previous: MessageProcessor | undefined;
  readonly method: DeliveryMethod;
  readonly policy: RetryPolicy;
  readonly sequences: ProcessorSequences;
  readonly schedule: WorkerSchedule;
  readonly limits: StoreConnectionLimits;
  /** `member.count`; the tasks that the reference shows. */
  readonly members: number;
  /** Workers per member. */
  readonly concurrency: number;
  /** `x.circuit` (OP-25). */
  readonly circuit?: boolean;
  /** `x.ordering.key`: messages with equal keys stay in order, however many workers there are (OP-29). */
  readonly keyOf?: ((stored: StoredMessage) => string | undefined) | undefined;
  /** Where a worker's messages come from, if not from the store as they are. */
  readonly source?: (options: StoreLinkOptions) => DeliverySource;
  /** `is.active`; counts only while nothing is recorded. */
  readonly startsActive: boolean;
  /** How long a step waits for a message in turn, ms; default a second, which a broker needs to push one. */
  readonly stepWaitMs?: number;
  /** `x.reactivate.after`: activates itself again so long after it deactivated itself, ms; undefined: never (REQ-13). */
  readonly reactivateAfterMs: number | undefined;
  /** `x.activate.sequence`: runs after an activation (OP-24). */
  readonly activateSequence: string | undefined;
}

/** Members in turn, so that fewer workers after a redeployment still go on with the schedule of the first ones. */
export function makeWorkers(
  plan: Omit<ProcessorPlan, 'previous'>,
  core: ProcessorCore,
  previous: readonly Worker[] | undefined,
  leases: readonly Lease[] | undefined,
): Worker[] {
  const names = taskNames(plan.name, plan.members);
  const count = plan.members * plan.concurrency;
  // A single worker takes messages in order anyway.
  const ordering = plan.keyOf && count > 1 ? new Ordering(plan.keyOf) : undefined;
  return Array.from({ length: count }, (_, index) => {
    const name = names[index % plan.members] ?? plan.name;
    const { schedule, limits, source } = plan;
    return new Worker({
      name,
      core,
      schedule,
      limits,
      earlier: previous?.[index],
      ordering,
      source,
      lease: leases?.[index % plan.members],
    });
  });
}
