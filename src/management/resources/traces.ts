import { shownTrace, shownTraceInFull } from '../../observation/shown-trace.ts';
import type { StepChanges } from '../../observation/trace-changes.ts';
import { jsonBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import { ManagementError } from '../management-error.ts';
import { observed } from '../observed.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, COUNT, NUMBER, object, TEXT, TIME } from '../schemas.ts';
import { seesBodies } from '../shown-bodies.ts';
import { refuseAmongWorkers } from '../tracing-switch.ts';

const ARTIFACT = object({ kind: TEXT, name: TEXT });
const TRACE = object(
  { id: TEXT, messageId: TEXT, startedAt: TIME, durationMs: NUMBER, artifact: ARTIFACT, outcome: TEXT, steps: COUNT },
  { client: TEXT, status: COUNT },
);

/** `GET /management/traces` (OP-46): the last messages that were followed, the newest first. */
export const readTraces = resource({
  method: 'GET',
  path: '/management/traces',
  role: 'viewer',
  summary: 'Traces of messages, the newest first',
  tag: 'traces',
  query: {
    artifact: { type: 'string', description: 'Where it came in, or a store or processor that it met' },
    id: { type: 'string', description: 'Of the trace, or of the message in any place of its way' },
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    errors: { type: 'boolean', default: false, description: 'Only those that failed' },
  },
  answers: { 200: listOf(TRACE) },
  answer({ query }, server) {
    const found = observed(server).tracing.ring.list(query);
    return { status: 200, body: listing(found.map(shownTrace)) };
  },
});

/** `GET /management/traces/{id}`: one message through mediators, stores and delivery attempts. */
export const readTrace = resource({
  method: 'GET',
  path: '/management/traces/{id}',
  role: 'viewer',
  summary: 'One trace with what each step changed',
  tag: 'traces',
  answers: {
    200: object({
      id: TEXT,
      messageId: TEXT,
      steps: { type: 'array' },
      hops: { type: 'array' },
      deliveries: { type: 'array' },
    }),
    404: { type: 'object' },
  },
  answer({ parameters: { id }, caller }, server) {
    const observation = observed(server);
    const record = observation.tracing.ring.find(id);
    if (!record) throw new ManagementError(404, `There is no trace '${id}'; the last 1,000 are kept`);
    const trace = shownTraceInFull(record, (file) => observation.shownFile(file));
    return { status: 200, body: seesBodies(caller, server) ? trace : withoutBodies(trace) };
  },
});

/** For those who are not shown what messages contain (OP-81): whether a step changed it is told. */
function withoutBodies(trace: ReturnType<typeof shownTraceInFull>) {
  const steps = trace.steps.map((step) => {
    const { body: _, ...changes } = step.changes as StepChanges;
    return { ...step, changes };
  });
  return { ...trace, steps, bodies: false, bodiesHidden: true };
}

/** `DELETE /management/traces`: forgets all of them. */
export const forgetTraces = resource({
  method: 'DELETE',
  path: '/management/traces',
  role: 'operator',
  summary: 'Forgets all traces',
  tag: 'traces',
  answers: { 200: object({ done: BOOLEAN, count: COUNT }) },
  answer({ audit }, server) {
    const { ring } = observed(server).tracing;
    const count = ring.size;
    ring.clear();
    audit({ type: 'trace', action: 'deleted', count });
    return { status: 200, body: { done: true, count } };
  },
});

const SETTING = { mode: { enum: ['off', 'sampled', 'on'] }, sample: NUMBER, bodies: BOOLEAN };
const TRACING = object({
  ...SETTING,
  artifacts: { type: 'array', items: object({ ...SETTING, kind: TEXT, name: TEXT }) },
});

/** `GET /management/tracing`: whose messages are followed. */
export const readTracing = resource({
  method: 'GET',
  path: '/management/tracing',
  role: 'viewer',
  summary: 'Which messages are followed',
  tag: 'traces',
  answers: { 200: TRACING },
  answer: (_request, server) => ({ status: 200, body: tracingOf(server) }),
});

interface TracingChange {
  readonly mode: 'off' | 'sampled' | 'on' | 'default';
  readonly sample?: number;
  readonly bodies?: boolean;
  readonly artifact?: { readonly kind: string; readonly name: string };
}

/** `PUT /management/tracing`: of the server, or of one artifact; `default` lets the artifact go by the server's again. */
export const changeTracing = resource({
  method: 'PUT',
  path: '/management/tracing',
  role: 'operator',
  summary: 'Changes which messages are followed',
  tag: 'traces',
  body: jsonBody<TracingChange>({
    type: 'object',
    required: ['mode'],
    additionalProperties: false,
    properties: {
      mode: { enum: ['off', 'sampled', 'on', 'default'] },
      sample: { type: 'number', minimum: 0, maximum: 1 },
      bodies: { type: 'boolean', description: 'Keeps up to 64 KiB of each body' },
      artifact: {
        type: 'object',
        required: ['kind', 'name'],
        properties: { kind: { type: 'string', maxLength: 50 }, name: { type: 'string', maxLength: 500 } },
      },
    },
  }),
  answers: { 200: TRACING, 400: { type: 'object' }, 409: { type: 'object' } },
  answer({ body: { mode, artifact, ...wanted }, audit }, server) {
    const { modes } = observed(server).tracing;
    audit({ type: 'tracing', action: 'updated', ...(artifact && { name: artifact.name }), detail: mode });
    if (mode === 'default') {
      if (!artifact) throw new ManagementError(400, "mode 'default' is for a single artifact");
      modes.reset(artifact);
    } else {
      if (mode !== 'off') refuseAmongWorkers(server);
      const { sample = modes.general.sample, bodies = modes.general.bodies } = wanted;
      modes.set({ mode, sample, bodies }, artifact);
    }
    return { status: 200, body: tracingOf(server) };
  },
});

function tracingOf(server: Parameters<typeof observed>[0]) {
  const { general, own } = observed(server).tracing.modes;
  return { ...general, artifacts: own };
}
