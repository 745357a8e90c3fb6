import { useState } from 'preact/hooks';
import { segment } from '../api.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { to } from '../router.js';
import { sideBySide } from '../text/diff.js';
import { bytesOf, hexDump, pretty } from '../text/pretty.js';

/** Two messages of a store side by side (OP-49). @param {{store: string, left: string, right: string}} props */
export function Compare({ store, left, right }) {
  const [only, setOnly] = useState(false);
  const path = (id) => id && `message-stores/${segment(store)}/messages/${segment(id)}`;
  const one = useResource(path(left));
  const other = useResource(path(right));
  const crumbs = [
    { text: 'Stores', href: to(['stores']) },
    { text: store, href: to(['stores', store]) },
    { text: 'Messages', href: to(['stores', store, 'messages']) },
  ];
  const both = {
    data: one.data && other.data && [one.data, other.data],
    error: one.error ?? other.error,
    reload: () => Promise.all([one.reload(), other.reload()]),
  };
  const actions = html`<label class="choice"><input type="checkbox" checked=${only} onChange=${(event) => setOnly(event.target.checked)} />Only differences</label>`;
  return html`<${Page} title="Compare two messages" crumbs=${crumbs} actions=${both.data && actions}>
    ${
      both.error?.status === 404 || !left || !right
        ? html`<${Card}><${Empty} icon="check" title="One of the messages is not in the store any more"><p><a href=${to(['stores', store, 'messages'])}>Choose two others</a>.</p><//><//>`
        : html`<${Loading} of=${both} what="the messages">${([first, second]) => html`<${Sides} store=${store} left=${first} right=${second} only=${only} />`}<//>`
    }
  <//>`;
}

function Sides({ store, left, right, only }) {
  const parts = [
    ['Facts', rowsOf(left, right, factsOf)],
    ['Headers', rowsOf(left, right, ({ headers = [] }) => headers)],
    [
      'Properties',
      rowsOf(left, right, ({ properties = [] }) =>
        properties.map(({ scope, name, value }) => [`${name}\n${scope}`, value]),
      ),
    ],
  ];
  const lines = sideBySide(bodyOf(left), bodyOf(right));
  const otherLines = lines.filter(({ kind }) => kind === 'other').length;
  return html`<div class="sides side-heads">
      ${[left, right].map(({ id, storedAt }, index) => html`<a key=${id} href=${to(['stores', store, 'messages', id])}><b class="side-sign">${'AB'[index]}</b> <span class="mono">${format.shortId(id)}</span><span class="sub">stored ${format.clock(storedAt)}</span></a>`)}
    </div>
    ${parts.map(([title, rows]) => html`<${Part} key=${title} title=${title} rows=${rows} only=${only} />`)}
    <${Card} title="Body" note=${otherLines ? format.counted(otherLines, 'different line') : 'the same'} flush>
      ${
        (otherLines > 0 || !only) &&
        html`<div class="code body-sides" tabindex="0" role="region" aria-label="Bodies side by side">
        ${lines.map(({ kind, left: one, right: two }, index) =>
          kind === 'gap'
            ? html`<p key=${index} class="gap">⋯ ${one}</p>`
            : html`<div key=${index} class=${`sides ${kind}`}>
                <span class=${one === undefined ? 'nothing' : 'went'}>${one}</span><span class=${two === undefined ? 'nothing' : 'came'}>${two}</span>
              </div>`,
        )}
      </div>`
      }
    <//>`;
}

function Part({ title, rows, only }) {
  const others = rows.filter(({ same }) => !same).length;
  const shown = only ? rows.filter(({ same }) => !same) : rows;
  return html`<${Card} title=${title} note=${rows.length === 0 ? 'none' : others ? format.counted(others, 'difference') : 'the same'} flush>
    ${
      shown.length > 0 &&
      html`<dl class="compared">
      ${shown.map(
        ({ name, left, right, same }) => html`<div key=${name} class=${same ? 'same' : 'other'}>
        <dt>${name.split('\n')[0]}${!same && html`<span class="sr"> differs</span>`}${name.includes('\n') && html`<span class="sub">${name.split('\n')[1]}</span>`}</dt>
        <dd class="sides">
          ${same ? html`<span class="both mono">${left}</span>` : [left, right].map((value, index) => html`<span key=${index} class="mono"><b class="side-sign">${'AB'[index]}</b> ${value ?? html`<i class="muted">not there</i>`}</span>`)}
        </dd>
      </div>`,
      )}
    </dl>`
    }
  <//>`;
}

/** Names of both, as the first has them; of several values of a name, all. */
function rowsOf(left, right, pairsOf) {
  const [one, other] = [valuesOf(pairsOf(left)), valuesOf(pairsOf(right))];
  const names = [...new Set([...one.keys(), ...other.keys()])];
  return names.map((name) => {
    const [before, after] = [one.get(name), other.get(name)];
    return { name, left: before, right: after, same: before === after };
  });
}

function valuesOf(pairs) {
  const grouped = Map.groupBy(pairs, ([name]) => name);
  return new Map([...grouped].map(([name, all]) => [name, all.map(([, value]) => String(value)).join('\n')]));
}

function factsOf({
  contentType,
  kind,
  service,
  attempts,
  replays,
  bytes,
  correlationId,
  priority,
  addressing = {},
  history = [],
}) {
  const last = history.at(-1);
  const facts = {
    'Content type': contentType,
    Kind: kind,
    Service: service,
    Size: format.size(bytes),
    Attempts: attempts,
    Replays: replays,
    Priority: priority,
    'Correlation id': correlationId,
    'Last failure': last?.cause,
    'Status of that': last?.status,
    'Endpoint of that': last?.endpoint,
    ...addressing,
  };
  return Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== '');
}

/** As it is read best; secrets are masked by the server. */
function bodyOf({ body }) {
  if (!body || body.language === 'none' || body.language === 'hidden') return '';
  if (body.base64 !== undefined) return hexDump(bytesOf(body.base64));
  return body.pretty ?? pretty(body.text ?? '', body.language);
}
