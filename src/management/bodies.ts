import type { IncomingMessage } from 'node:http';
import { ManagementError } from './management-error.ts';
import { mediaType } from './media-types.ts';
import type { JsonSchema } from './resource.ts';
import { problemsOf } from './validation.ts';

const KIBIBYTE = 1024;
/** Requests of the API itself are small. */
const MAX_JSON_BYTES = 64 * KIBIBYTE;
/** How long the next piece of a body may be waited for. */
const IDLE_TIMEOUT_MS = 60_000;
/** Of a body that is held as a whole; long enough for an archive over a slow line. */
const WHOLE_TIMEOUT_MS = 300_000;

/** What a resource takes as body. */
export interface BodyDeclaration<B> {
  /** The media types that the OpenAPI document names. */
  readonly types: readonly string[];
  /** Bytes; 413 beyond. */
  readonly maximumBytes: number;
  readonly schema: JsonSchema;
  /** @throws ManagementError 400, 413, 415 */
  read(request: IncomingMessage): Promise<B>;
}

/** What people send JSON as besides its own type: `curl -d` says it is a form. */
const TAKEN_FOR_JSON = ['', 'application/json', 'application/x-www-form-urlencoded', 'text/plain', 'text/json'];

/** A JSON object that is valid by a schema; `B` is what the schema lets through. Nothing counts as `{}` where that is valid. */
export function jsonBody<B>(schema: JsonSchema, options: { maximumBytes?: number } = {}): BodyDeclaration<B> {
  const maximumBytes = options.maximumBytes ?? MAX_JSON_BYTES;
  return {
    types: ['application/json'],
    maximumBytes,
    schema,
    async read(request) {
      const type = mediaType(request.headers['content-type']);
      if (!TAKEN_FOR_JSON.includes(type) && !type.endsWith('+json')) throw wrongType(type, ['application/json']);
      const bytes = await readBytes(request, maximumBytes);
      const value = bytes.length === 0 && !needsMembers(schema) ? {} : parse(bytes);
      const problems = await problemsOf(schema, value);
      if (problems) throw new ManagementError(400, problems.text, { details: problems.details });
      return value as B;
    },
  };
}

/** A body that is taken as it is, as text in UTF-8. */
export function textBody(types: readonly string[], options: { maximumBytes: number }): BodyDeclaration<string> {
  const bytes = bytesBody(types, options);
  return { ...bytes, read: async (request) => new TextDecoder().decode(await bytes.read(request)) };
}

/** A body that is taken as it is. */
export function bytesBody(types: readonly string[], options: { maximumBytes: number }): BodyDeclaration<Uint8Array> {
  const { maximumBytes } = options;
  return {
    types,
    maximumBytes,
    schema: { type: 'string', contentMediaType: types[0] },
    async read(request) {
      checkType(request, types);
      return await readBytes(request, maximumBytes);
    },
  };
}

/** A body that is too large to hold: its chunks as they come. Whoever takes it must read it to its end or break off. */
export function streamBody(
  types: readonly string[],
  options: { maximumBytes: number },
): BodyDeclaration<AsyncIterable<Buffer>> {
  const { maximumBytes } = options;
  return {
    types,
    maximumBytes,
    schema: { type: 'string', contentMediaType: types[0] },
    async read(request) {
      checkType(request, types);
      return bounded(request, maximumBytes);
    },
  };
}

/** Files of a form (`multipart/form-data`), all of them within the bound. */
export function formBody(options: { maximumBytes: number; schema: JsonSchema }): BodyDeclaration<FormData> {
  const { maximumBytes, schema } = options;
  const types = ['multipart/form-data'];
  return {
    types,
    maximumBytes,
    schema,
    async read(request) {
      checkType(request, types);
      const bytes = await readBytes(request, maximumBytes);
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      try {
        return await new Response(bytes, { headers }).formData();
      } catch (cause) {
        throw new ManagementError(400, 'The form cannot be read', {}, { cause });
      }
    },
  };
}

function checkType(request: IncomingMessage, types: readonly string[]): void {
  const type = mediaType(request.headers['content-type']);
  if (!types.includes(type)) throw wrongType(type, types);
}

function wrongType(type: string, types: readonly string[]): ManagementError {
  const found = type === '' ? 'The body has no Content-Type' : `A body of type ${type} is not taken here`;
  return new ManagementError(415, `${found}, expected ${types.join(' or ')}`);
}

/** Where nothing has to be said, no body at all says the same as `{}`. */
function needsMembers(schema: JsonSchema): boolean {
  return ['required', 'anyOf', 'oneOf', 'minProperties'].some((keyword) => keyword in schema);
}

function parse(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw new ManagementError(400, 'Error when parsing JSON payload', {}, { cause });
  }
  throw new ManagementError(400, 'Error when parsing JSON payload', { details: ['expected an object'] });
}

async function readBytes(request: IncomingMessage, maximumBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of bounded(request, maximumBytes, WHOLE_TIMEOUT_MS)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** @throws ManagementError 408, 413 */
async function* bounded(
  request: IncomingMessage,
  maximumBytes: number,
  wholeMs = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const tooLarge = () => new ManagementError(413, `The body is larger than ${maximumBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) throw tooLarge();
  let size = 0;
  const until = performance.now() + wholeMs;
  // The answer is still to be written when the body is given up.
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  let waiting = false;
  try {
    for (;;) {
      waiting = true;
      const { done, value } = await inTime(chunks.next(), Math.min(IDLE_TIMEOUT_MS, until - performance.now()));
      waiting = false;
      if (done) return;
      size += value.byteLength;
      if (size > maximumBytes) throw tooLarge();
      yield value;
    }
  } finally {
    // It ends after the piece that is waited for, which may never come.
    if (!waiting) await chunks.return?.();
  }
}

/** @throws ManagementError 408 */
async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const refuse = () =>
    late.reject(new ManagementError(408, 'The body did not come in time', { headers: { Connection: 'close' } }));
  const timer = setTimeout(refuse, Math.max(0, milliseconds));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
