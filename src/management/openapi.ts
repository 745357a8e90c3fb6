import { ERROR } from './management-error.ts';
import { schemaOf } from './query.ts';
import { isMediaAnswer, type JsonSchema, type MediaAnswer, type Resource } from './resource.ts';

const JSON_TYPE = 'application/json';

/** The usual refusals by status. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'Something about the request is wrong',
  401: 'Credentials are missing or wrong',
  403: 'The role does not suffice, or the request comes from another origin',
  404: 'There is no such thing',
  409: 'It is not in the state for that',
  413: 'The body is too large',
  415: 'The body is of another type',
  429: 'Too many tries; Retry-After says when',
  500: 'The server failed; its log has the reason',
  503: 'Not now',
};

/** The OpenAPI 3.1 document of these resources: what their declarations say, and nothing else. */
export function openApiDocument(resources: readonly Resource[], version: string): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const resource of resources) {
    const path = resource.path.replace(/\{(\w+)\+\}/g, '{$1}');
    paths[path] ??= {};
    paths[path][resource.method.toLowerCase()] = operationOf(resource);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'mini-synapse management API',
      version,
      description: 'Paths and shapes of the WSO2 Micro Integrator management API, and extensions beside them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...new Set(resources.map(({ tag }) => tag))].sort().map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: ERROR },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'mini-synapse-session' },
      },
    },
  };
}

function operationOf(resource: Resource): JsonSchema {
  const { method, path, role, summary, tag, body } = resource;
  const parameters = [...pathParameters(path), ...queryParameters(resource)];
  return {
    operationId: operationId(method, path),
    summary,
    tags: [tag],
    'x-role': role,
    security: role === 'public' ? [] : [{ basic: [] }, { bearer: [] }, { session: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: Object.fromEntries(body.types.map((type) => [type, { schema: body.schema }])),
      },
    }),
    responses: responsesOf(resource),
  };
}

function operationId(method: string, path: string): string {
  const words = path.replace(/^\/management/, '').match(/[A-Za-z0-9]+/g) ?? ['root'];
  const name = words.map((word) => (word[0] ?? '').toUpperCase() + word.slice(1)).join('');
  return method.toLowerCase() + name;
}

function pathParameters(path: string): JsonSchema[] {
  return [...path.matchAll(/\{(\w+)(\+?)\}/g)].map(([, name, rest]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
    ...(rest === '+' && { description: 'May contain slashes' }),
  }));
}

function queryParameters({ query }: Resource): JsonSchema[] {
  return Object.entries(query).map(([name, field]) => ({
    name,
    in: 'query',
    required: field.required === true,
    ...(field.description !== undefined && { description: field.description }),
    schema: schemaOf(field),
  }));
}

function responsesOf(resource: Resource): JsonSchema {
  const { role, answers, body } = resource;
  const usual = [400, ...(role === 'public' ? [] : [401, 403, 429]), ...(body ? [403, 413, 415] : []), 500];
  const statuses = new Set([...Object.keys(answers).map(Number), ...usual]);
  return Object.fromEntries(
    [...statuses].sort((left, right) => left - right).map((status) => [status, responseOf(status, answers[status])]),
  );
}

function responseOf(status: number, declared: JsonSchema | MediaAnswer | null | undefined): JsonSchema {
  const description = REFUSALS[status] ?? (status < 300 ? 'Done' : 'See the status');
  if (declared === null) return { description };
  if (declared !== undefined && isMediaAnswer(declared))
    return { description: declared.description ?? description, content: { [declared.media]: {} } };
  // Refusals of a role have no body, as the reference's.
  if (status >= 400 && status !== 503)
    return { description, content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } } };
  return { description, content: { [JSON_TYPE]: { schema: declared ?? {} } } };
}
