import { useEffect, useState } from 'preact/hooks';
import { change } from '../api.js';
import { Code } from '../components/code.js';
import { Icon } from '../components/icon.js';
import { matching } from '../components/list.js';
import { Card, Empty, Facts, Loading, Page, Problem } from '../components/page.js';
import { State } from '../components/state.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { to } from '../router.js';
import { pretty } from '../text/pretty.js';

const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'];
const TYPES = [
  'text/xml; charset=UTF-8',
  'application/soap+xml; charset=UTF-8',
  'application/json',
  'application/xml',
  'text/plain',
];

/** Sends one message into what is deployed and shows what became of it (OP-47). */
export default function Send({ place }) {
  const samples = useResource('test-message/samples');
  const targets = useResource('artifacts');
  return html`<${Page} title="Send a message" lead="One message into a proxy, an API, a sequence or a store, and what became of it">
    <${Loading} of=${samples} what="the samples">${(data) => html`<${Form} samples=${data.list ?? data} targets=${targetsOf(targets.data?.list)} chosen=${place.query} />`}<//>
  <//>`;
}

/** What is chosen from; of more, those that match what was typed. */
const CHOICES = 200;

const KINDS = { proxy: 'proxy', api: 'api', sequence: 'sequence', messageStore: 'store' };

/** Proxies first: most messages come in there. */
function targetsOf(artifacts = []) {
  const order = Object.keys(KINDS);
  return artifacts
    .filter(({ kind, state }) => KINDS[kind] && state !== 'faulty')
    .sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind) || left.name.localeCompare(right.name))
    .map(({ kind, name }) => ({ kind: KINDS[kind], name }));
}

