import { OVERVIEW, overview } from '../overview.ts';
import { resource } from '../resource.ts';

/** `GET /management/overview`. */
export const readOverview = resource({
  method: 'GET',
  path: '/management/overview',
  role: 'viewer',
  summary: 'The server at a glance',
  tag: 'overview',
  answers: { 200: OVERVIEW },
  answer: async (_request, server) => ({ status: 200, body: await overview(server) }),
});
