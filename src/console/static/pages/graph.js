import { useEffect, useMemo, useState } from 'preact/hooks';
import { address, query } from '../api.js';
import { Code } from '../components/code.js';
import { Icon } from '../components/icon.js';
import { List } from '../components/list.js';
import { Card, Empty, Loading, Notice, Page } from '../components/page.js';
import { State, Tag } from '../components/state.js';
import * as format from '../format.js';
import { around, arranged, folded } from '../graph/layout.js';
import { Picture } from '../graph/picture.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { onEvents, useLive } from '../live.js';
import { placeOf, refine, sourceAt, to } from '../router.js';

/** Larger graphs begin without their mediators: what leads where is seen first. */
const MANY_NODES = 24;
/** More nodes are no picture: one of them is chosen first. */
const MOST_NODES = 300;
const ASK_MS = 5000;

/** The mediation graph as it is deployed, with what flows through it now. */
export default function GraphPage({ place }) {
  const { stream } = useLive();
  const graph = useResource('graph', { events: ['deployment'], every: stream === 'live' ? undefined : ASK_MS });
  return html`<${Page} title="Graph" lead="What is deployed, where messages go, and how many have gone there"
    actions=${html`<a class="button" href=${address('graph.svg')} download="mediation.svg"><${Icon} name="download" size=${16} />SVG</a>
      <a class="button" href=${address('graph.mmd')} download="mediation.mmd"><${Icon} name="download" size=${16} />Mermaid</a>`}>
    <${Loading} of=${graph} what="the graph">
      ${(data) =>
        data.nodes.length === 0
          ? html`<${Card}><${Empty} icon="graph" title="Nothing is deployed"><p>Put artifacts into the folder of the server; they appear here at once.</p><//><//>`
          : html`<${Explorer} graph=${data} chosen=${place.query.node} focus=${place.query.focus} detail=${place.query.detail} />`}
    <//>
  <//>`;
}

function Explorer({ graph, chosen, focus, detail }) {
  const mediators = detail ? detail === 'mediators' : graph.nodes.length <= MANY_NODES;
  const shape = `${graph.revision}/${graph.nodes.length}/${mediators}/${focus ?? ''}/${narrow()}`;
  const shown = useMemo(() => {
    const part = focus && graph.nodes.some(({ id }) => id === focus) ? around(graph, focus) : graph;
    const visible = mediators ? part : folded(part);
    if (visible.nodes.length > MOST_NODES) return undefined;
    return {
      picture: arranged(visible, { direction: narrow() ? 'TB' : 'LR' }),
      parts: new Map(visible.edges.map(({ id, parts }) => [id, parts ?? [id]])),
    };
  }, [shape]);
  const counts = useCounts(graph, shown?.parts ?? NO_PARTS);
  const states = useStates(graph);
  const node = graph.nodes.find(({ id }) => id === chosen);
  if (!shown) return html`<${Choice} nodes=${graph.nodes} focus=${focus} mediators=${mediators} />`;
  return html`<div class=${node ? 'graph-page with-panel' : 'graph-page'}>
    <${Card} flush class="graph-card">
      <div class="graph-bar">
        <label class="choice"><input type="checkbox" checked=${mediators} onChange=${() => refine({ detail: mediators ? 'artifacts' : 'mediators' })} />Mediators</label>
        ${focus && html`<button type="button" class="small" onClick=${() => refine({ focus: undefined })}>Show the whole graph</button>`}
        <span class="legend"><i class="good"></i>working<i class="busy"></i>waiting<i class="bad"></i>stopped or failed</span>
      </div>
      <${Picture} picture=${shown.picture} counts=${counts} states=${states} selected=${chosen} onSelect=${(id) => refine({ node: id === chosen ? undefined : id })} />
    <//>
    ${node && html`<${Panel} key=${node.id} node=${node} state=${states.get(node.id)} />`}
  </div>`;
}

const NO_PARTS = new Map();

