import type { ManagementClient } from './remote/client.ts';

/** Messages of one page; the most that the server gives. */
const PAGE = 500;
/** Whoever means more than that has to be told by the server how many there are. */
const MAX_PAGES = 200;

/** Beyond that a store is asked how many it has, though that may be a moment old. */
const MAX_COUNTED = 5_000;
/** A look marks their messages as redelivered. */
const BETTER_NOT_LOOKED_AT = ['rabbitmq-message-store'];

interface Page<Row> {
  readonly list: readonly Row[];
  readonly next?: string;
  /** False: there are messages that the broker does not show. */
  readonly complete: boolean;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Looking into a store took longer than it may; the message says so. */
export class TooManyPagesError extends Error {
  override readonly name = 'TooManyPagesError';
}

/** The messages of a store that fit a filter, page by page, the oldest first; nothing is taken. @throws RefusedError, TooManyPagesError */
export async function* pagesOf<Row>(client: ManagementClient, store: string, query: Query): AsyncGenerator<Page<Row>> {
  const path = `/management/message-stores/${encodeURIComponent(store)}/messages`;
  let after: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await client.get<Page<Row>>(path, { ...query, limit: PAGE, after });
    yield page;
    after = page.next;
    if (after === undefined) return;
  }
  throw new TooManyPagesError(`store ${store} has more than ${MAX_PAGES * PAGE} messages to look at`);
}

/**
 * How many messages a store has, by looking only: what the server refuses for a wrong number stands in its audit log. Undefined where
 * only the server can tell. @throws RefusedError
 */
export async function countOfAll(
  client: ManagementClient,
  store: string,
  force: boolean | undefined,
): Promise<number | undefined> {
  const query = { name: store };
  const row = await client.get<StoreRow>('/management/message-stores', query);
  const known = row.depth === null || row.estimated ? undefined : row.depth;
  if (BETTER_NOT_LOOKED_AT.includes(row.type) || (known ?? 0) > MAX_COUNTED) return known;
  return (await counted(client, store, { force }, 'only when all are shown')) ?? known;
}

interface StoreRow {
  readonly type: string;
  readonly depth: number | null;
  readonly estimated: boolean;
}

/** How many messages fit; undefined where that would take too long to look at from here. @throws RefusedError */
export async function countOf(client: ManagementClient, store: string, query: Query): Promise<number | undefined> {
  return await counted(client, store, query, 'those that are shown');
}

async function counted(
  client: ManagementClient,
  store: string,
  query: Query,
  which: 'only when all are shown' | 'those that are shown',
): Promise<number | undefined> {
  try {
    let count = 0;
    for await (const { list, complete } of pagesOf(client, store, query)) {
      if (!complete && which === 'only when all are shown') return undefined;
      count += list.length;
    }
    return count;
  } catch (error) {
    if (error instanceof TooManyPagesError) return undefined;
    throw error;
  }
}
