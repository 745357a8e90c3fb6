import { Graph, layout } from '@dagrejs/dagre';
import { widthOf } from './cut-text.js';

/*
 * From the API's nodes and edges to a picture: mediators are folded away on wish, then dagre says where everything stands.
 */

const HEIGHT = 40;
const MEDIATOR_HEIGHT = 30;
const MIN_WIDTH = 96;
const MAX_WIDTH = 250;
/** Beside the text: the icon and the margins; of mediators, the margins. */
const BESIDE = 48;
const BESIDE_MEDIATOR = 26;
/** Between nodes that nothing leads to or from. */
const GAP = 18;
const MARGIN = 16;

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
    marginx: MARGIN,
    marginy: MARGIN,
  });
  picture.setDefaultEdgeLabel(() => ({}));
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const [apart, others] = [nodes.filter(({ id }) => !linked.has(id)), nodes.filter(({ id }) => linked.has(id))];
  for (const node of others) picture.setNode(node.id, { ...node, ...sizeOf(node) });
  for (const edge of edges)
    picture.setEdge(edge.from, edge.to, { edge, width: 56, height: 16, labelpos: 'c' }, edge.id);
  if (others.length > 0) layout(picture);
  const drawn = others.length > 0 ? picture.graph() : { width: 0, height: 0 };
  const alone = inRows(apart, Math.max(drawn.width, apart.length > 12 ? 900 : 320), drawn.height);
  return {
    width: Math.max(drawn.width, alone.width),
    height: alone.height,
    nodes: [...picture.nodes().map((id) => picture.node(id)), ...alone.nodes],
    edges: picture.edges().map((key) => {
      const { edge, points, x, y } = picture.edge(key);
      return { id: edge.id, from: edge.from, to: edge.to, label: edge.label, path: curve(points), x, y };
    }),
  };
}

/** What nothing leads to or from stands in rows below the others, in nobody's way. */
function inRows(nodes, width, top) {
  const placed = [];
  let [x, y, right] = [MARGIN, top + (top > 0 ? 0 : MARGIN), 0];
  for (const node of nodes) {
    const size = sizeOf(node);
    if (x > MARGIN && x + size.width + MARGIN > width) [x, y] = [MARGIN, y + HEIGHT + GAP];
    placed.push({ ...node, ...size, x: x + size.width / 2, y: y + HEIGHT / 2 });
    x += size.width + GAP;
    right = Math.max(right, x - GAP + MARGIN);
  }
  return { nodes: placed, width: right, height: nodes.length > 0 ? y + HEIGHT + MARGIN : top };
}

function sizeOf({ kind, label }) {
  const mediator = kind === 'mediator';
  const wanted = widthOf(label) + (mediator ? BESIDE_MEDIATOR : BESIDE);
  return { width: Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, wanted)), height: mediator ? MEDIATOR_HEIGHT : HEIGHT };
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
    const next = Map.groupBy(edges, (edge) => edge[from]);
    const front = [id];
    while (front.length) {
      for (const edge of next.get(front.pop()) ?? []) {
        if (met.has(edge[to])) continue;
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
