import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { messageLine } from '../../src/management/operations/message-lines.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import type { DeliveryFailure, StoredMessage } from '../../src/stores/stored-message.ts';
import { storedMessage, textBody } from '../stores/messages.ts';
import { type Served, serve } from './served.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const STORES = '/management/message-stores';
const PROCESSORS = '/management/message-processors';
const FAILURE: DeliveryFailure = {
  processor: 'Forwarder',
  sourceStore: 'Orders',
  endpoint: 'Backend',
  cause: 'HTTP status 500',
  status: 500,
  attempts: 4,
  firstAttemptAt: Date.UTC(2026, 0, 1),
  lastAttemptAt: Date.UTC(2026, 0, 2),
};

let backEnd: Server;
let received: string[];
let answer: number;
let api: Served;
let orders: MessageStore;
let failed: MessageStore;

beforeAll(async () => {
  backEnd = createServer((request, response) => {
    received.push(String(request.headers['x-message-id']));
    request.resume();
    response.writeHead(answer).end();
  });
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
  const { port } = backEnd.address() as AddressInfo;
  const processor = (
    name: string,
    store: string,
  ) => `<messageProcessor ${SYNAPSE} name="${name}" targetEndpoint="Backend"
    class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor" messageStore="${store}">
    <parameter name="is.active">false</parameter><parameter name="interval">10</parameter></messageProcessor>`;
  api = await serve({
    artifacts: {
      'orders.xml': `<messageStore ${SYNAPSE} name="Orders"/>`,
      'failed.xml': `<messageStore ${SYNAPSE} name="Failed"/>`,
      'forwarder.xml': processor('Forwarder', 'Orders'),
      'endpoint.xml': `<endpoint ${SYNAPSE} name="Backend"><address uri="http://127.0.0.1:${port}/"><suspendOnFailure><errorCodes>-1</errorCodes></suspendOnFailure></address></endpoint>`,
    },
  });
  const found = (name: string) => api.server.configuration().find('messageStore', name) as MessageStore;
  [orders, failed] = [found('Orders'), found('Failed')];
});

afterAll(async () => {
  await api.stop();
  await new Promise((resolve) => backEnd.close(resolve));
});

beforeEach(() => {
  received = [];
  answer = 202;
});

afterEach(async () => {
  for (const store of [orders, failed]) {
    const consumer = store.consumer();
    for (;;) {
      const delivery = await consumer.receive({ signal: new AbortController().signal, waitMs: 0 });
      if (!delivery) break;
      await delivery.done();
    }
    await consumer.close();
  }
});

async function put(store: MessageStore, changes: Partial<StoredMessage> = {}): Promise<string> {
  const message = storedMessage({ properties: new Map([['OUT_ONLY', 'true']]), ...changes });
  await store.put(message);
  return message.id;
}

async function putFailed(count: number, changes: Partial<StoredMessage> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await put(failed, { history: [FAILURE], ...changes }));
  return ids;
}

const messages = (rest = '') => `${STORES}/Failed/messages${rest}`;
const message = (id: string, rest = '') => messages(`/${encodeURIComponent(id)}${rest}`);

async function listed(query = '', store = 'Failed'): Promise<string[]> {
  const { status, body } = await api.ask(`${STORES}/${store}/messages${query}`);
  expect(status).toBe(200);
  expect(body.count).toBe(body.list.length);
  return body.list.map(({ id }: { id: string }) => id);
}

