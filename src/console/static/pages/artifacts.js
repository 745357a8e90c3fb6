import { Card, Empty, Loading, Page, Tabs } from '../components/page.js';
import { ProblemFrame } from '../components/problem-frame.js';
import { ServerList } from '../components/server-list.js';
import { State, Tag } from '../components/state.js';
import { usePages } from '../components/table.js';
import { Ago } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { useLive } from '../live.js';
import { placeOf, sourceAt, to } from '../router.js';
import { Deployments } from './deployments.js';
import { FileHistory } from './file-history.js';

/** When the lists are read again. */
const CHANGES = { events: ['deployment'], every: 10_000 };
/** Problems with their lines on one page. */
const PROBLEMS = 20;

/** What is deployed, what is wrong with it, and what was deployed when. */
export default function Artifacts({ place }) {
  const [, view = ''] = place.segments;
  if (view === 'history')
    return html`<${FileHistory} key=${place.query.file} file=${place.query.file} query=${place.query} />`;
  return html`<${Views} view=${view} />`;
}

function Views({ view }) {
  const { overview } = useLive();
  const artifacts = useResource('artifacts?problems=true', CHANGES);
  const problems = artifacts.data?.list ?? [];
  const all = overview?.counts.artifacts;
  const count = (number) => (number === undefined ? undefined : format.number(number));
  const tabs = [
    { text: 'Problems', href: to(['artifacts']), current: view === '', count: count(artifacts.data?.count) },
    { text: 'All artifacts', href: to(['artifacts', 'all']), current: view === 'all', count: count(all) },
    { text: 'Deployments', href: to(['artifacts', 'deployments']), current: view === 'deployments' },
  ];
  return html`<${Page} title="Artifacts" lead="What is deployed, and what is wrong with what is not">
    <${Tabs} tabs=${tabs} label="Views of the artifacts" />
    ${view === 'deployments' && html`<${Deployments} problems=${problems} />`}
    ${view === 'all' && html`<${All} count=${all} />`}
    ${view === '' && html`<${Loading} of=${artifacts} what="the artifacts">${() => html`<${Problems} problems=${problems} count=${all} />`}<//>`}
  <//>`;
}

function Problems({ problems, count }) {
  const sorted = [...problems].sort(
    (left, right) => Number(right.state === 'faulty') - Number(left.state === 'faulty'),
  );
  const { rows, pager, frame } = usePages(sorted, PROBLEMS);
  if (problems.length === 0)
    return html`<${Card}><${Empty} title="No artifact has a problem"><p>${count !== undefined && `${format.counted(count, 'artifact is', 'artifacts are')} deployed. `}Errors appear here with the lines they are in.</p><//><//>`;
  return html`<div class="stack" ref=${frame}>${rows.map(
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
  )}</div>${pager()}`;
}

function All({ count }) {
  return html`<${ServerList} path="artifacts" what="the artifacts" label="Name, kind or file" of=${count} ...${CHANGES} caption="Artifacts" columns=${COLUMNS}
    keyOf=${({ kind, name, file }) => `${kind}:${name}:${file}`} href=${({ file, line }) => sourceAt(file, line)} />`;
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
  { title: 'Revision', class: 'num hide-s', cell: ({ revision }) => revision || '–' },
  { title: 'Deployed', class: 'fit hide-s', cell: ({ deployedAt }) => html`<${Ago} at=${deployedAt} />` },
];
