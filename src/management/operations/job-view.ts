import type { JsonSchema } from '../resource.ts';
import type { Job } from './jobs.ts';

/** A job as the management API shows it. */
export function jobView(job: Job) {
  const { id, options, state, done, failed, startedAt, endedAt, errors, problem } = job;
  return {
    id,
    action: options.action,
    store: options.store,
    total: options.total,
    done,
    failed,
    state,
    by: options.by,
    startedAt: new Date(startedAt).toISOString(),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
    ...(problem !== undefined && { problem }),
    errors,
  };
}

const FAILURES: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'Error'],
    properties: { id: { type: 'string' }, Error: { type: 'string' } },
  },
};

export const JOB: JsonSchema = {
  type: 'object',
  required: ['id', 'action', 'store', 'total', 'done', 'failed', 'state', 'startedAt', 'errors'],
  properties: {
    id: { type: 'string' },
    action: { enum: ['resend', 'move', 'delete', 'purge'] },
    store: { type: 'string' },
    total: { type: 'integer', minimum: 0 },
    done: { type: 'integer', minimum: 0 },
    failed: { type: 'integer', minimum: 0 },
    state: { enum: ['running', 'done', 'failed', 'cancelled'] },
    by: { type: 'string' },
    startedAt: { type: 'string', format: 'date-time' },
    endedAt: { type: 'string', format: 'date-time' },
    problem: { type: 'string' },
    errors: FAILURES,
  },
};

/** What an operation answers that has ended. */
export const RESULT: JsonSchema = {
  type: 'object',
  required: ['done', 'count', 'failed'],
  properties: {
    done: { type: 'integer', minimum: 0 },
    count: { type: 'integer', minimum: 0 },
    failed: FAILURES,
  },
};
