import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acceptJson,
  type JsonNode,
  JsonSyntaxError,
  javaDecimal,
  NotJsonError,
  parseJson,
} from '../../src/message/json.ts';

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(([key, value]) => [key, plain(value)]));
    case 'array':
      return node.items.map(plain);
    case 'number':
      return Number(node.text);
    case 'null':
      return null;
    default:
      return node.value;
  }
}

describe('parseJson', () => {
  test('reads what JSON.parse reads, with any spacing', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2), (text, indent) => {
        const value: unknown = JSON.parse(text);
        expect(plain(parseJson(JSON.stringify(value, null, indent)))).toEqual(value);
      }),
    );
  });

  test('accepts and refuses what JSON.parse accepts and refuses', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '.',
      '0',
      'e',
      'E+1',
      'true',
      'nul',
      'null',
      ' ',
      '\\',
      '\\u00',
      '\\n',
      '\n',
      '\t',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
        const text = fragments.join('');
        let expected: unknown;
        let fails = false;
        try {
          expected = JSON.parse(text);
        } catch {
          fails = true;
        }
        if (fails) expect(() => parseJson(text)).toThrow(JsonSyntaxError);
        else expect(plain(parseJson(text))).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('keeps repetitions, order and digits', () => {
    expect(parseJson('{"2":1.50,"1":1E3,"2":-0}')).toEqual({
      kind: 'object',
      members: [
        ['2', { kind: 'number', text: '1.50' }],
        ['1', { kind: 'number', text: '1E3' }],
        ['2', { kind: 'number', text: '-0' }],
      ],
    });
  });

  test('says where it is wrong, and refuses to go too deep', () => {
    expect(() => parseJson('{"a":1,}')).toThrow('unexpected "}" at position 7');
    expect(() => parseJson('[1')).toThrow('the text ends at position 2');
    expect(() => parseJson('['.repeat(100_000))).toThrow(/nested deeper than 256/);
    expect(parseJson(`${'['.repeat(256)}${']'.repeat(256)}`).kind).toBe('array');
  });
});

describe('acceptJson (spec mediators 5.2)', () => {
  test.each(['{"a":1}', '[', '{broken', '"text"', 'true', 'null', '-1.5', '\n {"a":1} ', '5'])('takes %j', (text) => {
    expect(acceptJson(text)).toBe(text);
  });

  test.each(['', '  ', '\t'])('takes %j as nothing', (text) => {
    expect(acceptJson(text)).toBeUndefined();
  });

  test.each(['5\n', '1e5', ' true', '\n', 'hello', '<a/>', 'nope'])('refuses %j', (text) => {
    expect(() => acceptJson(text)).toThrow(NotJsonError);
  });
});

test.each([
  ['1e5', '1E+5'],
  ['1E3', '1E+3'],
  ['-0', '0'],
  ['1.0', '1.0'],
  ['1.50', '1.50'],
  ['0.0000001', '1E-7'],
  ['0.000001', '0.000001'],
  ['12.5e1', '125'],
  ['1.25e1', '12.5'],
  ['-12e-1', '-1.2'],
  ['123e4', '1.23E+6'],
  ['10', '10'],
  ['0.0', '0.0'],
  ['0e5', '0E+5'],
])('javaDecimal: %s is %s', (text, expected) => {
  expect(javaDecimal(text)).toBe(expected);
});
