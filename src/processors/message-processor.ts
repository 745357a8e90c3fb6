import type { CoordinationStatus } from './coordination.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    messageProcessor: MessageProcessor;
  }
}

/**
 * Takes messages out of a store, one at a time per worker, and does with them what its kind does: forwards them to an endpoint,
 * runs them through a sequence (spec stores 4, 5). A processor is made by `ProcessorKind.open`, does nothing before
 * {@link start}, and ends with {@link stop}.
 */
export interface MessageProcessor {
  readonly name: string;
  /** The management API's word, for example `Scheduled-message-forwarding-processor` (spec stores 7.2). */
  readonly type: string;
  /** The name of the message store that it empties. */
  readonly storeName: string;
  /** As written, with the computed ones that the reference shows beside them (spec stores 4.1, 7.2). */
  readonly parameters: ReadonlyMap<string, string>;
  /** What operators see, now. Never waits. */
  status(): ProcessorStatus;
  /**
   * Begins to work, or stays inactive as recorded or as `is.active` says. To be called once, when the server accepts work. Takes
   * over from the processor that it replaces: stops that one, lets its attempt in flight end, and goes on with its state, counters
   * and schedule (REQ-28, REQ-35). Resolves when the state is known, not when the work is done.
   */
  start(): Promise<void>;
  /** Activates and records it; the answer is the state that was reached (OP-60, REQ-45). `by` is shown to operators. */
  activate(by: string): Promise<ProcessorState>;
  /**
   * Stops new attempts at once, interrupts every wait, lets an attempt in flight end (OP-22), and records it. The answer is the
   * state that was reached.
   */
  deactivate(by: string): Promise<ProcessorState>;
  /**
   * Exactly one delivery now (OP-60, REQ-27), while it does not work: one attempt with the next message in turn, of which the one
   * that failed goes back to the store. The state stays as it is. Resolves when the message is settled, or when none came.
   * @throws StepRefusedError while it works or steps, and when it could deliver nothing at all
   */
  step(by: string): Promise<StepOutcome>;
  /**
   * Ends it: nothing new is begun, waits are interrupted, an attempt in flight may end within the server's stop deadline and is
   * then cut off; what is unsettled goes back to the store. Leaves the recorded state as it is (OP-111), or removes it when the
   * artifact was undeployed. Idempotent; never throws.
   */
  stop(options: { readonly undeploy: boolean }): Promise<void>;
}

/**
 * - `ACTIVE`: works, or waits for messages.
 * - `WAITING_STORE`: active, but its store, or the one that it moves messages to, is missing or out of reach (OP-33).
 * - `PAUSED`: by an operator, or by `is.active=false`.
 * - `DEACTIVATED`: by itself, after failures.
 * - `FAULTY`: by itself, because something that its configuration names is missing. Recorded and activated like DEACTIVATED.
 * - `CIRCUIT_OPEN`: active, the back end is known to be down (OP-25).
 *
 * The management API calls the states in which it works `active` and the others `inactive`, see {@link isActiveState}.
 */
export type ProcessorState = 'ACTIVE' | 'PAUSED' | 'DEACTIVATED' | 'WAITING_STORE' | 'CIRCUIT_OPEN' | 'FAULTY';

/**
 * What came of a step: `delivered`, `failed` (its message is in the store again), `set-aside` (it cannot be delivered by anybody: moved
 * to the fail store or into the dead-letter area), `not-ready` (nothing was attempted), `none`: there was no message.
 */
export interface StepOutcome {
  readonly outcome: 'delivered' | 'failed' | 'set-aside' | 'not-ready' | 'none';
  readonly messageId: string | undefined;
  /** Why it failed. */
  readonly cause: string | undefined;
}

/** It cannot step now; the message says why. */
export class StepRefusedError extends Error {
  override readonly name = 'StepRefusedError';
}

/** Which of the two words of the reference's management API a state is (spec stores 7.2). */
export function isActiveState(state: ProcessorState): boolean {
  return state === 'ACTIVE' || state === 'WAITING_STORE' || state === 'CIRCUIT_OPEN';
}

/** Times are epoch ms (OP-20, OP-44, REQ-13). */
export interface ProcessorStatus {
  readonly state: ProcessorState;
  readonly since: number;
  /** Who or what brought it into this state. */
  readonly by: string;
  /** Why it is in this state; undefined when all is well. */
  readonly reason: string | undefined;
  readonly lastError: string | undefined;
  /** The message that the last error is about. */
  readonly failingMessageId: string | undefined;
  /** When it does something next by itself: a retry, a look at a suspended endpoint, a run of its schedule. */
  readonly nextActionAt: number | undefined;
  readonly counters: Readonly<ProcessorCounters>;
  /** The first message in the hands of a worker, with the number of its present attempt (0: none yet). */
  readonly current: CurrentMessage | undefined;
  readonly workers: readonly WorkerStatus[];
  /** Who has its tasks; undefined without a cluster. */
  readonly cluster: CoordinationStatus | undefined;
}

/** Since the processor was first deployed in this process. */
export interface ProcessorCounters {
  delivered: number;
  /** Attempts that failed. */
  failed: number;
  /** Attempts that were made because an earlier one had failed. */
  retried: number;
  /** Messages discarded by `max.delivery.drop` or, with `ack.mode=before`, after a failure (OP-04). */
  dropped: number;
  /** Messages discarded because later ones of their sequence had been delivered before (`x.resequence.late`, OP-04). */
  late: number;
  /** Messages moved to the fail store. */
  moved: number;
  /** Messages put into the dead-letter area (REQ-26). */
  deadLettered: number;
  /** Messages that came again although they had been delivered, and were settled without sending them (REQ-32). */
  recognised: number;
}

export interface CurrentMessage {
  readonly id: string;
  readonly attempt: number;
}

export interface WorkerStatus {
  /** The reference's task name, `MSMP_<processor>_<i>`. */
  readonly name: string;
  readonly activity: WorkerActivity;
  readonly message: CurrentMessage | undefined;
  readonly nextActionAt: number | undefined;
}

/** The states of `worker.ts`. */
export type WorkerActivity =
  | 'ended'
  | 'waiting-lease'
  | 'scheduled'
  | 'spacing'
  | 'waiting-store'
  | 'receiving'
  | 'waiting-order'
  | 'attempting'
  | 'retry-wait'
  | 'settling';