/** Of a graph that is too large to be looked at, the way through one node. */
function Choice({ nodes, focus, mediators }) {
  const artifacts = nodes.filter(({ kind }) => kind !== 'mediator');
  const note = `${format.number(artifacts.length)} artifacts are too many for one picture: choose one to see the ways through it.`;
  return html`<${Notice}>${focus ? 'Too much leads through this one. ' : ''}${note}${mediators && html` <button type="button" class="small" onClick=${() => refine({ detail: 'artifacts' })}>Leave out the mediators</button>`}<//>
    <${List} label="Name or kind" few=${0} textOf=${({ kind, label, file = '' }) => `${kind} ${label} ${file}`} caption="Nodes of the graph" rows=${artifacts} columns=${CHOICE_COLUMNS}
      keyOf=${({ id }) => id} href=${({ id }) => to(['graph'], { node: id, focus: id })} />`;
}

/** @type {import('../components/table.js').Column[]} */
const CHOICE_COLUMNS = [
  {
    title: 'Node',
    cell: ({ id, label }) => html`<a class="name" href=${to(['graph'], { node: id, focus: id })}>${label}</a>`,
  },
  { title: 'Kind', cell: ({ kind }) => html`<${Tag}>${kind}<//>` },
  { title: 'State', cell: ({ state }) => (state ? html`<${State} state=${state} />` : '–') },
  {
    title: 'File',
    class: 'wide',
    cell: ({ file, line }) => file && html`<a class="mono" href=${sourceAt(file, line)}>${file}:${line}</a>`,
  },
];

function narrow() {
  return matchMedia('(width <= 820px)').matches;
}

/** The counts of each drawn edge, kept up by the stream, which tells those that have changed. */
function useCounts(graph, parts) {
  const [latest, setLatest] = useState(() => byId(graph.edges));
  useEffect(() => setLatest(byId(graph.edges)), [graph]);
  useEffect(
    () =>
      onEvents(
        ['graph'],
        (_name, data) => data?.counts && setLatest((before) => new Map([...before, ...byId(data.counts)])),
      ),
    [],
  );
  return useMemo(
    () => new Map([...parts].map(([id, own]) => [id, sum(own.map((part) => latest.get(part)))])),
    [latest, parts],
  );
}

function byId(edges) {
  return new Map(edges.map((edge) => [edge.id, edge]));
}

function sum(edges) {
  const total = { count: 0, errors: 0, perSecond: 0 };
  for (const edge of edges) {
    total.count += edge?.count ?? 0;
    total.errors += edge?.errors ?? 0;
    total.perSecond += edge?.perSecond ?? 0;
  }
  return total;
}

/** States of now: of stores and processors from the overview, of others as they were when the graph was read. */
function useStates(graph) {
  const { overview } = useLive();
  const states = new Map(graph.nodes.filter(({ state }) => state).map(({ id, state }) => [id, state]));
  for (const { name, state } of overview?.stores ?? []) states.set(`store:${name}`, state);
  for (const { name, state } of overview?.processors ?? []) states.set(`processor:${name}`, state);
  return states;
}

/** What a node is, with the lines that it is written in. */
function Panel({ node, state }) {
  const source = useResource(node.file && `artifacts/source${query({ file: node.file })}`);
  const page = placeOf(node.kind, node.name);
  return html`<${Card} flush class="graph-panel" title=${node.label} note=${node.kind}
    actions=${html`<button type="button" class="quiet icon-only" aria-label="Close" onClick=${() => refine({ node: undefined })}><${Icon} name="cross" /></button>`}>
    <div class="panel-links">
      ${state && html`<${State} state=${state} />`}
      ${page && html`<a href=${page}>Open</a>`}
      <a href=${to(['graph'], { node: node.id, focus: node.id })}>Only this way</a>
      ${['proxy', 'api', 'inbound', 'sequence'].includes(node.kind) && html`<a href=${to(['traces'], { artifact: node.name })}>Traces</a>`}
    </div>
    ${
      node.file
        ? html`<p class="panel-file"><a href=${sourceAt(node.file, node.line)}>${format.fileName(node.file)}:${node.line}</a></p>
            <${Loading} of=${source} what="the source">${({ text }) => html`<${Code} text=${text} language="xml" mark=${node.line} label=${`Source of ${node.label}`} />`}<//>`
        : html`<${Empty} icon=${node.kind === 'client' ? 'client' : 'artifact'} title=${node.kind === 'client' ? 'Whoever sends messages to this server' : 'This is built in'} />`
    }
  <//>`;
}
