import { listing, listOf } from '../list.ts';
import { resource } from '../resource.ts';

const TEXT = { type: 'string' };
const PROPERTIES = {
  time: { type: 'string', format: 'date-time' },
  who: TEXT,
  role: TEXT,
  from: TEXT,
  action: TEXT,
  type: TEXT,
  name: TEXT,
  detail: TEXT,
  count: { type: 'integer' },
  result: TEXT,
};

/** `GET /management/audit`: what was done through this API, newest first (OP-66). */
export const readAudit = resource({
  method: 'GET',
  path: '/management/audit',
  role: 'viewer',
  summary: 'What was done, newest first',
  tag: 'audit',
  query: { limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } },
  answers: { 200: listOf({ type: 'object', required: Object.keys(PROPERTIES), properties: PROPERTIES }) },
  answer: ({ query }, { audit }) => ({ status: 200, body: listing(audit.list(query.limit)) }),
});
