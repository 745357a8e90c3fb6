import { change, segment } from '../api.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago, Clock, Countdown } from '../components/time.js';
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
  return html`<${Page} title="Jobs" lead="Work on many messages: what runs, what has ended, what is planned">
    <${Planned} />
    <${Card} title="Running and ended" flush>
      <${Loading} of=${jobs} what="the jobs">
        ${({ list }) =>
          list.length === 0
            ? html`<${Empty} icon="job" title="No jobs yet"><p>Resending, moving or deleting many messages shows its progress here.</p><//>`
            : html`<${Table} caption="Jobs" rows=${list} columns=${columnsOf(cancel)} keyOf=${({ id }) => id} />`}
      <//>
    <//>
  <//>`;
}

/** Resends that wait for their time, and what became of them (OP-63). */
function Planned() {
  const resends = useResource('scheduled-resends', { events: ['job', 'audit'], every: 5000 });
  const list = resends.data?.list ?? [];
  if (list.length === 0) return null;
  const cancel = async (id) => {
    await doing(() => change('DELETE', `scheduled-resends/${segment(id)}`), 'It will not be resent');
    await resends.reload();
  };
  return html`<${Card} title="Planned resends" flush><${Table} caption="Planned resends" rows=${list} columns=${plannedColumns(cancel)} keyOf=${({ id }) => id} /><//>`;
}

/** @returns {import('../components/table.js').Column[]} */
function plannedColumns(cancel) {
  return [
    {
      title: 'What',
      cell: ({ store, what, target, by }) =>
        html`<span class="name">resend from <a href=${to(['stores', store])}>${store}</a></span><span class="sub">${what}${target && ` to ${target}`} · by ${by}</span>`,
    },
    {
      title: 'State',
      cell: ({ state, problem, done, failed }) =>
        html`<${State} state=${state} tone=${state === 'waiting' ? 'busy' : undefined} />${(problem ?? done !== undefined) && html`<span class="sub">${problem ?? `${format.number(done)} resent${failed ? `, ${format.number(failed)} not` : ''}`}</span>`}`,
    },
    {
      title: 'When',
      class: 'fit',
      cell: ({ state, at, nextAt }) =>
        html`<${Clock} at=${at} />${state === 'waiting' && html`<span class="sub">in <${Countdown} until=${nextAt} /></span>`}`,
    },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: ({ id, state }) =>
        (state === 'waiting' || state === 'running') &&
        html`<button type="button" class="small" onClick=${() => cancel(id)}>Cancel</button>`,
    },
  ];
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
