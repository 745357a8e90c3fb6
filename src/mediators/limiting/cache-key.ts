import { createHash } from 'node:crypto';
import { formatPayload } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';

/** Differ from request to request, or from client to client, and say nothing about the answer. */
const NEVER = ['date', 'user-agent', 'activityid', 'correlation-id'];
const WITHOUT_BODY = ['GET', 'DELETE', 'HEAD'];

/** Which headers tell requests apart (spec mediators 3.35); names in lower case. */
export interface KeyHeaders {
  /** Only these, if there are any; `*` for all. */
  readonly included: readonly string[];
  /** All but these; `*` for none at all. */
  readonly excluded: readonly string[];
}

/** Equal for requests that have the same answer: method, address, headers, and the body where a request has one that counts. */
export function cacheKey(message: MessageContext, wanted: KeyHeaders): string {
  const method = String(message.axis2.get('HTTP_METHOD') ?? 'POST').toUpperCase();
  const hash = createHash('sha256');
  const add = (text: string) => hash.update(`${text.length}:${text}`);
  add(method);
  add(message.to ?? '');
  // To has no query; for a request as it came in, this is where it stands.
  add(String(message.axis2.get('TransportInURL') ?? ''));
  for (const line of headerLines(message, wanted)) add(line);
  if (!(message.doingRest && WITHOUT_BODY.includes(method))) hash.update(bodyOf(message));
  return hash.digest('base64url');
}

function headerLines(message: MessageContext, { included, excluded }: KeyHeaders): string[] {
  const counts = (name: string) => {
    if (NEVER.includes(name)) return false;
    if (included.length > 0) return included.includes('*') || included.includes(name);
    return !excluded.includes('*') && !excluded.includes(name);
  };
  const lines: string[] = [];
  for (const [name, value] of message.headers.pairs()) {
    const key = name.toLowerCase();
    if (counts(key)) lines.push(`${key}: ${value}`);
  }
  return lines.sort();
}

function bodyOf({ payload }: MessageContext): Uint8Array {
  return payload.originalBytes() ?? formatPayload(payload).bytes ?? new Uint8Array();
}