describe('browsing (OP-42)', () => {
  it('shows rows in pages', async () => {
    const ids = await putFailed(5, { body: { ...textBody('  a\n b '.repeat(100)), contentType: 'text/plain' } });
    const first = await api.ask(messages('?limit=2'));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ count: 2, scanned: 2, complete: true, next: expect.any(String) });
    expect(first.body.list[0]).toMatchObject({
      id: ids[0],
      originalId: expect.any(String),
      storedAt: expect.stringMatching(/^20..-/),
      kind: 'text',
      contentType: 'text/plain',
      bytes: 700,
      service: 'StockQuoteProxy',
      soapAction: 'urn:placeOrder',
      attempts: 4,
      lastCause: 'HTTP status 500',
      lastStatus: 500,
      replays: 0,
      inDelivery: false,
    });
    expect(first.body.list[0].ageMs).toBeGreaterThanOrEqual(0);
    expect(first.body.list[0].preview).toBe('a b '.repeat(30));
    expect(await listed(`?limit=3&after=${first.body.next}`)).toEqual(ids.slice(2));
    expect(received).toEqual([]);
  });

  it.each([
    ['id', (id: string) => `id=${id.slice(-6)}`],
    ['text', () => 'text=NEEDLE'],
    ['header', () => `header=${encodeURIComponent('x-customer: 7')}`],
    ['cause', () => 'cause=timed'],
    ['endpoint', () => 'endpoint=Other'],
    ['status', () => 'status=404'],
    ['time', () => 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'],
  ])('finds by %s', async (_, query) => {
    await putFailed(2);
    const [id = ''] = await putFailed(1, {
      id: 'urn:uuid:special-qwertz',
      body: textBody('hay needle hay'),
      headers: [['X-Customer', '7']],
      history: [{ ...FAILURE, cause: 'it timed out', endpoint: 'Other', status: 404 }],
      storedAt: Date.UTC(2026, 0, 1, 12),
    });
    await putFailed(2);
    expect(await listed(`?${query(id)}`)).toEqual([id]);
    expect(await listed(`?${query(id)}&limit=1`)).toEqual([id]);
  });

  it('shows one message with everything, without secrets (OP-42)', async () => {
    const [id = ''] = await putFailed(1, {
      body: { kind: 'json', bytes: Buffer.from('{"a":[1.50]}'), contentType: 'application/json' },
      headers: [
        ['Authorization', 'Basic secret'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
      ],
      addressing: { to: 'http://user:pass@host/' },
      properties: new Map<string, string | boolean>([
        ['api.password', 'hidden'],
        ['flag', true],
      ]),
    });
    const { status, body } = await api.ask(message(id));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      headers: [
        ['Authorization', '*****'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
      ],
      properties: [
        { scope: 'default', name: 'api.password', type: 'STRING', value: '*****' },
        { scope: 'default', name: 'flag', type: 'BOOLEAN', value: 'true' },
      ],
      addressing: { to: 'http://user:*****@host/' },
      body: {
        language: 'json',
        text: '{"a":[1.50]}',
        pretty: '{\n  "a": [\n    1.50\n  ]\n}',
        truncated: false,
        bytes: 12,
      },
      history: [
        {
          processor: 'Forwarder',
          sourceStore: 'Orders',
          endpoint: 'Backend',
          cause: 'HTTP status 500',
          status: 500,
          attempts: 4,
          firstAt: '2026-01-01T00:00:00.000Z',
          lastAt: '2026-01-02T00:00:00.000Z',
        },
      ],
    });
    const full = await api.ask(message(id, '?body=full'));
    expect(full.text).toBe('{"a":[1.50]}');
    expect(full.headers).toMatchObject({
      'content-type': expect.stringContaining('application/json'),
      'content-disposition': 'attachment',
    });
  });

  it.each([
    ['xml', 'xml', '<a><b>1</b></a>', { text: '<a><b>1</b></a>', pretty: '<a>\n  <b>1</b>\n</a>' }],
    ['binary', 'binary', '\u0000\u0001', { base64: 'AAE=' }],
    ['none', 'none', '', {}],
  ] as const)('shows a body that is %s', async (kind, language, text, expected) => {
    const [id = ''] = await putFailed(1, { body: { kind, bytes: Buffer.from(text), contentType: undefined } });
    const { body } = await api.ask(message(id));
    expect(body.body).toEqual({ language, truncated: false, bytes: text.length, ...expected });
  });

  it('cuts long bodies off', async () => {
    const [id = ''] = await putFailed(1, { body: textBody('x'.repeat(2_000_000)) });
    const { body } = await api.ask(message(id));
    expect(body.body).toMatchObject({ truncated: true, bytes: 2_000_000 });
    expect(body.body.text.length).toBe(1024 * 1024);
    expect((await api.ask(message(id, '?body=full'))).text.length).toBe(2_000_000);
  });

  it('groups failures', async () => {
    await putFailed(3);
    const { status, body } = await api.ask(`${STORES}/Failed/failures`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ count: 1, scanned: 3, complete: true });
    expect(body.list[0]).toMatchObject({ cause: 'HTTP status 500', endpoint: 'Backend', status: 500, count: 3 });
    expect(body.list[0].newest).toBe('2026-01-02T00:00:00.000Z');
  });

  it.each([
    [messages('?limit=0'), 400],
    [messages('?limit=501'), 400],
    [messages('?after=nonsense'), 400],
    [messages('?from=yesterday'), 400],
    [messages('?colour=red'), 400],
    [`${STORES}/Nowhere/messages`, 404],
    [message('urn:uuid:none'), 404],
    [`${STORES}/Nowhere/failures`, 404],
    [`${STORES}/Nowhere/export`, 404],
    ['/management/jobs/none', 404],
  ])('%s is answered with %i', async (path, status) => {
    const asked = await api.ask(path);
    expect(asked.status).toBe(status);
    expect(asked.body.Error).toEqual(expect.any(String));
  });
});

