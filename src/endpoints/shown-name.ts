import { randomUUID } from 'node:crypto';
import type { ProfileDifferences } from '../compat/profile.ts';
import type { MessageContext } from '../message/message-context.ts';

type Named = { readonly name: string | undefined };

/** Names that were made for endpoints that have none. */
const MADE = new WeakMap<Named, string>();

/**
 * What an endpoint is called in logs, errors and properties. One without a name is `AnonymousEndpoint`; Apache makes a name for each (spec
 * proxies 12).
 */
export function shownName(endpoint: Named, compat: ProfileDifferences | undefined): string {
  if (endpoint.name !== undefined) return endpoint.name;
  if (!compat?.namesEndpoints) return 'AnonymousEndpoint';
  const name = MADE.get(endpoint) ?? `endpoint_${randomUUID()}`;
  MADE.set(endpoint, name);
  return name;
}

/** {@link shownName} in the profile of a message's server. */
export function nameOf(endpoint: Named, { configuration }: MessageContext): string {
  return shownName(endpoint, configuration.services.compat);
}

/** As the reference prints an endpoint. */
export function labelOf(endpoint: Named, message: MessageContext): string {
  return `Endpoint [${nameOf(endpoint, message)}]`;
}
