import { isActiveState, type MessageProcessor } from '../processors/message-processor.ts';
import { placeNamed } from './artifact-places.ts';
import type { ManagedServer } from './managed-server.ts';
import { nextRunsOf } from './next-runs.ts';
import { BOOLEAN, COUNT, NUMBER, object, TEXT, TIME } from './schemas.ts';

/** A message processor as lists and the overview show it: the reference's members (spec stores 7.2), and what OP-44 wants. */
export const PROCESSOR_ROW = object(
  {
    name: TEXT,
    type: TEXT,
    status: { enum: ['active', 'inactive'] },
    state: { enum: ['ACTIVE', 'PAUSED', 'DEACTIVATED', 'WAITING_STORE', 'CIRCUIT_OPEN', 'FAULTY'] },
    since: TIME,
    by: TEXT,
    store: TEXT,
    counters: { type: 'object', additionalProperties: COUNT },
    workers: { type: 'array', items: { type: 'object' } },
    latencyMs: { type: ['object', 'null'] },
    successPerSecond: NUMBER,
    stuck: BOOLEAN,
  },
  {
    reason: TEXT,
    lastError: TEXT,
    failingMessageId: TEXT,
    nextActionAt: TIME,
    nextRuns: { type: 'array', items: TIME },
    target: TEXT,
    current: object({ id: TEXT, attempt: COUNT }),
    stuckReason: TEXT,
    cluster: { type: 'object' },
    file: TEXT,
    line: COUNT,
  },
);

export type ProcessorRow = ReturnType<typeof processorRow>;

export function processorRow(processor: MessageProcessor, server: ManagedServer) {
  const { name, type, storeName, parameters } = processor;
  const { state, since, by, nextActionAt, counters, workers, cluster, ...rest } = processor.status();
  const figures = server.observation?.processor(name);
  const target =
    parameters.get('target.endpoint') ?? parameters.get('sequence') ?? parameters.get('message.target.store.name');
  const nextRuns = nextRunsOf(parameters);
  return {
    name,
    type,
    status: isActiveState(state) ? 'active' : 'inactive',
    state,
    since: new Date(since).toISOString(),
    by,
    ...rest,
    ...(nextActionAt !== undefined && { nextActionAt: new Date(nextActionAt).toISOString() }),
    ...(nextRuns && { nextRuns }),
    store: storeName,
    ...(target !== undefined && { target }),
    counters: { ...counters },
    workers: workers.map(({ nextActionAt: next, ...worker }) => ({
      ...worker,
      ...(next !== undefined && { nextActionAt: new Date(next).toISOString() }),
    })),
    latencyMs: figures?.latencyMs ?? null,
    successPerSecond: figures?.successPerSecond ?? 0,
    stuck: figures?.stuck ?? false,
    ...(figures?.stuckReason !== undefined && { stuckReason: figures.stuckReason }),
    ...(cluster && { cluster }),
    ...placeNamed(server, 'messageProcessor', name),
  };
}
