/** One HTTP request with a deadline: direct or through a proxy, plain or TLS. */
import { type Agent, type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure, type RequestOptions as SecureRequestOptions } from 'node:https';
import { CallFailure } from './failure.ts';

/** How connections are made. */
export interface Connection {
  /** HTTP proxy; only its host and port count. */
  readonly proxy?: URL | undefined;
  /** Deadline for the whole exchange, milliseconds. */
  readonly timeoutMs: number;
  /** PEM of the certificates to trust for HTTPS instead of the system's. */
  readonly ca?: string | undefined;
  /** Accept any certificate. Those of loopback addresses are accepted anyway unless `ca` is given: samples sign their own. */
  readonly insecure?: boolean | undefined;
  /** Connection pool; by default each request has a connection of its own. */
  readonly agent?: Agent | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Uint8Array;
}

/** Largest answer that is read, bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Sends a POST and reads the whole answer.
 *
 * @throws CallFailure of kind `transport` when there is no complete answer within the deadline
 */
export async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  connection: Connection,
): Promise<HttpReply> {
  const signal = AbortSignal.timeout(connection.timeoutMs);
  try {
    const incoming = await send(url, headers, body, connection, signal);
    return {
      status: incoming.statusCode ?? 0,
      statusText: incoming.statusMessage ?? '',
      headers: incoming.headers,
      body: await readAll(incoming),
    };
  } catch (cause) {
    if (cause instanceof CallFailure) throw cause;
    throw new CallFailure('transport', signal.aborted ? 'Read timed out' : reasonOf(cause, url), {
      cause: signal.aborted ? `No complete answer within ${connection.timeoutMs} ms` : cause,
    });
  }
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  connection: Connection,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      ...address(url, connection.proxy),
      method: 'POST',
      agent: connection.agent ?? false,
      signal,
      headers: { ...headers, 'User-Agent': 'Axis2', Host: url.host, 'Transfer-Encoding': 'chunked' },
    };
    const secure = url.protocol === 'https:';
    const outgoing = secure ? requestSecure({ ...options, ...trust(url, connection) }) : requestPlain(options);
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function address(url: URL, proxy: URL | undefined): RequestOptions {
  const host = (proxy ?? url).hostname.replace(/^\[(.*)\]$/, '$1');
  const port = (proxy ?? url).port || undefined;
  const path = proxy ? `${url.origin}${url.pathname}${url.search}` : `${url.pathname}${url.search}`;
  return port === undefined ? { host, path } : { host, port, path };
}

function trust(url: URL, { ca, insecure }: Connection): SecureRequestOptions {
  if (insecure) return { rejectUnauthorized: false };
  if (ca !== undefined) return { ca };
  return { rejectUnauthorized: !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname) };
}

async function readAll(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES)
      throw new CallFailure('transport', `The answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What Java says for the system's errors, since that is what people search for. */
function reasonOf(error: unknown, url: URL): string {
  // A host with several addresses fails with one error for all of them.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? first.code : undefined;
  if (code === 'ECONNREFUSED') return 'Connection refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'Connection reset';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `Unknown host: ${url.hostname}`;
  return first instanceof Error ? first.message : String(first);
}
