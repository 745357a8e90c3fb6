import type { SequenceReference } from '../mediation/sequence-reference.ts';
import type { IncomingRequest } from '../transport/incoming-request.ts';
import type { UriTemplate, UriVariables } from './uri-template.ts';

/** What requests a resource is for, by their path (spec proxies 6.3). */
export type ResourceMapping =
  | { readonly kind: 'url-mapping'; readonly text: string }
  | { readonly kind: 'uri-template'; readonly template: UriTemplate }
  | { readonly kind: 'default' };

/** A `<resource>` of an API as read from its artifact (spec proxies 6.1). */
export interface ResourceDefinition {
  readonly mapping: ResourceMapping;
  /** Upper case; empty: every method. */
  readonly methods: readonly string[];
  readonly protocol: 'http' | 'https' | undefined;
  /** Must be the request's Content-Type, exactly. */
  readonly contentType: string | undefined;
  /** Does this User-Agent pass? */
  readonly userAgent: ((header: string) => boolean) | undefined;
  readonly inSequence: SequenceReference | undefined;
  readonly outSequence: SequenceReference | undefined;
  readonly faultSequence: SequenceReference | undefined;
}

/** A resource whose path fits, with what its template found. */
export interface ResourceMatch {
  readonly resource: ResourceDefinition;
  readonly variables: UriVariables;
}

const NO_VARIABLES: UriVariables = new Map();

/**
 * The resources that are for this path, best first: URL mappings (exact, longest prefix, extension), templates in document order,
 * the default resource.
 */
export function matchingResources(
  resources: readonly ResourceDefinition[],
  path: string,
  query: string | undefined,
): ResourceMatch[] {
  const mapped: { readonly match: ResourceMatch; readonly rank: number }[] = [];
  const templates: ResourceMatch[] = [];
  const defaults: ResourceMatch[] = [];
  for (const resource of resources) {
    const { mapping } = resource;
    if (mapping.kind === 'url-mapping') {
      const rank = mappingRank(mapping.text, path === '' ? '/' : path);
      if (rank > 0) mapped.push({ match: { resource, variables: NO_VARIABLES }, rank });
    } else if (mapping.kind === 'uri-template') {
      const variables = mapping.template.match(path, query);
      if (variables) templates.push({ resource, variables });
    } else defaults.push({ resource, variables: NO_VARIABLES });
  }
  mapped.sort((left, right) => right.rank - left.rank);
  return [...mapped.map(({ match }) => match), ...templates, ...defaults];
}

/** Exact before prefix, a longer prefix before a shorter one, an extension last; 0: not for this path. */
function mappingRank(mapping: string, path: string): number {
  if (mapping === path) return Number.POSITIVE_INFINITY;
  if (mapping.endsWith('/*')) {
    const prefix = mapping.slice(0, -1);
    return path.startsWith(prefix) || path === prefix.slice(0, -1) ? 1 + mapping.length : 0;
  }
  if (mapping.startsWith('*.')) return path.endsWith(mapping.slice(1)) ? 1 : 0;
  return 0;
}

/** Is the resource for this method? */
export function allowsMethod({ methods }: ResourceDefinition, method: string): boolean {
  return methods.length === 0 || methods.includes(method);
}

/** Do the filters besides path and method let the request through? */
export function passesFilters(resource: ResourceDefinition, request: IncomingRequest): boolean {
  const { protocol, contentType, userAgent } = resource;
  if (protocol !== undefined && protocol !== request.scheme) return false;
  if (contentType !== undefined && request.headers.get('Content-Type') !== contentType) return false;
  return userAgent === undefined || userAgent(request.headers.get('User-Agent') ?? '');
}
