import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcess, serve } from '../support/in-process.ts';

/** Answers with what the API has set, as text. */
const TELL = ['REST_METHOD', 'REST_API_CONTEXT', 'REST_SUB_REQUEST_PATH', 'REST_FULL_REQUEST_PATH', 'SYNAPSE_REST_API']
  .concat(['SYNAPSE_REST_API_VERSION', 'uri.var.id', 'query.param.x', 'ARTIFACT_NAME'])
  .map((name) => `<property name="X-${name}" expression="get-property('${name}')" scope="transport"/>`)
  .join('')
  .concat(`<property name="X-postfix" expression="get-property('axis2', 'REST_URL_POSTFIX')" scope="transport"/>`);

const TELLING = `<inSequence>${TELL}<property name="NO_ENTITY_BODY" value="true" scope="axis2" type="BOOLEAN"/><respond/></inSequence>`;

function answering(text: string): string {
  return `<inSequence><property name="X-by" value="${text}" scope="transport"/><respond/></inSequence>`;
}

const ARTIFACTS = {
  users: `<api name="users" context="/users">
    <resource methods="GET" uri-template="/{id}">${TELLING}</resource>
    <resource methods="POST" uri-template="/{id}">${answering('post')}</resource>
    <resource methods="GET" url-mapping="/exact">${answering('exact')}</resource>
    <resource methods="GET" url-mapping="/deep/*">${answering('deep')}</resource>
    <resource methods="GET" url-mapping="*.html">${answering('html')}</resource>
    <resource methods="PUT" uri-template="/typed" content-type="text/plain">${answering('typed')}</resource>
    <resource methods="GET" uri-template="/agent/x" user-agent="curl.*">${answering('agent')}</resource>
    <resource methods="GET" uri-template="/none/x"/>
    <resource methods="GET" uri-template="/fails/x">
      <inSequence><sequence key="nowhere"/></inSequence>
      <faultSequence>${answering('fault').replaceAll(/<\/?inSequence>/g, '')}</faultSequence>
    </resource>
  </api>`,
  versioned: `<api name="v" context="/v" version="1.0" version-type="url">
    <resource uri-template="/{id}">${TELLING}</resource></api>`,
  context: `<api name="c" context="/c/{version}/x" version="2" version-type="context">
    <resource uri-template="/*">${TELLING}</resource></api>`,
  secure: `<api name="secure" context="/secure" transports="https"><resource>${answering('secure')}</resource></api>`,
  inner: `<api name="inner" context="/users/inner"><resource>${answering('inner')}</resource></api>`,
};

const CORS = `[synapse_properties]
'synapse.rest.CORSConfig.enabled' = true
'synapse.rest.CORSConfig.Access-Control-Allow-Origin' = "https://shop.example"
`;

