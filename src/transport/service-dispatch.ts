/** Where a request path leads (spec proxies 1.4). */
export interface ServiceRoute {
  /** The service named by the path; undefined when no known one is. */
  readonly serviceName: string | undefined;
  /** REST_URL_POSTFIX: what follows the service in the request target, query included, escapes untouched. */
  readonly postfix: string;
  /** The first path segment after the service, tried as an operation name. */
  readonly operation: string | undefined;
}

/** Names with more `/` than this are not looked for: bounds the work that one request path can cause. */
const MAX_NAME_SEGMENTS = 16;

/**
 * Finds the service that a request target names. Service names may contain `/`, so the longest known prefix of the path wins; a
 * suffix of the last name segment after a `.` is an endpoint name (`P.SOAP11Endpoint`) unless the whole is itself a known name.
 *
 * @param target the request target without scheme and authority, for example `/services/P/a/b?x=1`
 * @param isKnown whether a service of this (decoded) name is deployed
 * @param servicePath the first segment(s) of the URL space of services
 */
export function routeService(
  target: string,
  isKnown: (name: string) => boolean,
  servicePath = 'services',
): ServiceRoute {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const prefix = `/${servicePath}/`;
  if (!path.startsWith(prefix)) return unknownService(target);
  const segments = path.slice(prefix.length).split('/', MAX_NAME_SEGMENTS);
  for (let count = segments.length; count > 0; count -= 1) {
    const raw = segments.slice(0, count).join('/');
    const serviceName = knownName(decode(raw), isKnown);
    if (serviceName === undefined) continue;
    const postfix = target.slice(prefix.length + raw.length);
    return { serviceName, postfix, operation: operationOf(postfix) };
  }
  return unknownService(target);
}

function unknownService(target: string): ServiceRoute {
  return { serviceName: undefined, postfix: target.startsWith('/') ? target.slice(1) : target, operation: undefined };
}

function knownName(name: string, isKnown: (name: string) => boolean): string | undefined {
  if (name === '') return undefined;
  if (isKnown(name)) return name;
  // The dots of the name itself stay: only what follows the last one can be an endpoint.
  const dot = name.lastIndexOf('.');
  if (dot <= name.lastIndexOf('/') + 1) return undefined;
  const withoutEndpoint = name.slice(0, dot);
  return isKnown(withoutEndpoint) ? withoutEndpoint : undefined;
}

function operationOf(postfix: string): string | undefined {
  if (postfix === '') return undefined;
  const first = /^\/([^/?]+)/.exec(postfix)?.[1];
  return first === undefined ? undefined : decode(first);
}

/** Percent-decodes; a malformed escape leaves the text as it is, and it will name no service. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
