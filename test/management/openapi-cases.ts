import {
  ADMIN,
  application,
  applicationForm,
  ask,
  basic,
  HOOK,
  job,
  session,
  storedMessage,
  trace,
  user,
} from './made-before.ts';
import type { Served } from './served.ts';

export { ADMIN } from './made-before.ts';

export interface ApiRequest {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly type?: string;
}

export interface ApiCase extends ApiRequest {
  /** Default 200. */
  readonly status?: number;
  /** Instead of an administrator's credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What to ask for instead to name something that there is not: 404, or what is said. */
  readonly unknown?: ApiRequest & { readonly status?: number };
}

type Case = ApiCase | ((served: Served) => Promise<ApiCase>);

const NOBODY = 'no-such-thing';
const XML = 'application/xml';
const SEQUENCE = '<sequence xmlns="http://ws.apache.org/ns/synapse" name="Put"><log/></sequence>';
const RESOURCE = 'registry/config/test.txt';

const detail = (query: string, name: string): ApiCase => ({
  query: { [query]: name },
  unknown: { query: { [query]: NOBODY } },
});
const change = (name: string, more: object): ApiCase => ({
  body: { name, ...more },
  unknown: { body: { name: NOBODY, ...more } },
});

export const OPERATOR = { Authorization: 'Bearer operator-operator-oper' };
export const VIEWER = { Authorization: 'Bearer viewer-viewer-viewer-v' };

export const TOKENS = ['admin', 'operator', 'viewer']
  .map((role, index) => {
    const token = [ADMIN, OPERATOR, VIEWER][index]?.Authorization.slice('Bearer '.length);
    return `[[management.tokens]]\nname = "${role}"\nrole = "${role}"\ntoken = "${token}"\n`;
  })
  .join('');

function ofMessage(more: ApiRequest = {}): Case {
  return async (served) => ({
    ...more,
    parameters: { name: 'Memory', id: await storedMessage(served) },
    unknown: { ...more, parameters: { name: 'Memory', id: NOBODY } },
  });
}

const ofStore = (more: ApiCase = {}): ApiCase => ({
  ...more,
  parameters: { name: 'Memory' },
  unknown: { ...more, parameters: { name: NOBODY } },
});

