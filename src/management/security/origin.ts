import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ManagementError } from '../management-error.ts';
import { mediaType } from '../media-types.ts';

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** Does the request change nothing, by its method? */
export function isSafe(request: Pick<IncomingMessage, 'method'>): boolean {
  return SAFE_METHODS.includes(request.method ?? '');
}

/**
 * Keeps pages of other origins from steering the server through its user's browser. A browser says where a changing request comes from
 * (`Origin`, `Sec-Fetch-Site`); other programs say neither, and pass. From a page of our own, a request must besides be one that a
 * form cannot send.
 * @throws ManagementError 403
 */
export function refuseForeignOrigin(request: IncomingMessage): void {
  if (isSafe(request)) return;
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw foreign();
  if (origin === undefined && site === undefined) return;
  if (origin !== undefined && hostOf(origin) !== host?.toLowerCase()) throw foreign();
  const byScript = request.headers['x-requested-by'] !== undefined || request.headers['x-csrf-token'] !== undefined;
  if (byScript || mediaType(request.headers['content-type']) === 'application/json') return;
  throw new ManagementError(403, 'Send Content-Type: application/json or the header X-Requested-By');
}

/** `force` in a query, unless it says false. */
const FORCED = /[?&]force(?:=(?!false\b)|&|$)/;

/**
 * Looking may cost something, too, and a page of another origin that asks needs no answer that it can read; a page of the same machine,
 * behind another port, counts as of the same site and is sent along the session. Only links lead here from there, in the window itself
 * and not to what costs something (`force=true`).
 * @throws ManagementError 403
 */
export function refuseForeignRead(request: IncomingMessage): void {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': place } = request.headers;
  if (site !== 'cross-site' && site !== 'same-site') return;
  const isLink = mode === 'navigate' && (place === undefined || place === 'document');
  if (!isLink || FORCED.test(request.url ?? '')) throw foreign();
}

/**
 * A page may have its own name resolved to this machine and then counts as of the same origin. Where no login protects the server, it is
 * only reached by an address or as `localhost`.
 * @throws ManagementError 403
 */
export function refuseForeignName(request: IncomingMessage): void {
  const name = hostName(request.headers.host ?? '');
  if (name === '' || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return;
  throw new ManagementError(403, `Without configured users the management API is not served under the name '${name}'`);
}

function foreign(): ManagementError {
  return new ManagementError(403, 'Requests of other origins are refused');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** `Host` without its port and brackets. */
function hostName(host: string): string {
  return host
    .trim()
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}
