import type { MessageStore } from '../../stores/message-store.ts';
import { listing, listOf, named } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ERROR, ManagementError } from '../management-error.ts';
import { failureGroups } from '../operations/failure-groups.ts';
import { browserOf, findMessages } from '../operations/find-messages.ts';
import type { MessageFilter } from '../operations/message-filter.ts';
import { messageDetail, messageRow, withoutBody, withoutPreview } from '../operations/message-rows.ts';
import { answering } from '../operations/operation-error.ts';
import { type JsonSchema, type QueryFields, resource } from '../resource.ts';
import { type Caller, mayAct } from '../security/caller.ts';
import { permitBodies, seesBodies } from '../shown-bodies.ts';

const TAG = 'messages';

/** The query parameters of a filter; see {@link filterOf}. */
export const FILTER_FIELDS = {
  id: { type: 'string', description: 'Part of the id', maxLength: 500 },
  text: { type: 'string', description: 'Part of the first 64 KiB of the body', maxLength: 500 },
  header: { type: 'string', description: 'Part of a header, as `Name: value`', maxLength: 500 },
  cause: { type: 'string', description: 'Part of the last cause of failure', maxLength: 500 },
  endpoint: { type: 'string', description: 'Where it failed', maxLength: 500 },
  status: { type: 'integer', description: 'The HTTP status with which it failed', minimum: 100, maximum: 599 },
  from: { type: 'string', description: 'Stored then or later (ISO 8601)', maxLength: 40 },
  to: { type: 'string', description: 'Stored before then (ISO 8601)', maxLength: 40 },
} as const satisfies QueryFields;

export const FORCE = {
  type: 'boolean',
  description:
    'Look also where the broker counts that as a delivery (quorum queues with a delivery limit); needs the role operator',
} as const;

/** To look where that changes something is to act. @throws ManagementError 403, without a body as for every role that does not suffice */
function permitForce(caller: Caller, force: boolean | undefined): void {
  if (force && !mayAct(caller, 'operator')) throw new ManagementError(403, '');
}

