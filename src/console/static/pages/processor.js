import { Icon } from '../components/icon.js';
import { Card, Empty, Facts, Figure, Notice, Page } from '../components/page.js';
import { State, stateText, Tag, toneOf } from '../components/state.js';
import { Table } from '../components/table.js';
import { Clock, Countdown, For } from '../components/time.js';
import * as format from '../format.js';
import { html } from '../html.js';
import { kindOf, reasonOf, useProcessors } from '../processors-now.js';
import { sourceAt, to } from '../router.js';
import { steer } from './processor-actions.js';

/** One message processor: its state and why, what it does next, how it fares. @param {{name: string}} props */
export function Processor({ name }) {
  const { processors } = useProcessors();
  const processor = processors?.find((one) => one.name === name);
  const crumbs = [{ text: 'Processors', href: to(['processors']) }];
  if (!processor)
    return html`<${Page} title=${name} crumbs=${crumbs}>
      ${processors ? html`<${Card}><${Empty} icon="processor" title="No message processor of this name is deployed"><p>It was undeployed, or has another name. <a href=${to(['processors'])}>See all processors</a>.</p><//><//>` : html`<div class="skeleton"><i></i><i></i><i></i></div>`}
    <//>`;
  const { state, stuck, store, target, type } = processor;
  return html`<${Page} name=${name} crumbs=${crumbs} actions=${html`<${Actions} processor=${processor} />`}
    title=${html`${name}<${State} state=${state} tone=${stuck ? 'bad' : undefined}>${stuck ? 'Stuck' : undefined}<//>`}
    lead=${html`<a href=${to(['stores', store])}>${store}</a> → ${target ?? 'a sequence'} · ${kindOf(type)}`}>
    <${Why} processor=${processor} />
    <${Figures} processor=${processor} />
    <div class="columns">
      <${Runs} processor=${processor} />
      <${About} processor=${processor} />
    </div>
    <${Workers} processor=${processor} />
  <//>`;
}

function Actions({ processor: { name, state, status, file, line } }) {
  const button = (action, icon, text, kind) =>
    html`<button type="button" class=${kind} onClick=${() => steer(name, action)}><${Icon} name=${icon} size=${16} />${text}</button>`;
  return html`
    ${status === 'active' ? [button('pause', 'pause', 'Pause'), button('deactivate', 'cross', 'Deactivate')] : [button('step', 'step', 'Deliver one'), button(state === 'PAUSED' ? 'resume' : 'activate', 'play', 'Activate', 'primary')]}
    ${file && html`<a class="button" href=${sourceAt(file, line)}>Source</a>`}`;
}

function Why({ processor }) {
  const { state, stuck, since, by, lastError, failingMessageId, store } = processor;
  const tone = stuck ? 'bad' : toneOf(state);
  if (tone === 'good') return null;
  const reason = reasonOf(processor);
  return html`<${Notice} tone=${tone}>
    <strong>${stuck ? 'Stuck' : stateText(state)}${reason && `: ${reason}`}</strong>
    <div>For <${For} since=${since} />${by && `, by ${by}`}.
      ${lastError && lastError !== reason && html` Last error: ${lastError}.`}
      ${failingMessageId && html` The message is <a class="mono" href=${to(['stores', store, 'messages', failingMessageId])}>${format.shortId(failingMessageId)}</a>.`}
    </div>
  <//>`;
}

function Figures({ processor: { counters = {}, successPerSecond, latencyMs, nextActionAt, current } }) {
  return html`<div class="figures">
    <${Figure} label=${current ? 'In hand' : 'Next action'} value=${current ? `Attempt ${current.attempt}` : html`<${Countdown} until=${nextActionAt} />`} note=${current && html`<span class="mono">${format.shortId(current.id)}</span>`} />
    <${Figure} label="Delivered" value=${format.number(counters.delivered ?? 0)} note=${`${format.rate(successPerSecond)} per second`} />
    <${Figure} label="Retried" value=${format.number(counters.retried ?? 0)} tone=${counters.retried ? 'busy' : ''} />
    <${Figure} label="Failed" value=${format.number(counters.failed ?? 0)} tone=${counters.failed ? 'bad' : ''} />
    <${Figure} label="Latency p50" value=${format.duration(latencyMs?.p50)} note=${latencyMs ? `p95 ${format.duration(latencyMs.p95)} · p99 ${format.duration(latencyMs.p99)}` : 'no deliveries yet'} />
  </div>`;
}

function Runs({ processor: { nextRuns } }) {
  if (!nextRuns?.length) return null;
  return html`<${Card} title="Next runs" note="by its schedule">
    <ol class="runs">${nextRuns.map((at) => html`<li key=${at}><${Clock} at=${at} /><span class="muted">in <${Countdown} until=${at} /></span></li>`)}</ol>
  <//>`;
}

function About({ processor }) {
  const { counters = {}, cluster, since, by, file, line, type, lastError } = processor;
  const shown = ['delivered', 'retried', 'failed'];
  return html`<${Card} title="About">
    <${Facts} rows=${[
      ['Type', kindOf(type)],
      ['In this state for', html`<${For} since=${since} />`],
      ['Brought there by', by],
      // What the notice above says is not said twice.
      lastError &&
        lastError !== reasonOf(processor) && ['Last error', html`<span class="bad-text">${lastError}</span>`],
      ...Object.entries(counters)
        .filter(([name, count]) => !shown.includes(name) && count > 0)
        .map(([name, count]) => [stateText(name), format.number(count)]),
      cluster && [
        'Cluster',
        Object.entries(cluster).map(([key, value]) => html`<${Tag} key=${key}>${key}: ${String(value)}<//> `),
      ],
      [
        'Log lines',
        html`<button type="button" class="small" onClick=${() => changeLevel(processor.name)}>Change the level</button>`,
      ],
      file && ['Written in', html`<a href=${sourceAt(file, line)}>${format.fileName(file)}:${line}</a>`],
    ]} />
  <//>`;
}

/** @type {import('../components/table.js').Column[]} */
const WORKER_COLUMNS = [
  { title: 'Worker', cell: ({ name }) => html`<span class="name">${name}</span>` },
  { title: 'Does', cell: ({ activity }) => stateText(activity) },
  {
    title: 'Message',
    cell: ({ message }) =>
      message ? html`<span class="mono">${format.shortId(message.id)}</span>, attempt ${message.attempt}` : '–',
  },
  { title: 'Next', class: 'num', cell: ({ nextActionAt }) => html`<${Countdown} until=${nextActionAt} />` },
];

function Workers({ processor: { workers = [] } }) {
  if (workers.length < 2) return null;
  return html`<${Card} title="Workers" flush><${Table} caption="Workers" rows=${workers} columns=${WORKER_COLUMNS} /><//>`;
}

/** Loaded when it is wanted, as few pages ever need it. */
async function changeLevel(name) {
  const { changeLogLevel } = await import('./log-levels.js');
  await changeLogLevel({ kind: 'messageProcessor', name });
}
