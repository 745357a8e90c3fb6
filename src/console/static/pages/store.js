import { useMemo, useState } from 'preact/hooks';
import { segment } from '../api.js';
import { Chart } from '../components/chart.js';
import { Card, Empty, Facts, Figure, Loading, Notice, Page, Tabs } from '../components/page.js';
import { State, toneOf } from '../components/state.js';
import { Ago, For } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { sourceAt, to } from '../router.js';
import { depthText, storeKind, useStores } from '../stores-now.js';
import { Failures } from './failures.js';
import { Messages } from './messages.js';

const HOUR_MS = 3_600_000;
/** A young server's lines do not begin at the right edge of an empty hour. */
const LEAST_MS = 600_000;

/** One store: how it fares, its messages, its failures. @param {{name: string, part: string, query: Record<string, string>}} props */
export function Store({ name, part, query }) {
  const { stores } = useStores();
  const store = stores?.find((one) => one.name === name);
  if (stores && !store) return html`<${NoSuchStore} name=${name} />`;
  const tabs = [
    { text: 'Depth and rates', href: to(['stores', name]), current: part === '' },
    {
      text: 'Messages',
      href: to(['stores', name, 'messages']),
      current: part === 'messages',
      count: store ? depthText(store) : undefined,
    },
    { text: 'Failures by cause', href: to(['stores', name, 'failures']), current: part === 'failures' },
  ];
  return html`<${Page} name=${name} crumbs=${[{ text: 'Stores', href: to(['stores']) }]}
    title=${html`${name}${store && html`<${State} state=${store.state} />`}`}
    lead=${store && html`${storeKind(store.type)}${store.durable === false && ' · messages are kept while the process lives'}`}
    actions=${store?.file && html`<a class="button" href=${sourceAt(store.file, store.line)}>Source</a>`}>
    ${store && toneOf(store.state) !== 'good' && html`<${Notice} tone=${toneOf(store.state)}><strong>${store.lastError ?? 'The store is not ready.'}</strong> For <${For} since=${store.since} />.<//>`}
    <${Tabs} tabs=${tabs} label="Views of the store" />
    ${part === '' && store && html`<${Fares} name=${name} store=${store} />`}
    ${part === 'messages' && html`<${Looked} key=${name} store=${store}>${(live) => html`<${Messages} store=${name} depth=${store?.depth} query=${query} live=${live} />`}<//>`}
    ${part === 'failures' && html`<${Looked} key=${name} store=${store}>${(live) => html`<${Failures} store=${name} live=${live} />`}<//>`}
  <//>`;
}

function NoSuchStore({ name }) {
  return html`<${Page} title=${name} crumbs=${[{ text: 'Stores', href: to(['stores']) }]}>
    <${Card}><${Empty} icon="store" title="No store of this name is deployed"><p>It was undeployed, or has another name. <a href=${to(['stores'])}>See all stores</a>.</p><//><//>
  <//>`;
}

/** Where looking leaves a mark on the messages, nothing is looked at before somebody asks for it, and nothing again by itself. */
function Looked({ store, children }) {
  const [asked, setAsked] = useState(false);
  if (!store) return null;
  const live = store.browsing !== 'marks';
  if (live || asked) return children(live);
  return html`<${Card}><${Empty} icon="store" title="Looking leaves a mark">
    <p>To be looked at, messages are handed over by ${storeKind(store.type)} and given back: they are marked as redelivered.</p>
    <button type="button" class="primary" onClick=${() => setAsked(true)}>Look into the queue</button>
  <//><//>`;
}

function Fares({ name, store }) {
  const history = useResource(`message-stores/${segment(name)}/history?minutes=60`, { every: 5000 });
  return html`${store && html`<${Now} store=${store} />`}
    <${Loading} of=${history} what="the history of the last hour">${(data) => html`<${Charts} data=${data} name=${name} />`}<//>
    ${store && html`<${About} store=${store} />`}`;
}

