import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMediaType, mediaTypeOf, parseMediaType, withCharset } from '../../src/message/media-type.ts';

describe('Content-Type', () => {
  test.each([
    ['text/xml', 'text/xml', {}],
    ['Text/XML; Charset=UTF-8', 'text/xml', { charset: 'UTF-8' }],
    ['text/xml;charset="utf-8"', 'text/xml', { charset: 'utf-8' }],
    [
      'application/soap+xml; charset=UTF-8; action="urn:a;b=\\"c\\""',
      'application/soap+xml',
      { charset: 'UTF-8', action: 'urn:a;b="c"' },
    ],
    ['multipart/form-data; boundary=----x=y', 'multipart/form-data', { boundary: '----x=y' }],
    ['text/xml, application/xml', 'text/xml', {}],
    ['application/json;', 'application/json', {}],
    ['text/plain; charset = us-ascii ; charset=utf-8', 'text/plain', { charset: 'us-ascii' }],
    ['text/plain; charset="never ends', 'text/plain', { charset: 'never ends' }],
    ['', '', {}],
  ])('%s', (header, type, parameters) => {
    const read = parseMediaType(header);
    expect(read.type).toBe(type);
    expect(Object.fromEntries(read.parameters)).toEqual(parameters);
    expect(mediaTypeOf(header)).toBe(type);
  });

  test('there may be none', () => {
    expect(parseMediaType(undefined)).toEqual({ type: '', parameters: new Map() });
  });

  test('the charset is replaced, added or removed; the rest stays', () => {
    expect(withCharset('text/xml', 'UTF-8')).toBe('text/xml; charset=UTF-8');
    expect(withCharset('application/soap+xml; action="a b"; charset=x', 'UTF-8')).toBe(
      'application/soap+xml; charset=UTF-8; action="a b"',
    );
    expect(withCharset('text/xml; charset=x', undefined)).toBe('text/xml');
  });

  test('nothing that is written can break the header', () => {
    expect(formatMediaType('application/soap+xml', [['action', 'a"\r\nX: y\\']])).toBe(
      'application/soap+xml; action="a\\"X: y\\\\"',
    );
  });

  test('what is written is read again, whatever it is', () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const value = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && text.trim() === text);
    fc.assert(
      fc.property(fc.dictionary(token, value, { maxKeys: 5, noNullPrototype: true }), (parameters) => {
        const read = parseMediaType(formatMediaType('a/b', Object.entries(parameters)));
        expect(Object.fromEntries(read.parameters)).toEqual(parameters);
      }),
    );
  });

  test('any text is read without an error', () => {
    fc.assert(fc.property(fc.string(), (header) => void parseMediaType(header)));
  });
});
