import { Card, Empty, Loading } from '../components/page.js';
import { ProblemFrame } from '../components/problem-frame.js';
import { State } from '../components/state.js';
import { usePages } from '../components/table.js';
import { Ago } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { historyOf } from './file-history.js';

/** All that the server keeps. */
const KEPT = 200;
const PAGE = 25;
/** What is shown of one deployment before the rest is only counted: the first one may bring thousands. */
const SHOWN = 8;

/** What was deployed when, and what was wrong with it (OP-36). @param {{problems: any[]}} props the artifacts that have problems now */
export function Deployments({ problems }) {
  const deployments = useResource(`deployments?limit=${KEPT}`, { events: ['deployment'] });
  return html`<${Loading} of=${deployments} what="the deployments">${({ list }) => html`<${Listed} list=${list} problems=${problems} />`}<//>`;
}

function Listed({ list, problems }) {
  const { rows, pager, frame } = usePages(list, PAGE);
  if (list.length === 0) return html`<${Card}><${Empty} icon="artifact" title="Nothing was deployed yet" /><//>`;
  // What a file says now is what its last deployment has brought.
  const latest = new Map(list.toReversed().flatMap(({ version, files = [] }) => files.map((file) => [file, version])));
  const faults = new Map(
    problems.filter(({ state }) => state === 'faulty').map(({ file, problems: found }) => [file, found]),
  );
  return html`<${Card} flush><ol class="deployments" ref=${frame}>
    ${rows.map((one) => html`<${Deployment} key=${one.version} deployment=${one} frames=${(file) => latest.get(file) === one.version && faults.get(file)} />`)}
  </ol>${pager(list.length === KEPT && `the newest ${KEPT} are kept`)}<//>`;
}

function Deployment({ deployment: { time, version, result, files = [], events = [], problems = [] }, frames }) {
  const verbs = Map.groupBy(events, ({ event }) => event);
  return html`<li>
    <div class="deployment-head"><${State} state=${result} /><${Ago} at=${time} />${version !== undefined && html`<span class="muted">version ${version}</span>`}</div>
    <dl class="brought">
      ${[...verbs].map(([verb, own]) => html`<${Brought} key=${verb} what=${verb} list=${own} shown=${({ kind, name }) => html`<span class="muted">${kind}</span> ${name}`} />`)}
      <${Brought} what="from" list=${files} shown=${(file) => html`<a class="mono" href=${historyOf(file)} title=${`Versions of ${file}`}>${file}</a>`} />
    </dl>
    ${problems.map(({ file, problems: texts }) => {
      const found = frames(file);
      return html`<section key=${file} class="fault"><h3><a class="mono" href=${historyOf(file)}>${format.fileName(file)}</a></h3>
        ${found ? found.map((problem, index) => html`<${ProblemFrame} key=${index} problem=${problem} file=${file} />`) : html`<pre class="problem-text">${texts.join('\n')}</pre>`}</section>`;
    })}
  </li>`;
}

function Brought({ what, list, shown }) {
  if (list.length === 0) return null;
  return html`<div><dt>${what}</dt><dd>
    ${list.slice(0, SHOWN).map((one, index) => html`<span key=${index}>${shown(one)}</span>`)}
    ${list.length > SHOWN && html`<span class="muted">and ${format.number(list.length - SHOWN)} more</span>`}
  </dd></div>`;
}
