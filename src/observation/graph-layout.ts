import type { ShownEdge, ShownGraph, ShownNode } from './graph.ts';

/** A layout takes too long with more. */
export const MAX_LAID_OUT = 1_200;
const CHARACTER_WIDTH = 7.2;
const PADDING = 24;
const NODE_HEIGHT = 36;
const LABEL_CHARACTERS = 34;

/** A node in its place: the middle, and how large it is, pixels. */
export interface PlacedNode extends ShownNode {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge extends ShownEdge {
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number }>;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** More nodes than can be laid out in a reasonable time. */
export class GraphTooLargeError extends Error {
  override readonly name = 'GraphTooLargeError';
}

/**
 * Lays the graph out from left to right.
 * @throws GraphTooLargeError
 */
export async function layOut(graph: ShownGraph): Promise<Layout> {
  if (graph.nodes.length > MAX_LAID_OUT)
    throw new GraphTooLargeError(
      `The graph has ${graph.nodes.length} nodes, of which ${MAX_LAID_OUT} can be drawn: choose a part with root=`,
    );
  const { Graph, layout } = await import('@dagrejs/dagre');
  const dagre = new Graph({ multigraph: true });
  dagre.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 46, marginx: 16, marginy: 16 });
  dagre.setDefaultEdgeLabel(() => ({}));
  const texts = new Map(graph.nodes.map((node) => [node.id, textOf(node)]));
  for (const { id } of graph.nodes) {
    const width = Math.max(60, (texts.get(id)?.length ?? 0) * CHARACTER_WIDTH + PADDING);
    dagre.setNode(id, { width, height: NODE_HEIGHT });
  }
  for (const { id, from, to, label } of graph.edges) {
    const width = label === undefined ? 24 : Math.min(LABEL_CHARACTERS, label.length) * CHARACTER_WIDTH;
    dagre.setEdge(from, to, { width, height: 14, labelpos: 'c' }, id);
  }
  layout(dagre);
  const { width = 0, height = 0 } = dagre.graph() as { width?: number; height?: number };
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: graph.nodes.map((node) => ({ ...node, text: texts.get(node.id) ?? '', ...placeOf(dagre.node(node.id)) })),
    edges: graph.edges.map((edge) => ({ ...edge, points: pointsOf(dagre.edge(edge.from, edge.to, edge.id)) })),
  };
}

function textOf({ label }: ShownNode): string {
  return label.length > LABEL_CHARACTERS ? `${label.slice(0, LABEL_CHARACTERS - 1)}…` : label;
}

function placeOf(place: unknown) {
  const { x = 0, y = 0, width = 0, height = 0 } = place as { x?: number; y?: number; width?: number; height?: number };
  return { x, y, width, height };
}

function pointsOf(edge: unknown): ReadonlyArray<{ x: number; y: number }> {
  return (edge as { points?: ReadonlyArray<{ x: number; y: number }> }).points ?? [];
}
