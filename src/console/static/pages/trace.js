import { useMemo, useState } from 'preact/hooks';
import { segment } from '../api.js';
import { Diff } from '../components/diff.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Figure, Loading, Notice, Page } from '../components/page.js';
import { State } from '../components/state.js';
import { Clock } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { sourceAt, to } from '../router.js';
import { timeline } from '../timeline.js';

/** One message on its way: what each mediator took and changed, where it was stored, how it was delivered (OP-46). @param {{id: string}} props */
export function Trace({ id }) {
  const trace = useResource(`traces/${segment(id)}`, { every: 3000 });
  const { data } = trace;
  return html`<${Page} name="Trace" crumbs=${[{ text: 'Traces', href: to(['traces']) }]}
    title=${html`${data?.artifact?.name ?? 'Trace'}${data && html`<${State} state=${data.outcome} />`}`}
    lead=${data && html`<span class="mono">${data.messageId}</span>`}>
    ${
      trace.error?.status === 404 && !trace.error.missing
        ? html`<${Card}><${Empty} icon="trace" title="The trace is not kept any more"><p>The last thousand traces are kept in memory.</p><//><//>`
        : html`<${Loading} of=${trace} what="the trace">${(loaded) => html`<${Way} trace=${loaded} />`}<//>`
    }
  <//>`;
}

function Way({ trace }) {
  const entries = useMemo(() => timeline(trace), [trace]);
  const [chosen, setChosen] = useState(undefined);
  const first =
    entries.find(({ outcome }) => outcome === 'fault') ??
    entries.find(({ changes }) => changes?.body) ??
    entries.find(hasChanges) ??
    entries[0];
  const current = entries.find(({ key }) => key === chosen) ?? first;
  const begin = format.epoch(trace.startedAt);
  const length = Math.max(0.01, ...entries.map(({ at, durationMs }) => at - begin + (durationMs ?? 0)));
  const delivered = (trace.deliveries ?? []).length;
  return html`${trace.failure && html`<${Notice} tone="bad"><strong>${trace.failure.message}</strong>${trace.failure.code && ` (${trace.failure.code})`}<//>`}
    ${trace.truncated && html`<${Notice}>The message went through ${trace.steps.length} steps that were kept, and others.<//>`}
    <div class="figures">
      <${Figure} label="Answered" value=${trace.status ?? '–'} note=${trace.client ? `to ${trace.client}` : 'nobody waits'} tone=${trace.status >= 500 ? 'bad' : ''} />
      <${Figure} label="Took" value=${format.duration(trace.durationMs)} note=${html`from <${Clock} at=${trace.startedAt} />`} />
      <${Figure} label="Steps" value=${format.number(trace.steps.length)} />
      <${Figure} label="Stored" value=${format.number((trace.hops ?? []).length)} note=${(trace.hops ?? []).map(({ store }) => store).join(', ')} />
      <${Figure} label="Delivery attempts" value=${format.number(delivered)} />
    </div>
    <div class="trace-columns">
      <${Card} title="Timeline" flush note="click a step to see what it changed">
        <ol class="timeline">
          ${entries.map((entry) => html`<${Entry} key=${entry.key} entry=${entry} begin=${begin} length=${length} current=${entry.key === current?.key} onChoose=${() => setChosen(entry.key)} />`)}
        </ol>
      <//>
      ${current && html`<${Detail} entry=${current} bodies=${trace.bodies} hidden=${trace.bodiesHidden} />`}
    </div>`;
}

function hasChanges({ changes }) {
  return (
    changes && (changes.properties?.length > 0 || changes.headers?.length > 0 || changes.bodyChanged || changes.body)
  );
}

const ICONS = { step: 'mediator', hop: 'store', delivery: 'processor' };

function Entry({ entry, begin, length, current, onChoose }) {
  const { type, depth, title, note, at, durationMs, outcome, branch } = entry;
  const left = Math.min(99, ((at - begin) / length) * 100);
  const width = Math.max(0.6, Math.min(100 - left, ((durationMs ?? 0) / length) * 100));
  const failed = outcome === 'fault' || outcome === 'retry' || outcome === 'dead' || outcome === 'failed';
  return html`<li>
    <button type="button" class=${`entry ${type} ${failed ? 'failed' : ''}`} aria-pressed=${current} onClick=${onChoose}>
      <span class="entry-title" style=${{ paddingLeft: `${Math.min(depth, 8) * 16}px` }}>
        <${Icon} name=${ICONS[type]} size=${15} /><b>${title}</b>${note && html`<small>${note}</small>`}${branch && note !== branch && html`<small class="branch">${branch}</small>`}
      </span>
      <span class="entry-marks">${hasChanges(entry) && html`<i class="changed" title=${marksText(entry)}></i><span class="sr">${marksText(entry)}</span>`}${failed && html`<i class="bad" title="failed"></i>`}</span>
      <span class="entry-bar" aria-hidden="true"><i style=${{ left: `${left}%`, width: `${width}%` }}></i></span>
      <span class="entry-time">${type === 'hop' ? `+${format.duration(at - begin)}` : format.duration(durationMs)}</span>
    </button>
  </li>`;
}

function marksText({ changes }) {
  if (!hasChanges({ changes })) return '';
  const { properties = [], headers = [], body, bodyChanged } = changes;
  const parts = [
    properties.length && format.counted(properties.length, 'property', 'properties'),
    headers.length && format.counted(headers.length, 'header'),
    (body || bodyChanged) && 'body',
  ];
  return `changed ${parts.filter(Boolean).join(', ')}`;
}

function Detail({ entry, bodies, hidden }) {
  const { type, title, file, line, error, cause, outcome, status, endpoint, branch, name } = entry;
  const facts = [
    name && ['Name', name],
    branch && ['Branch taken', branch],
    status && ['Status', status],
    endpoint && ['Endpoint', endpoint],
    ['Outcome', html`<${State} state=${outcome}>${OUTCOMES[outcome]}<//>`],
    ['At', html`<${Clock} at=${entry.at} />`],
    entry.durationMs !== undefined && ['Took', format.duration(entry.durationMs)],
  ].filter(Boolean);
  return html`<${Card} class="trace-detail" title=${title} note=${file && html`<a href=${sourceAt(file, line)}>${format.fileName(file)}:${line}</a>`}>
    ${(error ?? cause) && html`<${Notice} tone="bad"><strong>${error ?? cause}</strong><//>`}
    <dl class="facts compact">${facts.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
    ${type === 'hop' && html`<p><a href=${to(['stores', entry.store, 'messages', entry.messageId])}>Look at the message in ${entry.store}</a></p>`}
    ${type === 'delivery' && html`<p><a href=${to(['processors', entry.processor])}>Look at ${entry.processor}</a></p>`}
    ${type === 'step' && html`<${Changes} changes=${entry.changes} bodies=${bodies} hidden=${hidden} />`}
  <//>`;
}

