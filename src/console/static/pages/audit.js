import { useState } from 'preact/hooks';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { Clock } from '../components/time.js';
import { number } from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';

/** Who has done what (OP-66). */
export default function Audit() {
  const [text, setText] = useState('');
  const audit = useResource('audit?limit=500', { events: ['audit'], every: 10_000 });
  const wanted = text.trim().toLowerCase();
  const rowsOf = (list) =>
    list
      .map((entry, index) => ({ ...entry, key: String(index) }))
      .filter((entry) => Object.values(entry).join(' ').toLowerCase().includes(wanted));
  return html`<${Page} title="Audit" lead="Who has done what, from where, and with what result">
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <input type="search" placeholder="User, action or name" aria-label="User, action or name" value=${text} onInput=${(event) => setText(event.target.value)} />
    </form>
    <${Card} flush>
      <${Loading} of=${audit} what="the audit log">
        ${({ list }) => {
          const rows = rowsOf(list);
          if (rows.length > 0)
            return html`<${Table} caption="Audit log, newest first" rows=${rows} columns=${COLUMNS} keyOf=${({ key }) => key} />`;
          return html`<${Empty} icon="audit" title=${wanted ? 'No entry matches' : 'Nobody has changed anything yet'}><p>Every action of a user or a script is written down here.</p><//>`;
        }}
      <//>
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
