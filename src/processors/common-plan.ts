import type { ParametersOf } from '../grammar/parameters.ts';
import { logger } from '../logging/index.ts';
import type { QuartzExpression } from '../scheduling/index.ts';
import type { ProcessorOpening, ProcessorServices } from './component.ts';
import type {
  BACKOFF_PARAMETERS,
  COMMON_PARAMETERS,
  RETRY_PARAMETERS,
  SEQUENCE_PARAMETERS,
  STORE_PARAMETERS,
} from './parameters.ts';
import type { ProcessorPlan } from './processor-plan.ts';
import { ProcessorSequences } from './processor-sequences.ts';
import type { BackOff, RetryPolicy } from './retry-policy.ts';
import type { StoreConnectionLimits } from './store-link.ts';
import type { WorkerSchedule } from './worker.ts';

const DEFAULT_RETRY_INTERVAL_MS = 1000;
const DEFAULT_BACKOFF = { factor: 2, maxMs: 300_000, jitter: 0.1 } as const;

type CommonParameters = Omit<ParametersOf<typeof COMMON_PARAMETERS>, 'member.count'>;

/** What kinds are opened with, as far as all of them have it. */
interface CommonOpening
  extends Pick<ProcessorOpening<never>, 'name' | 'position' | 'storeName' | 'written' | 'services' | 'previous'> {
  readonly parameters: CommonParameters;
}

/** What a kind says itself; the rest is as with every other one. */
interface OwnPlan
  extends Pick<ProcessorPlan, 'method' | 'policy'>,
    Partial<
      Pick<
        ProcessorPlan,
        'members' | 'concurrency' | 'parameters' | 'circuit' | 'keyOf' | 'source' | 'sequences' | 'stepWaitMs'
      >
    > {
  readonly schedule: Parameters<typeof workerSchedule>[1];
}

/** The plan of a processor as its parameters have it: one worker that runs no other sequences, unless its kind says more. */
export function planOf(type: string, opening: CommonOpening, own: OwnPlan): ProcessorPlan {
  const { name, position, storeName, parameters, written, services, previous } = opening;
  return {
    name,
    position,
    type,
    storeName,
    services,
    previous,
    parameters: shownParameters(written, parameters),
    sequences: new ProcessorSequences(name, 'none', logger(own.method.service)),
    limits: storeLimits(parameters),
    members: 1,
    concurrency: 1,
    startsActive: parameters['is.active'],
    reactivateAfterMs: parameters['x.reactivate.after'],
    activateSequence: parameters['x.activate.sequence'] || undefined,
    ...own,
    schedule: workerSchedule(parameters, own.schedule),
  };
}

/** The sequences of a kind that has them. */
export function processorSequences(
  name: string,
  parameters: ParametersOf<typeof SEQUENCE_PARAMETERS>,
  service: string,
): ProcessorSequences {
  const fault = parameters['message.processor.fault.sequence'] || undefined;
  const deactivate = parameters['message.processor.deactivate.sequence'] || undefined;
  return new ProcessorSequences(name, { fault, deactivate }, logger(service));
}

function workerSchedule(
  parameters: Pick<CommonParameters, 'interval' | 'cronExpression'>,
  options: { readonly drains: boolean; readonly unspaced?: boolean },
): WorkerSchedule {
  return {
    intervalMs: options.unspaced ? 0 : Math.max(0, parameters.interval),
    cron: parameters.cronExpression,
    drains: options.drains,
  };
}

function storeLimits(parameters: ParametersOf<typeof STORE_PARAMETERS>): StoreConnectionLimits {
  return {
    attempts: parameters['max.store.connection.attempts'],
    intervalMs: parameters['store.connection.retry.interval'],
  };
}

/** Of two spellings that of the profile wins (REQ-02). */
export function retryPolicy(
  parameters: ParametersOf<typeof RETRY_PARAMETERS>,
  profile: ProcessorServices['profile'],
  kind: { readonly maxAttempts: number; readonly lastResort: RetryPolicy['lastResort'] },
): RetryPolicy {
  const chosen = <T>(wso2: T | undefined, apache: T | undefined): T | undefined =>
    profile === 'apache' ? (apache ?? wso2) : (wso2 ?? apache);
  return {
    maxAttempts: chosen(parameters['max.delivery.attempts'], parameters['max.deliver.attempts']) ?? kind.maxAttempts,
    retryIntervalMs:
      chosen(parameters['client.retry.interval'], parameters['retry.interval']) ?? DEFAULT_RETRY_INTERVAL_MS,
    drop: chosen(parameters['max.delivery.drop'], parameters['max.deliver.drop']) ?? false,
    failStore: parameters['message.processor.failMessagesStore'] || undefined,
    lastResort: kind.lastResort,
  };
}

/** Undefined when no parameter of it is given. */
export function backOff(
  parameters: ParametersOf<typeof BACKOFF_PARAMETERS>,
  retryIntervalMs: number,
): BackOff | undefined {
  const {
    'x.backoff.initial': initial,
    'x.backoff.factor': factor,
    'x.backoff.max': longest,
    'x.backoff.jitter': jitter,
  } = parameters;
  if ([initial, factor, longest, jitter].every((value) => value === undefined)) return undefined;
  return {
    initialMs: Math.max(initial ?? retryIntervalMs, 1),
    factor: factor ?? DEFAULT_BACKOFF.factor,
    maxMs: longest ?? Math.max(DEFAULT_BACKOFF.maxMs, initial ?? 0),
    jitter: jitter ?? DEFAULT_BACKOFF.jitter,
  };
}

/** The parameters as the management API shows them: as written, and the computed ones (spec stores 4.1, 7.2). */
export function shownParameters(
  written: ReadonlyMap<string, string>,
  schedule: { readonly interval: number; readonly cronExpression: QuartzExpression | undefined },
  targetEndpoint?: string,
): ReadonlyMap<string, string> {
  const shown = new Map(written);
  shown.set('throttle', String(schedule.interval < 1000));
  if (schedule.cronExpression) {
    shown.set('throttle.interval', String(schedule.interval));
    shown.set('cron.expression', schedule.cronExpression.text);
  }
  if (targetEndpoint !== undefined) shown.set('target.endpoint', targetEndpoint);
  return shown;
}
