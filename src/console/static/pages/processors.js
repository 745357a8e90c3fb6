import { Icon } from '../components/icon.js';
import { List } from '../components/list.js';
import { Card, Empty, Page } from '../components/page.js';
import { State, stateText } from '../components/state.js';
import { Countdown, For } from '../components/time.js';
import * as format from '../format.js';
import { html } from '../html.js';
import { kindOf, reasonOf, useProcessors } from '../processors-now.js';
import { to } from '../router.js';
import { Processor } from './processor.js';
import { steer } from './processor-actions.js';

/** All message processors, or one of them. */
export default function Processors({ place }) {
  const [, name] = place.segments;
  return name ? html`<${Processor} key=${name} name=${name} />` : html`<${ProcessorList} />`;
}

function ProcessorList() {
  const { processors } = useProcessors();
  return html`<${Page} title="Processors" lead=${processors && summary(processors)}>
    ${
      processors?.length > 0
        ? html`<${List} label="Name, state, reason, store or target" textOf=${textOf} caption="Message processors" rows=${processors} columns=${COLUMNS} href=${({ name }) => to(['processors', name])} />`
        : html`<${Card} flush>
            ${
              processors
                ? html`<${Empty} icon="processor" title="No message processors are deployed">
                    <p>A <code>messageProcessor</code> takes messages out of a store and delivers them.</p>
                  <//>`
                : html`<div class="skeleton"><i></i><i></i><i></i></div>`
            }
          <//>`
    }
  <//>`;
}

function textOf(processor) {
  const { name, state, stuck, store, target } = processor;
  return [name, stateText(state), stuck && 'stuck', reasonOf(processor), store, target].join(' ');
}

function summary(processors) {
  const byState = Map.groupBy(processors, ({ state }) => state);
  return [...byState].map(([state, list]) => `${list.length} ${stateText(state).toLowerCase()}`).join(' · ');
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  {
    title: 'Processor',
    cell: ({ name, store, target, type }) => html`<a class="name" href=${to(['processors', name])}>${name}</a>
      <span class="sub">${store} → ${target ?? kindOf(type)}</span>`,
  },
  {
    title: 'State and reason',
    class: 'reason',
    cell: (processor) => {
      const reason = reasonOf(processor);
      return html`<${State} state=${processor.state} tone=${processor.stuck ? 'bad' : undefined}>${processor.stuck ? 'Stuck' : undefined}<//>
        ${reason ? html`<span class="sub" title=${reason}>${reason}</span>` : html`<span class="sub">for <${For} since=${processor.since} /></span>`}`;
    },
  },
  {
    title: 'Next',
    class: 'num fit',
    cell: ({ nextActionAt, current }) =>
      current
        ? html`now<span class="sub">attempt ${current.attempt}</span>`
        : html`<${Countdown} until=${nextActionAt} />`,
  },
  {
    title: 'Delivered',
    class: 'num',
    cell: ({ counters, successPerSecond }) =>
      html`${format.number(counters?.delivered ?? 0)}<span class="sub">${format.rate(successPerSecond)} /s</span>`,
  },
  {
    title: 'Failed',
    class: 'num',
    cell: ({ counters }) =>
      html`<span class=${counters?.failed ? 'bad-text' : ''}>${format.number(counters?.failed ?? 0)}</span><span class="sub">${format.number(counters?.retried ?? 0)} retried</span>`,
  },
  {
    title: 'Latency p50',
    class: 'num hide-s',
    cell: ({ latencyMs }) =>
      latencyMs
        ? html`${format.duration(latencyMs.p50)}<span class="sub">p99 ${format.duration(latencyMs.p99)}</span>`
        : '–',
  },
  {
    title: html`<span class="sr">Actions</span>`,
    class: 'fit hide-s',
    cell: ({ name, status }) =>
      status === 'active'
        ? html`<button type="button" class="small" onClick=${() => steer(name, 'deactivate')}><${Icon} name="pause" size=${15} />Deactivate<span class="sr"> ${name}</span></button>`
        : html`<button type="button" class="small" onClick=${() => steer(name, 'activate')}><${Icon} name="play" size=${15} />Activate<span class="sr"> ${name}</span></button>`,
  },
];
