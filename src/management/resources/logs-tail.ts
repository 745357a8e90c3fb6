import { shownRecord } from '../../logging/shown-record.ts';
import { listing, listOf } from '../list.ts';
import { observed } from '../observed.ts';
import { resource } from '../resource.ts';
import { COUNT, object, TEXT, TIME } from '../schemas.ts';
import { seesBodies, withoutContent } from '../shown-bodies.ts';

const RECORD = object(
  { time: TIME, level: TEXT, logger: TEXT, message: TEXT },
  {
    artifact: object({ name: TEXT }, { kind: TEXT }),
    file: TEXT,
    line: COUNT,
    messageId: TEXT,
    store: TEXT,
    processor: TEXT,
    attempt: COUNT,
    endpoint: TEXT,
    status: COUNT,
    cause: TEXT,
  },
);

/** `GET /management/logs/tail`: the last lines of the log, the oldest first. */
export const readLogsTail = resource({
  method: 'GET',
  path: '/management/logs/tail',
  role: 'viewer',
  summary: 'The last lines of the log',
  tag: 'logs',
  query: {
    lines: { type: 'integer', minimum: 1, maximum: 2000, default: 200 },
    level: {
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
      description: 'This one and those above it',
    },
    artifact: { type: 'string', description: 'An artifact, store, processor or endpoint' },
    messageId: { type: 'string' },
  },
  answers: { 200: listOf(RECORD) },
  answer({ query, caller }, server) {
    const records = observed(server).log.tail(query).map(shownRecord);
    return { status: 200, body: listing(seesBodies(caller, server) ? records : records.map(withoutContent)) };
  },
});
