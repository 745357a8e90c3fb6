import { useState } from 'preact/hooks';
import { List } from '../components/list.js';
import { Loading, Page } from '../components/page.js';
import { Tag } from '../components/state.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';

/** The settings in effect, and who has said so. */
export default function Configuration() {
  const [changed, setChanged] = useState(false);
  const configuration = useResource('configuration');
  return html`<${Page} title="Configuration" lead="The settings in effect: flags over environment over file over defaults">
    <${Loading} of=${configuration} what="the configuration">
      ${({
        list,
      }) => html`<${List} label="Key, value or description" textOf=${({ key, value, description = '' }) => `${key} ${JSON.stringify(value)} ${description}`}
        rows=${changed ? list.filter(({ origin }) => origin !== 'default') : list} caption="Settings" columns=${COLUMNS} keyOf=${({ key }) => key}
        beside=${html`<label class="choice"><input type="checkbox" checked=${changed} onChange=${(event) => setChanged(event.target.checked)} />Only what differs from the defaults</label>`} />`}
    <//>
  <//>`;
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  {
    title: 'Setting',
    class: 'setting',
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
