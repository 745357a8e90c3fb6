import type { NodeKind, ShownGraph } from './graph.ts';
import { layOut, type PlacedEdge, type PlacedNode } from './graph-layout.ts';

const GOOD: ReadonlySet<string> = new Set(['ACTIVE', 'READY']);
const BAD: ReadonlySet<string> = new Set(['DOWN', 'FAULTY', 'DEACTIVATED', 'OFF', 'SUSPENDED', 'CLOSED']);
const RADII: Readonly<Partial<Record<NodeKind, number>>> = { endpoint: 18, client: 18, sequence: 10, mediator: 4 };
const STYLE = `
  text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #111827; }
  .count { font-size: 11px; fill: #4b5563; } .failing { fill: #b91c1c; }
  rect { stroke-width: 1.5; fill: #fff; stroke: #9ca3af; } path { fill: none; stroke: #9ca3af; stroke-width: 1.5; }
  .proxy rect, .api rect, .inbound rect, .task rect { fill: #dbeafe; stroke: #2563eb; }
  .store rect { fill: #fef3c7; stroke: #d97706; } .processor rect { fill: #ede9fe; stroke: #7c3aed; }
  .endpoint rect { fill: #dcfce7; stroke: #16a34a; } .sequence rect { fill: #f3f4f6; stroke: #6b7280; }
  .bad rect { stroke: #dc2626; stroke-width: 3; } .waiting rect { stroke: #d97706; stroke-width: 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f3f4f6; } .count { fill: #9ca3af; } .failing { fill: #fca5a5; }
    rect { fill: #1f2937; stroke: #6b7280; } path { stroke: #6b7280; } marker path { fill: #6b7280; }
    .proxy rect, .api rect, .inbound rect, .task rect { fill: #1e3a8a; } .store rect { fill: #78350f; }
    .processor rect { fill: #4c1d95; } .endpoint rect { fill: #14532d; } .sequence rect { fill: #374151; }
  }`;

/**
 * The graph as a picture that stands by itself, with the colours of the viewer's theme.
 * @throws GraphTooLargeError
 */
export async function svg(graph: ShownGraph): Promise<string> {
  const { width, height, nodes, edges } = await layOut(graph);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Mediation graph</title>',
    `<style>${STYLE}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
    '<path d="M0 0L8 4L0 8z" style="fill:#9ca3af;stroke:none"/></marker></defs>',
    ...edges.map(edgeText),
    ...nodes.map(nodeText),
    '</svg>',
    '',
  ].join('\n');
}

function nodeText(node: PlacedNode): string {
  const { kind, text, x, y, width, height, state, file, line } = node;
  const place = file === undefined ? '' : ` (${file}:${line})`;
  const title = `${kind} ${node.label}${state === undefined ? '' : `: ${state}`}${place}`;
  return (
    `<g class="${kind}${stateClass(state)}"><title>${escaped(title)}</title>` +
    `<rect x="${px(x - width / 2)}" y="${px(y - height / 2)}" width="${px(width)}" height="${px(height)}" rx="${RADII[kind] ?? 6}"/>` +
    `<text x="${px(x)}" y="${px(y + 4)}" text-anchor="middle">${escaped(text)}</text></g>`
  );
}

function stateClass(state: string | undefined): string {
  if (state === undefined || GOOD.has(state)) return '';
  return BAD.has(state) ? ' bad' : ' waiting';
}

function edgeText({ points, label, count, errors }: PlacedEdge): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const path = `M${px(first.x)} ${px(first.y)}${rest.map(({ x, y }) => `L${px(x)} ${px(y)}`).join('')}`;
  const middle = points[Math.floor(points.length / 2)] ?? first;
  const texts = [label, count > 0 ? String(count) : undefined].filter((part) => part !== undefined);
  const text = escaped(texts.join(' · '));
  const failing = errors > 0 ? ` <tspan class="failing">${errors} ✕</tspan>` : '';
  const shown = text || failing;
  return (
    `<path d="${path}" marker-end="url(#arrow)"/>` +
    (shown
      ? `<text class="count" x="${px(middle.x)}" y="${px(middle.y - 5)}" text-anchor="middle">${text}${failing}</text>`
      : '')
  );
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
