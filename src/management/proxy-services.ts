import { logger } from '../logging/index.ts';
import type { ProxyService } from '../mediation/proxy-service.ts';
import type { ManagedServer, ManagementAnswer, ManagementRequest } from './managed-server.ts';
import { readStatusChange } from './status-change.ts';

const log = logger('ProxyService');

/** `GET` and `POST /management/proxy-services` (spec proxies 8.2 to 8.4): what is deployed, and starting and stopping it. */
export function answerProxyServices(request: ManagementRequest, server: ManagedServer): ManagementAnswer {
  if (request.method === 'GET') return read(request, server);
  if (request.method === 'POST') return change(request, server);
  return { status: 405, body: { Error: 'Only GET and POST are allowed here' } };
}

function read(request: ManagementRequest, server: ManagedServer): ManagementAnswer {
  const configuration = server.configuration();
  const name = request.query.get('proxyServiceName');
  if (name !== null) {
    const proxy = configuration.find('proxy', name);
    if (!proxy) return { status: 404, body: { Error: `Specified proxy ('${name}') not found` } };
    return { status: 200, body: { ...listed(proxy, server), eprs: addresses(proxy, server), isRunning: proxy.active } };
  }
  const wanted = request.query.get('searchKey')?.trim().toLowerCase() ?? '';
  const proxies = configuration
    .names('proxy')
    .filter((candidate) => candidate.toLowerCase().includes(wanted))
    .map((candidate) => configuration.find('proxy', candidate))
    .filter((found) => found !== undefined);
  return { status: 200, body: { count: proxies.length, list: proxies.map((proxy) => listed(proxy, server)) } };
}

/** In-flight requests of a service that is stopped come to their end (spec proxies 1.10). */
function change(request: ManagementRequest, server: ManagedServer): ManagementAnswer {
  const wish = readStatusChange(request);
  if ('status' in wish) return wish;
  const proxy = server.configuration().find('proxy', wish.name);
  if (!proxy) return { status: 404, body: { Error: `Proxy service ${wish.name} does not exist` } };
  const verb = wish.active ? 'started' : 'stopped';
  proxy.active = wish.active;
  log.info(`{proxy:${proxy.name}} ${wish.active ? 'Started' : 'Stopped'} the proxy service : ${proxy.name}`);
  return { status: 200, body: { Message: `Proxy service ${proxy.name} ${verb} successfully` } };
}

function listed(proxy: ProxyService, server: ManagedServer) {
  const [address = ''] = addresses(proxy, server);
  return { name: proxy.name, wsdl1_1: `${address}?wsdl`, wsdl2_0: `${address}?wsdl2` };
}

function addresses(proxy: ProxyService, server: ManagedServer): string[] {
  const path = proxy.name.split('/').map(encodeURIComponent).join('/');
  return server
    .listening()
    .filter(({ scheme }) => proxy.exposedOn(scheme))
    .map(({ scheme, host, port }) => `${scheme}://${host}:${port}/services/${path}`);
}
