import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CharsetError, decodeText, encodeText } from '../../src/message/charset.ts';

describe('charsets', () => {
  test.each([
    ['ISO-8859-1', Buffer.from('grüß\x85', 'latin1'), 'grüß\x85'],
    ['UTF-8', Buffer.from('☃'), '☃'],
    ['utf-16le', Buffer.from('☃', 'utf16le'), '☃'],
    ['windows-1252', Buffer.from([0x80]), '€'],
    [undefined, Buffer.from('\ufeffbom'), 'bom'],
  ])('reads %s', (charset, bytes, text) => {
    expect(decodeText(bytes, charset)).toBe(text);
  });

  test('refuses what it does not know and bytes that are no text', () => {
    expect(() => decodeText(Buffer.from('x'), 'klingon')).toThrow(CharsetError);
    expect(() => decodeText(Buffer.from([0xff]), 'utf-8')).toThrow(CharsetError);
    expect(decodeText(Buffer.from([0xff]), 'utf-8', { lenient: true })).toBe('\ufffd');
  });

  test('writes the charset that it names', () => {
    expect(encodeText('grüß', 'iso-8859-1')).toEqual({ bytes: Buffer.from('grüß', 'latin1'), charset: 'ISO-8859-1' });
    expect(encodeText('☃', 'iso-8859-1').charset).toBe('UTF-8');
    expect(encodeText('abc', 'us-ascii').charset).toBe('US-ASCII');
    expect(encodeText('ü', 'us-ascii').charset).toBe('UTF-8');
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).map((text) => `x${text.toWellFormed()}`),
        fc.constantFrom('UTF-8', 'ISO-8859-1', 'US-ASCII', 'utf-16', undefined),
        (text, wanted) => {
          const { bytes, charset } = encodeText(text, wanted);
          expect(decodeText(bytes, charset)).toBe(text);
        },
      ),
    );
  });
});
