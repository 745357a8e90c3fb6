import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newStoredId } from '../../src/stores/stored-id.ts';

const VERSION_7 = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('is a UUID of version 7, which says when the message was stored', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (now) => {
      const id = newStoredId(now);
      expect(id).toMatch(VERSION_7);
      expect(Number.parseInt(id.replace('urn:uuid:', '').replace('-', '').slice(0, 12), 16)).toBe(now);
    }),
  );
});

test('ids of later messages come later, and no two are the same', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => newStoredId(1_800_000_000_000 + Math.floor(index / 100)));
  expect(new Set(ids).size).toBe(ids.length);
  for (let index = 100; index < ids.length; index += 1)
    expect((ids[index] ?? '') > (ids[index - 100] ?? '')).toBe(true);
});
