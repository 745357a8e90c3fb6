import { Readable } from 'node:stream';
import { counted } from '../../logging/counted.ts';
import { entryBy } from '../audit/audit-entry.ts';
import { streamBody } from '../bodies.ts';
import { ERROR } from '../management-error.ts';
import { browserOf } from '../operations/find-messages.ts';
import { answering } from '../operations/operation-error.ts';
import { exportMessages, importMessages } from '../operations/transfer.ts';
import { resource } from '../resource.ts';
import { FILTER_FIELDS, FORCE, filterOf, storeOf, type WrittenFilter } from './messages.ts';

const TAG = 'messages';
const LINES = 'application/x-ndjson';
/** Of one import. */
const MAX_IMPORT_BYTES = 1024 * 1024 * 1024;

/** `GET …/export` (OP-49): whole messages as lines of JSON; secrets in their headers and properties are in there. */
export const exportStore = resource({
  method: 'GET',
  path: '/management/message-stores/{name}/export',
  role: 'operator',
  audited: true,
  summary: 'Messages of a store as lines of JSON, to be imported elsewhere',
  tag: TAG,
  query: {
    ids: { type: 'string', description: 'Ids separated by commas; without them all messages, or those of a filter' },
    all: { type: 'boolean', description: 'All messages; the default' },
    force: FORCE,
    ...FILTER_FIELDS,
  },
  answers: { 200: { media: LINES }, 404: ERROR, 409: ERROR, 503: ERROR },
  async answer({ parameters, query, signal, audit, caller }, server) {
    const ids = query.ids?.split(',').map((id) => id.trim());
    const done = { type: 'messages', action: 'exported', name: parameters.name, detail: whichText(ids, query) };
    audit({ ...done, count: 0, result: 'running' });
    const store = storeOf(server, parameters.name);
    const look = { signal, force: query.force };
    const lines = exportMessages(store, { ids, filter: filterOf(query) }, look);
    // What goes wrong at once is told by the status.
    const first = await answering(() => {
      browserOf(store);
      return lines.next();
    });
    return {
      status: 200,
      type: LINES,
      headers: { 'Content-Disposition': `attachment; filename="${fileName(store.name)}.ndjson"` },
      stream: Readable.from(
        tallied(withFirst(first, lines), (count, result) =>
          server.audit.record(entryBy(caller, { ...done, count, result })),
        ),
      ),
    };
  },
});

/** Tells at the end how many there were, and whether these were all. */
async function* tallied(
  lines: AsyncIterable<string>,
  tell: (count: number, result: 'done' | 'cancelled') => Promise<void>,
): AsyncGenerator<string> {
  let count = 0;
  let complete = false;
  try {
    for await (const line of lines) {
      count += 1;
      yield line;
    }
    complete = true;
  } finally {
    await tell(count, complete ? 'done' : 'cancelled');
  }
}

/** Which messages were asked for, for the audit log; how many they are is told when all are sent. */
function whichText(ids: readonly string[] | undefined, query: WrittenFilter): string {
  if (ids) return counted(ids.length, 'id');
  const given = Object.keys(FILTER_FIELDS).flatMap((name) => {
    const value = query[name as keyof WrittenFilter];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return given.length > 0 ? `filter ${given.join(', ')}` : 'all';
}

async function* withFirst(first: IteratorResult<string>, rest: AsyncIterable<string>): AsyncGenerator<string> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

function fileName(store: string): string {
  return store.replaceAll(/[^\w.-]/g, '_');
}

/** `POST …/import` (OP-49): line by line; the messages keep their ids. */
export const importStore = resource({
  method: 'POST',
  path: '/management/message-stores/{name}/import',
  role: 'operator',
  summary: 'Stores messages from lines of JSON',
  tag: TAG,
  query: {
    duplicates: {
      type: 'string',
      enum: ['refuse', 'skip', 'allow'],
      default: 'refuse',
      description: 'What becomes of a message whose id the store has already',
    },
    dryRun: { type: 'boolean', default: false, description: 'Only looks whether it could be done' },
    force: FORCE,
  },
  body: streamBody([LINES, 'application/ndjson', 'application/jsonl', 'application/json', 'text/plain'], {
    maximumBytes: MAX_IMPORT_BYTES,
  }),
  answers: {
    200: {
      type: 'object',
      required: ['done', 'count', 'skipped', 'failed'],
      properties: {
        done: { type: 'integer', minimum: 0 },
        count: { type: 'integer', minimum: 0 },
        skipped: { type: 'integer', minimum: 0 },
        stopped: { type: 'string' },
        failed: {
          type: 'array',
          items: {
            type: 'object',
            required: ['line', 'Error'],
            properties: { line: { type: 'integer' }, id: { type: 'string' }, Error: { type: 'string' } },
          },
        },
      },
    },
    404: ERROR,
    409: ERROR,
    413: ERROR,
    415: ERROR,
    503: ERROR,
  },
  async answer({ parameters, query, body, signal, audit }, server) {
    const store = storeOf(server, parameters.name);
    const { duplicates, dryRun, force } = query;
    audit({ type: 'messages', action: 'imported', name: store.name, detail: dryRun ? 'dry run' : '' });
    const wishes = { duplicates, dryRun, force, signal };
    const result = await answering(() => importMessages(store, body, wishes, server.operations));
    audit({ count: dryRun ? 0 : result.done });
    return { status: 200, body: result };
  },
});
