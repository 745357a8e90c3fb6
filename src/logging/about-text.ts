/** What a detail is called on a terminal, in the order of showing; members that say nothing of a message are not shown. */
const WORDS: ReadonlyArray<readonly [detail: string, word: string]> = [
  ['messageId', 'message'],
  ['store', 'store'],
  ['processor', 'processor'],
  ['attempt', 'attempt'],
  ['endpoint', 'endpoint'],
  ['status', 'status'],
  ['cause', 'cause'],
];
/** These are unmistakable: a line that says them already does not repeat them. */
const UNMISTAKABLE: ReadonlySet<string> = new Set(['messageId', 'cause']);

/**
 * What the end of a line of text says of the message that it is about, as
 * ` (proxy OrderProxy, orders.xml:7, message urn:uuid:…, attempt 2, cause …)` (OP-70); nothing when it is about none.
 */
export function aboutText(message: string, details: Readonly<Record<string, unknown>>): string {
  if (details.messageId === undefined) return '';
  const { artifactKind, artifact, file, line } = details;
  const parts: string[] = [];
  if (artifact !== undefined) parts.push(`${artifactKind ?? 'artifact'} ${artifact}`);
  if (file !== undefined) parts.push(line === undefined ? String(file) : `${file}:${line}`);
  for (const [detail, word] of WORDS) {
    const value = details[detail];
    if (value === undefined || value === '') continue;
    const text = String(value);
    if (!UNMISTAKABLE.has(detail) || !message.includes(text)) parts.push(`${word} ${text.replace(/\s*\n\s*/g, ' ')}`);
  }
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
