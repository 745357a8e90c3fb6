import { Icon } from '../components/icon.js';
import { Card, Empty, Facts, Figure, Page, Problem } from '../components/page.js';
import { Sparkline } from '../components/sparkline.js';
import { State, stateText, toneOf } from '../components/state.js';
import { Ago, Countdown } from '../components/time.js';
import * as format from '../format.js';
import { html } from '../html.js';
import { refreshOverview, trafficTrail, trailOf, useLive } from '../live.js';
import { sourceAt, to } from '../router.js';
import { depthText, storeKind, useTrails } from '../stores-now.js';

/** Of each list, what is seen at a glance; the others are only counted. */
const GLANCE = 12;

/** Is all well, and if not, where to look. */
export default function Overview() {
  const { overview, error } = useLive();
  useTrails(overview?.stores);
  if (!overview)
    return html`<${Page} title="Overview">
      ${
        error
          ? html`<${Problem} error=${{ message: error }} what="the overview" again=${refreshOverview} />`
          : html`<div class="skeleton" role="status"><span class="sr">Loading …</span><i></i><i></i><i></i></div>`
      }
    <//>`;
  const needs = attention(overview);
  const waiting = overview.stores.reduce((sum, { depth }) => sum + (depth ?? 0), 0);
  const { traffic, counts, server } = overview;
  return html`<${Page} title="Overview" lead=${leadOf(overview)}>
    <${Verdict} overview=${overview} needs=${needs} />
    <div class="figures">
      <${Figure} label="Requests" value=${format.rate(traffic.requestsPerSecond)} unit="/s" note=${`${format.number(traffic.inFlight)} in flight`}>
        <${Sparkline} values=${trafficTrail()} slots=${90} label="Requests per second in the last minute and a half" />
      <//>
      <${Figure} label="Errors" value=${format.rate(traffic.errorsPerSecond)} unit="/s" tone=${traffic.errorsPerSecond > 0 ? 'bad' : ''} note="faults and 5xx" />
      <${Figure} label="Waiting in stores" value=${format.number(waiting)} note=${format.counted(overview.stores.length, 'store')} href=${to(['stores'])} />
      <${Figure} label="Processors at work" value=${`${working(overview.processors)}/${overview.processors.length}`} href=${to(['processors'])}
        tone=${working(overview.processors) < overview.processors.length ? 'busy' : ''} note=${`${format.rate(delivering(overview.processors))} delivered /s`} />
      <${Figure} label="Artifacts" value=${format.number(counts.artifacts)} href=${to(['artifacts'])}
        note=${counts.faulty ? html`<span class="bad-text">${format.number(counts.faulty)} faulty</span>` : 'none faulty'} />
    </div>
    <div class="columns">
      <${Card} title="Stores" flush note="depth and rates of now" actions=${html`<a href=${to(['stores'])}>All stores</a>`}>
        ${overview.stores.length ? html`<ul class="glance">${overview.stores.slice(0, GLANCE).map((store) => html`<${StoreGlance} key=${store.name} store=${store} />`)}</ul><${Others} of=${overview.stores} href=${to(['stores'])} />` : html`<${Empty} icon="store" title="No message stores are deployed" />`}
      <//>
      <${Card} title="Processors" flush note="state and why" actions=${html`<a href=${to(['processors'])}>All processors</a>`}>
        ${
          overview.processors.length
            ? html`<ul class="glance processors">${overview.processors.slice(0, GLANCE).map((processor) => html`<${ProcessorGlance} key=${processor.name} processor=${processor} />`)}</ul><${Others} of=${overview.processors} href=${to(['processors'])} />`
            : html`<${Empty} icon="processor" title="No message processors are deployed" />`
        }
      <//>
    </div>
    <${Card} title="Server">
      <${Facts} rows=${[
        ['Name', server.name],
        ['Version', server.version],
        ['Running for', format.span(server.uptimeMs)],
        ['Memory', `${format.size(server.rssBytes)} (heap ${format.size(server.heapBytes)})`],
        ['Event loop delay, p99', format.duration(server.eventLoopP99Ms)],
        ['Node.js', server.node],
        ['Process', server.pid],
        ['Listening on', overview.listeners.map(({ scheme, host, port }) => `${scheme}://${host}:${port}`).join(', ')],
      ]} />
    <//>
  <//>`;
}

function leadOf({ counts }) {
  const kinds = [
    [counts.proxies, 'proxy', 'proxies'],
    [counts.apis, 'API', 'APIs'],
    [counts.inbound, 'inbound endpoint', 'inbound endpoints'],
    [counts.tasks, 'task', 'tasks'],
    [counts.sequences, 'sequence', 'sequences'],
    [counts.endpoints, 'endpoint', 'endpoints'],
  ];
  return kinds
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => format.counted(count, one, many))
    .join(' · ');
}

function working(processors) {
  return processors.filter(({ state, stuck }) => state === 'ACTIVE' && !stuck).length;
}

function delivering(processors) {
  return processors.reduce((sum, { successPerSecond }) => sum + (successPerSecond ?? 0), 0);
}

