import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Alert } from '../../src/alerts/alert.ts';
import type { HookSettings } from '../../src/alerts/settings.ts';
import { type HookOptions, WebHook } from '../../src/alerts/web-hook.ts';
import { waitFor } from '../support/wait-for.ts';

interface Call {
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly body: any;
}

let server: Server;
let url: string;
let calls: Call[];
let statuses: Array<number | 'silence'>;
let hook: WebHook;

beforeEach(async () => {
  calls = [];
  statuses = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body: JSON.parse(text) });
      const status = statuses.shift() ?? 204;
      if (status !== 'silence') response.writeHead(status).end(status >= 400 ? 'not\nnow' : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/T0P/secret-part`;
});

afterEach(async () => {
  await hook?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const settings = (changes: Partial<HookSettings> = {}): HookSettings => ({
  name: 'chat',
  url,
  urlSecret: undefined,
  kinds: ['processor', 'store'],
  header: undefined,
  ...changes,
});

function open(changes: Partial<HookSettings> = {}, options: Partial<HookOptions> = {}): WebHook {
  hook = new WebHook({
    hook: settings(changes),
    limits: { deadlineMs: 10_000, attempts: 3, queue: 2 },
    serverName: 'esb-1',
    secret: (alias) => ({ 'chat-token': 'Bearer s3cr3t', 'chat-url': url })[alias],
    backOffMs: 5,
    ...options,
  });
  return hook;
}

const alert = (changes: Partial<Alert> = {}): Alert => ({
  kind: 'processor',
  name: 'Forwarder',
  state: 'DEACTIVATED',
  before: 'ACTIVE',
  reason: 'HTTP status 500',
  bad: true,
  time: Date.UTC(2026, 0, 31, 12),
  ...changes,
});

const ended = (count = 1) =>
  waitFor(() => hook.counts.delivered + hook.counts.failed >= count, { what: `${count} alerts to have ended` });

it('sends what programs and people understand, with the secret header', async () => {
  open({ header: { name: 'Authorization', secret: 'chat-token' } }).tell(alert());
  await ended();
  expect(calls).toMatchObject([
    {
      headers: { authorization: 'Bearer s3cr3t', 'content-type': 'application/json' },
      body: {
        text: '[esb-1] Message processor Forwarder is deactivated: HTTP status 500',
        event: 'processor',
        name: 'Forwarder',
        state: 'DEACTIVATED',
        before: 'ACTIVE',
        severity: 'problem',
        server: 'esb-1',
        time: '2026-01-31T12:00:00.000Z',
      },
    },
  ]);
  expect(hook.last).toMatchObject({ result: 'delivered', status: 204, attempt: 1 });
  expect(hook.place).not.toContain('secret-part');
});

it('is called again after a back-off, until it works', async () => {
  statuses = [500, 429];
  open().tell(alert());
  await ended();
  expect(calls).toHaveLength(3);
  expect(hook.counts).toMatchObject({ delivered: 1, failed: 0, attempts: 3 });
  expect(hook.last).toMatchObject({ result: 'delivered', attempt: 3 });
});

it('gives up after the last attempt, and at once on what will not change', async () => {
  statuses = [503, 503, 503];
  open().tell(alert());
  await ended();
  expect(hook.counts).toMatchObject({ failed: 1, attempts: 3 });
  expect(hook.last).toMatchObject({ result: 'failed', status: 503, problem: 'HTTP status 503 not now' });
  statuses = [404];
  hook.tell(alert());
  await ended(2);
  expect(hook.counts).toMatchObject({ failed: 2, attempts: 4 });
});

it('does not wait for an answer for ever', async () => {
  statuses = ['silence'];
  const limits = { deadlineMs: 50, attempts: 1, queue: 2 };
  open({}, { limits }).tell(alert());
  await ended();
  expect(hook.last).toMatchObject({ result: 'failed', problem: 'no answer within 50 ms' });
});

it('keeps the newest alerts while the queue is full, and drops what it does not want', async () => {
  statuses = ['silence'];
  const limits = { deadlineMs: 300, attempts: 1, queue: 2 };
  open({}, { limits });
  for (const name of ['sent', 'dropped', 'kept', 'last']) hook.tell(alert({ name }));
  hook.tell(alert({ kind: 'artifact', name: 'unwanted' }));
  expect(hook.waiting).toBe(2);
  await ended(3);
  expect(calls.map(({ body }) => body.name)).toEqual(['sent', 'kept', 'last']);
  expect(hook.counts).toMatchObject({ dropped: 1 });
});

it('says what is missing', async () => {
  open({ url: undefined, urlSecret: 'none' });
  expect(await hook.try(alert())).toMatchObject({ result: 'failed', problem: expect.stringContaining("'none'") });
  open({ url: undefined, urlSecret: 'chat-url', header: { name: 'X-Token', secret: 'none' } });
  expect(await hook.try(alert())).toMatchObject({ result: 'failed', problem: "there is no secret 'none'" });
  expect(calls).toEqual([]);
});

it('ends in the middle of a wait', async () => {
  statuses = [500];
  open({}, { backOffMs: 100_000 }).tell(alert());
  await waitFor(() => hook.last !== undefined, { what: 'the first attempt' });
  await hook.close();
  hook.tell(alert());
  expect(hook.waiting).toBe(0);
});
