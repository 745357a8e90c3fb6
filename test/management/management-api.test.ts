import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ManagementApi, startManagementApi } from '../../src/management/management-api.ts';
import type { ProxyService } from '../../src/mediation/proxy-service.ts';
import type { MessageProcessor } from '../../src/processors/message-processor.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import { FakeConfiguration } from '../mediation/harness.ts';
import { call } from '../support/http-call.ts';
import { fakeServer } from './fake-server.ts';

const store = (name: string, parameters: Record<string, string> = {}): MessageStore =>
  ({
    name,
    type: 'jms-message-store',
    parameters: new Map(Object.entries(parameters)),
    depth: async () => ({ count: name === 'Unknown' ? 'unknown' : 3, estimated: false }),
    status: () => ({ state: 'DOWN', since: 0, lastError: 'refused', enqueued: 5, dequeued: 2 }),
  }) as unknown as MessageStore;

const processor = (name: string, wishes: string[]): MessageProcessor => {
  let state = 'ACTIVE';
  const change = (wanted: string) => async (by: string) => {
    wishes.push(`${wanted} by ${by}`);
    state = wanted;
    return state;
  };
  return {
    name,
    type: 'Scheduled-message-forwarding-processor',
    storeName: 'S',
    parameters: new Map([['store.jms.password', 'secret']]),
    status: () => ({ state, since: 0, reason: 'four failed attempts', counters: { delivered: 1 }, workers: [] }),
    activate: change('ACTIVE'),
    deactivate: change('DEACTIVATED'),
  } as unknown as MessageProcessor;
};

const proxy = (name: string): ProxyService =>
  ({ name, active: false, exposedOn: (scheme: string) => scheme === 'https' }) as unknown as ProxyService;

let api: ManagementApi;
let health: { version: string; ready: boolean };
let wishes: string[];
let faulty: Array<{ file: string; problems: string[] }>;

beforeEach(async () => {
  wishes = [];
  faulty = [];
  health = { version: '1.2.3', ready: true };
  const configuration = new FakeConfiguration({
    messageStore: {
      Orders: store('Orders', { 'store.jms.password': 'secret', 'java.naming.provider.url': 'tcp://u:pw@h:61616' }),
      Unknown: store('Unknown'),
    },
    messageProcessor: { Forwarder1: processor('Forwarder1', wishes), Forwarder2: processor('Forwarder2', wishes) },
    proxy: { 'a/P': proxy('a/P'), Q: proxy('Q') },
  });
  api = await startManagementApi({
    host: '127.0.0.1',
    port: 0,
    server: await fakeServer({
      health,
      configuration: () => configuration,
      faultyArtifacts: () => faulty,
      listening: () => [
        { scheme: 'http', host: 'h', port: 1 },
        { scheme: 'https', host: 'h', port: 2 },
      ],
    }),
  });
});

afterEach(() => api.close());

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const reply = await call(`http://127.0.0.1:${api.port}${path}`, {
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: reply.status, body: JSON.parse(reply.text), text: reply.text, type: reply.headers['content-type'] };
}

describe('health (OP-74)', () => {
  it.each(['/healthz', '/health/ready', '/healthz/'])('%s is 200 when ready, 503 otherwise', async (path) => {
    expect(await ask(path)).toMatchObject({
      status: 200,
      body: { version: '1.2.3', update_level: '0', status: 'ready', faultyArtifacts: 0 },
    });
    health.ready = false;
    expect(await ask(path)).toMatchObject({ status: 503, body: { status: 'not ready' } });
  });

  it('is alive in any case', async () => {
    health.ready = false;
    expect(await ask('/liveness')).toMatchObject({ status: 200, body: { server: 'started' } });
    expect((await ask('/health/live')).status).toBe(200);
  });

  it('lists faulty artifacts with their problems and stays ready', async () => {
    faulty.push({ file: 'a.xml', problems: ['a.xml:1:2: error: nonsense'] });
    expect((await ask('/healthz')).body).toMatchObject({ status: 'ready', faultyArtifacts: 1 });
    expect((await ask('/health/artifacts')).body).toEqual({ count: 1, list: faulty });
  });
});

describe('message stores', () => {
  it('are listed with size and state, -1 for a size that nobody knows', async () => {
    const { body } = await ask('/management/message-stores');
    expect(body).toMatchObject({
      count: 2,
      list: [
        {
          name: 'Orders',
          type: 'jms-message-store',
          size: 3,
          state: 'DOWN',
          lastError: 'refused',
          enqueued: 5,
          dequeued: 2,
        },
        { name: 'Unknown', size: -1 },
      ],
    });
    expect((await ask('/management/message-stores?searchKey=ORD')).body.count).toBe(1);
  });

  it('are shown in detail without secrets', async () => {
    const { body, text } = await ask('/management/message-stores?name=Orders');
    expect(body.properties).toEqual({
      'store.jms.password': '*****',
      'java.naming.provider.url': 'tcp://u:*****@h:61616',
    });
    expect(text).not.toMatch(/secret|pw/);
    expect((await ask('/management/message-stores?name=Nope')).status).toBe(404);
    expect((await ask('/management/message-stores', {})).status).toBe(405);
  });
});

