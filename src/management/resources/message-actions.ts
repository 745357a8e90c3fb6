import type { IncomingMessage } from 'node:http';
import { pause } from '../../scheduling/index.ts';
import { entryBy } from '../audit/audit-entry.ts';
import { type BodyDeclaration, jsonBody } from '../bodies.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ERROR, ManagementError } from '../management-error.ts';
import { JOB, jobView, RESULT } from '../operations/job-view.ts';
import { type Job, TooManyJobsError } from '../operations/jobs.ts';
import type { JobWishes } from '../operations/message-operations.ts';
import type { Selection } from '../operations/selection.ts';
import type { Treatment } from '../operations/treatment.ts';
import { type JsonAnswer, type JsonSchema, type ResourceRequest, resource } from '../resource.ts';
import { FORCE, filterOf, storeOf, type WrittenFilter } from './messages.ts';

const TAG = 'messages';
/** How long an answer waits for a job to end; then it is the job itself. */
const PATIENCE_MS = 2_000;
const MAX_IDS = 10_000;
const ANSWERS = {
  200: RESULT,
  202: { type: 'object', required: ['job'], properties: { job: JOB } },
  404: ERROR,
  409: ERROR,
  429: ERROR,
  503: ERROR,
} as const;
/** Of one message. */
const ONE_ANSWERS = { 200: RESULT, 404: ERROR, 409: ERROR, 502: ERROR, 503: ERROR } as const;
const ONE_DONE = { status: 200, body: { done: 1, count: 1, failed: [] } } as const;
export const NAME: JsonSchema = { type: 'string', minLength: 1, maxLength: 500 };
const CONFIRM = {
  type: 'integer',
  minimum: 0,
  description: 'How many messages are expected; 409 with the real number otherwise',
} as const;

export interface ResendBody {
  readonly sequence?: string;
  readonly endpoint?: string;
  readonly store?: string;
  readonly force?: boolean;
}

export const RESEND_PROPERTIES = { sequence: NAME, endpoint: NAME, store: NAME, force: { type: 'boolean' } } as const;

/** `POST …/messages/{id}/resend` (OP-61, OP-62). */
export const resendMessage = resource({
  method: 'POST',
  path: '/management/message-stores/{name}/messages/{id}/resend',
  role: 'operator',
  summary: 'Sends a message again: to the store it failed in, or to another store, a sequence or an endpoint',
  tag: TAG,
  query: { force: FORCE },
  body: optionalJsonBody<ResendBody>({ type: 'object', properties: RESEND_PROPERTIES, additionalProperties: false }),
  answers: ONE_ANSWERS,
  async answer({ parameters: { name, id }, body, query, signal, audit }, server) {
    audit({ type: 'message', action: 'resent', name: id, detail: `store ${name}${targetText(body)}`, count: 1 });
    await server.operations.one(
      storeOf(server, name),
      id,
      { action: 'resend', ...body },
      { signal, force: query.force },
    );
    return ONE_DONE;
  },
});

/** `POST …/messages/{id}/move`, with `{"to":store}` or `?to=` (REQ-27). */
export const moveMessage = resource({
  method: 'POST',
  path: '/management/message-stores/{name}/messages/{id}/move',
  role: 'operator',
  summary: 'Moves a message to another store',
  tag: TAG,
  query: { to: { type: 'string', maxLength: 500 }, force: FORCE },
  body: optionalJsonBody<{ readonly to?: string }>({
    type: 'object',
    properties: { to: NAME },
    additionalProperties: false,
  }),
  answers: ONE_ANSWERS,
  async answer({ parameters: { name, id }, body, query, signal, audit }, server) {
    const to = body.to ?? query.to;
    if (to === undefined || to === '') throw new ManagementError(400, "'to' is missing: the store to move it to");
    audit({ type: 'message', action: 'moved', name: id, detail: `store ${name} to ${to}`, count: 1 });
    await server.operations.one(storeOf(server, name), id, { action: 'move', to }, { signal, force: query.force });
    return ONE_DONE;
  },
});

/** `DELETE …/messages/{id}`. */
export const deleteMessage = resource({
  method: 'DELETE',
  path: '/management/message-stores/{name}/messages/{id}',
  role: 'operator',
  summary: 'Deletes a message',
  tag: TAG,
  query: { force: FORCE },
  answers: ONE_ANSWERS,
  async answer({ parameters: { name, id }, query, signal, audit }, server) {
    audit({ type: 'message', action: 'deleted', name: id, detail: `store ${name}`, count: 1 });
    await server.operations.one(storeOf(server, name), id, { action: 'delete' }, { signal, force: query.force });
    return ONE_DONE;
  },
});

interface ActionsBody extends ResendBody {
  readonly action: 'resend' | 'move' | 'delete';
  readonly ids?: readonly string[];
  readonly filter?: WrittenFilter;
  readonly all?: boolean;
  readonly to?: string;
  readonly confirm?: number;
  readonly ratePerSecond?: number;
}

export const FILTER: JsonSchema = {
  type: 'object',
  minProperties: 1,
  properties: {
    id: NAME,
    text: NAME,
    header: NAME,
    cause: NAME,
    endpoint: NAME,
    status: { type: 'integer', minimum: 100, maximum: 599 },
    from: NAME,
    to: NAME,
  },
  additionalProperties: false,
};

