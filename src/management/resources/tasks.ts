import type { Task } from '../../tasks/task.ts';
import { configurationNamed, placeNamed } from '../artifact-places.ts';
import { jsonBody } from '../bodies.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError } from '../management-error.ts';
import { upcoming } from '../next-runs.ts';
import { resource } from '../resource.ts';
import { COUNT, MESSAGE, object, TEXT, TIME } from '../schemas.ts';
import type { StatusChange } from '../status-change.ts';

const IMPLEMENTATION = 'org.apache.synapse.startup.tasks.MessageInjector';

const ROW = object(
  { name: TEXT, triggerType: { enum: ['simple', 'cron'] }, status: { enum: ['active', 'inactive'] } },
  {
    triggerCount: TEXT,
    triggerInterval: TEXT,
    triggerCron: TEXT,
    cronExpression: TEXT,
    taskGroup: TEXT,
    implementation: TEXT,
    properties: { type: 'array', items: object({ name: TEXT, value: TEXT }) },
    nextRuns: { type: 'array', items: TIME },
    configuration: TEXT,
    file: TEXT,
    line: COUNT,
  },
);

/** `GET /management/tasks` (spec proxies 8.2, 8.3); numbers are texts there. Status and next runs are ours. */
export const readTasks = resource({
  method: 'GET',
  path: '/management/tasks',
  role: 'viewer',
  summary: 'Scheduled tasks, or one of them in detail',
  tag: 'tasks',
  query: { taskName: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { taskName: name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'task', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((task) => listed(task, server)),
          beside,
        ),
      };
    }
    const task = named(configuration, 'task', name, `Specified task ('${name}') not found`);
    return { status: 200, body: { ...listed(task, server), ...detailed(task, server) } };
  },
});

/** `POST /management/tasks` `{"name","status":"active"|"inactive"|"trigger"}` (spec proxies 8.2). */
export const changeTask = resource({
  method: 'POST',
  path: '/management/tasks',
  role: 'operator',
  summary: 'Activates or deactivates a task, or runs it once now',
  tag: 'tasks',
  body: jsonBody<StatusChange>({
    type: 'object',
    required: ['name', 'status'],
    properties: { name: TEXT, status: { type: 'string', description: 'active, inactive or trigger, in any case' } },
  }),
  answers: { 200: MESSAGE, 404: { type: 'object' } },
  answer({ body: { name, status }, audit }, server) {
    const wanted = status.toLowerCase();
    audit({ type: 'task', name, action: ACTIONS[wanted] ?? wanted });
    if (!Object.hasOwn(ACTIONS, wanted)) throw new ManagementError(400, 'Provided state is not valid');
    const task = named(server.configuration(), 'task', name, 'Task does not exist');
    if (wanted === 'trigger') task.runOnce();
    else if (wanted === 'inactive') task.stop();
    else if (!task.active) task.start();
    return { status: 200, body: { Message: `${name} : is ${DONE[wanted]}` } };
  },
});

const ACTIONS: Readonly<Record<string, string>> = { active: 'enabled', inactive: 'disabled', trigger: 'triggered' };
const DONE: Readonly<Record<string, string>> = { active: 'activated', inactive: 'deactivated', trigger: 'triggered' };

function listed(task: Task, server: ManagedServer) {
  const { schedule } = task.definition;
  const trigger =
    schedule.kind === 'cron'
      ? { triggerType: 'cron', triggerCron: schedule.expression.text, cronExpression: schedule.expression.text }
      : {
          triggerType: 'simple',
          triggerCount: String(schedule.count ?? -1),
          triggerInterval: String(Math.round(schedule.intervalMs / 1000)),
        };
  return {
    name: task.name,
    ...trigger,
    status: task.active ? 'active' : 'inactive',
    nextRuns: nextRuns(task),
    ...placeNamed(server, 'task', task.name),
  };
}

function nextRuns({ active, definition: { schedule } }: Task): string[] {
  return active && schedule.kind === 'cron' ? upcoming((after) => schedule.expression.next(after)) : [];
}

function detailed({ name, definition }: Task, server: ManagedServer) {
  const { target, format, to, soapAction } = definition.injection;
  const injectTo =
    target.kind === 'main'
      ? []
      : [
          ['injectTo', target.kind],
          [`${target.kind}Name`, target.name],
        ];
  const properties = [...injectTo, ['format', format], ['to', to], ['soapAction', soapAction]]
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ name: key, value }));
  return {
    taskGroup: definition.group,
    implementation: IMPLEMENTATION,
    properties,
    ...configurationNamed(server, 'task', name),
  };
}
