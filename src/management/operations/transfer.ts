import { StringDecoder } from 'node:string_decoder';
import { type MessageStore, StoreError } from '../../stores/message-store.ts';
import type { BrowsedMessage, Look } from '../../stores/store-browser.ts';
import { ManagementError } from '../management-error.ts';
import { browserOf } from './find-messages.ts';
import { type MessageFilter, matches } from './message-filter.ts';
import { messageLine, poisonLine, readMessageLine } from './message-lines.ts';
import type { MessageOperations } from './message-operations.ts';
import { reasonOf } from './operation-error.ts';

/** Messages of one page; their bodies are within the page's own bound. */
const PAGE = 500;
/** One message; bodies of 100 MiB are possible, in base64 they take a third more. */
const MAX_LINE_CHARACTERS = 140 * 1024 * 1024;
/** More is not reported; the file is broken then. */
const MAX_FAILURES = 100;
/** The store does not take messages then. */
const MAX_STORE_ERRORS_IN_A_ROW = 20;
/** Ids that are compared with those of the file. */
const MAX_KNOWN = 1_000_000;

/**
 * The messages of a store as lines, oldest first; nothing is taken. With ids in the order of the store.
 * @throws StoreError, BrowseRefusedError
 */
export async function* exportMessages(
  store: MessageStore,
  which: { readonly ids?: readonly string[] | undefined; readonly filter?: MessageFilter },
  look: Look,
): AsyncGenerator<string> {
  const browser = browserOf(store);
  const wanted = which.ids && new Set(which.ids);
  for (let after: string | undefined; ; ) {
    const page = await browser.page({ ...look, after, limit: PAGE, bodyBytes: Number.MAX_SAFE_INTEGER });
    for (const browsed of page.messages) {
      if (wanted && !wanted.has(browsed.id)) continue;
      if (!which.filter || matches(browsed, which.filter)) yield `${lineOf(browsed)}\n`;
    }
    after = page.next;
    if (after !== undefined) continue;
    if (!page.complete)
      yield `${JSON.stringify({ incomplete: page.note ?? 'there are messages that the store does not show' })}\n`;
    return;
  }
}

function lineOf({ message, poison }: BrowsedMessage): string {
  if (message) return messageLine(message);
  return poison ? poisonLine(poison) : '';
}

/** The last line of an export that does not have all messages. */
const INCOMPLETE = /^\{"incomplete":/;

/** What an import does with a message whose id the store has, or had in an earlier line. */
export type Duplicates = 'refuse' | 'skip' | 'allow';

export interface ImportResult {
  done: number;
  /** Lines. */
  count: number;
  skipped: number;
  readonly failed: Array<{ readonly line: number; readonly id?: string; readonly Error: string }>;
  /** Why it ended before the last line. */
  stopped?: string;
}

export interface ImportWishes extends Look {
  readonly duplicates: Duplicates;
  /** Only looks whether it could be done. */
  readonly dryRun: boolean;
}

/**
 * Stores messages from lines, one after the other, with the ids that they have. A line that is none is reported, the others are
 * stored; after a hundred of those it ends, and after twenty in a row that the store does not take.
 * @throws ManagementError when the ids of the store cannot be compared; StoreError from looking
 */
export async function importMessages(
  store: MessageStore,
  chunks: AsyncIterable<Buffer>,
  wishes: ImportWishes,
  operations: Pick<MessageOperations, 'ledger' | 'count'>,
): Promise<ImportResult> {
  const { duplicates, dryRun, signal } = wishes;
  const known = duplicates === 'allow' ? undefined : await knownIds(store, wishes);
  const result: ImportResult = { done: 0, count: 0, skipped: 0, failed: [] };
  let number = 0;
  let storeErrors = 0;
  for await (const line of linesOf(chunks)) {
    number += 1;
    if (line.trim() === '' || INCOMPLETE.test(line)) continue;
    signal.throwIfAborted();
    result.count += 1;
    let id: string | undefined;
    try {
      const message = readMessageLine(line);
      id = message.id;
      if (known?.has(id)) {
        if (duplicates === 'refuse') throw new Error('the store has a message with this id already');
        result.skipped += 1;
        continue;
      }
      known?.add(id);
      if (!dryRun) {
        operations.ledger.forget(store.name, id);
        await store.put(message);
        storeErrors = 0;
        operations.count(store.name, 'imported');
      }
      result.done += 1;
    } catch (error) {
      result.failed.push({ line: number, ...(id !== undefined && { id }), Error: reasonOf(error) });
      if (error instanceof StoreError) storeErrors += 1;
      if (storeErrors >= MAX_STORE_ERRORS_IN_A_ROW) {
        result.stopped = `stopped after ${MAX_STORE_ERRORS_IN_A_ROW} messages in a row that the store did not take`;
      } else if (result.failed.length >= MAX_FAILURES) {
        result.stopped = `stopped after ${MAX_FAILURES} failures`;
      }
      if (result.stopped !== undefined) break;
    }
  }
  return result;
}

/** @throws ManagementError 409 when not all of them can be seen */
async function knownIds(store: MessageStore, look: Look): Promise<Set<string>> {
  const ids = new Set<string>();
  const { signal, force } = look;
  const browser = browserOf(store);
  for (let after: string | undefined; ; ) {
    const page = await browser.page({ signal, force, after, limit: 500, bodyBytes: 0 });
    for (const { id } of page.messages) ids.add(id);
    after = page.next;
    if (!page.complete || ids.size > MAX_KNOWN) {
      throw new ManagementError(
        409,
        `Not all messages of store '${store.name}' can be seen, so duplicates would not be noticed: import with duplicates=allow`,
      );
    }
    if (after === undefined) return ids;
  }
}

/** @throws ManagementError 413 for a line without an end */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const [first = '', ...others] = decoder.write(chunk).split('\n');
    begun.push(first);
    length += first.length;
    if (length > MAX_LINE_CHARACTERS) {
      throw new ManagementError(413, `A line is longer than ${MAX_LINE_CHARACTERS} characters`);
    }
    const last = others.pop();
    if (last === undefined) continue;
    yield begun.join('');
    yield* others;
    begun = [last];
    length = last.length;
  }
  yield begun.join('') + decoder.end();
}
