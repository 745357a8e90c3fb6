import { TransportHeaders } from '../message/headers.ts';
import type { HttpRequest } from './http-exchange.ts';

/** Set by the sender from what it really sends, or meaningless beyond one connection. */
const NOT_SENT = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What undici is given: names and values in turn. */
export function headerList({ headers, stream }: HttpRequest, url: URL): string[] {
  const list: string[] = [];
  let authorized = false;
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (NOT_SENT.has(key)) continue;
    authorized ||= key === 'authorization';
    list.push(name, value);
  }
  if (url.username !== '' && !authorized) list.push('Authorization', basicCredentials(url));
  if (stream?.length !== undefined) list.push('Content-Length', `${stream.length}`);
  return list;
}

function basicCredentials({ username, password }: URL): string {
  const plain = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(plain, 'utf8').toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function wantsClose(headers: HttpRequest['headers']): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'connection' && /\bclose\b/i.test(value));
}

/** The headers of a response, byte for byte. */
export function decodeHeaders(raw: unknown): TransportHeaders {
  const headers = new TransportHeaders();
  if (!Array.isArray(raw)) return headers;
  for (let index = 0; index + 1 < raw.length; index += 2) headers.add(latin1(raw[index]), latin1(raw[index + 1]));
  return headers;
}

function latin1(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}
