import type { Position } from '../grammar/diagnostic.ts';
import type { LogDetails } from '../logging/logger.ts';
import type { Circuit } from './circuit.ts';
import type { ProcessorServices } from './component.ts';
import type { DeliveryMethod } from './delivery-method.ts';
import type { CurrentMessage, ProcessorCounters, WorkerActivity } from './message-processor.ts';
import type { ProcessorSequences } from './processor-sequences.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** What the workers of one processor share. */
export interface ProcessorCore {
  readonly name: string;
  /** Where it is written, for log lines. */
  readonly position: Position;
  readonly storeName: string;
  readonly services: ProcessorServices;
  readonly method: DeliveryMethod;
  readonly policy: RetryPolicy;
  readonly sequences: ProcessorSequences;
  /** Undefined: a back end that is out of reach counts against the message. */
  readonly circuit: Circuit | undefined;
  readonly counters: ProcessorCounters;
  /** Aborted when attempts in flight are to be cut off. */
  readonly cutOff: AbortSignal;
  /** Stops all workers; resolves when the state is recorded. */
  deactivateItself(stop: SelfDeactivation): Promise<void>;
  noteFailure(error: string, messageId: string): void;
}

export interface SelfDeactivation {
  readonly state: 'DEACTIVATED' | 'FAULTY';
  readonly reason: string;
  readonly messageId: string | undefined;
  /** What the log line says of the message that it stopped at (OP-70). */
  readonly about?: LogDetails;
}

/** What a worker does right now, for operators. */
export interface WorkerProgress {
  activity: WorkerActivity;
  message: CurrentMessage | undefined;
  nextActionAt: number | undefined;
}
