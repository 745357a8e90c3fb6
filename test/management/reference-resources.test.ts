import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, START_MS, serve } from './served.ts';

/** Shapes and texts of the reference (spec proxies 8.2 to 8.4, spec stores 7.2). */
let served: Served;

beforeAll(async () => {
  served = await serve({
    toml: `[[datasource]]\nid = "Db"\nurl = "jdbc:postgresql://u:topsecret@h/db"\nusername = "u"\npassword = "topsecret"\n`,
  });
}, START_MS);
afterAll(() => served.stop());

const get = async (path: string) => (await served.ask(`/management${path}`)).body;
const post = (path: string, body: unknown) => served.ask(`/management${path}`, { body });

describe('details', () => {
  it('of a proxy service: addresses, state, its XML', async () => {
    const detail = await get('/proxy-services?proxyServiceName=Orders');
    expect(detail).toMatchObject({ name: 'Orders', isRunning: true, tracing: 'disabled', stats: 'enabled' });
    expect(detail.eprs).toHaveLength(2);
    expect(detail.configuration).toMatch(/^<proxy [^>]*name="Orders"/);
    expect(detail).toMatchObject({ file: 'proxies/Orders.xml', line: 1 });
  });

  it('of an API: its resources', async () => {
    expect(await get('/apis?apiName=Shop')).toMatchObject({
      version: 'N/A',
      context: '/shop',
      host: '*',
      port: -1,
      resources: [{ methods: ['GET', 'POST'], url: '/items/{id}' }],
    });
  });

  it('of endpoints: addresses, rules of suspension, what is inside', async () => {
    expect(await get('/endpoints?endpointName=Backend')).toMatchObject({
      type: 'HTTP Endpoint',
      method: 'POST',
      uriTemplate: 'http://user:*****@127.0.0.1:9/x',
      isActive: true,
      state: 'ACTIVE',
      advanced: {
        suspendState: { errorCodes: [101503], initialDuration: 2000, maxDuration: 9000 },
        timeoutState: { errorCodes: [], reties: 0 },
      },
    });
    const { type, children } = await get('/endpoints?endpointName=Group');
    expect(type).toBe('Failover Endpoint');
    expect(children).toMatchObject([{ name: 'First', address: 'http://127.0.0.1:9/a' }, { name: 'Second' }]);
  });

  it('of sequences, templates, inbound endpoints, tasks and local entries', async () => {
    expect(await get('/sequences?sequenceName=Audit')).toMatchObject({ mediators: ['log', 'drop'], line: 2 });
    expect(await get('/templates?name=Place')).toMatchObject({ Parameters: ['port'] });
    expect(await get('/templates')).toMatchObject({
      sequenceTemplateList: [{ name: 'Greet' }],
      endpointTemplateList: [{ name: 'Place' }],
    });
    expect(await get('/inbound-endpoints?inboundEndpointName=Entry')).toMatchObject({
      protocol: 'file',
      sequence: 'Audit',
      status: 'inactive',
    });
    const task = await get('/tasks?taskName=Nightly');
    expect(task).toMatchObject({ triggerType: 'cron', triggerCron: '0 0 3 * * ?', taskGroup: 'synapse.simple.quartz' });
    expect(task.nextRuns).toHaveLength(5);
    expect(task.properties).toContainEqual({ name: 'sequenceName', value: 'Audit' });
    expect(await get('/local-entries?name=greeting')).toMatchObject({ type: 'Inline Text', value: 'hello' });
    expect(await get('/local-entries?name=fragment')).toMatchObject({ type: 'Inline XML' });
  });

  it('of stores and processors: what consumes, why it stands still', async () => {
    const { list } = await get('/message-stores');
    expect(list[0]).toMatchObject({ name: 'Memory', size: 0, depth: 0, consumers: ['Forwarder'], file: 'store.xml' });
    expect(await get('/message-processors?name=Forwarder')).toMatchObject({
      status: 'inactive',
      state: 'PAUSED',
      messageStore: 'Memory',
      fileName: 'processor.xml',
      parameters: { 'target.endpoint': 'Backend' },
      target: 'Backend',
      stuck: false,
    });
  });

  it('never show a secret', async () => {
    const paths = [
      '/proxy-services?proxyServiceName=Orders',
      '/endpoints?endpointName=Backend',
      '/local-entries?name=api.token',
      '/data-sources?name=Db',
      '/configuration',
      '/artifacts/source?file=definitions.xml',
      '/artifacts/source?file=proxies%2FOrders.xml',
    ];
    for (const path of paths) {
      const reply = await served.ask(`/management${path}`);
      expect(reply.status, path).toBe(200);
      expect(reply.text, path).not.toContain('topsecret');
    }
  });

  it('of unknown names are 404, with the nearest name', async () => {
    const paths = [
      ['/proxy-services?proxyServiceName=Order', 'Orders'],
      ['/apis?apiName=Shp', 'Shop'],
      ['/endpoints?endpointName=Backened', 'Backend'],
      ['/sequences?sequenceName=Audi', 'Audit'],
      ['/templates?name=Gret', 'Greet'],
      ['/inbound-endpoints?inboundEndpointName=Enter', 'Entry'],
      ['/tasks?taskName=Nigthly', 'Nightly'],
      ['/local-entries?name=greting', 'greeting'],
      ['/message-stores?name=Memori', 'Memory'],
      ['/message-processors?name=Forwader', 'Forwarder'],
      ['/data-sources?name=Dc', 'Db'],
      ['/logging?loggerName=rotLogger', 'rootLogger'],
    ];
    for (const [path, nearest] of paths)
      expect(await served.ask(`/management${path}`), path).toMatchObject({
        status: 404,
        body: { didYouMean: nearest },
      });
  });
});

