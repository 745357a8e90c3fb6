import type { MessageStore } from '../stores/message-store.ts';
import { placeNamed } from './artifact-places.ts';
import { searched } from './list.ts';
import type { ManagedServer } from './managed-server.ts';
import type { JsonSchema } from './resource.ts';
import { BOOLEAN, COUNT, NUMBER, object, TEXT, TEXTS, TIME } from './schemas.ts';

const OR_NULL = (type: string): JsonSchema => ({ type: [type, 'null'] });

/** A message store as lists and the overview show it: the reference's members (spec stores 7.2), and what OP-41 wants. */
export const STORE_ROW = object(
  {
    name: TEXT,
    type: TEXT,
    size: { type: 'integer', minimum: -1 },
    depth: OR_NULL('integer'),
    estimated: BOOLEAN,
    durable: BOOLEAN,
    state: { enum: ['CONNECTING', 'READY', 'DEGRADED', 'DOWN', 'CLOSED'] },
    since: TIME,
    enqueued: COUNT,
    dequeued: COUNT,
    inPerSecond: NUMBER,
    outPerSecond: NUMBER,
    oldestAgeMs: OR_NULL('number'),
    failures: COUNT,
    consumers: TEXTS,
    measuredAt: TIME,
  },
  {
    browsing: { enum: ['free', 'marks', 'none'] },
    lastError: TEXT,
    failover: TEXT,
    failoverOf: TEXTS,
    /** Repetitions that were not stored again; of stores with `x.dedup.id`. */
    duplicates: COUNT,
    file: TEXT,
    line: COUNT,
  },
);

/** How long a list waits for depths that are being measured; then it shows the last ones, ms. */
const LOOK_MS = 1_000;

/** Rows of these stores, measured not long ago. */
export async function storeRows(stores: readonly MessageStore[], server: ManagedServer): Promise<StoreRow[]> {
  await server.observation?.lookClosely(LOOK_MS);
  return await Promise.all(stores.map((store) => storeRow(store, server)));
}

export type StoreRow = Awaited<ReturnType<typeof storeRow>>;

async function storeRow(store: MessageStore, server: ManagedServer) {
  const { name, type, durable } = store;
  const { state, since, lastError, enqueued, dequeued } = store.status();
  const figures = server.observation?.store(name);
  const measured = figures?.measuredAt === undefined ? await measure(store) : figures;
  const failover = failoverOf(store);
  return {
    name,
    type,
    size: measured.depth ?? -1,
    depth: measured.depth,
    estimated: measured.estimated,
    durable,
    browsing: browsingOf(store),
    state,
    since: new Date(since).toISOString(),
    ...(lastError !== undefined && { lastError }),
    enqueued,
    dequeued,
    inPerSecond: figures?.inPerSecond ?? 0,
    outPerSecond: figures?.outPerSecond ?? 0,
    oldestAgeMs: figures?.oldestAgeMs ?? null,
    failures: figures?.failures ?? 0,
    ...(failover !== undefined && { failover }),
    ...failoverFor(name, server),
    ...(store.once && { duplicates: store.once.duplicates }),
    consumers: consumersOf(name, server),
    measuredAt: new Date(measured.measuredAt ?? Date.now()).toISOString(),
    ...placeNamed(server, 'messageStore', name),
  };
}

/** Can one look at its messages, and does that leave a mark on them? A store that is closed meanwhile has none. */
function browsingOf(store: MessageStore): 'free' | 'marks' | 'none' {
  if (!store.browser || store.status().state === 'CLOSED') return 'none';
  return store.browser().leavesMarks ? 'marks' : 'free';
}

async function measure(store: MessageStore) {
  const { count, estimated } = await store.depth();
  return { depth: count === 'unknown' ? null : count, estimated, measuredAt: Date.now() };
}

/** Where messages go that a store does not take (spec stores 3.1, step 8a). */
function failoverOf({ parameters }: MessageStore): string | undefined {
  const guaranteed = parameters.get('store.producer.guaranteed.delivery.enable')?.trim().toLowerCase() === 'true';
  return guaranteed ? parameters.get('store.failover.message.store.name')?.trim() || undefined : undefined;
}

function failoverFor(name: string, server: ManagedServer): { readonly failoverOf?: readonly string[] } {
  const stores = searched(server.configuration(), 'messageStore', undefined);
  const others = stores.filter((other) => failoverOf(other) === name).map((other) => other.name);
  return others.length > 0 ? { failoverOf: others } : {};
}

function consumersOf(name: string, server: ManagedServer): string[] {
  const processors = searched(server.configuration(), 'messageProcessor', undefined);
  return processors.filter(({ storeName }) => storeName === name).map((processor) => processor.name);
}