function Form({ samples, targets, chosen }) {
  const [values, setValues] = useState({
    target: '',
    path: '',
    method: 'POST',
    contentType: TYPES[0],
    headers: '',
    body: '',
  });
  const [answer, setAnswer] = useState(undefined);
  const [error, setError] = useState(undefined);
  const [busy, setBusy] = useState(false);
  const [wanted, setWanted] = useState('');
  const set = (changes) => setValues((before) => ({ ...before, ...changes }));
  const first = targets.find(({ kind, name }) => kind === chosen.kind && name === chosen.name) ?? targets[0];
  useEffect(() => {
    if (first && !values.target) set({ target: keyOf(first) });
  }, [first]);
  useEffect(() => {
    if (samples[0] && !values.body) set(fromSample(samples[0]));
  }, [samples]);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      setAnswer(await change('POST', 'test-message', requestOf(values)));
    } catch (failure) {
      setAnswer(undefined);
      setError(failure);
    }
    setBusy(false);
  };
  const [kind] = values.target.split(':', 1);
  const found = matching(targets, wanted, keyOf);
  const choices = found.filter((target, index) => index < CHOICES || keyOf(target) === values.target);
  return html`<div class="columns">
    <${Card} title="Message">
      <form class="send-form" onSubmit=${send}>
        ${
          samples.length > 0 &&
          html`<div class="samples" role="group" aria-label="Samples">
            ${samples.map((sample, index) => html`<button key=${index} type="button" class="small" title=${sample.description} onClick=${() => set(fromSample(sample))}>${sample.title ?? sample.name ?? `Sample ${index + 1}`}</button>`)}
          </div>`
        }
        <div class="send-row">
          ${
            targets.length > CHOICES &&
            html`<label class="field grow"><span>Find among ${format.number(targets.length)}</span><input type="search" value=${wanted} onInput=${(event) => setWanted(event.target.value)} />
              <span class="sub" role="status">${format.number(Math.min(found.length, CHOICES))} of ${format.number(found.length)} can be chosen</span></label>`
          }
          <label class="field grow"><span>To</span>
            <select required value=${values.target} onChange=${(event) => set({ target: event.target.value })}>
              ${choices.map((target) => html`<option key=${keyOf(target)} value=${keyOf(target)}>${target.kind} ${target.name}</option>`)}
            </select>
          </label>
          ${
            kind === 'api' &&
            html`<label class="field"><span>Method</span><select value=${values.method} onChange=${(event) => set({ method: event.target.value })}>${METHODS.map((method) => html`<option key=${method}>${method}</option>`)}</select></label>
              <label class="field grow"><span>Path below its context</span><input value=${values.path} placeholder="/orders/1" onInput=${(event) => set({ path: event.target.value })} /></label>`
          }
        </div>
        <label class="field"><span>Content type</span><input value=${values.contentType} list="content-types" onInput=${(event) => set({ contentType: event.target.value })} /></label>
        <datalist id="content-types">${TYPES.map((type) => html`<option key=${type} value=${type}></option>`)}</datalist>
        <label class="field"><span>Headers, one a line</span><textarea rows="2" placeholder="SOAPAction: urn:placeOrder" value=${values.headers} onInput=${(event) => set({ headers: event.target.value })}></textarea></label>
        <label class="field"><span>Body</span><textarea rows="12" spellcheck="false" value=${values.body} onInput=${(event) => set({ body: event.target.value })}></textarea></label>
        <button class="primary" disabled=${busy || !values.target}><${Icon} name="send" size=${16} />${busy ? 'Sending …' : 'Send'}</button>
      </form>
    <//>
    <div class="stack" aria-live="polite">
      ${error && html`<${Problem} error=${error} what="the answer" />`}
      ${answer ? html`<${Answer} answer=${answer} />` : !error && html`<${Card}><${Empty} icon="send" title="The answer appears here"><p>Together with the trace of the message: every mediator, the store it lay in, its delivery.</p><//><//>`}
    </div>
  </div>`;
}

function keyOf({ kind, name }) {
  return `${kind}:${name}`;
}

function fromSample({ target, method, path, contentType, headers, body }) {
  return {
    ...(target?.name && { target: keyOf(target), path: target.path ?? '' }),
    ...(path && { path }),
    ...(method && { method }),
    ...(contentType && { contentType }),
    headers: Object.entries(headers ?? {})
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    body: body ?? '',
  };
}

function requestOf({ target, path, method, contentType, headers, body }) {
  const [kind] = target.split(':', 1);
  const lines = headers.split('\n').filter((line) => line.includes(':'));
  return {
    target: { kind, name: target.slice(kind.length + 1), ...(path && kind === 'api' && { path }) },
    ...(kind === 'api' && { method }),
    headers: Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
    ),
    contentType,
    body,
  };
}

function Answer({ answer: { status, headers = {}, body, durationMs, messageId, traceId } }) {
  const type = headers['content-type'] ?? headers['Content-Type'] ?? '';
  const language = /json/.test(type) ? 'json' : /xml/.test(type) ? 'xml' : 'text';
  return html`<${Card} title="Answer" actions=${traceId && html`<a class="button primary" href=${to(['traces', traceId])}><${Icon} name="trace" size=${16} />Follow its trace</a>`}>
      <${Facts} rows=${[
        ['Status', html`<${State} tone=${status >= 400 ? 'bad' : 'good'}>${status ?? 'none'}<//>`],
        ['Took', format.duration(durationMs)],
        messageId && ['Message id', html`<span class="mono">${messageId}</span>`],
      ]} />
    <//>
    ${body && html`<${Card} title="Its body" note=${type} flush><${Code} text=${pretty(body, language)} language=${language} label="Body of the answer" /><//>`}
    ${traceId && html`<${Steps} id=${traceId} />`}`;
}

/** The trace in short; the whole of it is a click away. */
function Steps({ id }) {
  const trace = useResource(`traces/${encodeURIComponent(id)}`, { every: 1500 });
  const { steps = [], hops = [], deliveries = [] } = trace.data ?? {};
  if (!trace.data) return null;
  return html`<${Card} title="Its way" note=${format.counted(steps.length, 'step')}>
    <ol class="way">
      ${steps.map(({ n, mediator, name, outcome }) => html`<li key=${n} class=${outcome === 'fault' ? 'bad-text' : ''}>${mediator} ${name && html`<small class="muted">${name}</small>`}</li>`)}
      ${hops.map(({ store }) => html`<li key=${store}><${State} tone="good">stored in <a href=${to(['stores', store])}>${store}</a><//></li>`)}
      ${deliveries.map(({ processor, attempt, outcome, status }) => html`<li key=${`${processor}${attempt}`}><${State} state=${outcome}>attempt ${attempt} by ${processor}${status && `: ${status}`}<//></li>`)}
    </ol>
  <//>`;
}
