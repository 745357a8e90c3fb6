import { describe, expect, it } from 'vitest';
import { readQuery } from '../../src/management/query.ts';
import { type Method, resource } from '../../src/management/resource.ts';
import { Router } from '../../src/management/router.ts';

const at = (path: string, method: Method = 'GET') =>
  resource({
    method,
    path,
    role: 'public',
    summary: path,
    tag: 't',
    answers: {},
    answer: () => ({ status: 200, body: path }),
  });

describe('the router', () => {
  const router = new Router([
    at('/a/{name}'),
    at('/a/fixed'),
    at('/a/{name}/b/{id}', 'DELETE'),
    at('/files/{path+}'),
    at('/files/{path+}', 'PUT'),
    at('/'),
  ]);
  const found = (method: string, path: string) => {
    const { resource: one, parameters } = router.find(method, path);
    return [one.path, parameters];
  };

  it.each([
    ['GET', '/a/x', ['/a/{name}', { name: 'x' }]],
    ['GET', '/a/fixed', ['/a/fixed', {}]],
    ['HEAD', '/a/x%2Fy', ['/a/{name}', { name: 'x/y' }]],
    ['DELETE', '/a/fixed/b/2', ['/a/{name}/b/{id}', { name: 'fixed', id: '2' }]],
    ['GET', '/files/one/two', ['/files/{path+}', { path: 'one/two' }]],
    ['PUT', '/files/one', ['/files/{path+}', { path: 'one' }]],
    ['GET', '/', ['/', {}]],
  ])('%s %s', (method, path, expected) => expect(found(method, path)).toEqual(expected));

  it.each([
    ['GET', '/a/x/y', 404],
    ['GET', '/a//b/1', 404],
    ['GET', '/files', 404],
    ['GET', '/a/%E0%A4%A', 400],
    ['POST', '/a/x', 405],
    ['CONNECT', '/constructor', 404],
  ])('%s %s is refused with %d', (method, path, status) => {
    expect(() => router.find(method, path)).toThrow(expect.objectContaining({ status }));
  });

  it('says what is allowed, and which path is near', () => {
    expect(() => router.find('POST', '/files/x')).toThrow(
      expect.objectContaining({
        message: 'Only GET and PUT are allowed here',
        more: { headers: { Allow: 'GET, PUT, HEAD' } },
      }),
    );
    expect(() => router.find('GET', '/a/fixd/')).toThrow(expect.objectContaining({ more: { didYouMean: '/a/fixed' } }));
  });

  it('refuses two resources of one path and method', () => {
    expect(() => new Router([at('/x'), at('/x')])).toThrow(/Two resources/);
  });
});

describe('a query', () => {
  const fields = {
    limit: { type: 'integer', minimum: 1, maximum: 9, default: 5 },
    all: { type: 'boolean' },
    kind: { type: 'string', enum: ['a', 'b'] },
    name: { type: 'string', required: true },
  } as const;
  const read = (text: string) => readQuery(fields, new URLSearchParams(text));

  it('arrives typed, with defaults', async () => {
    expect(await read('name=x&all=true')).toEqual({ limit: 5, all: true, name: 'x' });
    expect(await read('name=&limit=9&all&kind=b')).toEqual({ limit: 9, all: true, kind: 'b', name: '' });
  });

  it.each([
    ['', /'name' is missing/],
    ['name=x&name=y', /given twice/],
    ['name=x&limt=1', /Unknown query parameter 'limt'/],
    ['name=x&limit=10', /'limit' cannot be "10"/],
    ['name=x&limit=1e3', /'limit' cannot be/],
    ['name=x&limit=', /'limit' cannot be/],
    ['name=x&all=yes', /'all' cannot be/],
    ['name=x&kind=c', /'kind' cannot be/],
    ['name=x&__proto__=1', /Unknown/],
  ])('%j is refused', async (text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });
});
