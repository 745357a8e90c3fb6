import { useState } from 'preact/hooks';
import { Card, Empty, Loading, Page, Tabs } from '../components/page.js';
import { ProblemFrame } from '../components/problem-frame.js';
import { State, Tag } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { placeOf, sourceAt, to } from '../router.js';
import { FileHistory, historyOf } from './file-history.js';

/** What is deployed, what is wrong with it, and what was deployed when. */
export default function Artifacts({ place }) {
  const [, view = ''] = place.segments;
  if (view === 'history')
    return html`<${FileHistory} key=${place.query.file} file=${place.query.file} query=${place.query} />`;
  return html`<${Views} view=${view} />`;
}

function Views({ view }) {
  const artifacts = useResource('artifacts', { events: ['deployment'], every: 10_000 });
  const list = artifacts.data?.list ?? [];
  const problems = list.filter((artifact) => artifact.problems?.length || artifact.state === 'faulty');
  const tabs = [
    { text: 'Problems', href: to(['artifacts']), current: view === '', count: artifacts.data && problems.length },
    {
      text: 'All artifacts',
      href: to(['artifacts', 'all']),
      current: view === 'all',
      count: artifacts.data && list.length,
    },
    { text: 'Deployments', href: to(['artifacts', 'deployments']), current: view === 'deployments' },
  ];
  return html`<${Page} title="Artifacts" lead="What is deployed, and what is wrong with what is not">
    <${Tabs} tabs=${tabs} label="Views of the artifacts" />
    ${view === 'deployments' ? html`<${Deployments} />` : html`<${Loading} of=${artifacts} what="the artifacts">${() => (view === 'all' ? html`<${All} list=${list} />` : html`<${Problems} problems=${problems} count=${list.length} />`)}<//>`}
  <//>`;
}

function Problems({ problems, count }) {
  if (problems.length === 0)
    return html`<${Card}><${Empty} title="No artifact has a problem"><p>${format.counted(count, 'artifact is', 'artifacts are')} deployed. Errors appear here with the lines they are in.</p><//><//>`;
  const sorted = [...problems].sort(
    (left, right) => Number(right.state === 'faulty') - Number(left.state === 'faulty'),
  );
  return sorted.map(
    ({
      kind,
      name,
      file,
      line,
      state,
      problems: found,
      warnings = [],
      deployedAt,
    }) => html`<${Card} key=${`${file}:${kind}:${name}`} flush class=${state === 'faulty' ? 'failed' : ''}
      title=${html`<a href=${sourceAt(file, found[0]?.line ?? line)}>${format.fileName(file)}</a>`}
      note=${html`${kind} ${name}${deployedAt && html` · <${Ago} at=${deployedAt} />`}`} actions=${html`<${State} state=${state} />`}>
      ${state === 'faulty' && warnings.map((warning) => html`<p key=${warning} class="pager">${warning}</p>`)}
      ${found.map((problem, index) => html`<${ProblemFrame} key=${index} problem=${problem} file=${file} />`)}
    <//>`,
  );
}

function All({ list }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const shown = list.filter(({ name, file, kind }) => `${name} ${file} ${kind}`.toLowerCase().includes(wanted));
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <input type="search" placeholder="Name, kind or file" aria-label="Name, kind or file" value=${text} onInput=${(event) => setText(event.target.value)} />
    </form>
    <${Card} flush>
      ${shown.length === 0 ? html`<${Empty} icon="search" title="No artifact matches" />` : html`<${Table} caption="Artifacts" rows=${shown} columns=${COLUMNS} keyOf=${({ kind, name, file }) => `${kind}:${name}:${file}`} href=${({ file, line }) => sourceAt(file, line)} />`}
    <//>`;
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  {
    title: 'Artifact',
    cell: ({ kind, name, file, line }) =>
      html`<a class="name" href=${placeOf(kind, name) ?? sourceAt(file, line)}>${name}</a>`,
  },
  { title: 'Kind', cell: ({ kind }) => html`<${Tag}>${kind}<//>` },
  {
    title: 'State',
    cell: ({ state, warnings = [] }) =>
      html`<${State} state=${state} />${warnings.length > 0 && html`<span class="sub">${format.counted(warnings.length, 'warning')}</span>`}`,
  },
  {
    title: 'File',
    class: 'wide',
    cell: ({ file, line }) => html`<a class="mono" href=${sourceAt(file, line)}>${file}:${line}</a>`,
  },
  { title: 'Revision', class: 'num hide-s', cell: ({ revision }) => revision ?? '–' },
  { title: 'Deployed', class: 'fit hide-s', cell: ({ deployedAt }) => html`<${Ago} at=${deployedAt} />` },
];

function Deployments() {
  const deployments = useResource('deployments?limit=100', { events: ['deployment'] });
  return html`<${Card} flush>
    <${Loading} of=${deployments} what="the deployments">
      ${({ list }) => (list.length === 0 ? html`<${Empty} icon="artifact" title="Nothing was deployed yet" />` : html`<ol class="deployments">${list.map((one, index) => html`<${Deployment} key=${index} deployment=${one} />`)}</ol>`)}
    <//>
  <//>`;
}

/** What is shown of one deployment before the rest is only counted: the first one may bring thousands. */
const SHOWN = 8;

function Deployment({ deployment: { time, version, result, files = [], events = [], problems = [] } }) {
  return html`<li>
    <div class="deployment-head"><${State} state=${result} /><${Ago} at=${time} />${version !== undefined && html`<span class="muted">version ${version}</span>`}</div>
    ${events.length > 0 && html`<p>${events.slice(0, SHOWN).map(({ event, kind, name }, index) => html`<span key=${index} class="event"><b>${event}</b> ${kind} ${name}</span>`)}<${More} of=${events} /></p>`}
    <p>${files.slice(0, SHOWN).map((file) => html`<a key=${file} class="event mono" href=${historyOf(file)} title=${`Versions of ${file}`}>${file}</a>`)}<${More} of=${files} /></p>
    ${problems.map((problem, index) => html`<pre key=${index} class="problem-text">${textOf(problem)}</pre>`)}
  </li>`;
}

function More({ of: { length } }) {
  return length > SHOWN && html`<span class="muted">and ${format.number(length - SHOWN)} more</span>`;
}

function textOf(problem) {
  return typeof problem === 'string' ? problem : (problem.problems ?? [problem.message]).join('\n');
}
