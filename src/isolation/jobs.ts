import type { MappingJob, MappingResult } from '../scripting/mapping-job.ts';
import type { ScriptJob, ScriptResult } from '../scripting/script-job.ts';
import type { XqueryJob, XqueryResult } from '../transform/xquery-job.ts';
import type { XsltJob, XsltResult } from '../transform/xslt-job.ts';

/** What can be asked of an isolated thread, and what it answers. */
export interface Jobs {
  script: { readonly job: ScriptJob; readonly result: ScriptResult };
  mapping: { readonly job: MappingJob; readonly result: MappingResult };
  xslt: { readonly job: XsltJob; readonly result: XsltResult };
  xquery: { readonly job: XqueryJob; readonly result: XqueryResult };
}

export type JobKind = keyof Jobs;

/** What a kind of job is run by. `spent` is asked after each job: true when the thread holds too much memory to go on. */
export interface Runner<K extends JobKind> {
  run(job: Jobs[K]['job']): Jobs[K]['result'] | Promise<Jobs[K]['result']>;
  spent?(): boolean;
}

/** What the thread is told. */
export interface JobRequest {
  readonly id: number;
  readonly kind: JobKind;
  readonly job: unknown;
}

/**
 * What the thread says: `running` once the library of a kind is loaded, so that loading does not count as running; then the answer.
 * `spent` means that the thread may be damaged, or holds memory that it cannot give back, and must be replaced.
 */
export type JobReport =
  | { readonly id: number; readonly running: true }
  | { readonly id: number; readonly result: unknown; readonly spent: boolean }
  | { readonly id: number; readonly failure: JobFailure; readonly spent: boolean };

export interface JobFailure {
  readonly message: string;
  readonly detail: string | undefined;
}

/** Thrown by the code of a job for what is wrong with the job itself; the thread is none the worse for it. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly detail: string | undefined;
  /** The thread should not be used again. */
  readonly spent: boolean;

  constructor(message: string, options: { detail?: string; spent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.detail = options.detail;
    this.spent = options.spent ?? false;
  }
}
