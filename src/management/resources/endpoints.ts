import type { ChildStatus, Endpoint } from '../../endpoints/endpoint.ts';
import { maskSecrets } from '../../logging/secrets.ts';
import { configurationNamed, deployedArtifact, placeNamed } from '../artifact-places.ts';
import { endpointAdvanced } from '../endpoint-settings.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError } from '../management-error.ts';
import { type JsonSchema, resource } from '../resource.ts';
import { BOOLEAN, COUNT, object, TEXT, TIME } from '../schemas.ts';
import { artifactChangeBody, isActivation } from '../status-change.ts';
import { SWITCHED, switchTracing, tracingWord } from '../tracing-switch.ts';

/** The reference's names of the kinds (spec proxies 8.3). */
const TYPES: Readonly<Record<string, string>> = {
  http: 'HTTP Endpoint',
  address: 'Address Endpoint',
  wsdl: 'WSDL Endpoint',
  default: 'Default Endpoint',
  failover: 'Failover Endpoint',
  loadbalance: 'Load Balance Endpoint',
  recipientlist: 'RecipientList Endpoint',
  indirect: 'Indirect Endpoint',
  template: 'Template Endpoint',
};

const STATE: JsonSchema = { enum: ['ACTIVE', 'TIMEOUT', 'SUSPENDED', 'OFF'] };
const ROW = object(
  { name: TEXT, type: TEXT, isActive: BOOLEAN, state: STATE, requests: COUNT, errors: COUNT },
  {
    suspendedUntil: TIME,
    retriesLeft: COUNT,
    lastError: TEXT,
    file: TEXT,
    line: COUNT,
    address: TEXT,
    uriTemplate: TEXT,
    method: TEXT,
    errorHandler: TEXT,
    tracing: TEXT,
    advanced: { type: 'object' },
    configuration: TEXT,
    children: { type: 'array', items: { type: 'object' } },
  },
);

/** `GET /management/endpoints` (spec proxies 8.2, 8.3); states and counts are ours. */
export const readEndpoints = resource({
  method: 'GET',
  path: '/management/endpoints',
  role: 'viewer',
  summary: 'Endpoints, or one of them in detail',
  tag: 'endpoints',
  query: { endpointName: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { endpointName: name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'endpoint', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((endpoint) => listed(endpoint, server)),
          beside,
        ),
      };
    }
    const endpoint = named(configuration, 'endpoint', name, `Specified endpoint ('${name}') not found`);
    return { status: 200, body: { ...listed(endpoint, server), ...detailed(endpoint, name, server) } };
  },
});

/** `POST /management/endpoints` (spec proxies 8.4): on and off, of a group all that is in it; and the tracing switch. */
export const changeEndpoint = resource({
  method: 'POST',
  path: '/management/endpoints',
  role: 'operator',
  summary: 'Switches an endpoint on or off, or its tracing',
  tag: 'endpoints',
  body: artifactChangeBody('endpointName'),
  answers: { 200: SWITCHED, 404: { type: 'object' }, 409: { type: 'object' } },
  answer({ body, audit }, server) {
    const name = body.name ?? body.endpointName ?? '';
    audit({ type: 'endpoint', name });
    const find = () => named(server.configuration(), 'endpoint', name, `Endpoint does not exist`);
    if (body.trace !== undefined || body.statistics !== undefined) {
      audit({ action: body.trace ?? body.statistics ?? '', detail: 'tracing' });
      find();
      return { status: 200, body: switchTracing(server, body, { kind: 'endpoint', name }) };
    }
    const on = isActivation(body.status);
    audit({ action: on ? 'enabled' : 'disabled' });
    if (switchAll(find(), on, new Set()) === 0)
      throw new ManagementError(409, `Endpoint ${name} has no state of its own; switch the one that it stands for`);
    return { status: 200, body: { Message: `${name} is switched ${on ? 'On' : 'Off'}` } };
  },
});

/** How many were switched. */
function switchAll(endpoint: Endpoint, on: boolean, seen: Set<Endpoint>): number {
  if (seen.has(endpoint)) return 0;
  seen.add(endpoint);
  if (endpoint.switchTo) {
    endpoint.switchTo(on);
    return 1;
  }
  return (endpoint.members ?? []).reduce((count, member) => count + switchAll(member, on, seen), 0);
}

function listed(endpoint: Endpoint, server: ManagedServer) {
  const status = endpoint.describe();
  const { requests, errors } = countsOf(endpoint, new Set());
  const name = endpoint.name ?? 'AnonymousEndpoint';
  return {
    name,
    ...stateOf({ ...status, name, kind: endpoint.kind }),
    requests,
    errors,
    ...placeNamed(server, 'endpoint', name),
  };
}

function stateOf({ kind, state, nextRetryTime, retriesLeft, lastError }: ChildStatus) {
  const until = nextRetryTime !== undefined && Number.isFinite(nextRetryTime);
  return {
    type: TYPES[kind] ?? kind,
    isActive: state !== 'OFF',
    state,
    ...(until && { suspendedUntil: new Date(nextRetryTime).toISOString() }),
    ...(retriesLeft !== undefined && { retriesLeft }),
    ...(lastError !== undefined && { lastError }),
  };
}

function countsOf(endpoint: Endpoint, seen: Set<Endpoint>): { requests: number; errors: number } {
  const total = { requests: endpoint.counts?.requests ?? 0, errors: endpoint.counts?.errors ?? 0 };
  if (seen.has(endpoint)) return { requests: 0, errors: 0 };
  seen.add(endpoint);
  for (const member of endpoint.members ?? []) {
    const { requests, errors } = countsOf(member, seen);
    total.requests += requests;
    total.errors += errors;
  }
  return total;
}

function detailed(endpoint: Endpoint, name: string, server: ManagedServer) {
  const { address, children } = endpoint.describe();
  const found = deployedArtifact(server, 'endpoint', name);
  const masked = address === undefined ? undefined : maskSecrets(address);
  const addressKey = endpoint.kind === 'http' ? 'uriTemplate' : 'address';
  return {
    tracing: tracingWord(server, 'endpoint', name),
    ...(masked !== undefined && { [addressKey]: masked }),
    ...(found && endpointAdvanced(found.artifact)),
    ...(children && { children: children.map(childOf) }),
    ...configurationNamed(server, 'endpoint', name),
  };
}

function childOf(child: ChildStatus): Record<string, unknown> {
  const { name, address, children } = child;
  return {
    ...(name !== undefined && { name }),
    ...stateOf(child),
    ...(address !== undefined && { address: maskSecrets(address) }),
    ...(children && { children: children.map(childOf) }),
  };
}