describe('one message', () => {
  it('is sent again, and delivered with the same id', async () => {
    const [id = ''] = await putFailed(1);
    expect((await api.ask(message(id, '/resend'), { body: {} })).body).toEqual({ done: 1, count: 1, failed: [] });
    expect(await listed('', 'Orders')).toEqual([id]);
    const stepped = await api.ask(`${PROCESSORS}/Forwarder/step`, { method: 'POST' });
    expect(stepped).toMatchObject({
      status: 200,
      body: { delivered: true, message: id, state: 'PAUSED', status: 'inactive' },
    });
    expect(received).toEqual([id]);
  });

  it('is refused at its sixth replay unless forced', async () => {
    const [id = ''] = await putFailed(1, { replays: 5 });
    expect((await api.ask(message(id, '/resend'), { body: {} })).status).toBe(409);
    expect((await api.ask(message(id, '/resend'), { body: { force: true } })).status).toBe(200);
    const [other = ''] = await putFailed(1);
    const bare = { method: 'POST', headers: { 'X-Requested-By': 'a' } };
    expect((await api.ask(message(other, '/resend'), bare)).status).toBe(200);
  });

  it('goes to an endpoint', async () => {
    const [id = ''] = await putFailed(1);
    expect((await api.ask(message(id, '/resend'), { body: { endpoint: 'Backend' } })).status).toBe(200);
    expect(received).toEqual([id]);
    expect(await listed()).toEqual([]);
  });

  it('is moved, by its body or as REQ-27 has it', async () => {
    const [first = '', second = ''] = await putFailed(2);
    expect((await api.ask(message(first, '/move'), { body: { to: 'Orders' } })).status).toBe(200);
    expect(
      (await api.ask(message(second, '/move?to=Orders'), { method: 'POST', headers: { 'X-Requested-By': 'a' } }))
        .status,
    ).toBe(200);
    expect(await listed('', 'Orders')).toEqual([first, second]);
    expect((await api.ask(message(first, '/move'), { body: {} })).status).toBe(400);
    expect((await api.ask(message(first, '/move'), { body: { to: 'Nowhere' } })).status).toBe(404);
  });

  it('is deleted, and not while it is in delivery', async () => {
    const [id = ''] = await putFailed(1);
    const consumer = failed.consumer();
    const held = await consumer.receive({ signal: new AbortController().signal });
    const remove = () => api.ask(message(id), { method: 'DELETE', headers: { 'X-Requested-By': 'a' } });
    expect(await remove()).toMatchObject({ status: 409, body: { Error: expect.stringContaining('in delivery') } });
    await held?.release();
    await consumer.close();
    expect((await remove()).status).toBe(200);
    expect((await remove()).status).toBe(404);
  });
});

