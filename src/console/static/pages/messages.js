import { useEffect, useState } from 'preact/hooks';
import { address, get, query as queryOf, segment } from '../api.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Loading, Notice } from '../components/page.js';
import { Table } from '../components/table.js';
import { Ago } from '../components/time.js';
import { doing } from '../components/toast.js';
import * as format from '../format.js';
import { useResource, useSettled } from '../hooks.js';
import { html } from '../html.js';
import { refine, to } from '../router.js';
import { actOn, purge } from './message-actions.js';

const PAGE = 50;
const REFRESH_MS = 3000;
const FILTERS = ['text', 'id', 'cause', 'header', 'from', 'to'];

/**
 * The messages of a store, page by page, without taking any.
 * @param {{store: string, depth?: number | null, query: Record<string, string>, live: boolean}} props live: they are looked at again and again
 */
export function Messages({ store, depth, query, live }) {
  const filter = filterOf(query);
  const filterKey = JSON.stringify(filter);
  const [cursors, setCursors] = useState(['']);
  const [selected, setSelected] = useState(new Set());
  useEffect(() => {
    setCursors(['']);
    setSelected(new Set());
  }, [filterKey]);
  const path = `message-stores/${segment(store)}/messages${queryOf({ limit: PAGE, after: cursors.at(-1), ...filter })}`;
  // While nobody has chosen anything, rows may come and go.
  const page = useResource(path, { every: live && selected.size === 0 ? REFRESH_MS : undefined });
  const done = (result) => {
    if (!result) return;
    setSelected(new Set());
    void page.reload();
  };
  const filtered = Object.keys(filter).length > 0;
  return html`<${Filters} query=${query} />
    <${Card} flush class="messages">
      <${Bar} store=${store} depth=${depth} selected=${selected} filter=${filter} done=${done} />
      <${Loading} of=${page} what="the messages">
        ${(
          data,
        ) => html`${(data.note || !live) && html`<${Notice}>${data.note} ${!live && html`<button type="button" class="small" onClick=${page.reload}>Look again</button>`}<//>`}
          ${data.list.length === 0 ? html`<${NoMessages} filtered=${filtered} scanned=${data.scanned} more=${data.next} />` : html`<${List} store=${store} list=${data.list} selected=${selected} onSelect=${setSelected} />`}
          <${Pager} data=${data} cursors=${cursors} setCursors=${setCursors} of=${filtered ? undefined : depth} />`}
      <//>
    <//>`;
}

function filterOf(query) {
  const given = FILTERS.filter((name) => query[name]).map((name) => [
    name,
    name === 'from' || name === 'to' ? isoOf(query[name]) : query[name],
  ]);
  return Object.fromEntries(given);
}

/** What a field for local time says. */
function isoOf(text) {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : new Date(time).toISOString();
}

