import { pause } from '../../scheduling/pause.ts';
import type { CommandIo } from '../io.ts';
import { Progress } from '../show/progress.ts';
import type { ManagementClient } from './client.ts';

export interface FailedMessage {
  readonly id: string;
  readonly Error: string;
}

/** A job as the management API shows it. */
export interface Job {
  readonly id: string;
  readonly action: string;
  readonly store: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly problem?: string;
  readonly errors: readonly FailedMessage[];
}

const FIRST_LOOK_MS = 200;
const LONGEST_PAUSE_MS = 1_000;

/** Shows how far a job is until it has ended. When the signal aborts it is cancelled, and its end is waited for. */
export async function followJob(client: ManagementClient, job: Job, io: CommandIo, signal: AbortSignal): Promise<Job> {
  const path = `/management/jobs/${encodeURIComponent(job.id)}`;
  const progress = new Progress(`${job.action} in ${job.store}`, io);
  let pauseMs = FIRST_LOOK_MS;
  let latest = job;
  let cancelled = false;
  try {
    while (latest.state === 'running') {
      progress.show(latest.done + latest.failed, latest.total, latest.failed);
      await (cancelled ? pause(pauseMs) : pause(pauseMs, signal));
      if (signal.aborted && !cancelled) {
        cancelled = true;
        await client.send('DELETE', path);
      }
      latest = await client.get<Job>(path);
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    }
    return latest;
  } finally {
    progress.end();
  }
}