describe('many messages (OP-61)', () => {
  const act = (body: unknown) => api.ask(messages('/actions'), { body });

  it('by ids, filter, or all', async () => {
    const ids = await putFailed(6);
    expect((await act({ action: 'delete', ids: ids.slice(0, 2) })).body).toMatchObject({
      done: 2,
      count: 2,
      failed: [],
    });
    expect((await act({ action: 'resend', filter: { id: ids[2] }, confirm: 1 })).body).toMatchObject({ done: 1 });
    expect(await listed('', 'Orders')).toEqual([ids[2]]);
    expect(await act({ action: 'move', all: true, to: 'Orders', confirm: 7 })).toMatchObject({
      status: 409,
      body: { count: 3 },
    });
    expect((await act({ action: 'move', all: true, to: 'Orders', confirm: 3 })).body).toMatchObject({ done: 3 });
    expect(await listed()).toEqual([]);
  });

  it('tells what failed', async () => {
    const [id] = await putFailed(1, { replays: 5 });
    const { status, body } = await act({ action: 'resend', ids: [id, 'urn:uuid:none'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ done: 0, count: 2, failures: 2 });
    expect(body.failed.map((failure: { id: string }) => failure.id)).toEqual([id, 'urn:uuid:none']);
  });

  it.each([
    [{ action: 'delete' }, 400],
    [{ action: 'delete', all: true }, 400],
    [{ action: 'delete', all: true, ids: ['a'], confirm: 1 }, 400],
    [{ action: 'move', ids: ['a'] }, 400],
    [{ action: 'move', ids: ['a'], to: 'Nowhere' }, 404],
    [{ action: 'move', ids: ['a'], to: 'Failed' }, 409],
    [{ action: 'burn', ids: ['a'] }, 400],
    [{ action: 'delete', ids: [] }, 400],
    [{ action: 'delete', filter: {} }, 400],
    [{ action: 'delete', filter: { from: 'x' }, confirm: 1 }, 400],
    [{ action: 'delete', ids: ['a'], more: 1 }, 400],
  ])('%j is answered with %i', async (body, status) => {
    expect((await act(body)).status).toBe(status);
  });

  it('takes its time, shows how far it is, and can be cancelled', async () => {
    await putFailed(40);
    const { status, body } = await act({ action: 'delete', all: true, confirm: 40, ratePerSecond: 5 });
    expect(status).toBe(202);
    const { id } = body.job;
    expect(body.job).toMatchObject({ action: 'delete', store: 'Failed', total: 40, state: 'running', by: 'local' });
    expect((await api.ask('/management/jobs')).body.list[0]).toMatchObject({ id });
    const cancelled = await api.ask(`/management/jobs/${id}`, { method: 'DELETE', headers: { 'X-Requested-By': 'a' } });
    expect(cancelled.status).toBe(200);
    await expect
      .poll(async () => (await api.ask(`/management/jobs/${id}`)).body.state, { timeout: 10_000 })
      .toBe('cancelled');
    const { done, endedAt } = (await api.ask(`/management/jobs/${id}`)).body;
    expect(endedAt).toEqual(expect.any(String));
    expect((await listed('?limit=500')).length).toBe(40 - done);
  });

  it('a purge wants to hear the number', async () => {
    await putFailed(3);
    const purge = (query: string) => api.ask(messages(query), { method: 'DELETE', headers: { 'X-Requested-By': 'a' } });
    expect(await purge('')).toMatchObject({ status: 400, body: { count: 3 } });
    expect(await purge('?confirm=2')).toMatchObject({ status: 409, body: { count: 3 } });
    expect((await purge('?confirm=3')).body).toMatchObject({ done: 3, count: 3 });
    expect(await listed()).toEqual([]);
  });

  it('every one of them is audited (OP-66)', async () => {
    const [id = ''] = await putFailed(1);
    await api.ask(message(id, '/move'), { body: { to: 'Orders' } });
    const { body } = await api.ask('/management/audit?limit=1');
    expect(body.list[0]).toMatchObject({
      who: 'local',
      action: 'moved',
      type: 'message',
      name: id,
      count: 1,
      result: 'done',
    });
  });
});

describe('export and import (OP-49)', () => {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const imported = (body: string, query = '') =>
    api.ask(`${STORES}/Orders/import${query}`, { body, headers: { 'Content-Type': 'application/x-ndjson' } });

  it('what is exported can be imported elsewhere, with its ids', async () => {
    const ids = await putFailed(3, { replays: 2 });
    const exported = await api.ask(`${STORES}/Failed/export?all=true`);
    expect(exported.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="Failed.ndjson"',
    });
    expect(lines(exported.text)).toHaveLength(3);
    expect((await imported(exported.text)).body).toEqual({ done: 3, count: 3, skipped: 0, failed: [] });
    expect(await listed('', 'Orders')).toEqual(ids);
    expect((await api.ask(`${STORES}/Orders/messages`)).body.list[0]).toMatchObject({ replays: 2, lastStatus: 500 });
  });

  it('exports some of them', async () => {
    const [first = '', , third = ''] = await putFailed(3);
    const { text } = await api.ask(`${STORES}/Failed/export?ids=${encodeURIComponent(`${third},${first}`)}`);
    expect(lines(text).map((line) => JSON.parse(line).id)).toEqual([first, third]);
    expect(lines((await api.ask(`${STORES}/Failed/export?status=404`)).text)).toEqual([]);
  });

  it('refuses duplicates unless told, in the store and in the file', async () => {
    const line = messageLine(storedMessage());
    const { id } = JSON.parse(line);
    expect((await imported(`${line}\n${line}`)).body).toMatchObject({
      done: 1,
      count: 2,
      failed: [{ line: 2, id, Error: expect.stringContaining('already') }],
    });
    expect((await imported(line, '?duplicates=skip')).body).toMatchObject({ done: 0, skipped: 1, failed: [] });
    expect((await imported(line, '?duplicates=allow')).body).toMatchObject({ done: 1 });
    expect(await listed('', 'Orders')).toEqual([id, id]);
  });

  it('looks at every line, and stores those that are messages', async () => {
    const good = [storedMessage(), storedMessage()];
    const text = `${messageLine(good[0] as StoredMessage)}\nnonsense\n\r\n{"v":1}\n${messageLine(good[1] as StoredMessage)}\n`;
    const dry = await imported(text, '?dryRun=true');
    expect(dry.body).toMatchObject({ done: 2, count: 4 });
    expect(await listed('', 'Orders')).toEqual([]);
    const { body } = await imported(text);
    expect(body).toMatchObject({ done: 2, count: 4, failed: [{ line: 2 }, { line: 4 }] });
    expect(await listed('', 'Orders')).toEqual(good.map(({ id }) => id));
  });

  it('gives up on what is no such file', async () => {
    const { body } = await imported('x\n'.repeat(1000));
    expect(body).toMatchObject({ done: 0, count: 100 });
    expect(
      (await api.ask(`${STORES}/Orders/import`, { body: 'x', headers: { 'Content-Type': 'image/png' } })).status,
    ).toBe(415);
  });
});

