import { useState } from 'preact/hooks';
import { address, segment } from '../api.js';
import { Code, CopyButton } from '../components/code.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Facts, Loading, Notice, Page } from '../components/page.js';
import { Table } from '../components/table.js';
import { Ago, Clock } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { go, to } from '../router.js';
import { bytesOf, hexDump, pretty } from '../text/pretty.js';
import { actOn } from './message-actions.js';

/** One message of a store with everything about it. @param {{store: string, id: string}} props */
export function Message({ store, id }) {
  const message = useResource(`message-stores/${segment(store)}/messages/${segment(id)}`);
  const act = async (action) => {
    if (await actOn(store, action, { ids: [id] })) go(['stores', store, 'messages']);
  };
  const crumbs = [
    { text: 'Stores', href: to(['stores']) },
    { text: store, href: to(['stores', store]) },
    { text: 'Messages', href: to(['stores', store, 'messages']) },
  ];
  const actions = html`
    <button type="button" onClick=${() => act('resend')}><${Icon} name="resend" size=${16} />Resend</button>
    <button type="button" onClick=${() => act('move')}><${Icon} name="move" size=${16} />Move</button>
    <button type="button" onClick=${() => act('delete')}><${Icon} name="trash" size=${16} />Delete</button>`;
  return html`<${Page} name=${`Message ${format.shortId(id)}`} crumbs=${crumbs} title=${html`<span class="mono id">${id}</span>`} actions=${message.data && actions}
    lead=${message.data && leadOf(message.data)}>
    ${
      message.error?.status === 404
        ? html`<${Card}><${Empty} icon="check" title="The message is not in the store any more"><p>It was delivered, moved or deleted. <a href=${to(['traces'], { id })}>Look for its trace</a>.</p><//><//>`
        : html`<${Loading} of=${message} what="the message">${(data) => html`<${Detail} message=${data} store=${store} />`}<//>`
    }
  <//>`;
}

function leadOf({ storedAt, service, attempts, replays, bytes }) {
  return html`${storedAt && html`stored <${Ago} at=${storedAt} />`}${service && ` by ${service}`} · ${format.size(bytes)} · ${format.counted(attempts, 'failed attempt')}
    ${replays > 0 && ` · ${format.counted(replays, 'replay')}`}`;
}

