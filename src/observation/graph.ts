import type { Position } from '../grammar/diagnostic.ts';

/*
 * The mediation graph (OP-45): what is deployed, as nodes, and where messages go between them, as edges with live counts. It is made
 * once per configuration (graph-builder.ts); counts and states are read from what runs whenever somebody asks.
 */

export type NodeKind =
  | 'proxy'
  | 'api'
  | 'inbound'
  | 'task'
  | 'sequence'
  | 'mediator'
  | 'store'
  | 'processor'
  | 'endpoint'
  | 'client';

export interface GraphNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  readonly label: string;
  readonly position: Position | undefined;
  /** The artifact that it is written in. */
  readonly parent: string | undefined;
  /** Now; absent where there is none. */
  readonly state?: () => string | undefined;
}

export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string | undefined;
  /** Messages that went there since it was deployed. */
  readonly count: () => number;
  readonly errors: () => number;
}

export interface Graph {
  /** The version of the configuration that it shows. */
  readonly revision: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** As the management API shows a node. */
export interface ShownNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  readonly label: string;
  readonly state?: string;
  readonly file?: string;
  readonly line?: number;
  readonly parent?: string;
}

export interface ShownEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  readonly count: number;
  readonly errors: number;
  readonly perSecond: number;
}

export interface ShownGraph {
  readonly revision: number;
  readonly nodes: readonly ShownNode[];
  readonly edges: readonly ShownEdge[];
}

/**
 * The graph with the counts and states of now.
 * @param fileOf how files are shown
 */
export function shownGraph(
  graph: Graph,
  perSecond: (edge: string) => number,
  fileOf: (file: string) => string,
): ShownGraph {
  return {
    revision: graph.revision,
    nodes: graph.nodes.map((node) => shownNode(node, fileOf)),
    edges: graph.edges.map((edge) => ({
      id: edge.id,
      from: edge.from,
      to: edge.to,
      ...(edge.label !== undefined && { label: edge.label }),
      count: edge.count(),
      errors: edge.errors(),
      perSecond: perSecond(edge.id),
    })),
  };
}

function shownNode(node: GraphNode, fileOf: (file: string) => string): ShownNode {
  const { id, kind, name, label, position, parent, state } = node;
  const now = state?.();
  return {
    id,
    kind,
    name,
    label,
    ...(now !== undefined && { state: now }),
    ...(position && { file: fileOf(position.file), line: position.line }),
    ...(parent !== undefined && { parent }),
  };
}

/** What can be reached from a node, with what stands inside the artifacts that are met; undefined when there is no such node. */
export function reachable(graph: Graph, root: string): Graph | undefined {
  if (!graph.nodes.some(({ id }) => id === root)) return undefined;
  const next = Map.groupBy(graph.edges, ({ from }) => from);
  const met = new Set([root]);
  for (const id of met) for (const { to } of next.get(id) ?? []) met.add(to);
  return {
    revision: graph.revision,
    nodes: graph.nodes.filter(({ id }) => met.has(id)),
    edges: graph.edges.filter(({ from, to }) => met.has(from) && met.has(to)),
  };
}