describe('message processors', () => {
  const act = (action: string, name = 'Forwarder') => api.ask(`${PROCESSORS}/${name}/${action}`, { body: {} });

  it('step, whether it is delivered or not', async () => {
    expect((await act('run')).body).toMatchObject({ outcome: 'none', delivered: false });
    const id = await put(orders);
    answer = 500;
    expect((await act('step')).body).toMatchObject({
      name: 'Forwarder',
      outcome: 'failed',
      delivered: false,
      message: id,
      cause: expect.stringContaining('500'),
      state: 'PAUSED',
    });
    expect(await listed('', 'Orders')).toEqual([id]);
  });

  it('are activated and paused, and tell what they have reached', async () => {
    expect((await act('resume')).body).toMatchObject({ state: 'ACTIVE', status: 'active' });
    expect(await act('step')).toMatchObject({
      status: 409,
      body: { Error: expect.stringContaining('pause it first') },
    });
    expect((await act('pause')).body).toMatchObject({
      state: 'PAUSED',
      status: 'inactive',
      reason: 'deactivated by local',
    });
    expect((await act('activate')).body).toMatchObject({ state: 'ACTIVE' });
    expect((await act('deactivate')).body).toMatchObject({ state: 'PAUSED' });
  });

  it('answers 404 for what is not there', async () => {
    expect(await act('stepp')).toMatchObject({ status: 404, body: { didYouMean: 'step' } });
    expect((await act('step', 'Nobody')).status).toBe(404);
  });
});

describe('the event stream', () => {
  it('tells of jobs', async () => {
    await putFailed(2);
    const stop = new AbortController();
    const url = `http://127.0.0.1:${api.server.managementPort}/management/events`;
    const response = await fetch(url, { signal: stop.signal });
    const told = (async () => {
      let text = '';
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        const job = /^event: job\ndata: (.*)$/m.exec(text)?.[1] ?? /^event: job\n(?:.*\n)?data: (.*)$/m.exec(text)?.[1];
        if (job !== undefined) return JSON.parse(job);
      }
    })();
    await api.ask(messages('/actions'), { body: { action: 'delete', all: true, confirm: 2 } });
    expect(await told).toMatchObject({ action: 'delete', store: 'Failed', total: 2 });
    stop.abort();
  });
});
