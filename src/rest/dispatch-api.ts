import { type Eventually, whenThere } from '../mediation/eventually.ts';
import { runFlow } from '../mediation/flow.ts';
import type { Configuration } from '../message/configuration.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { ClientExchange } from '../transport/client-exchange.ts';
import { faultAnswer } from '../transport/fault-response.ts';
import { emptyAnswer, type HttpAnswer } from '../transport/http-answer.ts';
import { inboundMessage } from '../transport/inbound-message.ts';
import type { IncomingRequest } from '../transport/incoming-request.ts';
import { asksForDescription, describeApi } from './api-description.ts';
import { addCorsHeaders, CorsExchange, corsHeaders } from './cors.ts';
import {
  allowsMethod,
  matchingResources,
  passesFilters,
  type ResourceDefinition,
  type ResourceMatch,
} from './resource.ts';
import { displayName, pathPrefix, type RestApi } from './rest-api.ts';
import { queryParameters } from './uri-template.ts';

/** Sequences that, if they are defined, answer what no resource takes (spec proxies 6.4). */
const MISMATCH_HANDLERS = { 404: '_resource_mismatch_handler_', 405: '_method_not_allowed_handler_' } as const;

/** Brings a request to the resource of an API that is for it, or answers why there is none (spec proxies 6.3 to 6.5). */
export function dispatchToApi(
  api: RestApi,
  request: IncomingRequest,
  exchange: ClientExchange,
  configuration: Configuration,
): Eventually<void> {
  const postfix = postfixOf(api, request);
  const form = asksForDescription(request, postfix.path);
  if (form !== undefined) {
    exchange.answerWith(describeApi(api, form, request, configuration));
    return;
  }
  const outcome = findResource(api, request, postfix.path);
  const cors = corsHeaders(configuration.services.cors, request.headers.get('Origin'), outcome.methods);
  const client = cors.length > 0 ? new CorsExchange(exchange, cors) : exchange;
  const message = inboundMessage(request, configuration, client, postfix.full);
  setApiProperties(message, api, request, postfix.full);
  exchange.carries(message);
  const flow = (): Eventually<void> => {
    if (outcome.match) {
      if (setParameters(message, outcome.match, request)) return api.receive(message, outcome.match.resource);
      return exchange.answerWith(faultAnswer(request, { status: 400, reason: 'The request URI cannot be decoded' }));
    }
    if (outcome.status === 200) return exchange.answerWith(optionsAnswer(outcome.methods, cors));
    return refuse(message, exchange, outcome.status);
  };
  return whenThere(flow(), () => exchange.inFlowEnded(message));
}

/** What follows the context and the version, without and with the query. */
function postfixOf(api: RestApi, { path, query }: IncomingRequest): { path: string; full: string } {
  const rest = path.slice(pathPrefix(api.definition).length);
  return { path: rest, full: query === undefined ? rest : `${rest}?${query}` };
}

type ResourceOutcome = {
  /** Comma-separated methods of the resources whose path fits. */
  readonly methods: string;
} & (
  | { readonly match: ResourceMatch; readonly status?: never }
  | { readonly match?: never; readonly status: 200 | 400 | 404 | 405 }
);

function findResource(api: RestApi, request: IncomingRequest, path: string): ResourceOutcome {
  const matches = matchingResources(api.definition.resources, path, request.query);
  const methods = methodsOf(matches.map(({ resource }) => resource));
  if (matches.length === 0) return { methods, status: 404 };
  const allowed = matches.filter(({ resource }) => allowsMethod(resource, request.method));
  const explicit = allowed.some(({ resource }) => resource.methods.length > 0);
  if (allowed.length === 0 || (request.method === 'OPTIONS' && !explicit))
    return { methods, status: request.method === 'OPTIONS' ? 200 : 405 };
  const match = allowed.find(({ resource }) => passesFilters(resource, request));
  return match ? { methods, match } : { methods, status: 400 };
}

const ALL_METHODS = 'GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS';

function methodsOf(resources: readonly ResourceDefinition[]): string {
  if (resources.some(({ methods }) => methods.length === 0)) return ALL_METHODS;
  return [...new Set(resources.flatMap(({ methods }) => methods))].join(', ');
}

function optionsAnswer(methods: string, cors: ReadonlyArray<readonly [string, string]>): HttpAnswer {
  const answer = emptyAnswer(200);
  answer.headers.set('Allow', methods);
  addCorsHeaders(answer.headers, cors);
  return answer;
}

function refuse(message: MessageContext, exchange: ClientExchange, status: 400 | 404 | 405): Eventually<void> {
  const name = status === 400 ? undefined : MISMATCH_HANDLERS[status];
  const handler = name === undefined ? undefined : message.configuration.find('sequence', name);
  return handler ? runFlow(message, () => handler.mediate(message)) : exchange.answerWith(emptyAnswer(status));
}

/** The properties of spec proxies 6.5. */
function setApiProperties(message: MessageContext, api: RestApi, request: IncomingRequest, subPath: string): void {
  const { definition } = api;
  const { properties } = message;
  const { path, query } = request;
  properties.set('ARTIFACT_NAME', `api${displayName(definition)}`);
  properties.set('REST_FULL_REQUEST_PATH', query === undefined ? path : `${path}?${query}`);
  properties.set('REST_SUB_REQUEST_PATH', subPath === '' ? '/' : subPath);
  properties.set('REST_METHOD', request.method);
  properties.set('REST_API_CONTEXT', definition.context);
  properties.set('SYNAPSE_REST_API', displayName(definition));
  if (definition.version) properties.set('SYNAPSE_REST_API_VERSION', definition.version.name);
  properties.set('SYNAPSE_REST_API_VERSION_STRATEGY', definition.version?.strategy ?? 'default');
  properties.set('REST_URL_PREFIX', `${request.scheme}://${request.authority}`);
  message.operation.set('SYNAPSE_REST_API', displayName(definition));
}

/** Sets `uri.var.*` and `query.param.*`; false when one of them cannot be decoded (spec proxies 6.4). */
function setParameters(
  message: MessageContext,
  { resource, variables }: ResourceMatch,
  request: IncomingRequest,
): boolean {
  const { properties } = message;
  try {
    for (const [name, value] of variables) properties.set(`uri.var.${name}`, decodeURIComponent(value));
    for (const [name, value] of queryParameters(request.query ?? ''))
      properties.set(`query.param.${decodeQuery(name)}`, decodeQuery(value));
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
  const { mapping } = resource;
  if (mapping.kind === 'uri-template') properties.set('REST_URI_TEMPLATE', mapping.template.text);
  if (mapping.kind === 'url-mapping') properties.set('REST_URL_PATTERN', mapping.text);
  return true;
}

/** In a query `+` is a blank. */
function decodeQuery(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