describe('actions', () => {
  it('start and stop proxies, inbound endpoints and tasks, switch endpoints', async () => {
    for (const [path, name, key] of [
      ['/inbound-endpoints', 'Entry', 'status'],
      ['/tasks', 'Nightly', 'status'],
    ] as const) {
      const query = path === '/tasks' ? 'taskName' : 'inboundEndpointName';
      for (const status of ['active', 'inactive', 'active']) {
        expect((await post(path, { name, status })).body.Message).toBe(
          `${name} : is ${status === 'active' ? 'activated' : 'deactivated'}`,
        );
        expect((await get(`${path}?${query}=${name}`))[key]).toBe(status);
      }
    }
    expect((await post('/tasks', { name: 'Nightly', status: 'trigger' })).body).toEqual({
      Message: 'Nightly : is triggered',
    });
    expect((await post('/inbound-endpoints', { name: 'Entry', status: 'inactive' })).status).toBe(200);
  });

  it('switch endpoints off and on, of a group all that is in it, of a pointer nothing', async () => {
    expect((await post('/endpoints', { name: 'Group', status: 'inactive' })).body).toEqual({
      Message: 'Group is switched Off',
    });
    expect(await get('/endpoints?endpointName=Group')).toMatchObject({
      isActive: false,
      state: 'OFF',
      children: [{ state: 'OFF' }, { state: 'OFF' }],
    });
    expect((await post('/endpoints', { name: 'Group', status: 'active' })).body).toEqual({
      Message: 'Group is switched On',
    });
    expect(await get('/endpoints?endpointName=Group')).toMatchObject({ isActive: true, state: 'ACTIVE' });
    expect((await post('/endpoints', { name: 'Pointer', status: 'inactive' })).status).toBe(409);
  });

  it.each([
    ['/proxy-services', 'Orders', 'proxyServiceName'],
    ['/apis', 'Shop', 'apiName'],
    ['/sequences', 'Audit', 'sequenceName'],
    ['/inbound-endpoints', 'Entry', 'inboundEndpointName'],
    ['/endpoints', 'Backend', 'endpointName'],
  ])('switch the tracing of %s', async (path, name, query) => {
    expect((await post(path, { name, trace: 'enable' })).body).toEqual({ message: `Enabled tracing for ('${name}')` });
    expect((await get(`${path}?${query}=${name}`)).tracing).toBe('enabled');
    expect((await post(path, { name, trace: 'disable' })).body).toEqual({
      message: `Disabled tracing for ('${name}')`,
    });
    expect((await get(`${path}?${query}=${name}`)).tracing).toBe('disabled');
    expect((await post(path, { name, trace: 'maybe' })).status).toBe(400);
    expect((await post(path, { name })).body.Error).toBe('Missing parameters in payload');
    expect((await post(path, { name: 'Nope', trace: 'enable' })).status).toBe(404);
  });

  it('change the level of a logger, for good or for a while', async () => {
    const patch = (body: unknown) => served.ask('/management/logging', { method: 'PATCH', body });
    const level = async () => (await get('/logging?loggerName=LogMediator')).level;
    expect((await patch({ loggerName: 'LogMediator', loggingLevel: 'DEBUG' })).status).toBe(200);
    expect(await level()).toBe('DEBUG');
    expect((await get('/logging?loggerName=ProxyService')).level).toBe('INFO');
    await patch({ loggerName: 'LogMediator', loggingLevel: 'error', resetAfterMs: 50 });
    await expect.poll(level, { timeout: 10_000 }).toBe('INFO');
    const root = async () => (await get('/logging?loggerName=rootLogger')).level;
    const before = await root();
    await patch({ loggerName: 'rootLogger', loggingLevel: 'error', resetAfterMs: 60_000 });
    await patch({ loggerName: 'rootLogger', loggingLevel: 'fatal', resetAfterMs: 50 });
    await expect.poll(root, { timeout: 10_000 }).toBe(before);
    expect((await patch({ loggerName: 'LogMediator', loggingLevel: 'loud' })).status).toBe(400);
    expect((await patch({ loggerName: 'Nobody', loggingLevel: 'info' })).status).toBe(404);
  });

  it('end the server when asked to', async () => {
    const patch = (status: string) => served.ask('/management/server', { method: 'PATCH', body: { status } });
    expect((await patch('explode')).body.Error).toBe('Provided state is not valid');
    expect((await patch('restartGracefully')).status).toBe(200);
    expect(await served.server.askedToEnd).toBe('restart');
  });
});

