import { MediationError } from '../message/errors.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    priorityExecutor: PriorityExecutor;
  }
}

/** One queue of a `<priorityExecutor>`. */
export interface ExecutorQueue {
  /** Higher numbers are served more often. */
  readonly priority: number;
  /** Jobs that may wait. */
  readonly size: number;
}

export interface PriorityExecutorDefinition {
  readonly name: string;
  /** At least one. */
  readonly queues: readonly ExecutorQueue[];
  /** Jobs that run at the same time. */
  readonly concurrency: number;
}

interface Queue extends ExecutorQueue {
  readonly jobs: Array<() => Promise<void>>;
  /** How often it may still be served in this round. */
  credit: number;
}

/**
 * Runs jobs, those of high priority more often than others: in each round a queue is served as many times as its priority says, so
 * that none starves (spec mediators 3.41). Its queues are bounded; it owns no timer and nothing else that has to be closed.
 */
export class PriorityExecutor {
  readonly definition: PriorityExecutorDefinition;
  /** The highest priority first. */
  readonly #queues: readonly Queue[];
  #running = 0;

  constructor(definition: PriorityExecutorDefinition) {
    this.definition = definition;
    const sorted = [...definition.queues].sort((left, right) => right.priority - left.priority);
    this.#queues = sorted.map((queue) => ({ ...queue, jobs: [], credit: weightOf(queue) }));
  }

  get waiting(): number {
    return this.#queues.reduce((sum, { jobs }) => sum + jobs.length, 0);
  }

  /**
   * Runs a job when its turn has come, in the queue of its priority, else in the next lower one, else in the lowest.
   * @param job must not reject
   * @returns resolves when the job has ended
   * @throws MediationError when the queue is full
   */
  execute(priority: number, job: () => Promise<void>): Promise<void> {
    const queue = this.#queues.find((one) => one.priority <= priority) ?? this.#queues.at(-1);
    if (!queue) throw new MediationError(`Priority executor '${this.definition.name}' has no queue`);
    if (queue.jobs.length >= queue.size) {
      const { name } = this.definition;
      throw new MediationError(
        `The queue of priority ${queue.priority} of the priority executor '${name}' is full: ${queue.size} jobs wait`,
        { status: 503 },
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.jobs.push(() => job().then(resolve));
    // Whoever hands over a job goes on first.
    setImmediate(() => this.#start());
    return promise;
  }

  #start(): void {
    while (this.#running < this.definition.concurrency) {
      const job = this.#next();
      if (!job) return;
      this.#running += 1;
      void job().finally(() => {
        this.#running -= 1;
        this.#start();
      });
    }
  }

  #next(): (() => Promise<void>) | undefined {
    const busy = this.#queues.filter(({ jobs }) => jobs.length > 0);
    if (busy.length === 0) return undefined;
    if (busy.every(({ credit }) => credit === 0)) for (const queue of this.#queues) queue.credit = weightOf(queue);
    const queue = busy.find(({ credit }) => credit > 0);
    if (!queue) return undefined;
    queue.credit -= 1;
    return queue.jobs.shift();
  }
}

function weightOf({ priority }: ExecutorQueue): number {
  return Math.max(1, priority);
}