/** `POST …/messages/actions` (OP-61, OP-63): one treatment for many messages. */
export const actOnMessages = resource({
  method: 'POST',
  path: '/management/message-stores/{name}/messages/actions',
  role: 'operator',
  summary: 'Resends, moves or deletes many messages: by their ids, by a filter, or all',
  tag: TAG,
  query: { force: FORCE },
  body: jsonBody<ActionsBody>(
    {
      type: 'object',
      required: ['action'],
      properties: {
        action: { enum: ['resend', 'move', 'delete'] },
        ids: { type: 'array', items: NAME, minItems: 1, maxItems: MAX_IDS },
        filter: FILTER,
        all: { const: true },
        to: NAME,
        confirm: CONFIRM,
        ratePerSecond: { type: 'number', exclusiveMinimum: 0, maximum: 100_000 },
        ...RESEND_PROPERTIES,
      },
      additionalProperties: false,
    },
    { maximumBytes: 4 * 1024 * 1024 },
  ),
  answers: ANSWERS,
  answer(request, server) {
    const { body, query } = request;
    const { confirm, ratePerSecond } = body;
    const wishes = { selection: selectionOf(body), treatment: treatmentOf(body), confirm, ratePerSecond };
    return begin(request, server, { ...wishes, force: query.force });
  },
});

/** `DELETE …/messages?confirm=n`: the purge of a store. */
export const purgeStore = resource({
  method: 'DELETE',
  path: '/management/message-stores/{name}/messages',
  role: 'operator',
  summary: 'Deletes all messages of a store',
  tag: TAG,
  query: { confirm: CONFIRM, force: FORCE },
  answers: ANSWERS,
  answer(request, server) {
    const { confirm, force } = request.query;
    const wishes = { selection: { kind: 'all' }, treatment: { action: 'delete' }, purge: true } as const;
    return begin(request, server, { ...wishes, confirm, force });
  },
});

async function begin(
  {
    parameters: { name },
    caller,
    signal,
    audit,
  }: Pick<ResourceRequest<'/{name}'>, 'parameters' | 'caller' | 'signal' | 'audit'>,
  server: ManagedServer,
  wishes: Omit<JobWishes, 'by' | 'signal'>,
): Promise<JsonAnswer> {
  const verb = wishes.purge
    ? 'purged'
    : { resend: 'resent', move: 'moved', delete: 'deleted' }[wishes.treatment.action];
  audit({ type: 'messages', action: verb, name, detail: selectionText(wishes) });
  const job = await started(server, name, { ...wishes, by: caller.name, signal });
  await endOf(job);
  if (job.state === 'running') {
    audit({ count: job.options.total, result: 'running' });
    const end = { action: verb, type: 'messages', name, detail: `the job ${job.id} has ended` };
    const told = () => entryBy(caller, { ...end, count: job.done, result: resultOf(job) });
    void job.ended.then(() => server.audit.record(told()));
    return { status: 202, body: { job: jobView(job) } };
  }
  audit({ count: job.done, result: resultOf(job) });
  const { done, failed, errors, options, problem } = job;
  const more = { state: job.state, failures: failed, ...(problem !== undefined && { problem }) };
  return { status: 200, body: { done, count: options.total, failed: errors, ...more } };
}

/** For the audit log. */
function resultOf({ state, failed }: Job): string {
  return failed > 0 ? `${state} (${failed} failed)` : state;
}

async function started(server: ManagedServer, name: string, wishes: JobWishes): Promise<Job> {
  try {
    return await server.operations.many(storeOf(server, name), wishes);
  } catch (error) {
    if (!(error instanceof TooManyJobsError)) throw error;
    throw new ManagementError(429, error.message, { headers: { 'Retry-After': '10' } }, { cause: error });
  }
}

async function endOf(job: Job): Promise<void> {
  const ended = new AbortController();
  await Promise.race([job.ended.then(() => ended.abort()), pause(PATIENCE_MS, ended.signal)]);
}

/** @throws ManagementError 400 */
export function selectionOf({ ids, filter, all }: Pick<ActionsBody, 'ids' | 'filter' | 'all'>): Selection {
  if ([ids, filter, all].filter((way) => way !== undefined).length !== 1) {
    throw new ManagementError(400, "One of 'ids', 'filter' and 'all' must say which messages are meant");
  }
  if (ids) return { kind: 'ids', ids };
  return filter ? { kind: 'filter', filter: filterOf(filter) } : { kind: 'all' };
}

/** @throws ManagementError 400 */
function treatmentOf({ action, to, store, sequence, endpoint, force }: ActionsBody): Treatment {
  if (action === 'resend') return { action, store: store ?? to, sequence, endpoint, force };
  if (action === 'delete') return { action };
  if (to === undefined) throw new ManagementError(400, "'to' is missing: the store to move them to");
  return { action, to };
}

/** Where messages are sent, for the audit log. */
function targetText({
  sequence,
  endpoint,
  store,
}: Partial<Record<'sequence' | 'endpoint' | 'store', string | undefined>>) {
  if (sequence !== undefined) return ` to sequence ${sequence}`;
  if (endpoint !== undefined) return ` to endpoint ${endpoint}`;
  return store === undefined ? '' : ` to ${store}`;
}

function selectionText({ selection, treatment }: Pick<JobWishes, 'selection' | 'treatment'>): string {
  const which = selection.kind === 'filter' ? `filter ${JSON.stringify(selection.filter)}` : selection.kind;
  if (treatment.action === 'move') return `${which} to ${treatment.to}`;
  return treatment.action === 'resend' ? which + targetText(treatment) : which;
}

/** For resources that need not be told anything: no body is an empty one. */
function optionalJsonBody<B>(schema: JsonSchema): BodyDeclaration<B> {
  const body = jsonBody<B>(schema);
  const isEmpty = ({ headers }: IncomingMessage) =>
    headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  return { ...body, read: async (request) => (isEmpty(request) ? ({} as B) : body.read(request)) };
}