function Now({ store }) {
  const { oldestAgeMs, inPerSecond, outPerSecond, failures, enqueued, dequeued } = store;
  return html`<div class="figures">
    <${Figure} label="Waiting" value=${depthText(store)} note=${store.measuredAt && html`measured <${Ago} at=${store.measuredAt} />`} />
    <${Figure} label="Oldest message" value=${oldestAgeMs === null || oldestAgeMs === undefined ? '–' : format.span(oldestAgeMs)} />
    <${Figure} label="Stored" value=${format.rate(inPerSecond)} unit="/s" note=${`${format.number(enqueued)} since the start`} />
    <${Figure} label="Taken" value=${format.rate(outPerSecond)} unit="/s" note=${`${format.number(dequeued)} since the start`} />
    <${Figure} label="Could not be stored" value=${format.number(failures ?? 0)} tone=${failures ? 'bad' : ''} />
  </div>`;
}

function Charts({ data: { points, resolutionMs }, name }) {
  const series = useMemo(() => {
    const perSecond = (count) => (count * 1000) / (resolutionMs || 5000);
    return {
      times: points.map(({ t }) => format.epoch(t)),
      depth: points.map(({ depth }) => depth),
      stored: points.map((point) => perSecond(point.in)),
      taken: points.map((point) => perSecond(point.out)),
      from: Math.min(Date.now() - LEAST_MS, Math.max(Date.now() - HOUR_MS, format.epoch(points[0]?.t) ?? 0)),
    };
  }, [points]);
  if (points.length < 2)
    return html`<${Card} title="The last hour"><${Empty} icon="health" title="The chart begins in a few seconds" /><//>`;
  const minutes = Math.round((Date.now() - series.from) / 60_000);
  const note = minutes >= 59 ? 'last hour' : `last ${minutes} minutes`;
  return html`<div class="columns">
    <${Card} title="Waiting messages" note=${note}>
      <${Chart} label=${`Depth of ${name}, ${note}`} times=${series.times} from=${series.from} format=${format.short} whole
        lines=${[{ label: 'waiting', values: series.depth, color: '--chart-1', fill: true }]} />
    <//>
    <${Card} title="Rates per second" note=${note}>
      <${Chart} label=${`Messages stored in and taken from ${name} per second, ${note}`} times=${series.times} from=${series.from} format=${format.rate}
        lines=${[
          { label: 'stored', values: series.stored, color: '--chart-2', fill: true },
          { label: 'taken', values: series.taken, color: '--chart-3' },
        ]} />
    <//>
  </div>`;
}

function About({ store }) {
  const { consumers = [], failover, failoverOf = [], type, durable, since, state, file, line } = store;
  return html`<${Card} title="About">
    <${Facts} rows=${[
      ['Type', type],
      [
        'Durable',
        durable === undefined ? '–' : durable ? 'yes: messages outlive the process' : 'no: messages live in memory',
      ],
      ['State', html`<${State} state=${state} /> for <${For} since=${since} />`],
      [
        'Consumers',
        consumers.length
          ? html`<span class="links">${consumers.map((one) => html`<a key=${one} href=${to(['processors', one])}>${one}</a>`)}</span>`
          : 'nobody takes messages',
      ],
      failover && ['Fails over to', html`<a href=${to(['stores', failover])}>${failover}</a>`],
      failoverOf.length > 0 && [
        'Stands in for',
        failoverOf.map((one) => html`<a key=${one} href=${to(['stores', one])}>${one}</a> `),
      ],
      [
        'Log lines',
        html`<button type="button" class="small" onClick=${() => changeLevel(store.name)}>Change the level</button>`,
      ],
      file && ['Written in', html`<a href=${sourceAt(file, line)}>${format.fileName(file)}:${line}</a>`],
    ]} />
  <//>`;
}

/** Loaded when it is wanted, as few pages ever need it. */
async function changeLevel(name) {
  const { changeLogLevel } = await import('./log-levels.js');
  await changeLogLevel({ kind: 'messageStore', name });
}
