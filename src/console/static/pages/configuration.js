import { useState } from 'preact/hooks';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { Tag } from '../components/state.js';
import { Table } from '../components/table.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';

/** The settings in effect, and who has said so. */
export default function Configuration() {
  const [text, setText] = useState('');
  const [changed, setChanged] = useState(false);
  const configuration = useResource('configuration');
  const wanted = text.trim().toLowerCase();
  const rowsOf = (list) =>
    list.filter(
      ({ key, value, description = '', origin }) =>
        `${key} ${JSON.stringify(value)} ${description}`.toLowerCase().includes(wanted) &&
        !(changed && origin === 'default'),
    );
  return html`<${Page} title="Configuration" lead="The settings in effect: flags over environment over file over defaults">
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <input type="search" placeholder="Key, value or description" aria-label="Key, value or description" value=${text} onInput=${(event) => setText(event.target.value)} />
      <label class="choice"><input type="checkbox" checked=${changed} onChange=${(event) => setChanged(event.target.checked)} />Only what differs from the defaults</label>
    </form>
    <${Card} flush>
      <${Loading} of=${configuration} what="the configuration">
        ${({ list }) => {
          const rows = rowsOf(list);
          return rows.length
            ? html`<${Table} caption="Settings" rows=${rows} columns=${COLUMNS} keyOf=${({ key }) => key} />`
            : html`<${Empty} icon="search" title="No setting matches" />`;
        }}
      <//>
    <//>
  <//>`;
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  {
    title: 'Setting',
    cell: ({ key, description }) => html`<code class="name">${key}</code><span class="sub">${description}</span>`,
  },
  { title: 'Value', cell: ({ value }) => html`<span class="mono value">${shown(value)}</span>` },
  {
    title: 'From',
    class: 'fit',
    cell: ({ origin, where }) =>
      html`${origin === 'default' ? html`<span class="muted">default</span>` : html`<${Tag}>${origin}<//>`}${where && html`<span class="sub cut" title=${where}>${where}</span>`}`,
  },
  { title: 'Default', class: 'hide-s', cell: (row) => html`<span class="mono muted">${shown(row.default)}</span>` },
];

function shown(value) {
  if (value === undefined || value === null) return '–';
  return typeof value === 'string' ? value || '(empty)' : JSON.stringify(value);
}
