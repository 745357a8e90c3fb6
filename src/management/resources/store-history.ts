import { HISTORY_STEP_MS } from '../../observation/history.ts';
import { notFound } from '../management-error.ts';
import { observed } from '../observed.ts';
import { resource } from '../resource.ts';
import { INTEGER, NUMBER, object } from '../schemas.ts';

const MINUTE_MS = 60_000;

/** `GET /management/message-stores/{name}/history` (OP-41): depth and messages in and out of the last hour. */
export const readStoreHistory = resource({
  method: 'GET',
  path: '/management/message-stores/{name}/history',
  role: 'viewer',
  summary: 'Depth and traffic of a store over the last hour',
  tag: 'message-stores',
  query: { minutes: { type: 'integer', minimum: 1, maximum: 60, default: 60 } },
  answers: {
    200: object({
      resolutionMs: INTEGER,
      points: {
        type: 'array',
        items: object({ t: NUMBER, depth: { type: ['integer', 'null'] }, in: INTEGER, out: INTEGER }),
      },
    }),
    404: { type: 'object' },
  },
  answer({ parameters: { name }, query: { minutes } }, server) {
    const points = observed(server).storeHistory(name, Date.now() - minutes * MINUTE_MS);
    if (!points) {
      const known = server.configuration().names('messageStore');
      throw notFound(`Specified message store ('${name}') not found`, name, known);
    }
    return { status: 200, body: { resolutionMs: HISTORY_STEP_MS, points } };
  },
});
