import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinUri, splitUri, UriError } from '../../src/mediators/routing/uri-fragments.ts';

describe('a URI', () => {
  it.each([
    ['http://u:p@h.org:80/a/b?x=1&y=2#r', ['http', 'u:p', 'h.org', '80', '/a/b', 'x=1&y=2', 'r']],
    ['/services/P?a=b', [undefined, undefined, undefined, undefined, '/services/P', 'a=b', undefined]],
    ['http://h', ['http', undefined, 'h', undefined, undefined, undefined, undefined]],
    ['http://[::1]:8280/', ['http', undefined, '[::1]', '8280', '/', undefined, undefined]],
    ['', [undefined, undefined, undefined, undefined, undefined, undefined, undefined]],
    ['http://h/a%20b?c=%C3%A4', ['http', undefined, 'h', undefined, '/a b', 'c=ä', undefined]],
    ['urn:x:y', ['urn', undefined, undefined, undefined, 'x:y', undefined, undefined]],
  ])('%s is split and decoded', (text, expected) => {
    const { protocol, user, host, port, path, query, ref } = splitUri(text);
    expect([protocol, user, host, port, path, query, ref]).toEqual(expected);
  });

  it.each(['http://h/a b', 'http://h/<x>', 'http://h/%zz', 'a\nb', 'a|b'])('%s is none', (text) => {
    expect(() => splitUri(text)).toThrow(UriError);
  });

  it.each(['http://u@h.org:80/a/b?x=1&y=2#r', '/services/P?a=b', 'http://h', 'http://h/a%20b', ''])(
    '%s comes together again',
    (text) => {
      expect(joinUri(splitUri(text))).toBe(text);
    },
  );

  it('of any parts can be split again', () => {
    const part = fc.option(
      fc.string({ minLength: 1 }).filter((text) => text.isWellFormed()),
      { nil: undefined },
    );
    fc.assert(
      fc.property(part, part, part, (path, query, ref) => {
        const parts = { protocol: 'http', user: undefined, host: 'h', port: '80', path: `/${path ?? ''}`, query, ref };
        const again = splitUri(joinUri(parts));
        expect(again.host).toBe('h');
        expect(again.port).toBe('80');
      }),
    );
  });

  it.each([
    [{ port: 'x' }, 'is no port'],
    [{ protocol: '1' }, 'is no protocol'],
    [{ path: 'relative' }, 'Relative path in absolute URI'],
  ])('with %j is refused', (change, reason) => {
    expect(() => joinUri({ ...splitUri('http://h:1/a'), ...change })).toThrow(reason);
  });
});
