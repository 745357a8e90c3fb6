import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryParameters, UriTemplate, UriTemplateError } from '../../src/rest/uri-template.ts';

function match(template: string, target: string): Record<string, string> | undefined {
  const [path = '', query] = target.split('?');
  const found = new UriTemplate(template).match(path, query);
  return found && Object.fromEntries(found);
}

describe('a URI template', () => {
  it.each([
    ['/', '', {}],
    ['/', '/', {}],
    ['/users', '/users', {}],
    ['/users', '/users/', {}],
    ['/users', '/users?x=1', {}],
    ['/users/{id}', '/users/5', { id: '5' }],
    ['/users/{id}', '/users/5/', { id: '5' }],
    ['/users/{id}', '/users/a%2Fb', { id: 'a%2Fb' }],
    ['/users/{id}/orders', '/users/5/orders', { id: '5' }],
    ['/users/{id}/orders/{order}', '/users/5/orders/7', { id: '5', order: '7' }],
    ['/{a}-{b}', '/x-y', { a: 'x', b: 'y' }],
    ['/{a,b}', '/x,y', { a: 'x', b: 'y' }],
    ['/files/{+path}', '/files/a/b/c', { path: 'a/b/c' }],
    ['/map{.format}', '/map.json', { format: 'json' }],
    ['/map{.format}', '/map', {}],
    ['/tree{/path*}', '/tree/a/b', { path: 'a/b' }],
    ['/p{;x,y}', '/p;x=1;y=2', { x: '1', y: '2' }],
    ['/*', '', {}],
    ['/*', '/a/b', {}],
    ['/a/*', '/a', {}],
    ['/a/*', '/a/b/c', {}],
    ['/a/{b}/*', '/a/1/c', { b: '1' }],
    ['/q?x={x}', '/q?x=1', { x: '1' }],
    ['/q?x={x}&y={y}', '/q?y=2&x=1&z=3', { x: '1', y: '2' }],
    ['/q?type=a', '/q?type=a', {}],
    ['/q{?x,y}', '/q?y=2', { y: '2' }],
    ['/q{?x,y}', '/q', {}],
    ['/q?x={x}{&y}', '/q?x=1&y=2', { x: '1', y: '2' }],
  ])('%s matches %s', (template, target, expected) => {
    expect(match(template, target)).toEqual(expected);
  });

  it.each([
    ['/', '/a'],
    ['/users', '/user'],
    ['/users', '/usersx'],
    ['/users/{id}', '/users'],
    ['/users/{id}', '/users/'],
    ['/users/{id}', '/users/5/6'],
    ['/users/{id}/orders', '/users/5'],
    ['/a/*', '/ab'],
    ['/q?x={x}', '/q'],
    ['/q?x={x}', '/q?y=1'],
    ['/q?type=a', '/q?type=b'],
    ['/map{.format}', '/mapjson'],
    ['/{a,b}', '/x,y,z'],
  ])('%s does not match %s', (template, target) => {
    expect(match(template, target)).toBeUndefined();
  });

  it.each(['/{', '/{a', '/a}', '/{}', '/{a b}', '/q?x=1{a'])('refuses %s', (template) => {
    expect(() => new UriTemplate(template)).toThrow(UriTemplateError);
  });

  it('finds again what was put into it', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_.~-]{1,20}$/);
    fc.assert(
      fc.property(segment, segment, segment, (first, second, third) => {
        const found = match('/a/{first}/b/{second}?q={third}', `/a/${first}/b/${second}?q=${third}`);
        expect(found).toEqual({ first, second, third });
      }),
    );
  });

  it('never throws, whatever the request', () => {
    const template = new UriTemplate('/a/{x}/{+y}/b{.z}?q={q}{&r}');
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (path, query) => {
        template.match(path, query);
      }),
    );
  });
});

it('of several parameters with one name the last one counts', () => {
  expect([...queryParameters('a=1&b&a=2&=3&&c=d=e')]).toEqual([
    ['a', '2'],
    ['b', ''],
    ['', '3'],
    ['c', 'd=e'],
  ]);
});
