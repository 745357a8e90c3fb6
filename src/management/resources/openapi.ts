import { openApiDocument } from '../openapi.ts';
import { type Resource, resource } from '../resource.ts';
import { object, TEXT } from '../schemas.ts';

/** `GET /management/openapi.json`: what all resources declare, this one included. */
export function openApi(resources: () => readonly Resource[]): Resource {
  return resource({
    method: 'GET',
    path: '/management/openapi.json',
    role: 'public',
    summary: 'This API as an OpenAPI 3.1 document',
    tag: 'server',
    answers: { 200: object({ openapi: TEXT, info: { type: 'object' }, paths: { type: 'object' } }) },
    answer: (_request, { health }) => ({ status: 200, body: openApiDocument(resources(), health.version) }),
  });
}
