import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/mediators/validation/json-schema.ts';

describe('items that must differ', () => {
  const DRAFTS = [
    undefined,
    'https://json-schema.org/draft/2020-12/schema',
    'https://json-schema.org/draft/2019-09/schema',
  ];

  it.each(DRAFTS)('are compared as JSON Schema does (%s)', async ($schema) => {
    const check = await jsonSchema(JSON.stringify({ ...($schema && { $schema }), uniqueItems: true }));
    for (const same of [
      [1, 1],
      ['a', 'a'],
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      [null, null],
      [1.0, 1],
      [[], []],
    ])
      expect(check(same), JSON.stringify(same)).toBe('must NOT have duplicate items');
    for (const differ of [
      [1, '1'],
      [0, false],
      [{}, []],
      [{ a: 1 }, { a: '1' }],
      [null, 'null'],
      [],
      'aa',
      { a: 1, b: 1 },
    ])
      expect(check(differ), JSON.stringify(differ)).toBeUndefined();
  });

  it('may be many', async () => {
    const check = await jsonSchema('{"uniqueItems":true}');
    expect(check(Array.from({ length: 100_000 }, (_, index) => ({ index })))).toBeUndefined();
  });

  it('need not when the schema says so', async () => {
    expect((await jsonSchema('{"uniqueItems":false}'))([1, 1])).toBeUndefined();
  });
});

it('a schema that is itself is a fault that says so', async () => {
  const check = await jsonSchema('{"$ref":"#"}');
  expect(() => check({})).toThrow('the schema refers to itself without end');
});
