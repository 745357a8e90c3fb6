import type { ShownGraph } from '../../observation/graph.ts';
import { GraphTooLargeError } from '../../observation/graph-layout.ts';
import { mermaid } from '../../observation/graph-mermaid.ts';
import { svg } from '../../observation/graph-svg.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { observed } from '../observed.ts';
import { resource } from '../resource.ts';
import { COUNT, INTEGER, NUMBER, object, TEXT } from '../schemas.ts';

const QUERY = { root: { type: 'string', description: 'kind:name; only what is reached from there' } } as const;
const GRAPH = object({
  revision: INTEGER,
  nodes: { type: 'array', items: object({ id: TEXT, kind: TEXT, name: TEXT, label: TEXT }) },
  edges: {
    type: 'array',
    items: object({ id: TEXT, from: TEXT, to: TEXT, count: COUNT, errors: COUNT, perSecond: NUMBER }),
  },
});

/** @throws ManagementError 404 for a root that there is not */
function graphFrom(server: ManagedServer, root: string | undefined): ShownGraph {
  const observation = observed(server);
  const graph = observation.shownGraph(root);
  if (graph) return graph;
  const known = observation.graph().nodes.map(({ id }) => id);
  throw notFound(
    `There is no '${root}' in the graph`,
    root ?? '',
    known.filter((id) => !id.startsWith('mediator:')),
  );
}

/** `GET /management/graph` (OP-45): what is deployed and how messages go through it, with live counts. */
export const readGraph = resource({
  method: 'GET',
  path: '/management/graph',
  role: 'viewer',
  summary: 'The mediation graph with live counts',
  tag: 'graph',
  query: QUERY,
  answers: { 200: GRAPH, 404: { type: 'object' } },
  answer: ({ query: { root } }, server) => ({ status: 200, body: graphFrom(server, root) }),
});

/** `GET /management/graph.svg`: the same as a picture. */
export const readGraphSvg = resource({
  method: 'GET',
  path: '/management/graph.svg',
  role: 'viewer',
  summary: 'The mediation graph as SVG',
  tag: 'graph',
  query: QUERY,
  answers: { 200: { media: 'image/svg+xml' }, 404: { type: 'object' }, 413: { type: 'object' } },
  async answer({ query: { root } }, server) {
    try {
      return { status: 200, type: 'image/svg+xml', text: await svg(graphFrom(server, root)) };
    } catch (error) {
      if (error instanceof GraphTooLargeError) throw new ManagementError(413, error.message, {}, { cause: error });
      throw error;
    }
  },
});

/** `GET /management/graph.mmd`: the same for Mermaid. */
export const readGraphMermaid = resource({
  method: 'GET',
  path: '/management/graph.mmd',
  role: 'viewer',
  summary: 'The mediation graph as Mermaid text',
  tag: 'graph',
  query: QUERY,
  answers: { 200: { media: 'text/plain' }, 404: { type: 'object' } },
  answer: ({ query: { root } }, server) => ({
    status: 200,
    type: 'text/plain; charset=utf-8',
    text: mermaid(graphFrom(server, root)),
  }),
});
