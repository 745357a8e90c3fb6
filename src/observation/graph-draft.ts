import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Position } from '../grammar/diagnostic.ts';
import type { Reference } from '../grammar/reader.ts';
import type { Graph, GraphEdge, GraphNode } from './graph.ts';

/** Groups inside groups that are drawn. */
const MAX_DEPTH = 10;

/** A graph that is being drawn: nodes and edges come in any order, edges to what there is not are left out at the end. */
export class GraphDraft {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, GraphEdge>();

  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  isTarget(id: string): boolean {
    for (const { to } of this.#edges.values()) if (to === id) return true;
    return false;
  }

  /** The first node of an id stays. */
  node(node: GraphNode): void {
    if (!this.#nodes.has(node.id)) this.#nodes.set(node.id, node);
  }

  client(): void {
    this.node({
      id: 'client',
      kind: 'client',
      name: 'client',
      label: 'clients',
      position: undefined,
      parent: undefined,
    });
  }

  edge(edge: Omit<GraphEdge, 'id' | 'errors'> & { readonly errors?: () => number }): void {
    const id = `${edge.from}->${edge.to}${edge.label === undefined ? '' : `#${edge.label}`}`;
    if (!this.#edges.has(id)) this.#edges.set(id, { ...edge, id, errors: edge.errors ?? (() => 0) });
  }

  /** An endpoint with what it sends to. */
  endpoint(id: string, endpoint: Endpoint, position: Position, parent?: string, depth = 0): void {
    const { address } = endpoint.describe();
    const name = endpoint.name ?? '';
    const label = endpoint.name ?? (address === undefined ? endpoint.kind : hostOf(address));
    const state = () => endpoint.describe().state;
    this.node({ id, kind: 'endpoint', name, label, position, parent, state });
    if (depth >= MAX_DEPTH) return;
    for (const [index, member] of (endpoint.members ?? []).entries()) {
      const target = member.kind === 'indirect' ? `endpoint:${member.name ?? ''}` : `${id}/${index + 1}`;
      if (member.kind !== 'indirect') this.endpoint(target, member, member.position, parent ?? id, depth + 1);
      const count = () => member.counts?.requests ?? 0;
      this.edge({ from: id, to: target, label: undefined, count, errors: () => member.counts?.errors ?? 0 });
    }
  }

  finish(revision: number): Graph {
    const edges = [...this.#edges.values()].filter(({ from, to }) => this.#nodes.has(from) && this.#nodes.has(to));
    return { revision, nodes: [...this.#nodes.values()], edges };
  }
}

/** Where an address leads, without credentials and paths. */
function hostOf(address: string): string {
  const url = URL.parse(address);
  return url?.host || address.split(/[/?]/, 1)[0] || 'address';
}

/** The node that a reference leads to; undefined for what is not drawn. */
export function nodeOf({ kind, name }: Reference): string | undefined {
  switch (kind) {
    case 'sequence':
      return `sequence:${name}`;
    case 'template':
      return `template:${name}`;
    case 'endpoint':
      return `endpoint:${name}`;
    case 'messageStore':
      return `store:${name}`;
    case 'messageProcessor':
      return `processor:${name}`;
    default:
      return undefined;
  }
}
