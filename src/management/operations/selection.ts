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
    const { count, estimated } = await store.depth();
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
  },
): AsyncGenerator<readonly string[]> {
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(options.ratePerSecond)));
  if (selection.kind === 'ids') {
    const ids = [...new Set(selection.ids)];
    for (let at = 0; at < ids.length; at += batch) yield ids.slice(at, at + batch);
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
    if (ids.length > 0) yield ids;
    found += ids.length;
    foundInThisRound += ids.length;
    // Where places are counted from the oldest message they are others now.
    after = ids.length === 0 || browser.placesStay ? page.next : undefined;
    if (after !== undefined || (ids.length > 0 && !browser.placesStay)) continue;
    if (foundInThisRound === 0) return;
    foundInThisRound = 0;
  }
}
