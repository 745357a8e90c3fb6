import { counted } from '../../logging/counted.ts';
import { jsonBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import { ERROR, ManagementError } from '../management-error.ts';
import type { ScheduledResend } from '../operations/scheduled-resends.ts';
import { resource } from '../resource.ts';
import { COUNT, NUMBER, object, TEXT, TIME } from '../schemas.ts';
import { FILTER, NAME, RESEND_PROPERTIES, type ResendBody, selectionOf } from './message-actions.ts';
import { storeOf, type WrittenFilter } from './messages.ts';

const TAG = 'jobs';
/** Of a resend that is kept until its time. */
const MAX_IDS = 1_000;

const RESEND = object(
  {
    id: TEXT,
    store: TEXT,
    at: TIME,
    createdAt: TIME,
    nextAt: TIME,
    by: TEXT,
    state: { enum: ['waiting', 'running', 'done', 'failed', 'cancelled'] },
    what: { ...TEXT, description: 'Which messages, in words' },
  },
  { target: TEXT, job: TEXT, done: COUNT, failed: COUNT, endedAt: TIME, problem: TEXT, ratePerSecond: NUMBER },
);

interface ScheduleBody extends ResendBody {
  readonly at: string;
  readonly ids?: readonly string[];
  readonly filter?: WrittenFilter;
  readonly all?: boolean;
  readonly ratePerSecond?: number;
}

/** `POST …/messages/schedule`: a resend at a time (OP-63). */
export const scheduleResend = resource({
  method: 'POST',
  path: '/management/message-stores/{name}/messages/schedule',
  role: 'operator',
  summary: 'Resends messages at a time: those with these ids, or those that match, or are there, by then',
  tag: TAG,
  body: jsonBody<ScheduleBody>({
    type: 'object',
    required: ['at'],
    properties: {
      at: { type: 'string', format: 'date-time', maxLength: 40, description: 'Within a year' },
      ids: { type: 'array', items: NAME, minItems: 1, maxItems: MAX_IDS },
      filter: FILTER,
      all: { const: true },
      ratePerSecond: { type: 'number', exclusiveMinimum: 0, maximum: 100_000 },
      ...RESEND_PROPERTIES,
    },
    additionalProperties: false,
  }),
  answers: { 200: RESEND, 404: ERROR, 409: ERROR, 429: ERROR },
  async answer({ parameters: { name }, body, caller, audit }, server) {
    const { at, sequence, endpoint, store, force, ratePerSecond } = body;
    audit({ type: 'messages', action: 'scheduled', name, detail: `resend at ${at}` });
    const time = Date.parse(at);
    if (Number.isNaN(time))
      throw new ManagementError(400, `'at' is '${at}', expected a time such as 2026-01-31T12:00:00Z`);
    const selection = selectionOf(body);
    audit({ detail: `resend at ${new Date(time).toISOString()}: ${whatText(selection)}` });
    const treatment = { action: 'resend', sequence, endpoint, store, force } as const;
    const wishes = {
      store: storeOf(server, name).name,
      at: time,
      selection,
      treatment,
      ratePerSecond,
      by: caller.name,
    };
    return { status: 200, body: viewOf(await server.schedules.add(wishes)) };
  },
});

/** `GET /management/scheduled-resends`. */
export const readScheduledResends = resource({
  method: 'GET',
  path: '/management/scheduled-resends',
  role: 'viewer',
  summary: 'Resends that wait for their time, and the last fifty that have ended',
  tag: TAG,
  answers: { 200: listOf(RESEND) },
  answer: (_request, server) => ({ status: 200, body: listing(server.schedules.list().map(viewOf)) }),
});

/** `DELETE /management/scheduled-resends/{id}`. */
export const cancelScheduledResend = resource({
  method: 'DELETE',
  path: '/management/scheduled-resends/{id}',
  role: 'operator',
  summary: 'Cancels a resend that waits for its time, or ends one that runs',
  tag: TAG,
  answers: { 200: RESEND, 404: ERROR, 409: ERROR },
  async answer({ parameters: { id }, audit }, server) {
    const resend = server.schedules.find(id);
    const detail = resend ? `resend from store ${resend.store}: ${whatText(resend.selection)}` : '';
    audit({ type: 'messages', action: 'unscheduled', name: id, detail });
    return { status: 200, body: viewOf(await server.schedules.cancel(id)) };
  },
});

function viewOf(resend: ScheduledResend) {
  const { id, store, by, state, selection, treatment, job, done, failed, problem, ratePerSecond, endedAt } = resend;
  const target = treatment.sequence ?? treatment.endpoint ?? treatment.store;
  return {
    id,
    store,
    by,
    state,
    at: new Date(resend.at).toISOString(),
    createdAt: new Date(resend.createdAt).toISOString(),
    nextAt: new Date(resend.nextAt).toISOString(),
    what: whatText(selection),
    ...(target !== undefined && { target }),
    ...(job !== undefined && { job }),
    ...(done !== undefined && { done }),
    ...(failed !== undefined && { failed }),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
    ...(problem !== undefined && { problem }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
  };
}

function whatText(selection: ScheduledResend['selection']): string {
  if (selection.kind === 'all') return 'all messages';
  if (selection.kind === 'ids') return counted(selection.ids.length, 'message');
  const given = Object.entries(selection.filter).filter(([, value]) => value !== undefined);
  return `messages with ${given.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}`;
}