/** A filter as it is written in a query or a body. */
export interface WrittenFilter extends Omit<MessageFilter, 'from' | 'to'> {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** @throws ManagementError 400 for what is no time */
export function filterOf({ id, text, header, cause, endpoint, status, from, to }: WrittenFilter): MessageFilter {
  return { id, text, header, cause, endpoint, status, from: timeOf('from', from), to: timeOf('to', to) };
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new ManagementError(400, `'${name}' is '${text}', expected a time such as 2026-01-31T12:00:00Z`);
  return time;
}

/** @throws ManagementError 404 */
export function storeOf(server: ManagedServer, name: string): MessageStore {
  return named(server.configuration(), 'messageStore', name, `Specified message store ('${name}') not found`);
}

const ROW: JsonSchema = {
  type: 'object',
  required: ['id', 'kind', 'bytes', 'attempts', 'replays', 'preview'],
  properties: {
    id: { type: 'string' },
    originalId: { type: 'string' },
    storedAt: { type: 'string', format: 'date-time' },
    ageMs: { type: 'integer', minimum: 0 },
    kind: { type: 'string' },
    contentType: { type: 'string' },
    bytes: { type: 'integer', minimum: 0 },
    attempts: { type: 'integer', minimum: 0 },
    replays: { type: 'integer', minimum: 0 },
    preview: { type: 'string' },
    poison: { type: 'string' },
    inDelivery: { type: 'boolean' },
  },
};

/** `GET …/messages` (REQ-27, OP-42): pages, oldest first; nothing is taken. */
export const browseMessages = resource({
  method: 'GET',
  path: '/management/message-stores/{name}/messages',
  role: 'viewer',
  summary: 'Messages of a store, oldest first',
  tag: TAG,
  query: {
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    after: { type: 'string', description: 'The cursor `next` of the page before', maxLength: 2000 },
    force: FORCE,
    ...FILTER_FIELDS,
  },
  answers: {
    200: listOf(ROW, {
      next: { type: 'string' },
      scanned: { type: 'integer', minimum: 0 },
      complete: { type: 'boolean' },
      note: { type: 'string' },
    }),
    403: null,
    404: ERROR,
    409: ERROR,
    503: ERROR,
  },
  async answer({ parameters, query, signal, caller }, server) {
    permitForce(caller, query.force);
    if (query.text !== undefined) permitBodies(caller, server);
    const store = storeOf(server, parameters.name);
    const { limit, after, force } = query;
    const { messages, next, scanned, complete, note } = await answering(() =>
      findMessages(store, { filter: filterOf(query), limit, after, force, signal }),
    );
    const now = Date.now();
    const shown = seesBodies(caller, server) ? messageRow : withoutPreview;
    const rows = messages.map((message) => shown(message, now));
    const more = { ...(next !== undefined && { next }), ...(note !== undefined && { note }) };
    return { status: 200, body: { ...listing(rows), ...more, scanned, complete } };
  },
});

/**
 * `GET …/messages/{id}`: everything about one message, its failures included; `body=full` is the body alone, byte for byte, and stands
 * in the audit log.
 */
export const readMessage = resource({
  method: 'GET',
  path: '/management/message-stores/{name}/messages/{id}',
  role: 'viewer',
  summary: 'One message with its headers, properties, body and history',
  tag: TAG,
  query: { body: { type: 'string', enum: ['detail', 'full'], default: 'detail' }, force: FORCE },
  answers: { 200: ROW, 403: null, 404: ERROR, 409: ERROR, 503: ERROR },
  async answer({ parameters, query, signal, caller, audit }, server) {
    const full = query.body === 'full';
    if (full) audit({ type: 'message', action: 'read', name: parameters.id, detail: `store ${parameters.name}` });
    permitForce(caller, query.force);
    if (full && !mayAct(caller, 'operator')) return { status: 403, body: undefined };
    const store = storeOf(server, parameters.name);
    const found = await answering(() => browserOf(store).read(parameters.id, { signal, force: query.force }));
    if (!found) throw new ManagementError(404, `There is no message '${parameters.id}' in store '${store.name}'`);
    if (!full) return { status: 200, body: (seesBodies(caller, server) ? messageDetail : withoutBody)(found) };
    const { message, poison } = found;
    return {
      status: 200,
      type: safeType(message?.body.contentType),
      headers: { 'Content-Disposition': 'attachment', 'Content-Security-Policy': 'sandbox' },
      text: message?.body.bytes ?? poison?.bytes ?? new Uint8Array(),
    };
  },
});

/** A message may say anything about itself; what a header cannot say is no type. */
function safeType(contentType: string | undefined): string {
  const fits = contentType !== undefined && /^[\x20-\x7e]{1,200}$/.test(contentType);
  return fits ? contentType : 'application/octet-stream';
}

/** `GET …/failures` (OP-48): what failed in the same way, together. */
export const readFailures = resource({
  method: 'GET',
  path: '/management/message-stores/{name}/failures',
  role: 'viewer',
  summary: 'Failed messages of a store by cause, endpoint and status',
  tag: TAG,
  query: { force: FORCE },
  answers: {
    200: listOf(
      {
        type: 'object',
        required: ['cause', 'count', 'oldest', 'newest', 'sampleIds'],
        properties: {
          cause: { type: 'string' },
          endpoint: { type: 'string' },
          status: { type: 'integer' },
          count: { type: 'integer', minimum: 1 },
          oldest: { type: 'string', format: 'date-time' },
          newest: { type: 'string', format: 'date-time' },
          sampleIds: { type: 'array', items: { type: 'string' } },
        },
      },
      { scanned: { type: 'integer' }, complete: { type: 'boolean' } },
    ),
    403: null,
    404: ERROR,
    409: ERROR,
    503: ERROR,
  },
  async answer({ parameters, query, signal, caller }, server) {
    permitForce(caller, query.force);
    const store = storeOf(server, parameters.name);
    const { groups, scanned, complete } = await answering(() => failureGroups(store, { signal, force: query.force }));
    const list = groups.map(({ oldest, newest, endpoint, status, ...group }) => ({
      ...group,
      ...(endpoint !== undefined && { endpoint }),
      ...(status !== undefined && { status }),
      oldest: new Date(oldest).toISOString(),
      newest: new Date(newest).toISOString(),
    }));
    return { status: 200, body: { ...listing(list), scanned, complete } };
  },
});
