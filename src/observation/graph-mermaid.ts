import type { NodeKind, ShownGraph, ShownNode } from './graph.ts';

const LABEL_CHARACTERS = 60;
/** Opening and closing of a shape, by kind. */
const SHAPES: Readonly<Record<NodeKind, readonly [string, string]>> = {
  proxy: ['[[', ']]'],
  api: ['[[', ']]'],
  inbound: ['[[', ']]'],
  task: ['{{', '}}'],
  sequence: ['(', ')'],
  mediator: ['[', ']'],
  store: ['[(', ')]'],
  processor: ['{{', '}}'],
  endpoint: ['([', '])'],
  client: ['((', '))'],
};
const COLOURS: Readonly<Record<NodeKind, string>> = {
  proxy: 'fill:#dbeafe,stroke:#2563eb,color:#111',
  api: 'fill:#dbeafe,stroke:#2563eb,color:#111',
  inbound: 'fill:#dbeafe,stroke:#2563eb,color:#111',
  task: 'fill:#dbeafe,stroke:#2563eb,color:#111',
  sequence: 'fill:#f3f4f6,stroke:#6b7280,color:#111',
  mediator: 'fill:#ffffff,stroke:#9ca3af,color:#111',
  store: 'fill:#fef3c7,stroke:#d97706,color:#111',
  processor: 'fill:#ede9fe,stroke:#7c3aed,color:#111',
  endpoint: 'fill:#dcfce7,stroke:#16a34a,color:#111',
  client: 'fill:#ffffff,stroke:#111827,color:#111',
};

/** The graph as a Mermaid flow chart; mediators stand in the box of their artifact. Counts are shown where there are any. */
export function mermaid({ nodes, edges }: ShownGraph): string {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const artifacts = Map.groupBy(
    nodes.filter(({ kind }) => kind === 'mediator'),
    ({ parent }) => parent ?? '',
  );
  const lines = ['flowchart LR'];
  for (const node of nodes) if (node.kind !== 'mediator') lines.push(`  ${nodeText(node, ids)}`);
  for (const [parent, inside] of artifacts) {
    lines.push(`  subgraph ${ids.get(parent) ?? 'g'}_inside["${escaped(parent)}"]`);
    for (const node of inside) lines.push(`    ${nodeText(node, ids)}`);
    lines.push('  end');
  }
  for (const { from, to, label, count } of edges) {
    const text = [label, count > 0 ? String(count) : undefined].filter((part) => part !== undefined).join(' · ');
    lines.push(`  ${ids.get(from)} -->${text === '' ? '' : `|"${escaped(text)}"|`} ${ids.get(to)}`);
  }
  for (const [kind, colours] of Object.entries(COLOURS)) {
    if (nodes.some((node) => node.kind === kind)) lines.push(`  classDef ${kind} ${colours}`);
  }
  return `${lines.join('\n')}\n`;
}

function nodeText(node: ShownNode, ids: ReadonlyMap<string, string>): string {
  const [open, close] = SHAPES[node.kind];
  const state = node.state === undefined || node.state === 'ACTIVE' || node.state === 'READY' ? '' : ` (${node.state})`;
  return `${ids.get(node.id)}${open}"${escaped(node.label)}${state}"${close}:::${node.kind}`;
}

/** Mermaid knows character references only. */
function escaped(text: string): string {
  const cut = text.length > LABEL_CHARACTERS ? `${text.slice(0, LABEL_CHARACTERS)}…` : text;
  return cut.replace(/[^\p{L}\p{N} .,:;_/()*+=@·…-]/gu, (character) => `#${character.codePointAt(0)};`);
}