function Filters({ query }) {
  const [values, setValues] = useState(query);
  // Whoever is not shown bodies cannot look for what is in them.
  const bodies = useResource('session').data?.bodies !== false;
  const [more, setMore] = useState(Boolean(query.cause || query.header || query.from || query.to || query.id));
  const settled = useSettled(JSON.stringify(values));
  useEffect(() => {
    const wanted = JSON.parse(settled);
    const changes = Object.fromEntries(FILTERS.map((name) => [name, wanted[name] || undefined]));
    if (FILTERS.some((name) => (query[name] || undefined) !== changes[name])) refine(changes);
  }, [settled]);
  const field = (name) => ({
    value: values[name] ?? '',
    onInput: (event) => setValues({ ...values, [name]: event.target.value }),
  });
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    ${bodies && html`<input type="search" placeholder="Text in the body" aria-label="Text in the body" ...${field('text')} />`}
    ${
      more &&
      html`<input type="search" placeholder="Message id" aria-label="Part of the message id" ...${field('id')} />
        <input type="search" placeholder="Cause of failure" aria-label="Cause of failure" ...${field('cause')} />
        <input type="search" placeholder="Header, as Name: value" aria-label="Header" ...${field('header')} />
        <label class="field"><span>Stored from</span><input type="datetime-local" step="1" ...${field('from')} /></label>
        <label class="field"><span>until</span><input type="datetime-local" step="1" ...${field('to')} /></label>`
    }
    ${!more && html`<button type="button" class="quiet" onClick=${() => setMore(true)}>More filters</button>`}
    ${Object.values(values).some(Boolean) && html`<button type="button" class="quiet" onClick=${() => setValues({})}>Clear</button>`}
  </form>`;
}

function Bar({ store, depth, selected, filter, done }) {
  const filtered = Object.keys(filter).length > 0;
  const ids = [...selected];
  const meant = ids.length ? { ids } : filtered ? { filter } : { all: true };
  const label = ids.length
    ? `${format.counted(ids.length, 'message')} selected`
    : filtered
      ? 'All that match'
      : 'All messages';
  // Loaded when it is wanted, as few pages ever need it.
  const bring = async () => done(await (await import('./import.js')).importInto(store));
  const act = async (action) => done(await actOn(store, action, meant));
  const nothing = ids.length === 0 && !filtered && depth === 0;
  const take = () => exportOf(store, ids, filter);
  return html`<div class="selection" aria-live="polite">
    <strong>${label}</strong>
    <div class="actions">
      ${ids.length === 2 && html`<a class="button small" href=${to(['stores', store, 'compare'], { left: ids[0], right: ids[1] })}><${Icon} name="compare" size=${15} />Compare</a>`}
      <button type="button" class="small" disabled=${nothing} onClick=${() => act('resend')}><${Icon} name="resend" size=${15} />Resend</button>
      <button type="button" class="small" disabled=${nothing} onClick=${() => act('move')}><${Icon} name="move" size=${15} />Move</button>
      ${
        ids.length || filtered
          ? html`<button type="button" class="small" onClick=${() => act('delete')}><${Icon} name="trash" size=${15} />Delete</button>`
          : html`<button type="button" class="small" disabled=${nothing} onClick=${async () => done(await purge(store))}><${Icon} name="trash" size=${15} />Purge</button>`
      }
      <button type="button" class="small" disabled=${nothing} onClick=${take}><${Icon} name="download" size=${15} />Export</button>
      <button type="button" class="small" onClick=${bring}><${Icon} name="upload" size=${15} />Import</button>
    </div>
  </div>`;
}

/**
 * Lets the browser take a file, which shows how far it is. What would be in the file instead of messages (no login, no role, the store is out
 * of reach) is told before.
 */
async function exportOf(store, ids, filter) {
  const path = `message-stores/${segment(store)}`;
  const looked = await doing(async () => {
    const { role } = await get('session');
    if (role === 'viewer') throw new Error('Your role does not allow this');
    return get(`${path}/messages?limit=1`);
  }, 'The export has begun: the browser shows how far it is');
  if (!looked) return;
  const values = ids.length ? { ids: ids.join() } : filter;
  const href = address(`${path}/export${queryOf(values)}`);
  const link = Object.assign(document.createElement('a'), { href, download: '' });
  document.body.append(link);
  link.click();
  link.remove();
}

function List({ store, list, selected, onSelect }) {
  return html`<${Table} caption="Messages, oldest first" rows=${list} columns=${columnsOf(store)} keyOf=${({ id }) => id} selected=${selected} onSelect=${onSelect}
    href=${({ id }) => to(['stores', store, 'messages', id])} />`;
}

/** @returns {import('../components/table.js').Column[]} */
function columnsOf(store) {
  return [
    {
      title: 'Message',
      class: 'fit',
      cell: ({
        id,
        service,
        to: target,
        poison,
      }) => html`<a class="mono name" href=${to(['stores', store, 'messages', id])} title=${id}>${format.shortId(id)}</a>
        <span class="sub">${poison ? html`<span class="bad-text">cannot be read</span>` : service ? `from ${service}` : (target ?? '')}</span>`,
    },
    {
      title: 'Stored',
      class: 'fit',
      cell: ({ storedAt, inDelivery }) =>
        html`<${Ago} at=${storedAt} />${inDelivery && html`<span class="sub">in delivery</span>`}`,
    },
    {
      title: 'Last failure',
      class: 'wide',
      cell: ({ lastCause, lastStatus, poison }) =>
        lastCause || poison
          ? html`<span class="bad-text two-lines" title=${lastCause ?? poison}>${lastStatus && !lastCause?.includes(lastStatus) ? `${lastStatus} · ` : ''}${lastCause ?? poison}</span>`
          : html`<span class="muted none">–</span>`,
    },
    {
      title: 'Attempts',
      class: 'num',
      cell: ({ attempts, replays }) =>
        html`${attempts}${replays > 0 && html`<span class="sub">${format.counted(replays, 'replay')}</span>`}`,
    },
    { title: 'Size', class: 'num hide-s', cell: ({ bytes }) => format.size(bytes) },
    {
      title: 'Body',
      class: 'wide hide-s',
      cell: ({ preview }) => html`<span class="mono muted">${inside(preview)}</span>`,
    },
  ];
}

/** What the envelope of a SOAP message holds: all of them begin alike. */
function inside(preview = '') {
  return preview.replace(
    /^(?:<\?xml[^>]*>\s*)?<(\w+:)?Envelope[^>]*>\s*(?:<\w*:?Header[^>]*\/>\s*)?<\w*:?Body[^>]*>\s*/,
    '',
  );
}

function NoMessages({ filtered, scanned, more }) {
  if (filtered)
    return html`<${Empty} icon="search" title="No message matches">
      <p>${more ? `None among the ${format.number(scanned)} looked at; go on with the next page.` : 'Change the filter to see others.'}</p>
    <//>`;
  return html`<${Empty} icon="check" title="The store is empty"><p>Whatever was stored has been delivered, moved or deleted.</p><//>`;
}

function Pager({ data, cursors, setCursors, of }) {
  const first = (cursors.length - 1) * PAGE + 1;
  const last = first + data.list.length - 1;
  if (data.list.length === 0 && cursors.length === 1 && !data.next) return null;
  return html`<div class="pager">
    <span>${data.list.length ? `${format.number(first)}–${format.number(last)}${of >= last ? ` of ${format.number(of)}` : ''}, oldest first` : ''}${data.complete === false && ' · the store holds more than can be shown'}</span>
    <div class="actions">
      <button type="button" class="small" disabled=${cursors.length === 1} data-turn="Previous" onClick=${() => setCursors(cursors.slice(0, -1))}>Previous</button>
      <button type="button" class="small" disabled=${!data.next} data-turn="Next" onClick=${() => setCursors([...cursors, data.next])}>Next</button>
    </div>
  </div>`;
}