describe('REST APIs', () => {
  let running: InProcess;
  beforeAll(async () => {
    running = await serve(ARTIFACTS, CORS);
  });
  afterAll(() => running.stop());

  async function call(path: string, init: RequestInit = {}) {
    const answer = await fetch(running.url(path), init);
    return {
      status: answer.status,
      headers: answer.headers,
      by: answer.headers.get('x-by'),
      body: await answer.text(),
    };
  }

  it('tells the flow what was asked', async () => {
    const { status, headers } = await call('/users/5%206?x=a%20b&x=c+d');
    expect(status).toBe(200);
    expect(Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-')))).toMatchObject({
      'x-rest_method': 'GET',
      'x-rest_api_context': '/users',
      'x-rest_sub_request_path': '/5%206?x=a%20b&x=c+d',
      'x-rest_full_request_path': '/users/5%206?x=a%20b&x=c+d',
      'x-synapse_rest_api': 'users',
      'x-uri.var.id': '5 6',
      'x-query.param.x': 'c d',
      'x-artifact_name': 'apiusers',
      'x-postfix': '/5%206?x=a%20b&x=c+d',
    });
  });

  it.each([
    ['GET', '/users/exact', 'exact'],
    ['GET', '/users/deep/er', 'deep'],
    ['GET', '/users/page.html', 'html'],
    ['POST', '/users/5', 'post'],
    ['GET', '/users/inner', 'inner'],
    ['GET', '/users/fails/x', 'fault'],
  ])('%s %s goes to %s', async (method, path, by) => {
    expect(await call(path, { method })).toMatchObject({ by });
  });

  it('knows versions', async () => {
    expect((await call('/v/1.0/7')).headers.get('x-synapse_rest_api')).toBe('v:v1.0');
    expect((await call('/v/1.0/7')).headers.get('x-postfix')).toBe('/7');
    expect((await call('/c/2/x/y')).headers.get('x-rest_api_context')).toBe('/c/2/x');
    expect((await call('/v/2.0/7')).status).toBe(404);
  });

  it.each([
    ['GET', '/users/a/b/c', 404],
    ['DELETE', '/users/5', 405],
    ['GET', '/users/none/x', 202],
    ['GET', '/users/agent/x', 400],
    ['PUT', '/users/typed', 400],
    ['GET', '/users/%zz', 400],
    ['GET', '/users/5?x=%zz', 400],
    ['GET', '/usersx', 404],
    ['GET', '/secure', 404],
  ])('%s %s is answered %d', async (method, path, status) => {
    expect((await call(path, { method })).status).toBe(status);
  });

  it('lets filters decide', async () => {
    const headers = { 'Content-Type': 'text/plain' };
    expect(await call('/users/typed', { method: 'PUT', headers, body: 'x' })).toMatchObject({ by: 'typed' });
    expect(await call('/users/agent/x', { headers: { 'User-Agent': 'curl/8' } })).toMatchObject({ by: 'agent' });
  });

  it('an https API is told of on http', async () => {
    const before = running.records.length;
    await call('/secure');
    expect(running.lines(before)).toContainEqual(
      'WARN Trying to access API : secure on restricted transport chanel [http]',
    );
  });

  it('answers OPTIONS with what is allowed', async () => {
    const answer = await call('/users/5', { method: 'OPTIONS', headers: { Origin: 'https://shop.example' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('allow')).toBe('GET, POST');
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    const other = await call('/users/5', { method: 'OPTIONS', headers: { Origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('answers of flows carry CORS headers', async () => {
    const { headers } = await call('/users/5', { headers: { Origin: 'https://shop.example' } });
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST');
  });
});

describe('handlers of what no resource takes', () => {
  it('answer instead', async () => {
    const handler = (name: string, text: string) =>
      `<sequence name="${name}"><property name="HTTP_SC" value="418" scope="axis2"/>${answering(text).replaceAll(/<\/?inSequence>/g, '')}</sequence>`;
    const running = await serve({
      api: `<api name="a" context="/a"><resource methods="GET" uri-template="/x">${answering('x')}</resource></api>`,
      one: handler('_resource_mismatch_handler_', 'mismatch'),
      two: handler('_method_not_allowed_handler_', 'method'),
    });
    try {
      const get = async (path: string, method = 'GET') => {
        const answer = await fetch(running.url(path), { method });
        return [answer.status, answer.headers.get('x-by')];
      };
      expect(await get('/a/y')).toEqual([418, 'mismatch']);
      expect(await get('/a/x', 'POST')).toEqual([418, 'method']);
      expect(await get('/a/x')).toEqual([200, 'x']);
    } finally {
      await running.stop();
    }
  });
});

describe('two APIs of one context', () => {
  it('the second is refused with the name of the first', async () => {
    const one = (name: string) => `<api name="${name}" context="/same"><resource>${answering(name)}</resource></api>`;
    const running = await serve({ a: one('a'), b: one('b') });
    try {
      expect(running.lines().join('\n')).toContain('URL context: /same is already registered with the API: a');
      expect((await fetch(running.url('/same'))).headers.get('x-by')).toBe('a');
    } finally {
      await running.stop();
    }
  });
});
