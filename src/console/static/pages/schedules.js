import { change } from '../api.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { Clock, Countdown } from '../components/time.js';
import { doing } from '../components/toast.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { useProcessors } from '../processors-now.js';
import { sourceAt, to } from '../router.js';

/** What runs by the clock: tasks, and processors with a cron expression. */
export default function Schedules() {
  const tasks = useResource('tasks', { every: 10_000, events: ['deployment'] });
  const { processors = [] } = useProcessors();
  const scheduled = processors.filter(({ nextRuns }) => nextRuns?.length);
  const act = async (name, status, text) => {
    await doing(() => change('POST', 'tasks', { name, status }), text);
    await tasks.reload();
  };
  return html`<${Page} title="Schedules" lead=${`What runs by the clock. Times are yours: ${Intl.DateTimeFormat().resolvedOptions().timeZone}`}>
    <${Card} title="Tasks" flush>
      <${Loading} of=${tasks} what="the tasks">
        ${({ list }) =>
          list.length === 0
            ? html`<${Empty} icon="schedule" title="No tasks are deployed"><p>A <code>task</code> injects a message by an interval or a cron expression.</p><//>`
            : html`<${Table} caption="Tasks" rows=${list} columns=${taskColumns(act)} />`}
      <//>
    <//>
    <${Card} title="Processors with a schedule" flush>
      ${scheduled.length === 0 ? html`<${Empty} icon="processor" title="No processor has a cron expression"><p>The others deliver as soon as their interval has passed.</p><//>` : html`<${Table} caption="Processors with a schedule" rows=${scheduled} columns=${PROCESSOR_COLUMNS} />`}
    <//>
  <//>`;
}

function NextRuns({ runs = [] }) {
  if (runs.length === 0) return html`<span class="muted">–</span>`;
  const [first, ...others] = runs;
  return html`<strong>in <${Countdown} until=${first} /></strong><span class="sub next-runs">${[first, ...others].slice(0, 5).map((at) => html`<${Clock} key=${at} at=${at} />`)}</span>`;
}

/** @returns {import('../components/table.js').Column[]} */
function taskColumns(act) {
  return [
    { title: 'Task', cell: ({ name, file, line }) => html`<a class="name" href=${sourceAt(file, line)}>${name}</a>` },
    {
      title: 'State',
      cell: ({ status }) =>
        html`<${State} tone=${status === 'active' ? 'good' : 'idle'}>${status === 'active' ? 'Active' : 'Inactive'}<//>`,
    },
    {
      title: 'Schedule',
      cell: ({ cronExpression, triggerInterval, triggerCount }) =>
        cronExpression
          ? html`<code>${cronExpression}</code>`
          : `every ${format.span(Number(triggerInterval) * 1000)}${Number(triggerCount) > 0 ? `, ${format.counted(Number(triggerCount), 'time')}` : ''}`,
    },
    { title: 'Next runs', cell: ({ nextRuns }) => html`<${NextRuns} runs=${nextRuns} />` },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: ({ name, status }) => html`<div class="row-actions">
        <button type="button" class="small" onClick=${() => act(name, 'trigger', `${name} runs now`)}>Run now</button>
        ${
          status === 'active'
            ? html`<button type="button" class="small" onClick=${() => act(name, 'inactive', `${name} is inactive`)}>Deactivate</button>`
            : html`<button type="button" class="small" onClick=${() => act(name, 'active', `${name} is active`)}>Activate</button>`
        }
      </div>`,
    },
  ];
}

/** @type {import('../components/table.js').Column[]} */
const PROCESSOR_COLUMNS = [
  { title: 'Processor', cell: ({ name }) => html`<a class="name" href=${to(['processors', name])}>${name}</a>` },
  { title: 'State', cell: ({ state }) => html`<${State} state=${state} />` },
  { title: 'Next runs', cell: ({ nextRuns }) => html`<${NextRuns} runs=${nextRuns} />` },
];
