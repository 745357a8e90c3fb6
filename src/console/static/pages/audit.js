import { List } from '../components/list.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State } from '../components/state.js';
import { Clock } from '../components/time.js';
import { number } from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';

/** All that the server has at hand. */
const KEPT = 1000;

/** Who has done what (OP-66). */
export default function Audit() {
  const audit = useResource(`audit?limit=${KEPT}`, { events: ['audit'], every: 10_000 });
  // An entry keeps its key when others come before it.
  const rowsOf = (list) => list.map((entry, index) => ({ ...entry, key: String(list.length - index) }));
  return html`<${Page} title="Audit" lead="Who has done what, from where, and with what result">
    <${Loading} of=${audit} what="the audit log">
      ${({ list }) =>
        list.length > 0
          ? html`<${List} label="User, action or name" textOf=${(entry) => Object.values(entry).join(' ')} few=${0} caption="Audit log, newest first" rows=${rowsOf(list)} columns=${COLUMNS} keyOf=${({ key }) => key}
              note=${list.length === KEPT && `the newest ${number(KEPT)}; older ones are in the audit file of the server`} />`
          : html`<${Card}><${Empty} icon="audit" title="Nobody has changed anything yet"><p>Every action of a user or a script is written down here.</p><//><//>`}
    <//>
  <//>`;
}

function toneOfResult(result) {
  if (result === 'running') return 'busy';
  return /^done/.test(result) ? 'good' : 'bad';
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  { title: 'When', class: 'fit', cell: ({ time }) => html`<${Clock} at=${time} />` },
  {
    title: 'Who',
    cell: ({ who, role, from }) => html`<span class="name">${who}</span><span class="sub">${role} · ${from}</span>`,
  },
  {
    title: 'Action',
    cell: ({ action, type, name }) =>
      html`<span class="name">${action}</span> <span class="break">${name}</span><span class="sub">${String(type).replaceAll('_', ' ')}</span>`,
  },
  { title: 'Detail', class: 'wide hide-s', cell: ({ detail }) => detail },
  { title: 'Count', class: 'num hide-s', cell: ({ count }) => number(count) },
  {
    title: 'Result',
    class: 'fit',
    cell: ({ result }) => html`<${State} tone=${toneOfResult(result)}>${result}<//>`,
  },
];
