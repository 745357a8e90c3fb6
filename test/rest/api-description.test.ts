import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CorsExchange } from '../../src/rest/cors.ts';
import { yamlOf } from '../../src/rest/yaml.ts';
import { FakeExchange, message } from '../mediation/harness.ts';
import { type InProcess, serve } from '../support/in-process.ts';

const resource = (attributes: string) => `<resource ${attributes}><inSequence><respond/></inSequence></resource>`;

const ARTIFACTS = {
  shop: `<api name="Shop" context="/shop" version="2.1" version-type="url">
    ${resource('methods="GET POST" uri-template="/orders/{id}?limit={max}"')}
    ${resource('methods="DELETE" uri-template="/orders/{id}"')}
    ${resource('methods="GET" url-mapping="/files/*"')}
    ${resource('uri-template="/any{?q,r}"')}</api>`,
  json: `<api name="Json" context="/json" publishSwagger="doc">${resource('methods="GET"')}</api>`,
  yaml: `<api name="Yaml" context="/yaml" publishSwagger="yamlDoc">${resource('methods="GET"')}</api>`,
  doc: '<localEntry key="doc">{"openapi": "3.0.1", "mine": true}</localEntry>',
  yamlDoc: '<localEntry key="yamlDoc">openapi: 3.0.1</localEntry>',
};

describe('the OpenAPI document of an API', () => {
  let running: InProcess;
  beforeAll(async () => {
    running = await serve(ARTIFACTS);
  });
  afterAll(() => running.stop());

  async function get(path: string) {
    const answer = await fetch(running.url(path));
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  }

  test('is made of its resources when it has none', async () => {
    const { status, type, text } = await get('/shop/2.1?swagger.json');
    expect([status, type]).toEqual([200, 'application/json; charset=UTF-8']);
    const parameter = (name: string, place: string) => ({
      name,
      in: place,
      required: place === 'path',
      schema: { type: 'string' },
    });
    const responses = { default: { description: 'Default response' } };
    const order = { parameters: [parameter('id', 'path'), parameter('limit', 'query')], responses };
    const document = JSON.parse(text);
    expect(document).toMatchObject({
      openapi: '3.0.3',
      info: { title: 'Shop', version: '2.1' },
      servers: [{ url: running.url('/shop/2.1') }],
      paths: {
        '/orders/{id}': { get: order, post: order, delete: { parameters: [parameter('id', 'path')], responses } },
        '/files/*': { get: { responses } },
      },
    });
    expect(Object.keys(document.paths['/any'])).toHaveLength(7);
    expect(document.paths['/any'].get.parameters).toEqual([parameter('q', 'query'), parameter('r', 'query')]);
  });

  test('as YAML', async () => {
    const { type, text } = await get('/shop/2.1?swagger.yaml');
    expect(type).toBe('application/yaml; charset=UTF-8');
    expect(text).toContain('openapi: "3.0.3"\ninfo:\n  title: "Shop"\n  version: "2.1"\nservers:\n  - url: "http');
    expect(text).toContain(
      '  "/orders/{id}":\n    get:\n      parameters:\n        - name: "id"\n          in: "path"\n',
    );
  });

  test('is what publishSwagger names', async () => {
    expect(JSON.parse((await get('/json?swagger.json')).text)).toEqual({ openapi: '3.0.1', mine: true });
    expect((await get('/yaml?swagger.yaml')).text).toBe('openapi: 3.0.1');
    expect(JSON.parse((await get('/yaml?swagger.json')).text)).toMatchObject({ info: { title: 'Yaml' } });
  });

  test('other requests to the context are for its resources', async () => {
    expect((await get('/json?swagger.jso')).text).not.toContain('openapi');
    expect((await get('/json/x?swagger.json')).text).not.toContain('openapi');
  });
});

test('yamlOf writes empty lists and objects, and quotes what needs it', () => {
  expect(yamlOf({ a: [], b: {}, 'c d': 'x: y', e: [{ f: 1, g: [true] }] })).toBe(
    'a: []\nb: {}\n"c d": "x: y"\ne:\n  - f: 1\n    g:\n      - true\n',
  );
});

test('a client whose answers carry CORS headers passes everything on', () => {
  const calls: unknown[] = [];
  const client = Object.assign(new FakeExchange(), {
    track: (_: Promise<void>, kind?: string) => void calls.push(['track', kind]),
    acknowledge: () => void calls.push(['acknowledge']),
    onEnd: (listener: () => void) => listener(),
  });
  const exchange = new CorsExchange(client, [['Access-Control-Allow-Origin', '*']]);
  exchange.track(Promise.resolve(), 'group');
  exchange.acknowledge(message());
  exchange.onEnd(() => void calls.push(['ended']));
  exchange.take();
  const answer = message();
  exchange.respond(answer);
  expect(calls).toEqual([['track', 'group'], ['acknowledge'], ['ended']]);
  expect([client.taken, client.responses[0]?.headers.get('Access-Control-Allow-Origin')]).toEqual([true, '*']);
});