describe('the registry', () => {
  const content = '/management/registry-resources/content?path=';
  const text = { 'Content-Type': 'text/plain' };

  it('is written, read, listed and emptied', async () => {
    const path = 'registry/config/a/b.txt';
    expect((await served.ask(content + path, { body: 'one', headers: text })).status).toBe(200);
    expect((await served.ask(content + path, { body: 'one', headers: text })).status).toBe(409);
    expect((await served.ask(content + path, { method: 'PUT', body: 'two', headers: text })).status).toBe(200);
    expect((await served.ask(content + path)).text).toBe('two');
    const properties = `/management/registry-resources/properties?path=${path}`;
    expect((await served.ask(properties, { body: { color: 'red' } })).status).toBe(200);
    expect((await served.ask(properties)).body).toEqual({ count: 1, list: [{ name: 'color', value: 'red' }] });
    expect((await served.ask(`${properties}&name=color`, { method: 'DELETE' })).status).toBe(200);
    expect((await get('/registry-resources?path=registry/config')).list).toMatchObject([
      { name: 'a', mediaType: 'directory' },
    ]);
    expect((await get('/registry-resources?path=registry&expand=true')).files).toMatchObject([
      { name: 'config', files: [{ name: 'a', files: [{ name: 'b.txt', mediaType: 'text/plain' }] }] },
      { name: 'governance' },
      { name: 'local' },
    ]);
    expect((await served.ask(content + path, { method: 'DELETE' })).status).toBe(200);
    expect((await served.ask(content + path)).status).toBe(404);
  });

  it.each([
    'registry/config/../../../etc/passwd',
    '/etc/passwd',
    'registry/../x/y',
    'registry/elsewhere/x',
    'registry/config',
    'registry/config/a%00b',
    'registry/config/.hidden',
    'registry/config/a\\..\\b',
  ])('does not lead out of its folder: %s', async (path) => {
    const reply = await served.ask(content + path.replaceAll('\\', '%5C'), { body: 'x', headers: text });
    expect(reply.status).toBe(400);
  });
});

it('log files are those of the server, and nothing else', async () => {
  const { list } = await get('/logs');
  expect(list).toContainEqual({ FileName: 'audit.ndjson', Size: expect.any(String) });
  const file = await served.ask('/management/logs?file=audit.ndjson');
  expect(file).toMatchObject({ status: 200, headers: { 'content-type': expect.stringContaining('application/txt') } });
  expect(file.text).toContain('"who":"local"');
  for (const name of ['../deployment.toml', '..%2Fdeployment.toml', '/etc/passwd', 'lock', ''])
    expect((await served.ask(`/management/logs?file=${name}`)).status).toBe(404);
});