describe('message processors', () => {
  const PATH = '/management/message-processors';

  it('are listed and shown', async () => {
    expect((await ask(PATH)).body).toMatchObject({
      count: 2,
      list: [
        { name: 'Forwarder1', type: 'Scheduled-message-forwarding-processor', status: 'active', state: 'ACTIVE' },
        { name: 'Forwarder2' },
      ],
    });
    const detail = await ask(`${PATH}?name=Forwarder1`);
    expect(detail.body).toMatchObject({
      messageStore: 'S',
      reason: 'four failed attempts',
      since: '1970-01-01T00:00:00.000Z',
    });
    expect(detail.text).not.toContain('secret');
    expect((await ask(`${PATH}?name=Nope`)).status).toBe(404);
  });

  it('are activated and deactivated', async () => {
    expect((await ask(PATH, { name: 'Forwarder1', status: 'inactive' })).body).toEqual({
      Message: 'Forwarder1 : is deactivated',
      state: 'DEACTIVATED',
    });
    expect((await ask(PATH, { name: 'Forwarder1', status: 'ACTIVE' })).body).toEqual({
      Message: 'Forwarder1 : is activated',
      state: 'ACTIVE',
    });
    expect(wishes).toEqual(['DEACTIVATED by management API', 'ACTIVE by management API']);
  });

  it.each([
    ['no JSON', 400, 'Error when parsing JSON payload'],
    ['[1]', 400, 'Missing parameters in payload'],
    ['null', 400, 'Error when parsing JSON payload'],
    [{ name: 'Forwarder1' }, 400, 'Missing parameters in payload'],
    [{ name: 'Forwarder1', status: 'paused' }, 400, 'Provided state is not valid'],
    [{ name: 'Nope', status: 'active' }, 404, 'Message processor does not exist'],
  ])('%j is refused with %d', async (body, status, text) => {
    expect(await ask(PATH, body)).toMatchObject({ status, body: { Error: text } });
    expect(wishes).toEqual([]);
  });

  it('are not steered by pages of other origins', async () => {
    const body = { name: 'Forwarder1', status: 'inactive' };
    expect((await ask(PATH, body, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect(wishes).toEqual([]);
  });
});

describe('proxy services', () => {
  const PATH = '/management/proxy-services';

  it('are listed and shown with their addresses', async () => {
    expect((await ask(PATH)).body).toMatchObject({
      count: 2,
      list: [
        { name: 'a/P', wsdl1_1: 'https://h:2/services/a/P?wsdl', wsdl2_0: 'https://h:2/services/a/P?wsdl2' },
        { name: 'Q', wsdl1_1: 'https://h:2/services/Q?wsdl', wsdl2_0: 'https://h:2/services/Q?wsdl2' },
      ],
    });
    expect((await ask(`${PATH}?searchKey=q`)).body.count).toBe(1);
    expect((await ask(`${PATH}?proxyServiceName=Q`)).body).toMatchObject({
      name: 'Q',
      eprs: ['https://h:2/services/Q'],
      isRunning: false,
    });
    expect((await ask(`${PATH}?proxyServiceName=Nope`)).status).toBe(404);
  });

  it('are started and stopped', async () => {
    expect((await ask(PATH, { name: 'Q', status: 'active' })).body).toEqual({
      Message: 'Proxy service Q started successfully',
    });
    expect((await ask(`${PATH}?proxyServiceName=Q`)).body.isRunning).toBe(true);
    expect((await ask(PATH, { name: 'Q', status: 'inactive' })).body).toEqual({
      Message: 'Proxy service Q stopped successfully',
    });
    expect((await ask(PATH, { name: 'Nope', status: 'active' })).status).toBe(404);
    expect((await ask(PATH, { name: 'Q', status: 'active' }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  });
});

describe('everything else', () => {
  it('is 404 as JSON; the root says who is there', async () => {
    expect(await ask('/management')).toMatchObject({ status: 200, body: { ManagementApi: 'Active' } });
    for (const path of ['/nothing', '/management/nothing', '/constructor', '/management/../etc'])
      expect(await ask(path)).toMatchObject({ status: 404, type: expect.stringContaining('application/json') });
  });

  it('a body of more than 64 KiB is refused', async () => {
    const reply = await call(`http://127.0.0.1:${api.port}/management/message-processors`, {
      body: 'x'.repeat(65 * 1024),
    });
    expect(reply.status).toBe(413);
  });

  it('a port that is taken is an error of its own', async () => {
    await expect(
      startManagementApi({ host: '127.0.0.1', port: api.port, server: await fakeServer() }),
    ).rejects.toMatchObject({
      name: 'PortTakenError',
    });
  });
});
