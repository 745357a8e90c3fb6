import type { InboundEndpoint } from '../../inbound/inbound-endpoint.ts';
import { configurationNamed, placeNamed } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError } from '../management-error.ts';
import { maskedParameter } from '../masking.ts';
import { resource } from '../resource.ts';
import { COUNT, object, TEXT } from '../schemas.ts';
import { artifactChangeBody, isActivation } from '../status-change.ts';
import { SWITCHED, switchTracing, tracingWord } from '../tracing-switch.ts';

const ROW = object(
  { name: TEXT, protocol: TEXT, status: { enum: ['active', 'inactive'] } },
  {
    sequence: TEXT,
    error: TEXT,
    stats: TEXT,
    tracing: TEXT,
    parameters: { type: 'array', items: object({ name: TEXT, value: TEXT }) },
    configuration: TEXT,
    file: TEXT,
    line: COUNT,
  },
);

/** `GET /management/inbound-endpoints` (spec proxies 8.2, 8.3). */
export const readInboundEndpoints = resource({
  method: 'GET',
  path: '/management/inbound-endpoints',
  role: 'viewer',
  summary: 'Inbound endpoints, or one of them in detail',
  tag: 'inbound-endpoints',
  query: { inboundEndpointName: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { inboundEndpointName: name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'inboundEndpoint', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((inbound) => listed(inbound, server)),
          beside,
        ),
      };
    }
    const text = `Specified inbound endpoint ('${name}') not found`;
    const inbound = named(configuration, 'inboundEndpoint', name, text);
    return { status: 200, body: { ...listed(inbound, server), ...detailed(inbound, server) } };
  },
});

/** `POST /management/inbound-endpoints`: starts and stops it, or switches its tracing. */
export const changeInboundEndpoint = resource({
  method: 'POST',
  path: '/management/inbound-endpoints',
  role: 'operator',
  summary: 'Starts or stops an inbound endpoint, or switches its tracing',
  tag: 'inbound-endpoints',
  body: artifactChangeBody('inboundEndpointName'),
  answers: { 200: SWITCHED, 404: { type: 'object' }, 409: { type: 'object' } },
  async answer({ body, audit }, server) {
    const name = body.name ?? body.inboundEndpointName ?? '';
    audit({ type: 'inbound_endpoint', name });
    const find = () => named(server.configuration(), 'inboundEndpoint', name, 'Inbound endpoint does not exist');
    if (body.trace !== undefined || body.statistics !== undefined) {
      audit({ action: body.trace ?? body.statistics ?? '', detail: 'tracing' });
      find();
      return { status: 200, body: switchTracing(server, body, { kind: 'inboundEndpoint', name }) };
    }
    const active = isActivation(body.status);
    audit({ action: active ? 'enabled' : 'disabled' });
    await change(find(), active);
    return { status: 200, body: { Message: `${name} : is ${active ? 'activated' : 'deactivated'}` } };
  },
});

async function change(inbound: InboundEndpoint, active: boolean): Promise<void> {
  try {
    if (active) await inbound.activate();
    else await inbound.deactivate();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ManagementError(409, `${inbound.name} cannot be started: ${reason}`, {}, { cause });
  }
}

function listed({ name, definition, active }: InboundEndpoint, server: ManagedServer) {
  const { requests = 0, errors = 0 } = server.observation?.entry('inboundEndpoint', name) ?? {};
  const status = active ? 'active' : 'inactive';
  return {
    name,
    protocol: definition.kind.protocol,
    status,
    requests,
    errors,
    ...placeNamed(server, 'inboundEndpoint', name),
  };
}

function detailed({ name, definition }: InboundEndpoint, server: ManagedServer) {
  const { sequence, onError, written } = definition;
  return {
    ...(sequence !== undefined && { sequence }),
    ...(onError !== undefined && { error: onError }),
    stats: 'enabled',
    tracing: tracingWord(server, 'inboundEndpoint', name),
    parameters: [...written].map(([key, value]) => ({ name: key, value: maskedParameter(key, value) })),
    ...configurationNamed(server, 'inboundEndpoint', name),
  };
}
