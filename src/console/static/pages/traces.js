import { useEffect, useState } from 'preact/hooks';
import { change, query as queryOf } from '../api.js';
import { ask } from '../components/dialog.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State, Tag } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago } from '../components/time.js';
import * as format from '../format.js';
import { useResource, useSettled } from '../hooks.js';
import { html } from '../html.js';
import { refine, to } from '../router.js';
import { Trace } from './trace.js';

const LIMIT = 100;
/** All that the server keeps. */
const KEPT = 1000;

/** The latest traces, or one of them. */
export default function Traces({ place }) {
  const [, id] = place.segments;
  return id ? html`<${Trace} key=${id} id=${id} />` : html`<${TraceList} query=${place.query} />`;
}

function TraceList({ query }) {
  const { artifact, id, errors } = query;
  const [limit, setLimit] = useState(LIMIT);
  const traces = useResource(`traces${queryOf({ artifact, id, errors, limit })}`, {
    events: ['trace'],
    every: 5000,
  });
  const tracing = useResource('tracing');
  return html`<${Page} title="Traces" lead="The way of single messages, mediator by mediator, through stores to their delivery" actions=${html`<${Mode} tracing=${tracing} />`}>
    <${Filters} query=${query} />
    <${Card} flush>
      <${Loading} of=${traces} what="the traces">
        ${({ list }) =>
          list.length === 0
            ? html`<${Nothing} filtered=${artifact || id || errors} mode=${tracing.data?.mode} />`
            : html`<${Table} caption="Traces, newest first" rows=${list} columns=${COLUMNS} keyOf=${(trace) => trace.id} href=${(trace) => to(['traces', trace.id])}
                note=${noteOf(list, limit, setLimit)} />`}
      <//>
    <//>
  <//>`;
}

function noteOf({ length }, limit, setLimit) {
  if (length === KEPT) return `the newest ${format.number(KEPT)} are kept`;
  return (
    length === limit &&
    html`The newest ${limit}. <button type="button" class="small" onClick=${() => setLimit(KEPT)}>Show all that are kept</button>`
  );
}

function Filters({ query }) {
  const [artifact, setArtifact] = useState(query.artifact ?? '');
  const [id, setId] = useState(query.id ?? '');
  const settled = useSettled(JSON.stringify({ artifact, id }));
  useEffect(() => {
    const wanted = JSON.parse(settled);
    if (wanted.artifact !== (query.artifact ?? '') || wanted.id !== (query.id ?? ''))
      refine({ artifact: wanted.artifact, id: wanted.id });
  }, [settled]);
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <input type="search" placeholder="Message id" aria-label="Message id" value=${id} onInput=${(event) => setId(event.target.value)} />
    <input type="search" placeholder="Proxy, API or sequence" aria-label="Artifact" value=${artifact} onInput=${(event) => setArtifact(event.target.value)} />
    <label class="choice"><input type="checkbox" checked=${query.errors === 'true'} onChange=${(event) => refine({ errors: event.target.checked ? 'true' : undefined })} />Only failed ones</label>
  </form>`;
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  {
    title: 'Entered',
    cell: ({ artifact, id }) =>
      html`<a class="name" href=${to(['traces', id])}>${artifact?.name ?? 'unknown'}</a><small class="muted"> ${kindText(artifact?.kind)}</small>`,
  },
  { title: 'Outcome', cell: ({ outcome }) => html`<${State} state=${outcome} />` },
  { title: 'Status', class: 'num', cell: ({ status }) => status ?? '–' },
  { title: 'Steps', class: 'num hide-s', cell: ({ steps }) => format.number(steps) },
  { title: 'Took', class: 'num', cell: ({ durationMs }) => format.duration(durationMs) },
  { title: 'When', class: 'fit', cell: ({ startedAt }) => html`<${Ago} at=${startedAt} />` },
  { title: 'Client', class: 'hide-s', cell: ({ client }) => client ?? '–' },
  {
    title: 'Message',
    class: 'hide-s',
    cell: ({ messageId }) => html`<span class="mono muted" title=${messageId}>${format.shortId(messageId)}</span>`,
  },
];

function kindText(kind = '') {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function Nothing({ filtered, mode }) {
  if (filtered)
    return html`<${Empty} icon="search" title="No trace matches"><p>The last thousand traces are kept.</p><//>`;
  return html`<${Empty} icon="trace" title=${mode === 'off' ? 'Tracing is off' : 'No message has come yet'}>
    <p>${mode === 'off' ? 'Switch it on to follow the messages that come from now on.' : html`<a href=${to(['send'])}>Send a test message</a> to see its way.`}</p>
  <//>`;
}

function Mode({ tracing }) {
  const { data } = tracing;
  if (!data) return null;
  const text =
    { off: 'Tracing is off', on: 'Every message is traced' }[data.mode] ??
    `${Math.round((data.sample ?? 0) * 1000) / 10} % are traced`;
  return html`<${Tag}>${text}${data.bodies && ', with bodies'}<//><button type="button" onClick=${() => configure(tracing)}>Change</button>`;
}

async function configure({ data, reload }) {
  await ask({
    title: 'Which messages are traced?',
    action: 'Apply',
    text: html`<p>A trace keeps what every mediator did with one message. It takes effect for messages that come from now on.</p>`,
    initial: { mode: data.mode, percent: Math.round((data.sample ?? 0.1) * 100), bodies: data.bodies ?? false },
    fields: (values, set) => html`
      <label class="field"><span>Follow</span>
        <select value=${values.mode} onChange=${(event) => set({ mode: event.target.value })}>
          <option value="off">no message</option><option value="sampled">some of them</option><option value="on">every message</option>
        </select>
      </label>
      ${values.mode === 'sampled' && html`<label class="field"><span>Percent of the messages</span><input type="number" min="0" max="100" step="any" value=${values.percent} onInput=${(event) => set({ percent: event.target.valueAsNumber })} /></label>`}
      <label class="choice"><input type="checkbox" checked=${values.bodies} onChange=${(event) => set({ bodies: event.target.checked })} />Keep bodies, up to 64 KiB each</label>`,
    act: ({ mode, percent, bodies }) =>
      change('PUT', 'tracing', { mode, bodies, ...(mode === 'sampled' && { sample: percent / 100 }) }),
  });
  await reload();
}
