import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandFailure, EXIT } from '../io.ts';

/** Until the head of an answer; the server itself gives up on a store after 10 s. */
const HEAD_DEADLINE_MS = 60_000;
/** Of one JSON answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface ClientOptions {
  readonly base: URL;
  /** The value of the header. */
  readonly authorization?: string | undefined;
  /** PEM. */
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Asking {
  readonly query?: Query;
  /** Sent as JSON; bytes and streams as they are, with the Content-Type that the headers say. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

export interface JsonReply {
  readonly status: number;
  readonly body: unknown;
}

/** The server answered that it will not, or cannot. */
export class RefusedError extends CommandFailure {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(message: string, status: number, body: Readonly<Record<string, unknown>>) {
    super(message, EXIT.wrong);
    this.status = status;
    this.body = body;
  }
}

/** Nobody answered, or not in a way that can be understood. */
export class UnreachableError extends CommandFailure {
  override readonly name = 'UnreachableError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.unavailable, options);
  }
}

/** A client of the management API. */
export class ManagementClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get base(): URL {
    return this.#options.base;
  }

  /** @throws RefusedError, UnreachableError */
  async get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.send('GET', path, { query })).body as T;
  }

  /** A JSON answer of 2xx. @throws RefusedError for every other one, UnreachableError */
  async send(method: string, path: string, asking: Asking = {}): Promise<JsonReply> {
    const reply = await this.open(method, path, asking);
    return { status: reply.statusCode ?? 0, body: await jsonOf(reply, this.base) };
  }

  /** The answer whatever its status, as JSON where it is. @throws UnreachableError */
  async look(path: string): Promise<JsonReply> {
    const reply = await this.#ask('GET', path, {});
    return { status: reply.statusCode ?? 0, body: await jsonOf(reply, this.base) };
  }

  /** An answer of 2xx as it comes; to be read to its end or destroyed. @throws RefusedError, UnreachableError */
  async open(method: string, path: string, asking: Asking = {}): Promise<IncomingMessage> {
    const reply = await this.#ask(method, path, asking);
    const status = reply.statusCode ?? 0;
    if (status >= 200 && status < 300) return reply;
    throw refusal(status, await jsonOf(reply, this.base).catch(() => undefined), this.base);
  }

  async #ask(method: string, path: string, asking: Asking): Promise<IncomingMessage> {
    const { authorization, base, ca, insecure } = this.#options;
    const url = new URL(path.replace(/^\//, ''), base.href.endsWith('/') ? base.href : `${base.href}/`);
    for (const [name, value] of Object.entries(asking.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const { body, signal, deadlineMs = HEAD_DEADLINE_MS } = asking;
    const headers: Record<string, string> = {
      Accept: 'application/json',
      'X-Requested-By': 'mini-synapse',
      ...asking.headers,
    };
    if (authorization !== undefined) headers.Authorization = authorization;
    const stream = body instanceof Readable ? body : undefined;
    const bytes = body === undefined || stream ? undefined : bytesOf(body);
    if (bytes) {
      headers['Content-Type'] ??= 'application/json';
      headers['Content-Length'] = String(bytes.byteLength);
    }
    const options: RequestOptions & { ca?: string; rejectUnauthorized?: boolean } = { method, headers, agent: false };
    if (signal) options.signal = signal;
    if (ca !== undefined) options.ca = ca;
    if (insecure) options.rejectUnauthorized = false;
    return await exchange(url, options, { bytes, stream, deadlineMs });
  }
}

function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
}

interface Outgoing {
  readonly bytes: Uint8Array | undefined;
  readonly stream: Readable | undefined;
  readonly deadlineMs: number;
}

/** @throws UnreachableError, also when the deadline has passed */
function exchange(
  url: URL,
  options: RequestOptions,
  { bytes, stream, deadlineMs }: Outgoing,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, options);
    const giveUp = () => request.destroy(new Error(`no answer within ${deadlineMs / 1000} s`));
    // What is uploaded takes the time it takes.
    let deadline = stream ? undefined : setTimeout(giveUp, deadlineMs);
    let answered = false;
    request.once('response', (reply) => {
      answered = true;
      clearTimeout(deadline);
      resolve(reply);
    });
    request.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(deadline);
      reject(new UnreachableError(unreachableText(url, cause), { cause }));
    });
    if (!stream) {
      request.end(bytes);
      return;
    }
    pipeline(stream, request).then(
      () => {
        if (!answered && !request.destroyed) deadline = setTimeout(giveUp, deadlineMs);
      },
      (error: Error) => {
        // An answer before the end of the upload is an answer.
        request.destroy(error);
      },
    );
  });
}

function unreachableText({ origin, protocol }: URL, cause: NodeJS.ErrnoException): string {
  if (cause.code === 'ECONNREFUSED')
    return `no server answers at ${origin}; is it started? --url or MINI_SYNAPSE_URL says where it is`;
  if (protocol === 'http:' && (cause.code === 'ECONNRESET' || /Parse Error/.test(cause.message)))
    return `${origin} ended the connection; does it want https?`;
  if (/self.signed|unable to (?:get|verify)|CERT_|altnames/i.test(`${cause.code} ${cause.message}`))
    return `the certificate of ${origin} is not trusted (${cause.message}); --ca FILE names one to trust`;
  const reason =
    cause.message || cause.code || (cause instanceof AggregateError ? String(cause.errors[0]) : 'no reason told');
  return `${origin} cannot be reached: ${reason}`;
}

async function jsonOf(reply: IncomingMessage, base: URL): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of reply as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
      parts.push(part);
    }
    const text = Buffer.concat(parts).toString('utf8');
    return text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    reply.destroy();
    throw new UnreachableError(
      `what ${base.origin} answers is not the management API of mini-synapse: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function refusal(status: number, found: unknown, base: URL): RefusedError {
  const body = typeof found === 'object' && found !== null ? (found as Readonly<Record<string, unknown>>) : {};
  const said = typeof body.Error === 'string' ? body.Error : undefined;
  const nearest = typeof body.didYouMean === 'string' ? `, did you mean '${body.didYouMean}'?` : '';
  const details = Array.isArray(body.details) ? body.details.map((detail) => `\n  ${String(detail)}`).join('') : '';
  return new RefusedError(`${textOf(status, said, base)}${nearest}${details}`, status, body);
}

function textOf(status: number, said: string | undefined, base: URL): string {
  switch (status) {
    case 401:
      return `${base.origin} wants to know who you are: mini-synapse login --url ${base.origin}, or MINI_SYNAPSE_TOKEN`;
    case 403:
      return said ?? 'your role does not allow that';
    case 429:
      return said ?? 'too many attempts; try again later';
    default:
      return said ?? `the server answered ${status}`;
  }
}
