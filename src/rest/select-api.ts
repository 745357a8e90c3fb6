import { logger } from '../logging/index.ts';
import type { Configuration } from '../message/configuration.ts';
import type { IncomingRequest } from '../transport/incoming-request.ts';
import { type ApiDefinition, displayName, pathPrefix, type RestApi } from './rest-api.ts';

const log = logger('API');
/** The binding of APIs that the server's own listener serves. */
export const DEFAULT_BINDING = 'default';

interface Candidate {
  readonly api: RestApi;
  readonly prefix: string;
}

/** The order in which APIs are tried, made once for each configuration. */
const orders = new WeakMap<Configuration, readonly Candidate[]>();

/**
 * The API for a request (spec proxies 6.2): versioned ones first, then by the length of the context; host, port and transport must
 * fit. Undefined when none does.
 * @param binding `default`, or the name of the inbound endpoint that the request came in by
 */
export function selectApi(
  configuration: Configuration,
  request: IncomingRequest,
  binding: string = DEFAULT_BINDING,
): RestApi | undefined {
  for (const { api, prefix } of candidates(configuration)) {
    const { definition } = api;
    if (definition.bindsTo.includes(binding) && startsWith(request.path, prefix) && serves(definition, request))
      return api;
  }
  return undefined;
}

function candidates(configuration: Configuration): readonly Candidate[] {
  const known = orders.get(configuration);
  if (known) return known;
  const made = configuration
    .names('api')
    .map((name) => configuration.find('api', name))
    .filter((api) => api !== undefined)
    .map((api) => ({ api, prefix: pathPrefix(api.definition) }))
    .sort((left, right) => versioned(right) - versioned(left) || right.prefix.length - left.prefix.length);
  orders.set(configuration, made);
  return made;
}

function versioned({ api }: Candidate): number {
  return api.definition.version === undefined ? 0 : 1;
}

function startsWith(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/' || prefix === '');
}

function serves(definition: ApiDefinition, { scheme, authority }: IncomingRequest): boolean {
  const { hostname, port, transports } = definition;
  const { host, port: asked } = splitAuthority(authority, scheme);
  if (hostname !== undefined && hostname.toLowerCase() !== host) return false;
  if (port !== undefined && port !== asked) return false;
  if (transports === undefined || transports.includes(scheme)) return true;
  log.warn(`Trying to access API : ${displayName(definition)} on restricted transport chanel [${scheme}]`);
  return false;
}

function splitAuthority(authority: string, scheme: string): { host: string; port: number } {
  const [, host = authority, port] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  return { host: host.toLowerCase(), port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port) };
}
