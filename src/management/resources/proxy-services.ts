import { logger } from '../../logging/index.ts';
import type { ProxyService } from '../../mediation/proxy-service.ts';
import { configurationNamed, placeNamed } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, COUNT, object, TEXT, TEXTS } from '../schemas.ts';
import { artifactChangeBody, isActivation } from '../status-change.ts';
import { SWITCHED, switchTracing, tracingWord } from '../tracing-switch.ts';

const log = logger('ProxyService');
const ROW = object(
  { name: TEXT, wsdl1_1: TEXT, wsdl2_0: TEXT, isRunning: BOOLEAN, tracing: TEXT },
  { eprs: TEXTS, configuration: TEXT, stats: TEXT, file: TEXT, line: COUNT, requests: COUNT, errors: COUNT },
);

/** `GET /management/proxy-services` (spec proxies 8.2, 8.3); in the list, what runs and is traced, and counts, are ours. */
export const readProxies = resource({
  method: 'GET',
  path: '/management/proxy-services',
  role: 'viewer',
  summary: 'Proxy services, or one of them in detail',
  tag: 'proxy-services',
  query: { proxyServiceName: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query }, server) {
    const configuration = server.configuration();
    const { proxyServiceName: name } = query;
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'proxy', query.searchKey), query);
      return {
        status: 200,
        body: listing(
          part.map((proxy) => listed(proxy, server)),
          beside,
        ),
      };
    }
    const proxy = named(configuration, 'proxy', name, `Specified proxy ('${name}') not found`);
    const details = { stats: 'enabled', eprs: addresses(proxy, server), ...configurationNamed(server, 'proxy', name) };
    return { status: 200, body: { ...listed(proxy, server), ...details } };
  },
});

/**
 * `POST /management/proxy-services` (spec proxies 8.4). Requests in flight of a service that is stopped come to their end (1.10).
 */
export const changeProxy = resource({
  method: 'POST',
  path: '/management/proxy-services',
  role: 'operator',
  summary: 'Starts or stops a proxy service, or switches its tracing',
  tag: 'proxy-services',
  body: artifactChangeBody('proxyName'),
  answers: { 200: SWITCHED, 404: { type: 'object' } },
  answer({ body, audit }, server) {
    const name = body.name ?? body.proxyName ?? '';
    audit({ type: 'proxy_service', name });
    const find = () => named(server.configuration(), 'proxy', name, `Proxy service ${name} does not exist`);
    if (body.trace !== undefined || body.statistics !== undefined) {
      audit({ action: body.trace ?? body.statistics ?? '', detail: 'tracing' });
      find();
      return { status: 200, body: switchTracing(server, body, { kind: 'proxy', name }) };
    }
    const active = isActivation(body.status);
    audit({ action: active ? 'enabled' : 'disabled' });
    const proxy = find();
    proxy.active = active;
    log.info(`{proxy:${proxy.name}} ${active ? 'Started' : 'Stopped'} the proxy service : ${proxy.name}`);
    const verb = active ? 'started' : 'stopped';
    return { status: 200, body: { Message: `Proxy service ${proxy.name} ${verb} successfully` } };
  },
});

function listed(proxy: ProxyService, server: ManagedServer) {
  const [address = ''] = addresses(proxy, server);
  const { requests = 0, errors = 0 } = server.observation?.entry('proxy', proxy.name) ?? {};
  return {
    name: proxy.name,
    wsdl1_1: `${address}?wsdl`,
    wsdl2_0: `${address}?wsdl2`,
    isRunning: proxy.active,
    tracing: tracingWord(server, 'proxy', proxy.name),
    requests,
    errors,
    ...placeNamed(server, 'proxy', proxy.name),
  };
}

function addresses(proxy: ProxyService, server: ManagedServer): string[] {
  const path = proxy.name.split('/').map(encodeURIComponent).join('/');
  return server
    .listening()
    .filter(({ scheme }) => proxy.exposedOn(scheme))
    .map(({ scheme, host, port }) => `${scheme}://${host}:${port}/services/${path}`);
}
