import { coloured, colourOfState, printable, type Terminal } from './terminal.ts';

interface GraphNode {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly label: string;
  readonly state?: string;
  readonly parent?: string;
}

interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  readonly count: number;
  readonly errors: number;
}

/** The mediation graph, as the management API gives it. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Each way from where messages come in, as an outline; what was shown already is not shown again. */
export function graphText({ nodes, edges }: Graph, terminal: Terminal): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const leaving = Map.groupBy(edges, ({ from }) => from);
  const entered = new Set(edges.map(({ to }) => to));
  const seen = new Set<string>();
  const lines: string[] = [];
  const add = (node: GraphNode, depth: number, edge: GraphEdge | undefined) => {
    const again = seen.has(node.id);
    seen.add(node.id);
    const next = leaving.get(node.id) ?? [];
    const more = again && next.length > 0 ? ' …' : '';
    lines.push(
      `${'  '.repeat(depth)}${edge ? '→ ' : ''}${nodeText(node, terminal)}${edge ? edgeText(edge) : ''}${more}`,
    );
    if (again) return;
    for (const way of next) {
      const target = byId.get(way.to);
      if (target) add(target, depth + 1, way);
    }
  };
  for (const node of nodes) if (!entered.has(node.id) && leaving.has(node.id)) add(node, 0, undefined);
  // Circles have no beginning, and some things stand alone.
  for (const node of nodes) if (!seen.has(node.id) && node.kind !== 'mediator') add(node, 0, undefined);
  return lines.length > 0 ? `${lines.join('\n')}\n` : 'Nothing is deployed\n';
}

function nodeText({ kind, name, label, state }: GraphNode, terminal: Terminal): string {
  const shown =
    kind === 'mediator' ? printable(label) : `${printable(kind)} ${coloured(printable(name), 'bold', terminal)}`;
  return state === undefined ? shown : `${shown} ${coloured(printable(state), colourOfState(state), terminal)}`;
}

function edgeText({ label, count, errors }: GraphEdge): string {
  const parts = [label && printable(label), count > 0 && String(count), errors > 0 && `${errors} errors`].filter(
    Boolean,
  );
  return parts.length > 0 ? `  (${parts.join(', ')})` : '';
}
