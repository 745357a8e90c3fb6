import { Graph, layout } from '@dagrejs/dagre';

/*
 * From the API's nodes and edges to a picture: mediators are folded away on wish, then dagre says where everything stands.
 */

const HEIGHT = 40;
const MEDIATOR_HEIGHT = 30;
const MIN_WIDTH = 96;
const MAX_WIDTH = 250;
const CHARACTER = 7.1;

/** @typedef {{id: string, kind: string, name: string, label: string, state?: string, file?: string, line?: number, parent?: string}} Node */
/** @typedef {{id: string, from: string, to: string, label?: string, count: number, errors: number, perSecond: number}} Edge */

/**
 * @param {{nodes: Node[], edges: Edge[]}} graph
 * @param {{direction: 'LR' | 'TB'}} options
 */
export function arranged({ nodes, edges }, { direction }) {
  const picture = new Graph({ multigraph: true });
  picture.setGraph({
    rankdir: direction,
    nodesep: direction === 'LR' ? 18 : 26,
    ranksep: direction === 'LR' ? 30 : 40,
    edgesep: 14,
    marginx: 16,
    marginy: 16,
  });
  picture.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) picture.setNode(node.id, { ...node, ...sizeOf(node) });
  for (const edge of edges)
    picture.setEdge(edge.from, edge.to, { edge, width: 56, height: 16, labelpos: 'c' }, edge.id);
  layout(picture);
  return {
    width: picture.graph().width,
    height: picture.graph().height,
    nodes: picture.nodes().map((id) => picture.node(id)),
    edges: picture.edges().map((key) => {
      const { edge, points, x, y } = picture.edge(key);
      return { id: edge.id, from: edge.from, to: edge.to, label: edge.label, path: curve(points), x, y };
    }),
  };
}

function sizeOf({ kind, label }) {
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, label.length * CHARACTER + 44));
  return { width, height: kind === 'mediator' ? MEDIATOR_HEIGHT : HEIGHT };
}

/** A smooth line through the points. */
function curve(points) {
  const [first, ...rest] = points;
  let path = `M${at(first)}`;
  if (rest.length === 1) return `${path}L${at(rest[0])}`;
  for (let index = 0; index < rest.length - 1; index += 1) {
    const end = index === rest.length - 2 ? rest[index + 1] : middle(rest[index], rest[index + 1]);
    path += `Q${at(rest[index])} ${at(end)}`;
  }
  return path;
}

function middle(left, right) {
  return { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
}

function at({ x, y }) {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}

/**
 * The graph without its mediators: where a way leads through them, one edge goes from the artifact before to the one behind. Its counts are
 * those of the way's end.
 */
export function folded({ nodes, edges }) {
  const kept = new Set(nodes.filter(({ kind }) => kind !== 'mediator').map(({ id }) => id));
  const next = Map.groupBy(edges, ({ from }) => from);
  const found = new Map();
  for (const id of kept) {
    const seen = new Set();
    const follow = (from) => {
      for (const edge of next.get(from) ?? []) {
        if (!kept.has(edge.to)) {
          if (!seen.has(edge.to)) {
            seen.add(edge.to);
            follow(edge.to);
          }
          continue;
        }
        const key = `${id}=>${edge.to}`;
        const known = found.get(key);
        if (known) known.parts.push(edge.id);
        else
          found.set(key, {
            id: key,
            from: id,
            to: edge.to,
            label: from === id ? edge.label : undefined,
            parts: [edge.id],
          });
      }
    };
    follow(id);
  }
  return { nodes: nodes.filter(({ id }) => kept.has(id)), edges: [...found.values()] };
}

/** What can be reached from a node, and what reaches it. */
export function around({ nodes, edges }, id) {
  const met = new Set([id]);
  const walk = (from, to) => {
    const front = [id];
    while (front.length) {
      const current = front.pop();
      for (const edge of edges) {
        if (edge[from] !== current || met.has(edge[to])) continue;
        met.add(edge[to]);
        front.push(edge[to]);
      }
    }
  };
  walk('from', 'to');
  walk('to', 'from');
  return {
    nodes: nodes.filter((node) => met.has(node.id)),
    edges: edges.filter(({ from, to }) => met.has(from) && met.has(to)),
  };
}
