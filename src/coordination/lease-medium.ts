/**
 * Where nodes agree on who does what: the database or the broker of the store that the work is about. Each kind of medium is one
 * file beside the stores of that kind (`src/stores/sql/lease.ts`, `src/stores/stomp/lease.ts`, `src/stores/amqp/lease.ts`).
 */
export interface LeaseMedium {
  /** For people, without secrets. */
  readonly where: string;
  /** Where the nodes keep what operators want of a task; undefined: this medium keeps leases only. */
  readonly states: TaskStates | undefined;
  /**
   * Asks once for a task. Resolves when the medium has answered, at the latest when the signal is aborted.
   * @throws an error when the medium is out of reach; nothing is held then, or it expires by itself
   */
  acquire(task: string, signal: AbortSignal): Promise<Grant | Refusal>;
}

/** Somebody else has it, or nobody knows yet. */
export interface Refusal {
  readonly granted: false;
  /** The node that has it, where the medium tells. */
  readonly holder: string | undefined;
  /** What the medium says about the task, where it does; see {@link TaskState}. */
  readonly state?: TaskState;
  /** When it makes sense to ask again, ms. */
  readonly retryMs: number;
}

/**
 * The task is ours. It stays ours for `validMs` from `askedAt` on (performance.now() before the medium was asked), and for as long
 * again from each renewal on; then others may have it. The medium's `validMs` is shorter than what it really waits, so that
 * whoever stops in time has stopped before.
 */
export interface Grant {
  readonly granted: true;
  readonly askedAt: number;
  readonly validMs: number;
  /** Aborted when the medium knows that it is over, such as with the end of its connection. */
  readonly lost: AbortSignal;
  /**
   * Proves that the medium still keeps it for us; false: others have it.
   * @throws an error when that could not be found out
   */
  renew(): Promise<boolean>;
  /** Lets others have it, at once where the medium can be reached. Never throws. */
  release(): Promise<void>;
}

/** The states of a coordinated task (spec stores 6.2). */
export type TaskState = 'NONE' | 'RUNNING' | 'ACTIVATED' | 'DEACTIVATED' | 'PAUSED';

/** What operators want of a processor, on all nodes. */
export type Wanted = 'active' | 'inactive';

/** What operators want of tasks, as all nodes can read it. Each of them throws an error when the medium is out of reach. */
export interface TaskStates {
  /** Undefined: nobody has said anything about it yet. */
  read(task: string): Promise<Wanted | undefined>;
  /** For all of a processor's tasks at once. */
  write(tasks: readonly string[], wanted: Wanted): Promise<void>;
  /** The processor was undeployed. */
  remove(tasks: readonly string[]): Promise<void>;
}