const OUTCOMES = { on: 'went on', stopped: 'ended here' };

function Changes({ changes, bodies, hidden }) {
  if (!hasChanges({ changes })) return html`<p class="muted nothing">It changed nothing of the message.</p>`;
  const { properties = [], headers = [], body, bodyChanged } = changes;
  return html`
    ${properties.length > 0 && html`<h3>Properties</h3><${Values} rows=${properties} />`}
    ${headers.length > 0 && html`<h3>Headers</h3><${Values} rows=${headers} />`}
    ${body && html`<h3>Body${body.truncated && html` <small class="muted">the beginning</small>`}</h3><${Diff} before=${body.before ?? ''} after=${body.after ?? ''} language=${body.language} />`}
    ${!body && bodyChanged && html`<h3>Body</h3><p class="muted">It is another one now.${hidden ? ' Bodies are shown to operators only.' : !bodies && ' Bodies are kept when tracing is told to.'}</p>`}`;
}

function Values({ rows }) {
  return html`<ul class="changes">
    ${rows.map(
      ({ scope, name, before, after }, index) => html`<li key=${index}>
        <span class="changes-name">${name}${scope && scope !== 'default' && html` <small>${scope}</small>`}</span>
        ${before !== undefined && html`<del class="mono">${before}</del>`} ${after === undefined ? html`<small class="muted">removed</small>` : html`<ins class="mono">${after}</ins>`}
      </li>`,
    )}
  </ul>`;
}
