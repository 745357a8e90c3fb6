import { List } from '../components/list.js';
import { Card, Empty, Page } from '../components/page.js';
import { Sparkline } from '../components/sparkline.js';
import { State, stateText, Tag, toneOf } from '../components/state.js';
import * as format from '../format.js';
import { html } from '../html.js';
import { trailOf } from '../live.js';
import { to } from '../router.js';
import { depthText, storeKind, useStores, useTrails } from '../stores-now.js';
import { Compare } from './compare.js';
import { Message } from './message.js';
import { Store } from './store.js';

/** All stores, one of them, or one of its messages, as the address says. */
export default function Stores({ place }) {
  const [, name, part, id] = place.segments;
  if (name && part === 'messages' && id) return html`<${Message} key=${`${name}/${id}`} store=${name} id=${id} />`;
  if (name && part === 'compare')
    return html`<${Compare} store=${name} left=${place.query.left} right=${place.query.right} />`;
  if (name) return html`<${Store} key=${name} name=${name} part=${part ?? ''} query=${place.query} />`;
  return html`<${StoreList} />`;
}

function StoreList() {
  const { stores } = useStores();
  useTrails(stores);
  const waiting = (stores ?? []).reduce((sum, { depth }) => sum + (depth ?? 0), 0);
  return html`<${Page} title="Stores" lead=${stores && `${format.counted(waiting, 'message')} in ${format.counted(stores.length, 'store')}`}>
    ${
      stores?.length > 0
        ? html`<${List} label="Name, kind, state or consumer" textOf=${textOf} caption="Message stores" rows=${stores} columns=${COLUMNS} href=${({ name }) => to(['stores', name])} />`
        : html`<${Card} flush>
            ${
              stores
                ? html`<${Empty} icon="store" title="No message stores are deployed">
                    <p>Put a <code>messageStore</code> artifact into the artifacts folder; it appears here within a second.</p>
                  <//>`
                : html`<div class="skeleton"><i></i><i></i><i></i></div>`
            }
          <//>`
    }
  <//>`;
}

function textOf({ name, type, state, consumers = [] }) {
  return [name, storeKind(type), stateText(state), ...consumers].join(' ');
}

/** @type {import('../components/table.js').Column[]} */
const COLUMNS = [
  {
    title: 'Store',
    cell: ({ name, type, durable }) => html`<a class="name" href=${to(['stores', name])}>${name}</a>
      <span class="sub">${storeKind(type)}${durable === false && ' · gone with the process'}</span>`,
  },
  {
    title: 'State',
    cell: ({ state, lastError }) =>
      html`<${State} state=${state} title=${lastError} />${toneOf(state) !== 'good' && lastError && html`<span class="sub cut" title=${lastError}>${lastError}</span>`}`,
  },
  { title: 'Waiting', class: 'num', cell: (store) => html`<strong class="depth">${depthText(store)}</strong>` },
  {
    title: 'Last minutes',
    class: 'fit hide-s',
    cell: ({ name, state }) =>
      html`<${Sparkline} values=${trailOf(name)} slots=${90} label=${`Depth of ${name}`} tone=${toneOf(state) === 'bad' ? 'bad' : ''} />`,
  },
  { title: 'In /s', class: 'num hide-s', cell: ({ inPerSecond }) => format.rate(inPerSecond) },
  { title: 'Out /s', class: 'num hide-s', cell: ({ outPerSecond }) => format.rate(outPerSecond) },
  {
    title: 'Oldest',
    class: 'num',
    cell: ({ oldestAgeMs }) => (oldestAgeMs === null || oldestAgeMs === undefined ? '–' : format.span(oldestAgeMs)),
  },
  {
    title: 'Failures',
    class: 'num hide-s',
    cell: ({ failures }) => (failures ? html`<span class="bad-text">${format.number(failures)}</span>` : '0'),
  },
  {
    title: 'Consumers',
    class: 'hide-s',
    cell: ({ consumers = [], failover, failoverOf = [] }) => html`<span class="links">
      ${consumers.map((name) => html`<a key=${name} href=${to(['processors', name])}>${name}</a>`)}
      ${consumers.length === 0 && !failover && html`<span class="muted">nobody</span>`}
      ${failover && html`<${Tag} title="Takes messages while this store is out of reach">fails over to ${failover}<//>`}
      ${failoverOf.map((name) => html`<${Tag} key=${name}>stands in for ${name}<//>`)}
    </span>`,
  },
];
