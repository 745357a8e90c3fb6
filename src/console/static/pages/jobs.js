import { change, segment } from '../api.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago } from '../components/time.js';
import { doing } from '../components/toast.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { to } from '../router.js';

/** Work on many messages: how far it is, what failed. */
export default function Jobs() {
  const jobs = useResource('jobs', { events: ['job'], every: 2000 });
  const cancel = async (id) => {
    await doing(() => change('DELETE', `jobs/${segment(id)}`), 'The job ends after the message it has in hand');
    await jobs.reload();
  };
  return html`<${Page} title="Jobs" lead="Work on many messages, the newest first">
    <${Card} flush>
      <${Loading} of=${jobs} what="the jobs">
        ${({ list }) =>
          list.length === 0
            ? html`<${Empty} icon="job" title="No jobs yet"><p>Resending, moving or deleting many messages shows its progress here.</p><//>`
            : html`<${Table} caption="Jobs" rows=${list} columns=${columnsOf(cancel)} keyOf=${({ id }) => id} />`}
      <//>
    <//>
  <//>`;
}

/** @returns {import('../components/table.js').Column[]} */
function columnsOf(cancel) {
  return [
    {
      title: 'Job',
      cell: ({ action, store, by }) =>
        html`<span class="name">${action} in <a href=${to(['stores', store])}>${store}</a></span><span class="sub">${by && `by ${by}`}</span>`,
    },
    {
      title: 'State',
      cell: ({ state, problem }) =>
        html`<${State} state=${state} />${problem && html`<span class="sub">${problem}</span>`}`,
    },
    {
      title: 'Progress',
      cell: ({
        done,
        failed,
        total,
        errors = [],
      }) => html`<progress max=${Math.max(1, total)} value=${done + failed} aria-label="Progress"></progress>
        <span class="sub tabular">${format.number(done)} of ${format.number(total)}${failed > 0 && html`, <span class="bad-text" title=${errors.map(({ id, Error: text }) => `${id}: ${text}`).join('\n')}>${format.number(failed)} failed</span>`}</span>`,
    },
    { title: 'Started', class: 'fit', cell: ({ startedAt }) => html`<${Ago} at=${startedAt} />` },
    {
      title: 'Took',
      class: 'num hide-s',
      cell: ({ startedAt, endedAt }) => (endedAt ? format.duration(Date.parse(endedAt) - Date.parse(startedAt)) : '–'),
    },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: ({ id, state }) =>
        state === 'running' && html`<button type="button" class="small" onClick=${() => cancel(id)}>Cancel</button>`,
    },
  ];
}
