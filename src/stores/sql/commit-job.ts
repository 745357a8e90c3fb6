import type { EventLoopUtilization } from 'node:perf_hooks';
import type { MayBeBusy } from '../busy.ts';
import type { Lease, MessageRow, MessageTable } from './message-table.ts';

/*
 * What goes through a commit queue.
 */

/** It was not done, or is not known to be; `busy`: as too many others were on their way (OP-100). */
export class CommitFailure extends Error implements MayBeBusy {
  override readonly name = 'CommitFailure';
  readonly busy: boolean;

  constructor(message: string, { busy = false, ...options }: ErrorOptions & { readonly busy?: boolean } = {}) {
    super(message, options);
    this.busy = busy;
  }
}

/** Another node has taken over the message: its lease had expired. */
export class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

/** What the queue can be asked to make durable. */
export type Change =
  | { readonly kind: 'insert'; readonly row: MessageRow }
  | { readonly kind: 'settle'; readonly lease: Lease }
  | { readonly kind: 'move'; readonly lease: Lease; readonly row: MessageRow; readonly target: MessageTable };

/**
 *     WAITING ──in a batch──► COMMITTING ──committed──► DONE
 *        ▲ │                    │  │  └──refused, overtaken──► FAILED
 *        │ └──deadline──►FAILED │  └──deadline──► FAILED (it may be done all the same)
 *        └──────────────────────┘ lost before the commit: once. Outcome not known: an insert fails, what can be repeated is repeated
 */
export interface Job {
  readonly change: Change;
  readonly size: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Waits for the database until the deadline; otherwise until it is known to be away. */
  readonly patient: boolean;
  timer: NodeJS.Timeout | undefined;
  settled: boolean;
  /** Transactions that were lost before their commit. */
  losses: number;
  conflicts: number;
  /** A commit of it was sent and not answered. */
  unknown: boolean;
}

/** A batch on its way. */
export interface Commit {
  readonly batch: readonly Job[];
  /** Those whose message somebody else has. */
  readonly outcome: Promise<ReadonlySet<Job>>;
  /** As of performance.now(). */
  readonly begun: number;
  readonly busy: EventLoopUtilization;
}

/** The messages that are to be inserted. */
export function rowsOf(batch: readonly Job[]): readonly MessageRow[] {
  return batch.flatMap(({ change }) => (change.kind === 'insert' ? [change.row] : []));
}

/** @param cause given, as far as there is one */
export function failure(reason: string, cause: Error | undefined): CommitFailure {
  return new CommitFailure(reason, cause && { cause });
}
