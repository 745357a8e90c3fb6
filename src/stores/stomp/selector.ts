import { printable } from './jms-message.ts';

/** Brokers take header lines of 10 KiB; escaped, a selector is longer than it is, and the broker's own ids are longer than ours. */
const MAX_SELECTOR = 4_000;
/** What brokers call messages that other applications have sent; those have no id of ours. */
const JMS_ID = /^ID:/;

/** The messages with these ids: ours by the property that tells it, others by the id that the broker knows them by. */
export function selectorFor(ids: readonly string[]): string {
  const foreign = ids.filter((id) => JMS_ID.test(id));
  const clauses = [`StoredMessageID IN (${ids.map(quoted).join(', ')})`];
  if (foreign.length > 0) clauses.push(`JMSMessageID IN (${foreign.map(quoted).join(', ')})`);
  return clauses.join(' OR ');
}

/** The very messages that a broker has shown, by its own ids. */
export function selectorForShown(messageIds: readonly string[]): string {
  return `JMSMessageID IN (${messageIds.map(quoted).join(', ')})`;
}

/** In parts whose selectors fit a header line. */
export function* inSelectors(ids: readonly string[]): Generator<readonly string[]> {
  let part: string[] = [];
  for (const id of ids) {
    if (part.length > 0 && selectorFor([...part, id]).length > MAX_SELECTOR) {
      yield part;
      part = [];
    }
    part.push(id);
  }
  if (part.length > 0) yield part;
}

function quoted(id: string): string {
  return `'${printable(id).replaceAll("'", "''")}'`;
}
