import { segment } from '../api.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Loading } from '../components/page.js';
import { Table } from '../components/table.js';
import { Ago } from '../components/time.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { to } from '../router.js';
import { actOn } from './message-actions.js';

/** Failed messages that failed in the same way, together (OP-48). @param {{store: string, live: boolean}} props live: looked at again and again */
export function Failures({ store, live }) {
  const failures = useResource(`message-stores/${segment(store)}/failures`, { every: live ? 5000 : undefined });
  const act = async (action, group) => {
    if (await actOn(store, action, { filter: filterOf(group) })) await failures.reload();
  };
  return html`<${Card} flush>
    <${Loading} of=${failures} what="the failures">
      ${({ list, complete, scanned }) =>
        list.length === 0
          ? html`<${Empty} title="No message here has failed"><p>${scanned ? `${format.counted(scanned, 'message')} looked at.` : 'Failed messages are grouped here by their cause.'}</p><//>`
          : html`<${Table} caption="Failures by cause" rows=${list} columns=${columnsOf(store, act)} keyOf=${keyOf} />
              ${complete === false && html`<p class="pager">Only the oldest ${format.number(scanned)} messages were looked at.</p>`}`}
    <//>
  <//>`;
}

function keyOf({ cause, endpoint, status }) {
  return JSON.stringify([cause, endpoint, status]);
}

/** Where ids and numbers were taken out of a cause, only its longest piece can be looked for. */
function filterOf({ cause, endpoint, status }) {
  const piece = cause
    .split(/<(?:id|time|hex|number)>/)
    .map((text) => text.trim())
    .reduce((longest, text) => (text.length > longest.length ? text : longest), '');
  return { ...(piece && { cause: piece }), ...(endpoint && { endpoint }), ...(status && { status }) };
}

/** @returns {import('../components/table.js').Column[]} */
function columnsOf(store, act) {
  return [
    {
      title: 'Messages',
      class: 'num fit',
      cell: ({ count }) => html`<strong class="depth">${format.number(count)}</strong>`,
    },
    {
      title: 'Cause',
      cell: (
        group,
      ) => html`<a class="bad-text name" href=${to(['stores', store, 'messages'], filterOf(group))}>${group.cause}</a>
        <span class="sub">${[group.status, group.endpoint].filter(Boolean).join(' · ')}</span>`,
    },
    { title: 'Oldest', class: 'fit hide-s', cell: ({ oldest }) => html`<${Ago} at=${oldest} />` },
    { title: 'Newest', class: 'fit', cell: ({ newest }) => html`<${Ago} at=${newest} />` },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: (group) => html`<div class="row-actions">
        <button type="button" class="small" onClick=${() => act('resend', group)}><${Icon} name="resend" size=${15} />Resend all</button>
        <button type="button" class="small" onClick=${() => act('move', group)}>Move</button>
        <button type="button" class="small" onClick=${() => act('delete', group)}>Delete</button>
      </div>`,
    },
  ];
}
