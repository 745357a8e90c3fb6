import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RESOURCES } from '../../src/management/resources/index.ts';

interface Row {
  readonly paths: readonly string[];
  readonly methods: readonly string[];
  readonly here: string;
}

const rows: readonly Row[] = readFileSync('docs/management-api.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `/management'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, paths = '', methods = '', here = '']) => ({
    paths: [...paths.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
    methods: methods.split(', '),
    here,
  }));

const operations = new Set(RESOURCES.map(({ method, path }) => `${method} ${path}`));

/** What the reference has (spec proxies 8.2), each with the methods that it takes. */
const REFERENCE: Readonly<Record<string, string>> = {
  'proxy-services': 'GET POST',
  apis: 'GET POST',
  endpoints: 'GET POST',
  sequences: 'GET POST',
  templates: 'GET POST',
  'inbound-endpoints': 'GET POST',
  tasks: 'GET POST',
  'message-stores': 'GET',
  'message-processors': 'GET POST',
  'local-entries': 'GET',
  'data-services': 'GET',
  'data-sources': 'GET',
  connectors: 'GET POST',
  applications: 'GET POST',
  'registry-resources': 'GET',
  logging: 'GET PATCH',
  logs: 'GET',
  server: 'GET PATCH',
  users: 'GET POST',
  roles: 'GET POST PUT',
  'roles/{role}': 'GET DELETE',
  configs: 'GET PUT',
  'external-vaults/{vault}': 'POST',
  login: 'GET',
  logout: 'GET',
};

it('the document has every path and method of the reference', () => {
  const told = rows.flatMap(({ paths, methods }) =>
    paths.flatMap((path) => methods.map((method) => `${method} ${path}`)),
  );
  const wanted = Object.entries(REFERENCE).flatMap(([path, methods]) =>
    methods.split(' ').map((method) => `${method} /management/${path}`),
  );
  expect(told.sort()).toEqual(wanted.sort());
});

it.each(rows)('$methods $paths: $here', ({ paths, methods, here }) => {
  for (const path of paths)
    for (const method of methods) expect(operations.has(`${method} ${path}`)).toBe(!here.startsWith('absent'));
});

it.each([
  'DELETE /management/applications/{name}',
  'GET /management/registry-resources/content',
  'GET /management/registry-resources/metadata',
  'GET /management/registry-resources/properties',
  'GET /management/users/{userId}',
  'PATCH /management/users/{userId}',
  'DELETE /management/users/{userId}',
  'PUT /management/tracing',
])('%s is there, as the document says', (operation) => {
  expect(operations).toContain(operation);
});
