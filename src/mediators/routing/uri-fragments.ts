/** The parts of a URI, percent-decoded; undefined where one is missing (spec mediators 3.20). */
export interface UriFragments {
  protocol: string | undefined;
  user: string | undefined;
  host: string | undefined;
  /** As written. */
  port: string | undefined;
  path: string | undefined;
  query: string | undefined;
  ref: string | undefined;
}
export type FragmentName = keyof UriFragments;

export const FRAGMENT_NAMES: readonly FragmentName[] = ['protocol', 'user', 'host', 'port', 'path', 'query', 'ref'];

/** Text that is no URI, or parts that make none. */
export class UriError extends Error {
  override readonly name = 'UriError';
}

const URI =
  /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?(\[[^\]/?#]*\]|[^/?#:]*)(?::(\d*))?)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
/** What may not stand in a URI (RFC 3986): blanks, controls, quotes and a few brackets; a % that escapes nothing. */
const ILLEGAL = /[\s\x00-\x1f\x7f"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})/;

/**
 * Splits a URI, absolute or relative.
 * @throws UriError
 */
export function splitUri(text: string): UriFragments {
  const match = ILLEGAL.test(text) ? null : URI.exec(text);
  if (!match) throw new UriError(`'${text}' is no URI`);
  const [, protocol, user, host, port, path, query, ref] = match;
  return {
    protocol,
    user: user && decoded(user),
    host: host || undefined,
    port: port || undefined,
    path: path ? decoded(path) : undefined,
    query: query === undefined ? undefined : decoded(query),
    ref: ref === undefined ? undefined : decoded(ref),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Escapes of another charset than UTF-8 stay as they are.
    return text;
  }
}

/**
 * Puts a URI together; what may not stand in it is escaped.
 * @throws UriError
 */
export function joinUri(fragments: UriFragments): string {
  const { protocol, user, host, port, path, query, ref } = fragments;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw new UriError(`'${port}' is no port`);
  if (protocol !== undefined && !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(protocol))
    throw new UriError(`'${protocol}' is no protocol`);
  if ((protocol !== undefined || host !== undefined) && path && !path.startsWith('/'))
    throw new UriError(`Relative path in absolute URI: '${path}'`);
  let uri = protocol === undefined ? '' : `${protocol}:`;
  if (host !== undefined) {
    uri += `//${user === undefined ? '' : `${escaped(user)}@`}${escaped(host)}${port === undefined ? '' : `:${Number(port)}`}`;
  }
  uri += escaped(path ?? '');
  if (query !== undefined) uri += `?${escaped(query)}`;
  if (ref !== undefined) uri += `#${escaped(ref)}`;
  return uri;
}

function escaped(text: string): string {
  return text.replace(/[^\w\-.~!$&'()*+,;=:@/?[\]]+/gu, (piece) => encodeURIComponent(piece));
}
