import type { MessageStore } from '../../stores/message-store.ts';
import { type BrowsedMessage, MAX_PAGE_MESSAGES, notBrowsable, type StoreBrowser } from '../../stores/store-browser.ts';
import { isEmptyFilter, type MessageFilter, matches, neededBody } from './message-filter.ts';

/** How far one question looks; the next one goes on from there. */
const MAX_SCANNED = 10_000;
const SCAN_MS = 5_000;

export interface FindRequest {
  readonly filter: MessageFilter;
  readonly after?: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
  /** See {@link Look.force}. */
  readonly force?: boolean | undefined;
  readonly bodyBytes?: number | undefined;
}

export interface FoundMessages {
  readonly messages: readonly BrowsedMessage[];
  /** Where to go on; there may be more. */
  readonly next: string | undefined;
  readonly scanned: number;
  /** False: there are messages that the medium does not show. */
  readonly complete: boolean;
  readonly note: string | undefined;
}

/** @throws StoreError, BrowseRefusedError for stores that cannot be looked at */
export function browserOf(store: MessageStore): StoreBrowser {
  const browser = store.browser?.();
  if (!browser) throw notBrowsable(store);
  return browser;
}

/**
 * The messages of a store that a filter means, oldest first. Looks at no more than 10,000 messages and for no more than five seconds;
 * `next` goes on behind them.
 * @throws StoreError, BrowseRefusedError, CursorError
 */
export async function findMessages(store: MessageStore, request: FindRequest): Promise<FoundMessages> {
  const { filter, limit, signal, force } = request;
  const browser = browserOf(store);
  const all = isEmptyFilter(filter);
  const bodyBytes = Math.max(neededBody(filter) ?? 0, request.bodyBytes ?? 0) || undefined;
  const until = performance.now() + SCAN_MS;
  const messages: BrowsedMessage[] = [];
  let after = request.after;
  for (let scanned = 0; ; ) {
    const page = await browser.page({ after, limit: all ? limit : MAX_PAGE_MESSAGES, bodyBytes, signal, force });
    const { complete, note } = page;
    for (const message of page.messages) {
      scanned += 1;
      if (!matches(message, filter)) continue;
      messages.push(message);
      if (messages.length < limit) continue;
      const last = message === page.messages.at(-1) && page.next === undefined;
      return { messages, next: last ? undefined : message.cursor, scanned, complete, note };
    }
    after = page.next;
    if (after === undefined || scanned >= MAX_SCANNED || performance.now() >= until) {
      return { messages, next: after, scanned, complete, note };
    }
  }
}
