import { logger } from '../logging/index.ts';
import type { Configuration } from '../message/configuration.ts';
import { type HttpAnswer, textAnswer } from '../transport/http-answer.ts';
import type { IncomingRequest } from '../transport/incoming-request.ts';
import type { ResourceDefinition } from './resource.ts';
import { pathPrefix, type RestApi } from './rest-api.ts';
import { yamlOf } from './yaml.ts';

const log = logger('API');

type Form = 'json' | 'yaml';

/** `?swagger.json` and `?swagger.yaml` at the context of an API (spec proxies 1.7): the form that is asked for. */
export function asksForDescription({ method, query }: IncomingRequest, path: string): Form | undefined {
  if (method !== 'GET' || (path !== '' && path !== '/')) return undefined;
  if (query === 'swagger.json') return 'json';
  return query === 'swagger.yaml' ? 'yaml' : undefined;
}

/**
 * The OpenAPI document of an API: what `publishSwagger` names, a local entry or a registry resource; else one that is made of its
 * resources.
 */
export function describeApi(
  api: RestApi,
  form: Form,
  request: IncomingRequest,
  configuration: Configuration,
): HttpAnswer {
  const published = publishedText(api, configuration);
  const isJson = published !== undefined && /^\s*\{/.test(published);
  if (published !== undefined && (isJson || form === 'yaml')) {
    // JSON is YAML, too.
    return answer(published, isJson ? 'json' : form);
  }
  if (published !== undefined) {
    log.warn(
      `The OpenAPI document '${api.definition.publishSwagger}' is YAML; the JSON that was asked for is made of the API`,
    );
  }
  const document = openApi(api, request);
  return answer(form === 'json' ? `${JSON.stringify(document, undefined, 2)}\n` : yamlOf(document), form);
}

function answer(text: string, form: Form): HttpAnswer {
  return textAnswer(200, form === 'json' ? 'application/json' : 'application/yaml', text);
}

function publishedText({ definition, name }: RestApi, configuration: Configuration): string | undefined {
  const key = definition.publishSwagger;
  if (key === undefined) return undefined;
  const text = configuration.find('localEntry', key)?.text ?? configuration.services.registry?.text(key);
  if (text === undefined) log.warn(`${name}: the OpenAPI document '${key}' of publishSwagger cannot be found`);
  return text;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: { readonly type: 'string' };
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

function openApi({ definition }: RestApi, { scheme, authority }: IncomingRequest) {
  const { name, version, resources } = definition;
  const paths: Record<string, Record<string, unknown>> = {};
  for (const resource of resources) {
    const { path, parameters } = pathOf(resource);
    const methods = resource.methods.length > 0 ? resource.methods : METHODS;
    const operations = paths[path] ?? {};
    paths[path] = operations;
    for (const method of methods) operations[method.toLowerCase()] ??= operation(parameters);
  }
  return {
    openapi: '3.0.3',
    info: { title: name, version: version?.name ?? '1.0.0' },
    servers: [{ url: `${scheme}://${authority}${pathPrefix(definition)}` }],
    paths,
  };
}

function operation(parameters: readonly Parameter[]) {
  return { ...(parameters.length > 0 && { parameters }), responses: { default: { description: 'Default response' } } };
}

/** The path with its variables as OpenAPI writes them, and the parameters of the query. */
function pathOf({ mapping }: ResourceDefinition): { path: string; parameters: readonly Parameter[] } {
  const text =
    mapping.kind === 'uri-template' ? mapping.template.text : mapping.kind === 'default' ? '/*' : mapping.text;
  const cut = /\?(?![^{]*\})/.exec(text)?.index ?? text.length;
  const written = text.slice(0, cut);
  const found: Parameter[] = [];
  const add = (name: string, place: Parameter['in']) => {
    if (found.some((known) => known.name === name && known.in === place)) return;
    found.push({ name, in: place, required: place === 'path', schema: { type: 'string' } });
  };
  const path = written.replace(/\{([+#./;?&]?)([^{}]*)\}/g, (_, operator: string, list: string) => {
    const names = list.split(',').map((name) => name.replace(/(?:\*|:\d+)$/, ''));
    const isQuery = operator === '?' || operator === '&';
    for (const name of names) add(name, isQuery ? 'query' : 'path');
    if (isQuery) return '';
    const separator = operator === '/' ? '/' : '';
    return separator + names.map((name) => `{${name}}`).join(operator === '/' ? '/' : ',');
  });
  for (const part of text.slice(cut + 1).split('&')) {
    const [name = ''] = part.split('=');
    if (/^[\w.-]+$/.test(name)) add(name, 'query');
  }
  return { path: path.startsWith('/') ? path : `/${path}`, parameters: found };
}
