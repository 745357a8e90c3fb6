import type { Worker } from 'node:worker_threads';
import { logger } from '../logging/index.ts';
import { startThread } from '../worker-thread.ts';
import type { JobFailure, JobKind, JobReport, JobRequest, Jobs } from './jobs.ts';

const log = logger('Isolation');

/** Threads at most; they are started when there is work for them. */
const MAX_THREADS = 2;
/** Jobs that may wait for a thread; more are refused, so that a burst of slow ones cannot use up the memory. */
const MAX_WAITING = 1_000;
/** How long a job may wait for a thread, ms. */
const MAX_WAIT_MS = 60_000;
/** How long a thread may take to start and to load a library, ms. */
const LOAD_LIMIT_MS = 30_000;
/** After the time limit a job gets this much more to end by itself, ms; then the thread is ended. */
const GRACE_MS = 500;
/** A thread without work is ended after so long, ms. */
const IDLE_MS = 60_000;
const HEAP_MIB = 256;

/**
 * Why a job has no result. `failed`: the job itself is wrong. `too-slow`: it was ended at its time limit. `lost`: the thread broke
 * down under it, as for want of memory. `overloaded`: there was no thread for it in time.
 */
export class IsolationError extends Error {
  override readonly name = 'IsolationError';
  readonly reason: 'failed' | 'too-slow' | 'lost' | 'overloaded';
  readonly detail: string | undefined;

  constructor(reason: IsolationError['reason'], message: string, options: { detail?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.detail = options.detail;
  }
}

interface Task {
  readonly kind: JobKind;
  readonly job: unknown;
  readonly limitMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: IsolationError) => void;
}

/**
 * A thread's states:
 *
 *     idle ──start()──▶ loading ──`running`──▶ running ──answer──▶ idle
 *       │                  │ load limit          │ time limit + grace, breakdown, or an answer that says `spent`
 *       └──idle limit──────┴─────────────────────┴──▶ ended (the task, if any, has been settled)
 */
class Thread {
  readonly #worker: Worker;
  readonly #onIdle: (thread: Thread) => void;
  readonly #onEnd: (thread: Thread) => void;
  #task: Task | undefined;
  #timer: NodeJS.Timeout | undefined;
  #id = 0;
  #ended = false;

  constructor(onIdle: (thread: Thread) => void, onEnd: (thread: Thread) => void) {
    this.#onIdle = onIdle;
    this.#onEnd = onEnd;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = startThread(new URL(`./worker.${extension}`, import.meta.url), {
      env: {},
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, stackSizeMb: 4 },
    });
    this.#worker.on('message', (report: JobReport) => this.#onReport(report));
    this.#worker.on('error', (error) => this.#breakDown(error));
    this.#worker.on('exit', () => this.#breakDown(new Error('the thread has ended')));
    this.rest();
  }

  start(task: Task): void {
    this.#task = task;
    this.#id += 1;
    this.#worker.ref();
    this.#arm(LOAD_LIMIT_MS, () => this.end(new IsolationError('lost', 'the library could not be loaded in time')));
    const request: JobRequest = { id: this.#id, kind: task.kind, job: task.job };
    this.#worker.postMessage(request);
  }

  /** Without work it keeps no process alive. */
  rest(): void {
    this.#worker.unref();
    this.#arm(IDLE_MS, () => this.end());
    this.#timer?.unref();
  }

  end(reason = new IsolationError('lost', 'the server is stopping')): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#task?.reject(reason);
    this.#task = undefined;
    this.#onEnd(this);
    this.#worker.terminate().catch((cause: unknown) => log.warn(`A thread could not be ended: ${String(cause)}`));
  }

  #onReport(report: JobReport): void {
    const task = this.#task;
    if (!task || this.#ended || report.id !== this.#id) return;
    if ('running' in report) {
      const { limitMs } = task;
      this.#arm(limitMs + GRACE_MS, () => this.end(tooSlow(limitMs)));
      return;
    }
    this.#task = undefined;
    if ('failure' in report) task.reject(failed(report.failure));
    else task.resolve(report.result);
    if (report.spent) {
      this.end();
      return;
    }
    this.rest();
    this.#onIdle(this);
  }

  #breakDown(cause: Error): void {
    const outOfMemory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
    const message = outOfMemory ? `more than ${HEAP_MIB} MiB of memory are needed` : cause.message;
    this.end(new IsolationError('lost', message, { cause }));
  }

  #arm(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }
}

/** Threads that user code and the libraries which run it are locked up in; bounded in number, time, memory and waiting. */
class WorkerPool {
  readonly #threads = new Set<Thread>();
  readonly #idle: Thread[] = [];
  readonly #waiting: Task[] = [];

  run(task: Task): void {
    const thread = this.#idle.pop() ?? this.#another();
    if (thread) thread.start(task);
    else if (this.#waiting.length >= MAX_WAITING) task.reject(overloaded(`${MAX_WAITING} are waiting already`));
    else this.#wait(task);
  }

  close(): void {
    for (const task of this.#waiting.splice(0)) task.reject(overloaded('the server is stopping'));
    for (const thread of [...this.#threads]) thread.end();
  }

  #wait(task: Task): void {
    const entry: Task = {
      ...task,
      reject: (error) => {
        clearTimeout(timer);
        task.reject(error);
      },
      resolve: (result) => {
        clearTimeout(timer);
        task.resolve(result);
      },
    };
    const timer = setTimeout(() => {
      const place = this.#waiting.indexOf(entry);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      task.reject(overloaded(`no thread was free for ${MAX_WAIT_MS / 1000} s`));
    }, MAX_WAIT_MS);
    this.#waiting.push(entry);
  }

  #another(): Thread | undefined {
    if (this.#threads.size >= MAX_THREADS) return undefined;
    const thread = new Thread(
      (idle) => this.#next(idle),
      (ended) => this.#forget(ended),
    );
    this.#threads.add(thread);
    return thread;
  }

  #next(thread: Thread): void {
    const task = this.#waiting.shift();
    if (task) thread.start(task);
    else this.#idle.push(thread);
  }

  #forget(thread: Thread): void {
    this.#threads.delete(thread);
    const place = this.#idle.indexOf(thread);
    if (place >= 0) this.#idle.splice(place, 1);
    const task = this.#waiting.shift();
    if (task) this.run(task);
  }
}

const pool = new WorkerPool();

/**
 * Runs a job in a thread of its own kind of trust: none. The job sees nothing but what it is given.
 * @param limitMs how long it may run, ms; waiting for a thread and loading a library are bounded by themselves
 * @throws IsolationError
 */
export function runIsolated<K extends JobKind>(
  kind: K,
  job: Jobs[K]['job'],
  limitMs: number,
): Promise<Jobs[K]['result']> {
  return new Promise((resolve, reject) => {
    pool.run({ kind, job, limitMs, resolve: resolve as (result: unknown) => void, reject });
  });
}

/** Ends all threads and whatever runs in them; a later job starts new ones. */
export function closeIsolation(): void {
  pool.close();
}

function failed({ message, detail }: JobFailure): IsolationError {
  return new IsolationError('failed', message, detail === undefined ? {} : { detail });
}

function tooSlow(limitMs: number): IsolationError {
  return new IsolationError('too-slow', `it took longer than ${limitMs} ms and was stopped`);
}

function overloaded(why: string): IsolationError {
  return new IsolationError('overloaded', `too much to do: ${why}`);
}
