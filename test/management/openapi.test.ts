import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESOURCES } from '../../src/management/resources/index.ts';
import { HOOK, webHook } from './made-before.ts';
import { ADMIN, type ApiCase, type ApiRequest, CASES, TOKENS, VIEWER } from './openapi-cases.ts';
import { anyValue, valuesOf } from './schema-values.ts';
import { ARTIFACTS, type Served, START_MS, serve } from './served.ts';

/** The document against the server that serves it: every path keeps to what it declares. */

interface Operation {
  readonly security: readonly unknown[];
  readonly 'x-role': string;
  readonly parameters?: ReadonlyArray<{
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

type Schema = Readonly<Record<string, unknown>>;

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const SPARE = '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Spare"/>';
const KEYS = RESOURCES.map(({ method, path }) => `${method} ${path.replace('+}', '}')}`);
const WITH_BODY = RESOURCES.filter(({ body }) => body).map(
  ({ method, path }) => `${method} ${path.replace('+}', '}')}`,
);
/** Refusals from 500 on that requests may bring about here; every other one is a failure of the server. */
const RIGHTLY: Readonly<Record<string, readonly number[]>> = {
  // Not all that is deployed works.
  'GET /healthz': [503],
  'GET /health/ready': [503],
  // As many follow the events as may, for as long as the server has not noticed that they have gone.
  'GET /management/events': [503],
  // Nobody listens where the endpoint points to.
  'POST /management/message-stores/{name}/messages/{id}/resend': [502],
};
/** Longer than any request may take, on a busy machine. */
const DEADLINE_MS = 60_000;

let served: Served;
let hook: Server;
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const ajv = new Ajv2020({ strict: false });
(addFormats as unknown as (target: unknown) => void)(ajv);

beforeAll(async () => {
  hook = createServer((incoming, outgoing) => incoming.resume().on('end', () => outgoing.writeHead(204).end()));
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const toml = TOKENS + webHook((hook.address() as AddressInfo).port);
  served = await serve({ artifacts: { ...ARTIFACTS, 'spare.xml': SPARE }, toml });
  const document = (await served.ask('/management/openapi.json')).body;
  paths = document.paths;
  ajv.addSchema(document, 'api');
}, START_MS);
afterAll(async () => {
  await served?.stop();
  hook.close();
});

function operation(key: string): Operation {
  const [method = '', path = ''] = key.split(' ');
  const found = paths[path]?.[method.toLowerCase()];
  if (!found) throw new Error(`${key} is not in the document`);
  return found;
}

async function caseOf(key: string): Promise<ApiCase> {
  const found = CASES[key] ?? {};
  return typeof found === 'function' ? await found(served) : found;
}

/** Sends a request; an event stream is left as soon as it begins. */
function send(
  key: string,
  { parameters = {}, query = {}, body, type }: ApiRequest,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const [method = '', template = ''] = key.split(' ');
  const slashes = RESOURCES.some(({ path }) => path.replace('+}', '}') === template && path.endsWith('+}'));
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const encoded = encodeURIComponent(parameters[name] ?? 'x');
    return slashes ? encoded.replaceAll('%2F', '/') : encoded;
  });
  const search = new URLSearchParams(query).toString();
  const content =
    body === undefined
      ? undefined
      : typeof body === 'string' || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
  const contentType = type ?? (typeof body === 'object' ? 'application/json' : undefined);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port: served.server.managementPort,
        method,
        path: search === '' ? path : `${path}?${search}`,
        headers: { ...(contentType && { 'Content-Type': contentType }), ...headers },
        signal: AbortSignal.timeout(DEADLINE_MS),
      },
      (incoming) => {
        const { statusCode: status = 0, headers: answered } = incoming;
        const answeredType = String(answered['content-type'] ?? '').split(';')[0] ?? '';
        const chunks: Buffer[] = [];
        const done = () =>
          resolve({ status, type: answeredType, headers: answered, text: Buffer.concat(chunks).toString() });
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', done);
        incoming.on('error', reject);
        if (answeredType !== 'text/event-stream') return;
        done();
        outgoing.destroy();
      },
    );
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

/** The answer has a declared status, and a body valid by what is declared for it. */
function holds(key: string, reply: Reply): void {
  const [method = '', path = ''] = key.split(' ');
  const declared = operation(key).responses[reply.status];
  expect(declared, `${key} answered ${reply.status}, which is not declared: ${reply.text.slice(0, 300)}`).toBeDefined();
  // A role that does not suffice is told nothing.
  if (reply.text === '') return;
  const types = Object.keys(declared?.content ?? {});
  expect(types, `${key} ${reply.status}`).toContain(reply.type);
  if (reply.type !== 'application/json') return;
  const pointer = [
    path,
    method.toLowerCase(),
    'responses',
    String(reply.status),
    'content',
    'application/json',
    'schema',
  ]
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/');
  const validate = ajv.getSchema(`api#/paths/${pointer}`);
  const valid = validate?.(JSON.parse(reply.text));
  expect(valid, `${key} ${reply.status}: ${ajv.errorsText(validate?.errors)} in ${reply.text.slice(0, 500)}`).toBe(
    true,
  );
}

