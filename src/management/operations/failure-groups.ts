import type { MessageStore } from '../../stores/message-store.ts';
import type { BrowsedMessage } from '../../stores/store-browser.ts';
import { findMessages } from './find-messages.ts';

/** Messages that failed in the same way (OP-48): by normalised cause, endpoint and status. */
export interface FailureGroup {
  readonly cause: string;
  readonly endpoint: string | undefined;
  readonly status: number | undefined;
  count: number;
  /** Epoch ms of the last attempts. */
  oldest: number;
  newest: number;
  readonly sampleIds: string[];
}

const MAX_SAMPLES = 5;
const MAX_GROUPS = 200;
/** What groups beyond that are counted as. */
const OTHERS = 'other causes';
const MAX_CAUSE = 300;

/** What differs from message to message in the same failure. */
const VARIABLE: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\b0x[0-9a-f]+\b|\b[0-9a-f]{16,}\b/gi, '<hex>'],
  // Ports tell back ends apart.
  [/(?<![:.\d])\d{4,}(?!\.\d)\b/g, '<number>'],
];

/** The cause without ids, times and numbers of one message. */
export function normalizedCause(cause: string): string {
  let text = cause.replaceAll(/\s+/g, ' ').trim();
  for (const [pattern, name] of VARIABLE) text = text.replaceAll(pattern, name);
  return text.slice(0, MAX_CAUSE);
}

/**
 * The failures in a store, the largest group first. Looks as far as one question may (see {@link findMessages}); `complete` tells
 * whether that was all.
 * @throws StoreError, BrowseRefusedError
 */
export async function failureGroups(
  store: MessageStore,
  look: { readonly signal: AbortSignal; readonly force?: boolean | undefined },
): Promise<{ readonly groups: readonly FailureGroup[]; readonly scanned: number; readonly complete: boolean }> {
  const groups = new Map<string, FailureGroup>();
  const found = await findMessages(store, { ...look, filter: {}, limit: Number.MAX_SAFE_INTEGER });
  for (const message of found.messages) count(groups, message);
  const sorted = [...groups.values()].sort((one, other) => other.count - one.count);
  return { groups: sorted, scanned: found.scanned, complete: found.complete && found.next === undefined };
}

function count(groups: Map<string, FailureGroup>, browsed: BrowsedMessage): void {
  const { message, poison, id } = browsed;
  const failure = message?.history.at(-1);
  const cause = failure?.cause ?? poison?.reason;
  if (cause === undefined) return;
  const facts = { cause: normalizedCause(cause), endpoint: failure?.endpoint, status: failure?.status };
  const group = groupOf(groups, facts);
  const at = failure?.lastAttemptAt ?? message?.storedAt ?? Date.now();
  group.count += 1;
  group.oldest = Math.min(group.oldest, at);
  group.newest = Math.max(group.newest, at);
  if (group.sampleIds.length < MAX_SAMPLES) group.sampleIds.push(id);
}

function groupOf(groups: Map<string, FailureGroup>, facts: Pick<FailureGroup, 'cause' | 'endpoint' | 'status'>) {
  const key = JSON.stringify([facts.cause, facts.endpoint, facts.status]);
  const known = groups.get(key);
  if (known) return known;
  if (groups.size >= MAX_GROUPS && facts.cause !== OTHERS) {
    return groupOf(groups, { cause: OTHERS, endpoint: undefined, status: undefined });
  }
  const group = { ...facts, count: 0, oldest: Number.POSITIVE_INFINITY, newest: 0, sampleIds: [] };
  groups.set(key, group);
  return group;
}
