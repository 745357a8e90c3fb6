import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/stores/memory/byte-writer.ts';

const PREFIX = 300;

describe('the writer', () => {
  it('writes the UUID at the end of a text as 16 bytes', () => {
    const writer = new ByteWriter();
    const id = randomUUID();
    expect(writer.uuid(`urn:uuid:${id}`, 9, PREFIX)).toBe(true);
    const written = Buffer.from(writer.written());
    const reader = new ByteReader(written);
    expect([reader.varint(), reader.text(16, 'hex')]).toEqual([PREFIX, id.replaceAll('-', '')]);
    expect(written).toHaveLength(2 + 16);
  });

  it.each([
    ['upper case', (id: string) => id.toUpperCase()],
    ['a hyphen too few', (id: string) => id.replace('-', '0')],
    ['a hyphen too many', (id: string) => `${id.slice(0, 20)}-${id.slice(21)}`],
    ['another letter', (id: string) => `${id.slice(0, 35)}g`],
    ['too short', (id: string) => id.slice(0, 35)],
    ['a character far away', (id: string) => `${id.slice(0, 35)}\u{1F600}`],
  ])('writes nothing for what is no UUID: %s', (_what, broken) => {
    const writer = new ByteWriter();
    writer.byte(7);
    expect(writer.uuid(broken('0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'), 0, PREFIX)).toBe(false);
    expect([...writer.written()]).toEqual([7]);
  });

  it('writes texts of ASCII, and nothing of others', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const writer = new ByteWriter();
        writer.byte(7);
        const isAscii = [...text].every((character) => character < '\u0080');
        expect(writer.ascii(text, PREFIX)).toBe(isAscii);
        const reader = new ByteReader(Buffer.from(writer.written()));
        expect(reader.byte()).toBe(7);
        if (!isAscii) expect(writer.written()).toHaveLength(1);
        else expect([reader.varint(), reader.text(text.length, 'utf8')]).toEqual([PREFIX, text]);
      }),
      { numRuns: 200 },
    );
  });
});
