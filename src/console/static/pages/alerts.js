import { change, segment } from '../api.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State, Tag } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago } from '../components/time.js';
import { doing } from '../components/toast.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';

const EXAMPLE = `[[alerts.webhook]]
name = "chat"
url = "https://chat.example.org/hooks/operations"
events = ["processor", "stuck", "store", "artifact"]`;

/** Who is told when something goes wrong, and what came of it (OP-24). */
export default function Alerts() {
  const hooks = useResource('web-hooks', { every: 3000 });
  const test = async (name) => {
    await doing(async () => {
      const { result, problem } = await change('POST', `web-hooks/${segment(name)}/test`);
      if (result !== 'delivered') throw new Error(problem);
    }, `${name} has taken the test`);
    await hooks.reload();
  };
  return html`<${Page} title="Alerts" lead="Web hooks that are called when a processor stops or is stuck, a store goes down, or an artifact is faulty">
    <${Card} title="Web hooks" flush>
      <${Loading} of=${hooks} what="the web hooks">
        ${({ list }) =>
          list.length === 0
            ? html`<${Empty} icon="alert" title="Nobody is told yet"><p>Name a web hook in <code>deployment.toml</code>; chat systems understand what is sent, programs do, too.</p>
                <pre class="example" tabindex="0">${EXAMPLE}</pre><//>`
            : html`<${Table} caption="Web hooks" rows=${list} columns=${columnsOf(test)} />`}
      <//>
    <//>
  <//>`;
}

const RESULTS = { delivered: 'Delivered', retry: 'Is tried again', failed: 'Failed' };

/** @returns {import('../components/table.js').Column[]} */
function columnsOf(test) {
  return [
    {
      title: 'Web hook',
      cell: ({ name, url, events, header }) =>
        html`<span class="name">${name}</span><span class="sub mono">${url}</span>
          <span class="links">${events.map((event) => html`<${Tag} key=${event}>${event}<//>`)}${header && html`<span class="muted">with ${header}</span>`}</span>`,
    },
    {
      title: 'Last call',
      cell: ({ last }) =>
        last
          ? html`<${State} state=${last.result}>${RESULTS[last.result]}<//> <span class="muted"><${Ago} at=${last.time} /></span>
              <span class="sub">${last.problem ?? last.text}${last.attempt > 1 && `, attempt ${last.attempt}`}</span>`
          : html`<span class="muted">not called yet</span>`,
    },
    { title: 'Delivered', class: 'num', cell: ({ delivered }) => format.number(delivered) },
    {
      title: 'Failed',
      class: 'num',
      cell: ({ failed, dropped }) =>
        html`<span class=${failed + dropped > 0 ? 'bad-text' : ''}>${format.number(failed)}</span>${dropped > 0 && html`<span class="sub">${format.number(dropped)} dropped</span>`}`,
    },
    { title: 'Waiting', class: 'num hide-s', cell: ({ waiting }) => format.number(waiting) },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: ({ name }) => html`<button type="button" class="small" onClick=${() => test(name)}>Send a test</button>`,
    },
  ];
}