/** What somebody should look at, the worst first. */
function attention({ stores, processors, faulty, health, warnings = [] }) {
  const found = [];
  for (const { name, state, stuck, stuckReason, reason, lastError, since } of processors) {
    if (toneOf(state) !== 'good' || stuck) {
      const text = stuck ? (stuckReason ?? 'Messages wait and nothing is tried') : (reason ?? lastError ?? '');
      // One that somebody has paused still leaves messages waiting.
      const tone = stuck ? 'bad' : toneOf(state) === 'idle' ? 'busy' : toneOf(state);
      found.push({
        tone,
        icon: 'processor',
        what: name,
        state: stuck ? 'Stuck' : stateText(state),
        text,
        since,
        href: to(['processors', name]),
      });
    }
  }
  for (const { name, state, lastError, since } of stores) {
    if (toneOf(state) !== 'good')
      found.push({
        tone: toneOf(state),
        icon: 'store',
        what: name,
        state: stateText(state),
        text: lastError ?? '',
        since,
        href: to(['stores', name]),
      });
  }
  for (const { file, problems } of faulty)
    found.push({
      tone: 'bad',
      icon: 'artifact',
      what: format.fileName(file),
      state: 'Faulty',
      text: firstLine(problems[0]),
      href: sourceAt(file),
    });
  for (const reason of ownReasons(health))
    found.push({
      tone: 'busy',
      icon: 'health',
      what: 'Server',
      state: 'Not ready',
      text: reason,
      href: to(['health']),
    });
  for (const warning of warnings.slice(0, 5))
    found.push({ tone: 'idle', icon: 'warning', what: 'Warning', state: '', text: warning, href: to(['artifacts']) });
  const order = ['bad', 'busy', 'idle'];
  return found.sort((left, right) => order.indexOf(left.tone) - order.indexOf(right.tone));
}

/** Of a diagnostic's first line, what is wrong without where. */
function firstLine(problem) {
  const text = typeof problem === 'string' ? problem : (problem?.message ?? '');
  return text.split('\n', 1)[0].replace(/^.*?:(\d+):\d+: (?:error|warning): /, 'line $1: ');
}

/** Why the server is not ready, but for what is listed by itself. */
function ownReasons(health) {
  if (health?.ready !== false) return [];
  return health.reasons.filter((reason) => !/^(?:Store \[|Message processor \[|\d+ artifact files)/.test(reason));
}

function Verdict({ overview, needs }) {
  const urgent = needs.filter(({ tone }) => tone !== 'idle');
  if (urgent.length === 0)
    return html`<section class="verdict good" aria-label="State of the server">
      <div class="verdict-head">
        <span class="verdict-icon"><${Icon} name="check" size=${22} /></span>
        <div><h2>Everything is working</h2><p>Every store is ready, every processor delivers, every artifact is deployed.</p></div>
      </div>
      ${needs.length > 0 && html`<${NeedsList} needs=${needs} />`}
    </section>`;
  const tone = urgent.some((need) => need.tone === 'bad') ? 'bad' : 'busy';
  return html`<section class=${`verdict ${tone}`} aria-label="State of the server">
    <div class="verdict-head">
      <span class="verdict-icon"><${Icon} name="warning" size=${22} /></span>
      <div>
        <h2>${format.counted(urgent.length, 'thing needs', 'things need')} your attention</h2>
        <p>${overview.health?.ready === false ? 'The server is not ready for messages.' : 'Everything else is working.'}</p>
      </div>
    </div>
    <${NeedsList} needs=${needs} />
  </section>`;
}

function NeedsList({ needs }) {
  return html`<ul class="needs">
    ${needs.slice(0, GLANCE).map(
      ({ tone, icon, what, state, text, since, href }, index) => html`<li key=${index}>
        <a href=${href}>
          <${Icon} name=${icon} />
          <span class="needs-what" title=${what}>${what}</span>
          ${state && html`<${State} tone=${tone}>${state}<//>`}
          <span class="needs-text">${text}</span>
          <span class="needs-since">${since && html`<${Ago} at=${since} />`}</span>
        </a>
      </li>`,
    )}
  </ul>
  ${needs.length > GLANCE && html`<p class="pager">and ${format.number(needs.length - GLANCE)} more, among <a href=${to(['processors'])}>processors</a>, <a href=${to(['stores'])}>stores</a> and <a href=${to(['artifacts'])}>artifacts</a></p>`}`;
}

/** How many there are beside those that are shown. */
function Others({ of: { length }, href }) {
  return length > GLANCE && html`<p class="pager"><a href=${href}>and ${format.number(length - GLANCE)} more</a></p>`;
}

function StoreGlance({ store }) {
  const { name, type, state, depth, inPerSecond, outPerSecond, oldestAgeMs } = store;
  return html`<li>
    <a href=${to(['stores', name])}>
      <span class="glance-name"><${State} state=${state} title=${store.lastError}><span title=${name}>${name}</span><//>
        <small>${depth === 0 ? 'empty' : oldestAgeMs === null ? storeKind(type) : `oldest ${format.span(oldestAgeMs)}`}</small></span>
      <${Sparkline} values=${trailOf(name)} slots=${90} label=${`Depth of ${name} in the last minute and a half`} tone=${toneOf(state) === 'bad' ? 'bad' : ''} />
      <span class="glance-rates"><span>↓ ${format.rate(inPerSecond)}</span><span>↑ ${format.rate(outPerSecond)}</span></span>
      <b class="glance-number">${depthText(store)}</b>
    </a>
  </li>`;
}

function ProcessorGlance({ processor }) {
  const { name, state, reason, store, target, nextActionAt, successPerSecond, stuck, stuckReason, counters } =
    processor;
  const why = stuck ? stuckReason : toneOf(state) === 'good' ? undefined : reason;
  return html`<li>
    <a href=${to(['processors', name])}>
      <span class="glance-name"><${State} state=${state} tone=${stuck ? 'bad' : undefined}><span title=${name}>${name}</span><//>
        <small title=${why}>${why ?? `${store} → ${target ?? 'sequence'}`}</small></span>
      <span class="glance-next">${nextActionAt ? html`next <${Countdown} until=${nextActionAt} />` : toneOf(state) === 'good' ? '' : stateText(state)}</span>
      <span class="glance-rates"><span>${format.rate(successPerSecond)} /s</span></span>
      <b class="glance-number" title="Delivered">${format.short(counters?.delivered ?? 0)}</b>
    </a>
  </li>`;
}
