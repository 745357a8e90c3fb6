import { useEffect, useState } from 'preact/hooks';
import { change } from '../api.js';
import { List } from '../components/list.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State, stateText } from '../components/state.js';
import { Countdown } from '../components/time.js';
import { doing } from '../components/toast.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { sourceAt } from '../router.js';

const EVERY_MS = 2000;
/** Of so many the server is asked less often; events tell what changes. */
const MANY = 500;
const MANY_EVERY_MS = 10_000;

/** Endpoints: which answer, which are suspended and until when; on and off. */
export default function Endpoints({ place }) {
  const [many, setMany] = useState(false);
  const endpoints = useResource('endpoints', {
    events: ['endpoint', 'deployment'],
    every: many ? MANY_EVERY_MS : EVERY_MS,
  });
  const list = endpoints.data?.list ?? [];
  useEffect(() => setMany(list.length > MANY), [list.length]);
  const flip = async ({ name, state }) => {
    const on = state === 'OFF';
    await doing(
      () => change('POST', 'endpoints', { name, status: on ? 'active' : 'inactive' }),
      `${name} is switched ${on ? 'on' : 'off'}`,
    );
    await endpoints.reload();
  };
  const { name } = place.query;
  return html`<${Page} title="Endpoints" lead="Where messages are sent to">
    <${Loading} of=${endpoints} what="the endpoints">
      ${() =>
        list.length === 0
          ? html`<${Card}><${Empty} icon="endpoint" title="No named endpoints are deployed"><p>Endpoints inside of sequences are in the graph.</p><//><//>`
          : html`<${List} label="Name, type, state or error" textOf=${textOf} first=${name} caption="Endpoints" rows=${list} columns=${columnsOf(flip)} toneOf=${(row) => (row.name === name ? 'picked' : '')} />`}
    <//>
  <//>`;
}

function textOf({ name, type, state, lastError = '' }) {
  return [name, type, stateText(state), lastError].join(' ');
}

/** @returns {import('../components/table.js').Column[]} */
function columnsOf(flip) {
  return [
    {
      title: 'Endpoint',
      cell: ({ name, type, file, line }) =>
        html`${file ? html`<a class="name" href=${sourceAt(file, line)}>${name}</a>` : html`<span class="name">${name}</span>`}<span class="sub">${type}</span>`,
    },
    {
      title: 'State',
      cell: ({ state, lastError }) =>
        html`<${State} state=${state}>${state === 'OFF' ? 'Switched off' : undefined}<//>${lastError && state !== 'ACTIVE' && html`<span class="sub cut" title=${lastError}>${lastError}</span>`}`,
    },
    {
      title: 'Tried again',
      class: 'num',
      cell: ({ state, suspendedUntil, retriesLeft }) =>
        html`<${Countdown} until=${suspendedUntil} over="with the next message" />${state === 'TIMEOUT' && retriesLeft !== undefined && html`<span class="sub">${format.counted(retriesLeft, 'retry', 'retries')} left</span>`}`,
    },
    { title: 'Requests', class: 'num', cell: ({ requests }) => format.number(requests) },
    {
      title: 'Errors',
      class: 'num',
      cell: ({ errors }) => (errors ? html`<span class="bad-text">${format.number(errors)}</span>` : '0'),
    },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: (row) =>
        html`<button type="button" class="small" onClick=${() => flip(row)}>Switch ${row.state === 'OFF' ? 'on' : 'off'}<span class="sr"> ${row.name}</span></button>`,
    },
  ];
}