/** The happy case of every path and method, and what names something that there is not. */
export const CASES: Readonly<Record<string, Case>> = {
  'GET /management/proxy-services': detail('proxyServiceName', 'Orders'),
  'POST /management/proxy-services': change('Orders', { status: 'active' }),
  'GET /management/apis': detail('apiName', 'Shop'),
  'POST /management/apis': change('Shop', { trace: 'disable' }),
  'GET /management/endpoints': detail('endpointName', 'Backend'),
  'POST /management/endpoints': change('Backend', { status: 'active' }),
  'GET /management/sequences': detail('sequenceName', 'Audit'),
  'POST /management/sequences': change('Audit', { trace: 'disable' }),
  'GET /management/templates': detail('name', 'Greet'),
  'POST /management/templates': change('Greet', { trace: 'disable' }),
  'GET /management/inbound-endpoints': detail('inboundEndpointName', 'Entry'),
  'POST /management/inbound-endpoints': change('Entry', { status: 'inactive' }),
  'GET /management/tasks': detail('taskName', 'Nightly'),
  'POST /management/tasks': change('Nightly', { status: 'active' }),
  'GET /management/message-stores': detail('name', 'Memory'),
  'GET /management/message-processors': detail('name', 'Forwarder'),
  'POST /management/message-processors': change('Forwarder', { status: 'inactive' }),
  'GET /management/local-entries': detail('name', 'greeting'),
  'GET /management/connectors': detail('connectorName', 'http'),
  'POST /management/connectors': change('http', { status: 'enabled' }),
  'GET /management/data-sources': { unknown: { query: { name: NOBODY } } },
  'GET /management/data-services': { unknown: { query: { dataServiceName: NOBODY } } },
  'GET /management/applications': { unknown: { query: { carbonAppName: NOBODY } } },
  'POST /management/applications': applicationForm,
  'DELETE /management/applications/{name}': named('name', application),
  'GET /management/registry-resources': { unknown: { query: { path: 'registry/config/nothing' } } },
  'GET /management/registry-resources/content': registry(),
  'POST /management/registry-resources/content': async (served) => {
    await served.ask(`/management/registry-resources/content?path=${RESOURCE}`, { method: 'DELETE', headers: ADMIN });
    return { query: { path: RESOURCE }, body: 'text', type: 'text/plain' };
  },
  'PUT /management/registry-resources/content': registry({ body: 'other', type: 'text/plain' }),
  'DELETE /management/registry-resources/content': registry(),
  'GET /management/registry-resources/metadata': registry(),
  'GET /management/registry-resources/properties': registry(),
  'POST /management/registry-resources/properties': registry({ body: { color: 'red' } }),
  'DELETE /management/registry-resources/properties': async (served) => {
    await written(served);
    await ask(served, 'POST', `/management/registry-resources/properties?path=${RESOURCE}`, { color: 'red' });
    const query = { path: RESOURCE, name: 'color' };
    return { query, unknown: { query: { ...query, name: NOBODY } } };
  },
  'GET /management/logging': detail('loggerName', 'LogMediator'),
  'PATCH /management/logging': {
    body: { loggerName: 'LogMediator', loggingLevel: 'INFO' },
    unknown: { body: { loggerName: NOBODY, loggingLevel: 'INFO' } },
  },
  'GET /management/logs': { unknown: { query: { file: NOBODY } } },
  'PATCH /management/server': { body: { status: 'shutdown' } },
  'GET /management/users/{userId}': userCase(),
  'POST /management/users': async (served) => {
    await ask(served, 'DELETE', '/management/users/vera');
    return { body: { userId: 'vera', password: 'p', role: 'viewer' } };
  },
  'PATCH /management/users/{userId}': userCase({ body: { role: 'operator' } }),
  'DELETE /management/users/{userId}': userCase(),
  'PUT /management/roles': async (served) => {
    await ask(served, 'POST', '/management/users', { userId: 'vera', password: 'p', role: 'viewer' });
    const body = { userId: 'vera', addedRoles: ['operator'], removedRoles: ['viewer'] };
    return { body, unknown: { body: { ...body, userId: NOBODY } } };
  },
  'GET /management/roles/{role}': { parameters: { role: 'viewer' }, unknown: { parameters: { role: NOBODY } } },
  'GET /management/configs': detail('configName', 'correlation'),
  'PUT /management/configs': {
    body: { name: 'correlation', configs: { enabled: false } },
    unknown: { body: { name: NOBODY, configs: { enabled: false } } },
  },
  // There are none here.
  'POST /management/external-vaults/{vault}': { parameters: { vault: 'v' }, body: { secretId: 's' }, status: 404 },
  'GET /management/login': async (served) => ({ headers: await basic(served) }),
  'POST /management/session': async (served) => {
    const body = await user(served);
    return { body, unknown: { body: { ...body, password: 'wrong' }, status: 401 } };
  },
  'GET /management/artifacts/source': detail('file', 'api.xml'),
  'POST /management/artifacts/validate': { body: SEQUENCE, type: XML },
  'PUT /management/artifacts/files/{path}': { parameters: { path: 'put.xml' }, body: SEQUENCE, type: XML },
  'DELETE /management/artifacts/files/{path}': async (served) => {
    await served.ask('/management/artifacts/files/put.xml', {
      method: 'PUT',
      body: SEQUENCE,
      headers: { ...ADMIN, 'Content-Type': XML },
    });
    return { parameters: { path: 'put.xml' }, unknown: { parameters: { path: 'nothing.xml' } } };
  },
  'GET /management/artifacts/versions': { query: { file: 'store.xml' }, unknown: { query: { file: 'stor.xml' } } },
  'GET /management/artifacts/diff': {
    query: { file: 'store.xml' },
    unknown: { query: { file: 'store.xml', from: '9' } },
  },
  'POST /management/artifacts/rollback': async (served) => {
    for (const text of [
      SEQUENCE.replaceAll('Put', 'Rolled'),
      SEQUENCE.replaceAll('"Put"', '"Rolled" statistics="enable"'),
    ])
      await served.ask('/management/artifacts/files/rolled.xml', {
        method: 'PUT',
        body: text,
        headers: { ...ADMIN, 'Content-Type': XML },
      });
    return { body: { file: 'rolled.xml' }, unknown: { body: { file: 'rolled.xml', version: 99 } } };
  },
  'GET /management/message-stores/{name}/messages': ofStore(),
  'GET /management/message-stores/{name}/messages/{id}': ofMessage(),
  'GET /management/message-stores/{name}/failures': ofStore(),
  'GET /management/message-stores/{name}/history': ofStore(),
  'POST /management/message-stores/{name}/messages/{id}/resend': ofMessage({ body: { store: 'Memory' } }),
  'POST /management/message-stores/{name}/messages/{id}/move': ofMessage({ body: { to: 'Spare' } }),
  'DELETE /management/message-stores/{name}/messages/{id}': ofMessage(),
  'POST /management/message-stores/{name}/messages/actions': async (served) => {
    const body = { action: 'delete', ids: [await storedMessage(served)] };
    return ofStore({ body });
  },
  'DELETE /management/message-stores/{name}/messages': async (served) => {
    await storedMessage(served);
    const { list } = (await ask(served, 'GET', '/management/message-stores')).body;
    const { size } = list.find(({ name }: { name: string }) => name === 'Memory');
    return ofStore({ query: { confirm: String(size) } });
  },
  'POST /management/message-stores/{name}/messages/schedule': async () =>
    ofStore({ body: { at: new Date(Date.now() + 3_600_000).toISOString(), all: true } }),
  'DELETE /management/scheduled-resends/{id}': async (served) => {
    const body = { at: new Date(Date.now() + 3_600_000).toISOString(), all: true };
    const { body: resend } = await ask(served, 'POST', '/management/message-stores/Memory/messages/schedule', body);
    return { parameters: { id: resend.id }, unknown: { parameters: { id: NOBODY } } };
  },
  'GET /management/message-stores/{name}/export': ofStore(),
  'POST /management/message-stores/{name}/import': ofStore({ body: '', type: 'application/x-ndjson' }),
  'GET /management/jobs/{id}': named('id', job),
  'DELETE /management/jobs/{id}': named('id', job),
  'POST /management/message-processors/{name}/{action}': {
    parameters: { name: 'Forwarder', action: 'deactivate' },
    unknown: { parameters: { name: NOBODY, action: 'deactivate' } },
  },
  'GET /management/traces/{id}': named('id', trace),
  'PUT /management/tracing': { body: { mode: 'off' } },
  'GET /management/graph': { unknown: { query: { root: `proxy:${NOBODY}` } } },
  'GET /management/graph.svg': { unknown: { query: { root: `proxy:${NOBODY}` } } },
  'GET /management/graph.mmd': { unknown: { query: { root: `proxy:${NOBODY}` } } },
  'DELETE /management/sessions/{id}': named('id', session),
  'POST /management/web-hooks/{name}/test': named('name', async () => HOOK),
  'POST /management/test-message': {
    body: { target: { kind: 'store', name: 'Memory' }, contentType: 'text/xml', body: '<a/>' },
    unknown: { body: { target: { kind: 'store', name: NOBODY }, contentType: 'text/xml', body: '<a/>' } },
  },
};

/** Something that is made before it is asked for. */
function named(parameter: string, make: (served: Served) => Promise<string>): Case {
  return async (served) => ({
    parameters: { [parameter]: await make(served) },
    unknown: { parameters: { [parameter]: NOBODY } },
  });
}

function registry(more: ApiRequest = {}): Case {
  return async (served) => {
    await written(served);
    return { ...more, query: { path: RESOURCE }, unknown: { ...more, query: { path: 'registry/config/nothing.txt' } } };
  };
}

async function written(served: Served): Promise<void> {
  const headers = { ...ADMIN, 'Content-Type': 'text/plain' };
  await served.ask(`/management/registry-resources/content?path=${RESOURCE}`, { body: 'text', headers });
}

function userCase(more: ApiRequest = {}): Case {
  return async (served) => {
    await ask(served, 'POST', '/management/users', { userId: 'vera', password: 'p', role: 'viewer' });
    return { ...more, parameters: { userId: 'vera' }, unknown: { ...more, parameters: { userId: NOBODY } } };
  };
}
