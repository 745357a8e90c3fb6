import { TooManyListenersError } from '../../observation/events.ts';
import { ManagementError } from '../management-error.ts';
import { observed } from '../observed.ts';
import { overview } from '../overview.ts';
import { resource } from '../resource.ts';
import { seesBodies, withoutContent } from '../shown-bodies.ts';

/**
 * `GET /management/events` (OP-40, OP-43): server-sent events, at most 20 listeners; a slow one is dropped and comes back with its
 * `Last-Event-ID`. The stream ends with the session or token that it was asked for with.
 */
export const readEvents = resource({
  method: 'GET',
  path: '/management/events',
  role: 'viewer',
  summary: 'What happens, as server-sent events',
  tag: 'observability',
  query: {
    logs: {
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
      description: 'Log lines up to this level, too',
    },
    lastEventId: { type: 'string', maxLength: 30, description: 'For clients that cannot send the header' },
  },
  answers: { 200: { media: 'text/event-stream' }, 503: { type: 'object' } },
  answer({ query: { logs, lastEventId }, header, signal, caller }, server) {
    const { events } = observed(server);
    observed(server).provideOverview(() => overview(server));
    try {
      const stream = events.subscribe({
        logs,
        lastEventId: header('last-event-id') ?? lastEventId,
        owner: caller.by === 'loopback' ? undefined : caller.name,
        ...(!seesBodies(caller, server) && { shownLine: withoutContent }),
      });
      signal.addEventListener('abort', () => stream.destroy(), { once: true });
      return {
        status: 200,
        type: 'text/event-stream',
        stream,
        headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      };
    } catch (error) {
      if (!(error instanceof TooManyListenersError)) throw error;
      throw new ManagementError(503, error.message, { headers: { 'Retry-After': '5' } }, { cause: error });
    }
  },
});
