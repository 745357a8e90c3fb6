import type { MessageStore } from '../../stores/message-store.ts';
import type { Look } from '../../stores/store-browser.ts';
import { browserOf } from './find-messages.ts';
import { type MessageFilter, matches, neededBody } from './message-filter.ts';

/** Which messages of a store an operation is about. */
export type Selection =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'filter'; readonly filter: MessageFilter }
  | { readonly kind: 'all' };

/** The most messages that are taken in one go. */
const MAX_BATCH = 100;
/** Messages of one page when they are counted. */
const PAGE = 500;

/**
 * How many messages are meant, right now.
 * @throws StoreError, BrowseRefusedError
 */
export async function countSelected(store: MessageStore, selection: Selection, look: Look): Promise<number> {
  if (selection.kind === 'ids') return new Set(selection.ids).size;
  if (selection.kind === 'all') {
    // A count of two seconds ago would refuse, or let pass, what was confirmed by looking at the store.
    const { count, estimated } = await store.depth({ fresh: true });
    if (count !== 'unknown' && !estimated) return count;
  }
  const filter = selection.kind === 'filter' ? selection.filter : {};
  const browser = browserOf(store);
  const bodyBytes = neededBody(filter) ?? 0;
  let count = 0;
  for (let after: string | undefined; ; ) {
    const page = await browser.page({ ...look, after, limit: PAGE, bodyBytes });
    count += page.messages.filter((message) => matches(message, filter)).length;
    after = page.next;
    if (after === undefined) return count;
  }
}

/**
 * The ids that are meant, some at a time, no more than `total`. Whoever gets them has dealt with them before the next ones are asked
 * for: they are gone then, or among `failed`. Goes through the store again until nothing new is found, as places may move.
 * @throws StoreError, BrowseRefusedError
 */
export async function* selectedIds(
  store: MessageStore,
  selection: Selection,
  options: Look & {
    readonly total: number;
    readonly failed: ReadonlySet<string>;
    /** What is taken waits no longer than a second for its turn: others want it, too. */
    readonly ratePerSecond: number;
    /** How many are taken in one go at most; undefined: as many as does no harm. */
    readonly atOnce?: number | undefined;
  },
): AsyncGenerator<readonly string[]> {
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(options.ratePerSecond)));
  const atOnce = Math.min(batch, options.atOnce ?? batch);
  if (selection.kind === 'ids') {
    const ids = new Set(selection.ids);
    // Whoever takes several gets them in the order of the store.
    yield* slices(atOnce === 1 ? await inStoreOrder(store, ids, options) : [...ids], atOnce);
    return;
  }
  const { total, failed, signal, force } = options;
  const filter = selection.kind === 'filter' ? selection.filter : {};
  const browser = browserOf(store);
  const bodyBytes = neededBody(filter) ?? 0;
  let found = 0;
  let foundInThisRound = 0;
  for (let after: string | undefined; found < total; ) {
    const page = await browser.page({ after, limit: batch, bodyBytes, signal, force });
    const meant = page.messages.filter((message) => !failed.has(message.id) && matches(message, filter));
    const ids = [...new Set(meant.map(({ id }) => id))].slice(0, total - found);
    yield* slices(ids, atOnce);
    found += ids.length;
    foundInThisRound += ids.length;
    // Where places are counted from the oldest message they are others now.
    after = ids.length === 0 || browser.placesStay ? page.next : undefined;
    if (after !== undefined || (ids.length > 0 && !browser.placesStay)) continue;
    if (foundInThisRound === 0) return;
    foundInThisRound = 0;
  }
}

function* slices(ids: readonly string[], size: number): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += size) yield ids.slice(at, at + size);
}

/** Those that are not seen come last: they may be there nevertheless. */
async function inStoreOrder(store: MessageStore, ids: ReadonlySet<string>, look: Look): Promise<readonly string[]> {
  const found = new Set<string>();
  const browser = browserOf(store);
  const { signal, force } = look;
  for (let after: string | undefined; found.size < ids.size; ) {
    const page = await browser.page({ signal, force, after, limit: PAGE, bodyBytes: 0 });
    for (const { id } of page.messages) if (ids.has(id)) found.add(id);
    after = page.next;
    if (after === undefined) break;
  }
  return [...found, ...[...ids].filter((id) => !found.has(id))];
}
