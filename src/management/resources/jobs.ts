import { listing, listOf } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ERROR, ManagementError } from '../management-error.ts';
import { JOB, jobView } from '../operations/job-view.ts';
import type { Job } from '../operations/jobs.ts';
import { resource } from '../resource.ts';

const TAG = 'jobs';

/** `GET /management/jobs`: work on many messages, the newest first. */
export const readJobs = resource({
  method: 'GET',
  path: '/management/jobs',
  role: 'viewer',
  summary: 'Jobs that run, and the last hundred that have ended',
  tag: TAG,
  answers: { 200: listOf(JOB) },
  answer: (_request, server) => ({ status: 200, body: listing(server.operations.jobs.list().map(jobView)) }),
});

/** `GET /management/jobs/{id}`. */
export const readJob = resource({
  method: 'GET',
  path: '/management/jobs/{id}',
  role: 'viewer',
  summary: 'How far a job is',
  tag: TAG,
  answers: { 200: JOB, 404: ERROR },
  answer: ({ parameters }, server) => ({ status: 200, body: jobView(jobOf(server, parameters.id)) }),
});

/** `DELETE /management/jobs/{id}`: it ends after the message that it has in hand. */
export const cancelJob = resource({
  method: 'DELETE',
  path: '/management/jobs/{id}',
  role: 'operator',
  summary: 'Cancels a job',
  tag: TAG,
  answers: { 200: JOB, 404: ERROR },
  answer({ parameters, audit }, server) {
    const job = jobOf(server, parameters.id);
    audit({
      type: 'job',
      action: 'cancelled',
      name: job.id,
      detail: `${job.options.action} on store ${job.options.store}`,
    });
    job.cancel();
    return { status: 200, body: jobView(job) };
  },
});

/** @throws ManagementError 404 */
function jobOf(server: ManagedServer, id: string): Job {
  const job = server.operations.jobs.find(id);
  if (!job) throw new ManagementError(404, `There is no job '${id}'`);
  return job;
}