describe('every path of the document', () => {
  it('is one that is declared, and the other way round', () => {
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual([...KEYS].sort());
    // What needs something to be asked for has a case.
    const needy = KEYS.filter((key) => key.includes('{') || WITH_BODY.includes(key));
    expect(needy.filter((key) => !(key in CASES))).toEqual([]);
  });

  it.each(KEYS)(
    '%s answers as it declares',
    async (key) => {
      const happy = await caseOf(key);
      const reply = await send(key, happy, happy.headers ?? ADMIN);
      holds(key, reply);
      expect(reply.status, reply.text.slice(0, 500)).toBe(happy.status ?? 200);
    },
    DEADLINE_MS,
  );

  it.each(KEYS)(
    '%s is closed to whoever may not',
    async (key) => {
      const { 'x-role': role, security } = operation(key);
      const happy = await caseOf(key);
      const anonymous = await send(key, happy);
      if (security.length === 0) expect(anonymous.status).not.toBe(403);
      else {
        expect(anonymous.status).toBe(401);
        expect(anonymous.headers['www-authenticate']).toBeDefined();
        holds(key, anonymous);
      }
      if (role === 'public' || role === 'viewer') return;
      expect(await send(key, happy, VIEWER)).toMatchObject({ status: 403, text: '' });
    },
    DEADLINE_MS,
  );

  it.each(KEYS)(
    '%s says what is wrong with a request',
    async (key) => {
      const happy = await caseOf(key);
      const typo = await send(key, { ...happy, query: { ...happy.query, nonsens: '1' } }, ADMIN);
      expect(typo.status).toBe(400);
      holds(key, typo);
      if (!operation(key).requestBody) return;
      const wrongType = await send(key, { ...happy, body: 'x', type: 'image/png' }, ADMIN);
      expect(wrongType.status).toBe(415);
      holds(key, wrongType);
      if (Object.keys(operation(key).requestBody?.content ?? {}).join() !== 'application/json') return;
      for (const body of ['no JSON', '[]', 'null', '"x"', '\xff']) {
        const reply = await send(key, { ...happy, body, type: 'application/json' }, ADMIN);
        expect(reply.status, `${key} ${body}`).toBe(400);
        holds(key, reply);
      }
    },
    DEADLINE_MS,
  );

  it.each(KEYS.filter((key) => CASES[key] && !key.startsWith('GET /management/login')))(
    '%s knows what there is not',
    async (key) => {
      const { unknown } = await caseOf(key);
      if (!unknown) return;
      const reply = await send(key, unknown, ADMIN);
      expect(reply.status, reply.text.slice(0, 300)).toBe(unknown.status ?? 404);
      holds(key, reply);
    },
    DEADLINE_MS,
  );
});

describe('whatever is sent', () => {
  const NAMES = ['Memory', 'Spare', 'Orders', 'Forwarder', 'Backend', 'Audit', HOOK, 'a/b', '..', '%', 'x'];
  const text = fc.oneof(
    fc.constantFrom(...NAMES),
    fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.toWellFormed()),
  );

  function requests(key: string): fc.Arbitrary<ApiRequest> {
    const { parameters = [], requestBody } = operation(key);
    const named = (place: string) =>
      fc.record(
        Object.fromEntries(
          parameters
            .filter((parameter) => parameter.in === place)
            .map(({ name, schema }) => [
              name,
              place === 'path' ? text.filter((value) => value !== '') : fc.oneof(valuesOf(schema).map(String), text),
            ]),
        ),
        place === 'path' ? {} : { requiredKeys: [] },
      );
    const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
      fc.record({
        type: fc.constant(type),
        body: fc.oneof(
          valuesOf(schema),
          anyValue.map((value) => JSON.stringify(value)),
          text,
        ),
      }),
    );
    const body = bodies.length > 0 ? fc.oneof(...bodies) : fc.constant({});
    return fc
      .record({ parameters: named('path'), query: named('query'), rest: body })
      .map(({ rest, ...one }) => ({ ...one, ...rest })) as fc.Arbitrary<ApiRequest>;
  }

  it('the answer is a declared one, never a failure of the server', async () => {
    const statuses = new Map<number, number>();
    const tell = async (key: string, one: ApiRequest) => {
      const reply = await send(key, one, ADMIN);
      const what = `${key} ${JSON.stringify(one).slice(0, 500)}: ${reply.text.slice(0, 300)}`;
      if (!RIGHTLY[key]?.includes(reply.status)) expect(reply.status, what).toBeLessThan(500);
      holds(key, reply);
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    };
    // Some of each, however slow the machine is; then more of whatever comes.
    for (const key of KEYS) {
      await fc.assert(
        fc.asyncProperty(requests(key), (one) => tell(key, one)),
        { numRuns: 5 },
      );
    }
    const sent = fc.constantFrom(...KEYS).chain((key) => requests(key).map((one) => ({ key, one })));
    await fc.assert(
      fc.asyncProperty(sent, ({ key, one }) => tell(key, one)),
      { numRuns: 3_000, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
    );
    // Requests of every kind came through, how slow the machine may be.
    if (process.env.API_FUZZ_FIGURES) process.stdout.write(`${JSON.stringify([...statuses])}\n`);
    for (const status of [200, 400, 404]) expect(statuses.get(status), `answers ${status}`).toBeGreaterThan(5);
  }, 300_000);
});
