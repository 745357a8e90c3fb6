import type { TraceDelivery, TraceHop, TraceRecord, TraceStep } from './trace-record.ts';

/** A trace in a list, as the management API shows it. */
export function shownTrace(record: TraceRecord) {
  const { id, messageId, startedAt, durationMs, artifact, client, status, outcome, stepCount } = record;
  return {
    id,
    messageId,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: rounded(durationMs),
    artifact,
    ...(client !== undefined && { client }),
    ...(status !== undefined && { status }),
    outcome,
    steps: stepCount,
  };
}

/**
 * A trace with all that is known of it.
 * @param fileOf how files are shown
 */
export function shownTraceInFull(record: TraceRecord, fileOf: (file: string) => string) {
  return {
    ...shownTrace(record),
    ...(record.failure && { failure: { message: record.failure.message, code: record.failure.code } }),
    bodies: record.bodies,
    truncated: record.steps.length < record.stepCount,
    steps: record.steps.map((step) => shownStep(step, fileOf)),
    hops: record.hops.map(shownHop),
    deliveries: record.deliveries.map(shownDelivery),
  };
}

function shownStep(step: TraceStep, fileOf: (file: string) => string) {
  const { n, parent, mediator, name, file, line, durationMs, branch, outcome, error, status, changes } = step;
  return {
    n,
    parent,
    mediator,
    ...(name !== undefined && { name }),
    file: fileOf(file),
    line,
    startedAt: new Date(step.startedAt).toISOString(),
    durationMs: durationMs === undefined ? null : rounded(durationMs),
    ...(branch !== undefined && { branch }),
    outcome,
    ...(error !== undefined && { error }),
    ...(status !== undefined && { status }),
    changes: changes ?? { properties: [], headers: [], bodyChanged: false },
  };
}

function shownHop({ store, storedAt, messageId }: TraceHop) {
  return { store, storedAt: new Date(storedAt).toISOString(), messageId };
}

function shownDelivery({ processor, store, attempt, startedAt, durationMs, ...end }: TraceDelivery) {
  const { endpoint, status, outcome, cause } = end;
  return {
    processor,
    store,
    attempt,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: rounded(durationMs),
    ...(endpoint !== undefined && { endpoint }),
    ...(status !== undefined && { status }),
    outcome,
    ...(cause !== undefined && { cause }),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