function Detail({ message, store }) {
  const { headers = [], properties = [], addressing = {}, history = [], body, poison } = message;
  return html`${poison && html`<${Notice} tone="bad"><strong>The message cannot be read:</strong> ${poison}<//>`}
    ${history.length > 0 && html`<${History} history=${history} />`}
    <div class="columns message-columns">
      <div class="stack">
        <${Body} body=${body} message=${message} store=${store} />
        <${Card} title="Properties" note=${properties.length || 'none'} flush>
          ${properties.length > 0 && html`<${Pairs} rows=${properties.map(({ scope, name, type, value }) => [name, value, `${scope} · ${type.toLowerCase()}`])} caption="Properties" />`}
        <//>
      </div>
      <div class="stack">
        <${Card} title="Facts">
          <${Facts} rows=${[
            ['Content type', message.contentType && html`<span class="mono">${message.contentType}</span>`],
            ['Kind', message.kind],
            ['Original id', message.originalId && html`<span class="mono">${message.originalId}</span>`],
            message.correlationId && ['Correlation id', html`<span class="mono">${message.correlationId}</span>`],
            ['Stored', message.storedAt && html`<${Clock} at=${message.storedAt} />`],
            message.priority !== undefined && ['Priority', message.priority],
            ['Trace', html`<a href=${to(['traces'], { id: message.id })}>Look for its trace</a>`],
          ]} />
        <//>
        ${Object.keys(addressing).length > 0 && html`<${Card} title="Addressing" flush><${Pairs} rows=${Object.entries(addressing)} caption="Addressing" /><//>`}
        <${Card} title="Headers" note=${headers.length || 'none'} flush>${headers.length > 0 && html`<${Pairs} rows=${headers} caption="Headers" />`}<//>
      </div>
    </div>`;
}

function Pairs({ rows, caption }) {
  return html`<div class="table-frame"><table class="pairs"><caption class="sr">${caption}</caption><thead class="sr"><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
    <tbody>
      ${rows.map(([name, value, note], index) => html`<tr key=${index}><th scope="row">${name}${note && html`<span class="sub">${note}</span>`}</th><td class="mono">${value}</td></tr>`)}
    </tbody>
  </table></div>`;
}

/** @type {import('../components/table.js').Column[]} */
const HISTORY_COLUMNS = [
  { title: 'Cause', class: 'cause', cell: ({ cause }) => html`<span class="bad-text name">${cause}</span>` },
  { title: 'Status', class: 'num', cell: ({ status }) => status ?? '–' },
  { title: 'Attempts', class: 'num', cell: ({ attempts }) => attempts },
  {
    title: 'Processor',
    class: 'hide-s',
    cell: ({ processor, sourceStore }) =>
      html`<a href=${to(['processors', processor])}>${processor}</a><span class="sub">from ${sourceStore}</span>`,
  },
  { title: 'Endpoint', class: 'hide-s', cell: ({ endpoint }) => endpoint ?? '–' },
  { title: 'First', class: 'fit hide-s', cell: ({ firstAt }) => html`<${Clock} at=${firstAt} />` },
  { title: 'Last', class: 'fit', cell: ({ lastAt }) => html`<${Ago} at=${lastAt} />` },
];

function History({ history }) {
  return html`<${Card} title="Why it was not delivered" flush class="failed">
    <${Table} caption="Failed attempts" rows=${history.map((entry, index) => ({ ...entry, name: String(index) }))} columns=${HISTORY_COLUMNS} />
  <//>`;
}

function Body({ body, message, store }) {
  if (body?.language === 'hidden')
    return html`<${Card} title="Body" note=${format.size(body.bytes)}><${Empty} icon="artifact" title="Bodies are shown to operators only" /><//>`;
  return html`<${ShownBody} body=${body} message=${message} store=${store} />`;
}

function ShownBody({ body, message, store }) {
  const views = viewsOf(body);
  const [view, setView] = useState(views[0]?.name);
  const shown = views.find(({ name }) => name === view) ?? views[0];
  if (!shown) return html`<${Card} title="Body"><${Empty} icon="artifact" title="The message has no body" /><//>`;
  const text = shown.text();
  const raw = address(`message-stores/${segment(store)}/messages/${segment(message.id)}?body=full`);
  return html`<${Card} title="Body" note=${`${format.size(body.bytes)}${body.truncated ? ', the beginning is shown' : ''}`} flush class="body-card"
    actions=${html`
      <div class="switch" role="group" aria-label="View">
        ${views.map(({ name, label }) => html`<button key=${name} type="button" class="small" aria-pressed=${name === shown.name} onClick=${() => setView(name)}>${label}</button>`)}
      </div>
      <${CopyButton} text=${text} />
      <a class="button quiet small" href=${raw} download><${Icon} name="download" size=${15} />Raw</a>`}>
    <${Code} text=${text} language=${shown.language} label="Body of the message" numbers=${shown.name !== 'hex'} />
  <//>`;
}

/** How a body can be looked at, the best way first. */
function viewsOf(body) {
  if (!body || body.language === 'none') return [];
  const hex = {
    name: 'hex',
    label: 'Hex',
    language: 'text',
    text: () => hexDump(body.base64 === undefined ? new TextEncoder().encode(body.text ?? '') : bytesOf(body.base64)),
  };
  if (body.language === 'binary') return [hex];
  const raw = { name: 'raw', label: 'As it is', language: body.language, text: () => body.text ?? '' };
  if (body.language === 'text') return [raw, hex];
  return [
    {
      name: 'pretty',
      label: 'Pretty',
      language: body.language,
      text: () => body.pretty ?? pretty(body.text ?? '', body.language),
    },
    raw,
    hex,
  ];
}
