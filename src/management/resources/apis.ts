import type { ResourceDefinition } from '../../rest/resource.ts';
import { displayName, pathPrefix, type RestApi } from '../../rest/rest-api.ts';
import { configurationNamed, placeNamed } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError } from '../management-error.ts';
import { resource } from '../resource.ts';
import { COUNT, object, TEXT, TEXTS } from '../schemas.ts';
import { artifactChangeBody } from '../status-change.ts';
import { SWITCHED, switchTracing, tracingWord } from '../tracing-switch.ts';

const ROW = object(
  { name: TEXT, url: TEXT, urlList: TEXTS, tracing: TEXT },
  {
    version: TEXT,
    stats: TEXT,
    host: TEXT,
    context: TEXT,
    port: { type: ['integer', 'string'] },
    configuration: TEXT,
    resources: { type: 'array', items: object({ methods: TEXTS, url: TEXT }) },
    file: TEXT,
    line: COUNT,
  },
);

/** `GET /management/apis` (spec proxies 8.2, 8.3). */
export const readApis = resource({
  method: 'GET',
  path: '/management/apis',
  role: 'viewer',
  summary: 'REST APIs, or one of them in detail',
  tag: 'apis',
  query: { apiName: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { apiName: name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'api', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((api) => listed(api, server)),
          beside,
        ),
      };
    }
    const api = named(configuration, 'api', name, `Specified API ('${name}') not found`);
    return { status: 200, body: { ...listed(api, server), ...detailed(api, server) } };
  },
});

/** `POST /management/apis`: the tracing switch. */
export const changeApi = resource({
  method: 'POST',
  path: '/management/apis',
  role: 'operator',
  summary: 'Switches the tracing of a REST API',
  tag: 'apis',
  body: artifactChangeBody('apiName'),
  answers: { 200: SWITCHED, 404: { type: 'object' } },
  answer({ body, audit }, server) {
    const name = body.name ?? body.apiName ?? '';
    audit({ type: 'api', name, action: body.trace ?? body.statistics ?? '', detail: 'tracing' });
    named(server.configuration(), 'api', name, `Specified API ('${name}') not found`);
    const done = switchTracing(server, body, { kind: 'api', name });
    if (!done) throw new ManagementError(400, 'Missing parameters in payload');
    return { status: 200, body: done };
  },
});

function listed(api: RestApi, server: ManagedServer) {
  const urlList = addresses(api, server);
  const { requests = 0, errors = 0 } = server.observation?.entry('api', displayName(api.definition)) ?? {};
  return {
    name: api.name,
    url: urlList[0] ?? '',
    urlList,
    tracing: tracingWord(server, 'api', api.name),
    requests,
    errors,
    ...placeNamed(server, 'api', api.name),
  };
}

function detailed({ definition }: RestApi, server: ManagedServer) {
  const { name, context, version, hostname, port, resources } = definition;
  return {
    version: version?.name ?? 'N/A',
    stats: 'enabled',
    context: context === '' ? '/' : context,
    host: hostname ?? '*',
    port: port ?? -1,
    resources: resources.map((one) => ({ methods: one.methods, url: mappingOf(one) })),
    ...configurationNamed(server, 'api', name),
  };
}

function mappingOf({ mapping }: ResourceDefinition): string {
  if (mapping.kind === 'url-mapping') return mapping.text;
  return mapping.kind === 'uri-template' ? mapping.template.text : 'N/A';
}

function addresses({ definition }: RestApi, server: ManagedServer): string[] {
  return server
    .listening()
    .filter(({ scheme }) => definition.transports === undefined || definition.transports.includes(scheme))
    .map(({ scheme, host, port }) => `${scheme}://${host}:${port}${pathPrefix(definition)}`);
}
